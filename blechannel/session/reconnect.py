"""Reconnecting: Noise KKpsk0, one round trip, and the ratchet that makes a copied bond noticed (protocol, "Reconnect").

The watch stores a candidate epoch BEFORE m2. The phone moves on a valid m2, stored BEFORE its record 0. The watch
moves when record 0 verifies, or when an m1 arrives under a candidate.
"""

from __future__ import annotations

import hmac
from collections.abc import Generator
from typing import Final

from blechannel.codec import encode
from blechannel.config import Config
from blechannel.errors import BondSuperseded, MalformedFrame, PairingRefused, ReplayDetected, UnsupportedVersion
from blechannel.limits import MAX_LINKS
from blechannel.noise import DH_25519, HandshakeState, Keys, Transport
from blechannel.pairing import keys
from blechannel.pairing.bonds import Bond, BondBook, Epoch
from blechannel.pairing.changes import AddCandidate, Advance, ConfirmBond, MarkCopied, Promote
from blechannel.session.greeting import RECONNECT_METHOD, accept, check_bond, choose_reconnect
from blechannel.session.script import Outcome, Script, Talk, Wait, hear, store
from blechannel.session.setup import PhoneSetup, Reconnect, WatchSetup
from blechannel.wire.frames import Bonded, Hello, Info, Ready, Reconnect1, Reconnect2

COPIED: Final = "a phone used keys of this bond that were replaced: its bond was copied or rolled back"


def reconnect_as_phone(talk: Talk, setup: PhoneSetup, intent: Reconnect, info: Info) -> Script:
    """The phone's side.

    Raises:
        BondNotFound: the bond is gone.
        UnsupportedVersion: the watch offers less than this bond has used.
        AuthenticationFailed, MalformedFrame: as everywhere.
    """
    bond = setup.books.book.bond(intent.bond_id)
    hello = choose_reconnect(info, setup.config, bond=bond)
    prologue = keys.prologue(keys.RECONNECT_LABEL, talk.info(), encode(hello))
    side = _Side(talk, bond, bond.epoch, prologue, initiator=True)
    message = side.noise.write_message()
    talk.say(Reconnect1(encode(hello), keys.hint_tag(bond.epoch.hint_key, prologue, message), message))

    m2 = yield from hear(Reconnect2)
    side.read(m2.noise)
    transport, epoch = side.finish()
    yield from store(Advance(bond.bond_id, epoch))
    if bond.pending:
        yield from store(ConfirmBond(bond.bond_id))
    talk.install(transport)
    talk.say(Ready(keys.known(bond.discovery_key)))
    return Outcome(bond.bond_id, epoch.hint_key, True, transport.handshake_hash)


def reconnect_as_watch(talk: Talk, setup: WatchSetup, m1: Reconnect1, *, book_at_info: BondBook) -> Script:
    """The watch's side; `book_at_info` is the book as it was when this session said INFO.

    Raises:
        PairingRefused: the tag is no bond's.
        ReplayDetected: the tag was made with a key that had been replaced before INFO: somebody uses a copy.
        BondSuperseded: it was made with a key that has been replaced since: another reconnect overtook this one.
        UnsupportedVersion, AuthenticationFailed, MalformedFrame: as everywhere.
    """
    prologue = keys.prologue(keys.RECONNECT_LABEL, talk.info(), m1.hello)
    bond, under = yield from _recognise(setup.books.book, m1, prologue, book_at_info)
    hello = _accept(m1.hello, bond, setup.config)
    talk.peer_takes(hello)
    side = _Side(talk, bond, under, prologue, initiator=False)
    side.read(m1.noise)
    message = side.noise.write_message()
    transport, candidate = side.finish()
    yield from store(AddCandidate(bond.bond_id, under.hint_key, candidate, MAX_LINKS))
    talk.belong(bond.bond_id, candidate.hint_key)
    talk.say(Reconnect2(message))
    talk.install(transport)

    ready = yield from hear(Ready)
    yield from store(Promote(bond.bond_id, candidate.hint_key))
    newest = setup.books.book.discovery_key
    if not hmac.compare_digest(ready.known, keys.known(newest)):
        talk.say(Bonded(newest, setup.config.name))
    return Outcome(bond.bond_id, candidate.hint_key, True, transport.handshake_hash)


