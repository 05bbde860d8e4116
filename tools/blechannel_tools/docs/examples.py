"""One value of every declared class, fixed, for the examples on the page and for a second implementation to meet."""

from __future__ import annotations

from typing import Final

from blechannel.codec import encode
from blechannel.pairing.keys import known
from blechannel.wire.adverts import Advert, make_advert
from blechannel.wire.frames import (
    Bonded,
    Close,
    Confirm,
    Copied,
    Credit,
    Data,
    Deny,
    Evidence,
    Hello,
    Info,
    Mode,
    Nonce,
    Open,
    Pair1,
    Pair2,
    Pair3,
    PairAnswer,
    PairProof,
    PairShare,
    Ready,
    Reconnect1,
    Reconnect2,
    Record,
    Refusal,
    Refuse,
    Shut,
)


def _counted(first: int, count: int) -> bytes:
    return bytes(range(first, first + count))


PAIRING: Final = Hello(version=1, suite=1, method=1, window=64, max_frame_bytes=8192)
RECONNECTING: Final = Hello(version=1, suite=1, method=0, window=64, max_frame_bytes=8192)

EXAMPLES: Final[dict[type[object], object]] = {
    type(example): example
    for example in (
        Info(
            min_version=1,
            max_version=1,
            methods=0b1111,
            suites=0b11,
            mode=Mode.PAIRING_OPEN,
            window=64,
            max_frame_bytes=8192,
            psm=0,
            nonce=_counted(0, 16),
        ),
        Pair1(encode(PAIRING), _counted(0x10, 80)),
        Pair2(_counted(0x10, 160)),
        Pair3(_counted(0x10, 98)),
        Reconnect1(encode(RECONNECTING), _counted(0xA0, 16), _counted(0x10, 48)),
        Reconnect2(_counted(0x10, 48)),
        Record(_counted(0x10, 32)),
        Refuse(Refusal.NOT_RECOGNISED),
        PAIRING,
        PairShare(_counted(0x20, 32), b""),
        PairAnswer(_counted(0x20, 32), _counted(0x40, 32), b""),
        PairProof(_counted(0x60, 32), capabilities=0),
        Nonce(_counted(0x80, 32), b""),
        Confirm("Phone", b""),
        Bonded(_counted(0xC0, 32), "Watch"),
        Ready(known(_counted(0xC0, 32))),
        Open(0, "echo"),
        Data(0, b"hello"),
        Credit(0, 32768),
        Shut(0),
        Close(sent=3, received=5),
        Deny(0),
        Copied(Evidence.RETIRED_KEY),
    )
}

DISCOVERY_KEY: Final = _counted(0xC0, 32)
ADVERTISED_AT_S: Final = 1_800_000_000
ADVERT: Final = Advert.decode(
    make_advert(
        DISCOVERY_KEY,
        pairing_open=False,
        random=lambda count: _counted(1, count),
        unix_time_s=ADVERTISED_AT_S,
    )
)
SEND_KEY: Final = _counted(0, 32)
