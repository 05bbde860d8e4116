"""Which addresses did not recognise which bonds, so that each is tried once."""

from __future__ import annotations

from typing import Final

MAX_ADDRESSES: Final = 64
"""Remembered at most; the oldest are forgotten first. Addresses change, so that nothing is kept beyond the program."""


class Strangers:
    """Addresses of watches whose advertisement no bond resolved, and the bonds that each of them refused."""

    def __init__(self) -> None:
        self._refused: dict[str, set[bytes]] = {}

    def refused(self, address: str, bond_id: bytes) -> None:
        """The watch at this address does not recognise this bond."""
        bonds = self._refused.pop(address, set())
        self._refused[address] = bonds | {bond_id}
        while len(self._refused) > MAX_ADDRESSES:
            del self._refused[next(iter(self._refused))]

    def has_refused(self, address: str, bond_id: bytes) -> bool:
        """Whether it said so before."""
        return bond_id in self._refused.get(address, set())
