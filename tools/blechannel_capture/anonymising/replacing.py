"""What things are replaced by: hashes under a secret, so that the same thing always becomes the same thing.

Addresses keep the two bits that tell a random address's kind. AD structures: Supplement to the Core Specification,
Part A, 1; Assigned Numbers, 2.3.
"""

from __future__ import annotations

import hashlib
from typing import Final

from blechannel_capture.findings.linkability import OUR_UUID
from blechannel_capture.recent import remember

ADDRESS_BYTES: Final = 6
REMEMBERED: Final = 256
"""Addresses and names, the latest, that are looked for where nothing is known to hold one."""
MIN_NAME_BYTES: Final = 4
"""Shorter ones stand in other things by chance."""
_NAMES: Final = frozenset({0x08, 0x09, 0x24, 0x30})
"""AD types of names, and of addresses on the web."""
_ADDRESSES: Final = frozenset({0x17, 0x18, 0x1B})
_SECRETS: Final = frozenset({0x0E, 0x0F, 0x10, 0x11, 0x1D, 0x1E, 0x22, 0x23, 0x2E})
_DATA: Final = {0xFF: 2, 0x16: 2, 0x20: 4, 0x21: 16}
"""Data of a manufacturer or a service, behind so many bytes that say of which."""


class Replacing:
    """`secret`: 16 random bytes; with the same ones the same names come out, and nobody else can go back."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: dict[bytes, bytes] = {}
        self.count = 0
        """How many addresses, names, keys and values were replaced."""

    def address(self, data: bytearray, at: int) -> None:
        """Replace the address there, if it is whole; one of zeros is none."""
        found = bytes(data[at : at + ADDRESS_BYTES])
        if len(found) < ADDRESS_BYTES or not any(found):
            return
        made = bytearray(self._made(b"address" + found, ADDRESS_BYTES))
        made[5] = made[5] & 0x3F | found[5] & 0xC0
        data[at : at + ADDRESS_BYTES] = made
        self._remember(found, bytes(made))
        self.count += 1

    def name(self, data: bytearray, first: int, end: int) -> None:
        """Replace that text by letters; what follows its end (zeros) stays."""
        found = bytes(data[first:end]).rstrip(b"\0")
        if found:
            made = bytes(97 + byte % 26 for byte in self._made(b"name" + found, len(found)))
            data[first : first + len(found)] = made
            if len(found) >= MIN_NAME_BYTES:
                self._remember(found, made)
            self.count += 1

    def wipe(self, data: bytearray, first: int, end: int) -> None:
        """Zeros, where something is."""
        end = min(end, len(data))
        if first < end:
            data[first:end] = bytes(end - first)
            self.count += 1

    def value(self, data: bytearray, first: int, end: int) -> None:
        """Other bytes, as many."""
        end = min(end, len(data))
        if first < end:
            data[first:end] = self._made(b"value" + bytes(data[first:end]), end - first)
            self.count += 1

    def known(self, data: bytearray) -> None:
        """Replace the addresses and names that were replaced before wherever else they stand."""
        for known, made in self._known.items():
            at = data.find(known)
            while at >= 0:
                data[at : at + len(known)] = made
                self.count += 1
                at = data.find(known, at + len(known))

    def structures(self, data: bytearray, start: int, end: int) -> None:
        """Replace what tells who somebody is among the AD structures there."""
        at = start
        while at + 1 < end and data[at]:
            kind, first, after = data[at + 1], at + 2, min(end, at + 1 + data[at])
            if kind in _NAMES:
                self.name(data, first, after)
            elif kind in _ADDRESSES:
                for each in range(first, after - ADDRESS_BYTES + 1, ADDRESS_BYTES):
                    self.address(data, each)
            elif kind in _SECRETS:
                self.wipe(data, first, after)
            elif kind in _DATA and data[first : first + 16] != OUR_UUID:  # ours tells nobody anything
                self.value(data, first + _DATA[kind], after)
            at += 1 + data[at]

    def _remember(self, found: bytes, made: bytes) -> None:
        remember(self._known, found, made, REMEMBERED)

    def _made(self, of: bytes, count: int) -> bytes:
        """That many bytes that stand for `of`."""
        return hashlib.shake_256(self._secret + of).digest(count)
