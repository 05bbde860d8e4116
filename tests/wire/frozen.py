"""The wire format as it was written down: values, and their bytes field by field. A change here is a new format.

Every hexadecimal string was written by hand from the field tables, not made by the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Written:
    """A value, the byte that says what it is (kind or record type; None for a payload), and its body."""

    value: object
    number: int | None
    hex: str

    @property
    def body(self) -> bytes:
        return bytes.fromhex(self.hex)

    def __str__(self) -> str:
        return type(self.value).__name__


_16 = "000102030405060708090a0b0c0d0e0f"
_32 = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
_32B = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
_HELLO = "01 01 01 20 1000"
B16, B32, B32B = bytes.fromhex(_16), bytes.fromhex(_32), bytes.fromhex(_32B)

FRAMES = [
    Written(
        Info(
            min_version=1,
            max_version=2,
            methods=0x0D,
            suites=0x03,
            mode=Mode.PAIRING_OPEN,
            window=64,
            max_frame_bytes=8192,
            psm=0x0080,
            nonce=B16,
        ),
        0x11,
        f"01 02 0d 03 01 40 2000 0080 {_16}",
    ),
    Written(Pair1(bytes.fromhex(_HELLO), b"noise one"), 0x12, f"{_HELLO} 6e6f697365206f6e65"),
    Written(Pair2(b"noise two"), 0x13, "6e6f6973652074776f"),
    Written(Pair3(b"noise three"), 0x14, "6e6f697365207468726565"),
    Written(Reconnect1(bytes.fromhex(_HELLO), B16, b"kk"), 0x15, f"{_HELLO} {_16} 6b6b"),
    Written(Reconnect2(b"KK"), 0x16, "4b4b"),
    Written(Record(b"sealed"), 0x17, "7365616c6564"),
    Written(Refuse(Refusal.UNSUPPORTED), 0x18, "04"),
]

PAYLOADS = [
    Written(Hello(version=1, suite=1, method=1, window=32, max_frame_bytes=4096), None, _HELLO),
    Written(PairShare(B32, b""), None, _32),
    Written(PairAnswer(B32, B32B, b""), None, f"{_32} {_32B}"),
    Written(PairProof(B32B, capabilities=0x8001), None, f"{_32B} 8001"),
]

RECORDS = [
    Written(Nonce(B32, b""), 1, _32),
    Written(Confirm("Phöne", b""), 2, "06 5068c3b66e65"),
    Written(Bonded(B32B, "Watch"), 3, f"{_32B} 05 5761746368"),
    Written(Ready(bytes(range(8))), 4, "0001020304050607"),
    Written(Open(258, "echo"), 5, "0102 04 6563686f"),
    Written(Data(258, b"hi\0"), 6, "0102 686900"),
    Written(Credit(258, 0x01020304), 7, "0102 01020304"),
    Written(Shut(65535), 8, "ffff"),
    Written(Close(sent=2**64 - 1, received=0x0102030405060708), 9, "ffffffffffffffff 0102030405060708"),
    Written(Deny(258), 10, "0102"),
    Written(Copied(Evidence.RETIRED_KEY), 11, "01"),
]

ALL = [*FRAMES, *PAYLOADS, *RECORDS]

ENUMERATIONS = {
    Mode: {"BONDED_ONLY": 0, "PAIRING_OPEN": 1},
    Refusal: {"NOT_RECOGNISED": 1, "PAIRING_CLOSED": 2, "BUSY": 3, "UNSUPPORTED": 4, "FAILED": 5, "NO_ROOM": 6},
    Evidence: {"RETIRED_KEY": 1},
}
