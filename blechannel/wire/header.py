"""The three bytes that open every frame: its kind, and how many bytes follow."""

from __future__ import annotations

import struct

_HEADER = struct.Struct(">BH")
FRAME_HEADER_BYTES = _HEADER.size
MAX_BODY_BYTES = 0xFFFF


pack_header = _HEADER.pack
"""`kind ‖ length`, three bytes, of a kind and the number of bytes that follow. Raises struct.error out of range."""


def frame_length(first_bytes: bytes) -> int:
    """Bytes of the whole frame, header included, as its first three bytes say; the caller has those."""
    return FRAME_HEADER_BYTES + (first_bytes[1] << 8 | first_bytes[2])
