"""Pairing: Noise XXpsk3, m1 to m6, with the order in which the two sides store (protocol, "Pairing").

The phone stores the new bond as pending BEFORE m5 and keeps the old one; the watch stores on m5 and then answers m6;
the phone drops the old one on m6. Whatever is lost or crashes in between, one bond is left that both sides know.
"""

from __future__ import annotations

import hmac
from collections.abc import Generator
from typing import Final

from blechannel.codec import decode, encode
from blechannel.errors import AuthenticationFailed, PairingRefused, UnsupportedVersion
from blechannel.limits import MAX_BONDS
from blechannel.noise import DH_25519, HandshakeState, Keys, Transport
from blechannel.pairing import keys
from blechannel.pairing.bonds import Bond, Method, Suite
from blechannel.pairing.changes import ConfirmBond, SpendGuess, StoreBond, StorePending
from blechannel.pairing.cpace import CPace
from blechannel.pairing.window import PairingWindow
from blechannel.roles import Role
from blechannel.session.events import CodeChanged
from blechannel.session.greeting import accept, choose
from blechannel.session.script import Outcome, Script, Talk, Wait, ask_code, hear, store
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
ISK_BYTES: Final = 64
BOND_ID_BYTES: Final = 16
NO_CAPABILITIES: Final = 0


def pair_as_phone(talk: Talk, setup: PhoneSetup, intent: Pair, info: Info) -> Script:
    """The phone's side, from INFO to the stored bond.

    Raises:
        PairingRefused: no window is open on the watch.
        UnsupportedVersion, AuthenticationFailed, MalformedFrame: as everywhere.
    """
    if info.mode is not Mode.PAIRING_OPEN:
        raise PairingRefused("pairing-closed", "the watch is not open for pairing: open a window on it, then try again")
    hello = choose(info, setup.config, method=intent.method, bond=None)
    code = yield from ask_code()
    side = _Side(talk, Role.PHONE, talk.info(), encode(hello))
    cpace = side.cpace(code, side.noise.ephemeral())
    del code  # it has served: nothing asks for it again or keeps it
    talk.say(Pair1(encode(hello), side.noise.write_message(encode(PairShare(cpace.share)))))

    m2 = yield from hear(Pair2)
    answer = decode(PairAnswer, side.noise.read_message(m2.noise))
    side.mix_secret(side.agree(cpace, answer.share), intent.method)
    proof = PairProof(talk.random(NONCE_BYTES), NO_CAPABILITIES)
    yield from store(SpendGuess())
    talk.say(Pair3(side.noise.write_message(encode(proof))))
    transport = side.finish()

    m4 = yield from hear(Nonce)
    if not hmac.compare_digest(keys.commitment(m4.nonce), answer.commit):
        raise AuthenticationFailed
    bond = side.bond(transport, hello, replaces=intent.replaces)
    yield from store(StorePending(bond, gives_back_guess=True))
    talk.say(Confirm(setup.config.name))

    m6 = yield from hear(Bonded)
    yield from store(ConfirmBond(bond.bond_id, m6.name, m6.discovery_key))
    return Outcome(bond.bond_id, bond.epoch.hint_key, False, transport.handshake_hash)


def pair_as_watch(talk: Talk, setup: WatchSetup, m1: Pair1) -> Script:
    """The watch's side, from m1 to the stored bond.

    Raises:
        PairingRefused: no window is open, another run is under way, or the store is full.
        UnsupportedVersion, AuthenticationFailed, MalformedFrame: as everywhere.
    """
    hello = accept(m1.hello)
    talk.peer_takes(hello)
    side = _Side(talk, Role.WATCH, talk.info(), m1.hello)
    share = decode(PairShare, side.noise.read_message(m1.noise)).share
    window = _enter_window(talk, setup, hello)
    bonded = False
    try:
        bond = yield from _bond_as_watch(talk, side, window, hello, share)
        bonded = True
    finally:
        if window.end(talk, bonded=bonded):
            talk.tell(CodeChanged())
    talk.say(Bonded(setup.books.book.discovery_key, setup.config.name))
    return Outcome(bond.bond_id, bond.epoch.hint_key, False, side.noise.handshake_hash)


