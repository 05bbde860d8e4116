"""Pairing: Noise XXpsk3, m1 to m6, with the order in which the two sides store (protocol, "Pairing").

The phone stores the new bond as pending BEFORE m5 and keeps the old one; the watch stores on m5 and then answers m6;
the phone drops the old one on m6. Whatever is lost or crashes in between, one bond is left that both sides know.
"""

from __future__ import annotations

import hmac
from collections.abc import Generator
from typing import Final

from blechannel.codec import decode, encode
from blechannel.errors import AuthenticationFailed, MalformedFrame, PairingRefused, UnsupportedVersion
from blechannel.limits import MAX_BONDS
from blechannel.methods import Method
from blechannel.pairing import hybrid, keys
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import ConfirmBond, SpendGuess, StoreBond, StorePending
from blechannel.pairing.comparison import words
from blechannel.pairing.window import PairingWindow
from blechannel.session.events import CodeChanged
from blechannel.session.greeting import accept, choose_pairing
from blechannel.session.pairing_side import PairingSide
from blechannel.session.script import (
    Outcome,
    Script,
    Talk,
    Wait,
    ask_code,
    ask_whether_same,
    hear,
    show_words,
    store,
)
from blechannel.session.setup import Pair, PhoneSetup, WatchSetup
from blechannel.wire.frames import (
    Bonded,
    Confirm,
    Hello,
    Info,
    Mode,
    Nonce,
    Pair1,
    Pair2,
    Pair3,
    PairAnswer,
    PairProof,
    PairShare,
)

NONCE_BYTES: Final = 32
NO_CAPABILITIES: Final = 0


def pair_as_phone(talk: Talk, setup: PhoneSetup, intent: Pair, info: Info) -> Script:
    """The phone's side, from INFO to the stored bond.

    Raises:
        PairingRefused: no window is open on the watch, or the person saw other words than on the watch.
        UnsupportedVersion, AuthenticationFailed, MalformedFrame: as everywhere.
    """
    if info.mode is not Mode.PAIRING_OPEN:
        raise PairingRefused("pairing-closed", "the watch is not open for pairing: open a window on it, then try again")
    replaced = setup.books.book.bonds.get(intent.replaces or b"")
    hello = choose_pairing(info, setup.config, method=intent.method, replaces=replaced)
    code = (yield from ask_code()) if intent.method is Method.PASSKEY else ""
    side = PairingSide(talk, setup, hello, encode(hello))
    agreement = side.agreement(side.noise.ephemeral(), code=code, carried=intent.carried_secret)
    del code  # it has served: nothing asks for it again or keeps it
    kem = hybrid.KemKey(talk.random(hybrid.SEED_BYTES)) if side.is_hybrid else None
    offered = PairShare(agreement.share, kem.encapsulation_key if kem else b"")
    talk.say(Pair1(encode(hello), side.noise.write_message(encode(offered))))

    m2 = yield from hear(Pair2)
    answer = decode(PairAnswer, side.noise.read_message(m2.noise))
    intent.check_watch(side.noise.remote_static or b"")
    side.mix_secret(agreement.agree(answer.share) + _decapsulated(kem, answer.ciphertext))
    proof = PairProof(talk.random(NONCE_BYTES), NO_CAPABILITIES)
    if intent.method.costs_a_guess:
        yield from store(SpendGuess())
    talk.say(Pair3(side.noise.write_message(encode(proof))))
    transport = side.finish()

    m4 = yield from hear(Nonce)
    if not hmac.compare_digest(keys.commitment(m4.nonce), answer.commit):
        raise AuthenticationFailed
    side.check_attestation(m4.attestation)
    if side.method is Method.WORDS:
        yield from show_words(words(transport.handshake_hash, proof.nonce, m4.nonce))
        yield from ask_whether_same()
    bond = side.bond(transport, replaces=intent.replaces)
    yield from store(StorePending(bond, gives_back_guess=intent.method.costs_a_guess))
    talk.say(Confirm(setup.config.name, side.attestation()))

    m6 = yield from hear(Bonded, person=side.method is Method.WORDS)
    yield from store(ConfirmBond(bond.bond_id, m6.name, m6.discovery_key))
    return Outcome(bond.bond_id, bond.epoch.hint_key, False, transport.handshake_hash)


