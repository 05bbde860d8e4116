"""How every conversation opens, and how it is declined: INFO first, then what the phone wants."""

from __future__ import annotations

from blechannel.errors import (
    BlechannelError,
    PairingRefused,
    ReplayDetected,
    UnsupportedVersion,
)
from blechannel.session.greeting import NONCE_BYTES, make_info
from blechannel.session.pairing import pair_as_phone, pair_as_watch
from blechannel.session.reconnect import reconnect_as_phone, reconnect_as_watch
from blechannel.session.script import Script, Talk, hear, hear_either
from blechannel.session.setup import Pair, PhoneSetup, WatchSetup
from blechannel.wire.frames import Info, Pair1, Reconnect1, Refusal


def open_conversation(talk: Talk, setup: PhoneSetup | WatchSetup) -> Script:
    """The script of this side, from the first frame on."""
    if isinstance(setup, PhoneSetup):
        return _open_as_phone(talk, setup)
    return _open_as_watch(talk, setup)


def _open_as_phone(talk: Talk, setup: PhoneSetup) -> Script:
    info = yield from hear(Info)
    talk.peer_takes(info)
    if isinstance(setup.intent, Pair):
        return (yield from pair_as_phone(talk, setup, setup.intent, info))
    return (yield from reconnect_as_phone(talk, setup, setup.intent, info))


def _open_as_watch(talk: Talk, setup: WatchSetup) -> Script:
    window = setup.window()
    pairing = window.method if window is not None and window.is_open(talk.now()) else None
    book = setup.books.book
    talk.say(make_info(setup.config, pairing=pairing, nonce=talk.random(NONCE_BYTES)))
    opening = yield from hear_either(Pair1, Reconnect1, person=pairing is not None)
    if isinstance(opening, Pair1):
        return (yield from pair_as_watch(talk, setup, opening))
    return (yield from reconnect_as_watch(talk, setup, opening, book_at_info=book))


_BY_REASON = {
    "not-recognised": Refusal.NOT_RECOGNISED,
    "pairing-closed": Refusal.PAIRING_CLOSED,
    "busy": Refusal.BUSY,
    "no-room": Refusal.NO_ROOM,
}

_TOLD = {
    Refusal.NOT_RECOGNISED: (
        "not recognised: the bond may have been removed on the watch, or used elsewhere after it was copied or moved; "
        "if so, forget it here and pair again"
    ),
    Refusal.PAIRING_CLOSED: "the watch is not open for pairing: open a window on it, then try again",
    Refusal.BUSY: "the watch is pairing with another phone: wait a moment, then try again",
    Refusal.UNSUPPORTED: "the watch and this phone have no version, suite or method in common",
    Refusal.FAILED: "the other side ended it: a wrong code, or somebody interfered; the watch shows a new code",
    Refusal.NO_ROOM: "the watch holds all the bonds that it can: forget one there first",
}


def refusal_for(error: BlechannelError) -> Refusal:
    """What a stranger is told of `error`: no more than it must know. A copied bond looks like an unknown one."""
    match error:
        case PairingRefused():
            return _BY_REASON.get(error.reason, Refusal.FAILED)
        case ReplayDetected():
            return Refusal.NOT_RECOGNISED
        case UnsupportedVersion():
            return Refusal.UNSUPPORTED
        case _:
            return Refusal.FAILED


def refused(reason: Refusal) -> PairingRefused:
    """What a person is told when the peer declined. Nobody has signed it: it has no consequence for a bond."""
    return PairingRefused(reason.name.lower().replace("_", "-"), _TOLD[reason])