def _accept(hello_bytes: bytes, bond: Bond, config: Config) -> Hello:
    check_bond(config, bond)
    hello = accept(hello_bytes, config)
    if hello.method != RECONNECT_METHOD or hello.version < bond.version or hello.suite < bond.suite:
        raise UnsupportedVersion("the phone chose less than this bond has used")
    return hello


def _recognise(
    book: BondBook, m1: Reconnect1, prologue: bytes, book_at_info: BondBook
) -> Generator[Wait, object, tuple[Bond, Epoch]]:
    """The bond and the epoch whose hint key made the tag: an HMAC each, before any Diffie-Hellman.

    Every key of every bond is tried, so that the time does not tell which one fitted. The tag covers INFO's nonce: a
    key that was replaced before INFO was said can have made it only in the hands of somebody who holds an old bond,
    while one that was replaced since may be the phone's own first message, held up on its way.
    """
    found: tuple[Bond, Epoch] | None = None
    replaced: tuple[Bond, bytes] | None = None
    for bond in book.bonds.values():
        for epoch in (bond.epoch, *bond.candidates):
            if _made_with(epoch.hint_key, m1, prologue):
                found = bond, epoch
        for hint_key in bond.retired:
            if _made_with(hint_key, m1, prologue):
                replaced = bond, hint_key
    if replaced is not None:
        raise (yield from _replaced(*replaced, book_at_info))
    if found is None:
        raise PairingRefused("not-recognised", "a phone that this watch does not know tried to reconnect")
    return found


def _replaced(
    bond: Bond, hint_key: bytes, book_at_info: BondBook
) -> Generator[Wait, object, ReplayDetected | BondSuperseded]:
    """What a tag under a replaced key tells; evidence of a copy is kept before the phone hears anything."""
    if not any(hint_key in each.retired for each in book_at_info.bonds.values()):
        return BondSuperseded("another reconnect of the same bond overtook this one")
    if bond.copied_s is None:  # a copy that tries again and again costs no writes
        yield from store(MarkCopied(bond.bond_id))
    return ReplayDetected(COPIED, bond_id=bond.bond_id)


def _made_with(hint_key: bytes, m1: Reconnect1, prologue: bytes) -> bool:
    return hmac.compare_digest(keys.hint_tag(hint_key, prologue, m1.noise), m1.tag)


class _Side:
    """What both sides of a reconnect do alike."""

    def __init__(self, talk: Talk, bond: Bond, epoch: Epoch, prologue: bytes, *, initiator: bool) -> None:
        self._talk = talk
        self._bond = bond
        self._epoch = epoch
        self._static = DH_25519.key_pair(bond.own_static)
        self._ephemeral = DH_25519.generate(talk.random)
        self.noise = HandshakeState(
            keys.RECONNECT_PROTOCOL,
            initiator=initiator,
            random=talk.random,
            prologue=prologue,
            keys=Keys(s=self._static, rs=bond.peer_static, e=self._ephemeral, psks={keys.RECONNECT_PSK: epoch.psk}),
        )

    def read(self, message: bytes) -> None:
        """The peer's message, which carries nothing but itself."""
        if self.noise.read_message(message):
            raise MalformedFrame("a reconnect message with a payload")

    def finish(self) -> tuple[Transport, Epoch]:
        """The transport keys, and the keys of the next reconnect."""
        transport = self.noise.split()
        secrets = (self._ephemeral.private, self._static.private, self._bond.peer_static, self._epoch.psk)
        self._talk.log_keys("RECONNECT", *secrets)
        return transport, keys.next_epoch(
            self._epoch.number + 1,
            psk=self._epoch.psk,
            exporter=transport.exporter,
            handshake_hash=transport.handshake_hash,
        )
