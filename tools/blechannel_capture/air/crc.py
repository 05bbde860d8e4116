"""The link layer's checksum (Core Specification, Vol 6 Part B, 3.1.1)."""

from __future__ import annotations

from typing import Final

ADVERTISING_INIT: Final = 0x555555
_POLYNOMIAL: Final = 0xDA6000
"""x^24 + x^10 + x^9 + x^6 + x^4 + x^3 + x + 1, least significant bit first, as the bits are sent."""


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE: Final = tuple(map(_entry, range(256)))


def _reversed(value: int) -> int:
    return int(f"{value:024b}"[::-1], 2)


def crc24(pdu: bytes, init: int) -> bytes:
    """The three bytes that follow a PDU on the air; `init` as in CONNECT_IND's CRCInit."""
    register = _reversed(init)
    for byte in pdu:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 0xFF]
    return register.to_bytes(3, "little")


def crc_init_of(pdu: bytes, crc: bytes) -> int:
    """The init under which a PDU has that checksum: what CONNECT_IND has said, where a frame is sound."""
    register = int.from_bytes(crc, "little")
    for byte in reversed(pdu):
        for position in range(7, -1, -1):
            top = register >> 23
            register = (register ^ (_POLYNOMIAL if top else 0)) << 1 & 0xFFFFFF | (top ^ (byte >> position & 1))
    return _reversed(register)
