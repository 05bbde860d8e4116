"""Length-prefixed byte strings for hashes and prologues: two different lists never come out alike."""

from __future__ import annotations


def prepend_len(data: bytes) -> bytes:
    """Return `data` after its length in bytes as unsigned LEB128 (draft-irtf-cfrg-cpace-21, appendix A)."""
    length = len(data)
    prefix = bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + data


# The same function under the name that our own protocol document gives it.
lv = prepend_len


def lv_cat(*items: bytes) -> bytes:
    """Return every item after its own length, in order (draft-irtf-cfrg-cpace-21, appendix A)."""
    return b"".join(map(prepend_len, items))
