"""Bluetooth device addresses as people write them."""

from __future__ import annotations


def address(little_endian: bytes, *, is_random: bool) -> str:
    """Six bytes as on the air, as "C0:11:22:33:44:55 (random)"."""
    text = ":".join(f"{byte:02X}" for byte in reversed(little_endian))
    return f"{text} (random)" if is_random else text