def _enter_window(talk: Talk, setup: WatchSetup, hello: Hello) -> PairingWindow:
    """Junk has been refused by now: only a run that could succeed holds the window and burns its code."""
    if len(setup.books.book.bonds) >= MAX_BONDS:
        raise PairingRefused("no-room", f"this watch holds {MAX_BONDS} bonds: forget one first")
    window = setup.window()
    if window is None or not window.is_open(talk.now()):
        raise PairingRefused("pairing-closed", "a phone tried to pair while no window was open")
    if hello.method != window.method:
        raise UnsupportedVersion("the phone chose another method than the one this window is open for")
    if not window.admit(talk):
        raise PairingRefused("busy", "a second phone tried to pair while another was pairing")
    return window


def _bond_as_watch(
    talk: Talk, side: _Side, window: PairingWindow, hello: Hello, phone_share: bytes
) -> Generator[Wait, object, Bond]:
    phone_ephemeral = side.noise.remote_ephemeral or b""
    cpace = side.cpace(window.code, phone_ephemeral)
    watch_nonce = talk.random(NONCE_BYTES)
    answer = PairAnswer(cpace.share, keys.commitment(watch_nonce))
    talk.say(Pair2(side.noise.write_message(encode(answer))))
    side.mix_secret(side.agree(cpace, phone_share), window.method)

    m3 = yield from hear(Pair3)
    window.spend(talk)
    yield from store(SpendGuess())
    decode(PairProof, side.noise.read_message(m3.noise))
    transport = side.finish()
    talk.say(Nonce(watch_nonce))

    m5 = yield from hear(Confirm)
    bond = side.bond(transport, hello, peer_name=m5.name)
    yield from store(StoreBond(bond, gives_back_guess=True))
    return bond


class _Side:
    """What both sides of a pairing do alike. Static keys are made for this run and, if it succeeds, for its bond."""

    def __init__(self, talk: Talk, role: Role, info_bytes: bytes, hello_bytes: bytes) -> None:
        self._talk = talk
        self._role = role
        self._info_bytes = info_bytes
        self._static = DH_25519.generate(talk.random)
        self._ephemeral = DH_25519.generate(talk.random)
        self._psk = b""
        self.noise = HandshakeState(
            keys.PAIR_PROTOCOL,
            initiator=role.is_initiator,
            random=talk.random,
            prologue=keys.prologue(keys.PAIR_LABEL, info_bytes, hello_bytes),
            keys=Keys(s=self._static, e=self._ephemeral),
        )

    def cpace(self, code: str, phone_ephemeral: bytes) -> CPace:
        """This side of a run of CPace under the code."""
        sid = keys.cpace_sid(self._info_bytes, phone_ephemeral)
        return CPace(prs=code.encode(), ci=keys.CHANNEL_IDENTIFIER, sid=sid, random=self._talk.random)

    def agree(self, cpace: CPace, peer_share: bytes) -> bytes:
        """The ISK, 64 bytes. A bad point gives a secret that nobody shares: the run then ends as with a wrong code,
        with the same bytes on the air and the same guess spent."""
        unshared = self._talk.random(ISK_BYTES)
        try:
            return cpace.derive(peer_share, initiator=self._role.is_initiator)
        except AuthenticationFailed:
            return unshared

    def mix_secret(self, secret: bytes, method: Method) -> None:
        """After m2, before m3: what the method agreed on becomes the psk."""
        self._psk = keys.pairing_psk(self.noise.handshake_hash, secret, method)
        self.noise.set_psk(keys.PAIR_PSK, self._psk)

    def finish(self) -> Transport:
        """After m3: records from now on."""
        transport = self.noise.split()
        self._talk.log_keys("PAIR", self._ephemeral.private, self._static.private, self._psk)
        self._talk.install(transport)
        return transport

    def bond(self, transport: Transport, hello: Hello, *, peer_name: str = "", replaces: bytes | None = None) -> Bond:
        """The bond that this run made; as the phone sees it, pending."""
        epoch = keys.next_epoch(0, psk=self._psk, exporter=transport.exporter, handshake_hash=transport.handshake_hash)
        return Bond(
            bond_id=self._talk.random(BOND_ID_BYTES),
            role=self._role,
            peer_name=peer_name,
            method=Method(hello.method),
            suite=Suite(hello.suite),
            version=hello.version,
            own_static=self._static.private,
            peer_static=self.noise.remote_static or b"",
            epoch=epoch,
            pending=self._role is Role.PHONE,
            replaces=replaces,
        )