def pair_as_watch(talk: Talk, setup: WatchSetup, m1: Pair1) -> Script:
    """The watch's side, from m1 to the stored bond.

    Raises:
        PairingRefused: no window is open, another run is under way, the store is full, or the person saw other words.
        UnsupportedVersion, AuthenticationFailed, MalformedFrame: as everywhere.
    """
    hello = accept(m1.hello, setup.config)
    talk.peer_takes(hello)
    window = _window(talk, setup, hello)
    side = PairingSide(talk, setup, hello, m1.hello, static=window.static)
    offered = decode(PairShare, side.noise.read_message(m1.noise))
    if not window.admit(talk):
        raise PairingRefused("busy", "a second phone tried to pair while another was pairing")
    bonded = False
    try:
        bond = yield from _bond_as_watch(talk, side, window, offered)
        bonded = True
    finally:
        if window.end(talk, bonded=bonded):
            talk.tell(CodeChanged())
    talk.say(Bonded(setup.books.book.discovery_key, setup.config.name))
    return Outcome(bond.bond_id, bond.epoch.hint_key, False, side.noise.handshake_hash)


def _window(talk: Talk, setup: WatchSetup, hello: Hello) -> PairingWindow:
    """The window that this run may take, once its m1 was opened: junk holds no window and burns no code."""
    if len(setup.books.book.bonds) >= MAX_BONDS:
        raise PairingRefused("no-room", f"this watch holds {MAX_BONDS} bonds: forget one first")
    window = setup.window()
    if window is None or not window.is_open(talk.now()):
        raise PairingRefused("pairing-closed", "a phone tried to pair while no window was open")
    if hello.method != window.method:
        raise UnsupportedVersion("the phone chose another method than the one this window is open for")
    return window


def _bond_as_watch(
    talk: Talk, side: PairingSide, window: PairingWindow, offered: PairShare
) -> Generator[Wait, object, Bond]:
    phone_ephemeral = side.noise.remote_ephemeral or b""
    agreement = side.agreement(phone_ephemeral, code=window.code, carried=window.secret)
    watch_nonce = talk.random(NONCE_BYTES)
    ciphertext, kem_secret = _encapsulated(side, offered.encapsulation_key)
    answer = PairAnswer(agreement.share, keys.commitment(watch_nonce), ciphertext)
    talk.say(Pair2(side.noise.write_message(encode(answer))))
    side.mix_secret(agreement.agree(offered.share) + kem_secret)

    m3 = yield from hear(Pair3)
    if window.method.costs_a_guess:
        window.spend(talk)
        yield from store(SpendGuess())
    proof = decode(PairProof, side.noise.read_message(m3.noise))
    transport = side.finish()
    talk.say(Nonce(watch_nonce, side.attestation()))
    compares = side.method is Method.WORDS
    if compares:
        yield from show_words(words(transport.handshake_hash, proof.nonce, watch_nonce))

    m5 = yield from hear(Confirm, person=compares)
    side.check_attestation(m5.attestation)
    if compares:
        yield from ask_whether_same()
    bond = side.bond(transport, peer_name=m5.name)
    # One bond a window: the store may succeed after the link, and with it this run, is lost.
    window.close()
    yield from store(StoreBond(bond, gives_back_guess=window.method.costs_a_guess))
    return bond


def _encapsulated(side: PairingSide, encapsulation_key: bytes) -> tuple[bytes, bytes]:
    """Ciphertext for the phone and the secret in it; nothing in the classical suite."""
    if side.is_hybrid:
        made = hybrid.encapsulate(encapsulation_key)
        return made.ciphertext, made.shared_secret
    if encapsulation_key:
        raise MalformedFrame("an encapsulation key in the classical suite")
    return b"", b""


def _decapsulated(kem: hybrid.KemKey | None, ciphertext: bytes) -> bytes:
    if kem is not None:
        return kem.decapsulate(ciphertext)
    if ciphertext:
        raise MalformedFrame("a ciphertext in the classical suite")
    return b""
