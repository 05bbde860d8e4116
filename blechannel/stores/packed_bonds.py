"""Bonds as bytes, for a file that holds nothing else: the cells of their rows, each with its kind and its length."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from blechannel.limits import MAX_PHONE_BONDS
from blechannel.pairing.bonds import Bond
from blechannel.roles import Role
from blechannel.stores.rows import BOND_COLUMNS, Cell, bond_row, read_bond
from blechannel.stores.sealing import Unsealed

_CELL: Final = struct.Struct(">BH")
"""Kind and length in bytes."""
_NONE, _BYTES, _TEXT, _INTEGER, _REAL = range(5)
_NUMBER: Final = {_INTEGER: struct.Struct(">q"), _REAL: struct.Struct(">d")}


def pack_bonds(bonds: Sequence[Bond]) -> bytes:
    """The rows of these bonds, one after the other. Secrets are not sealed here."""
    return b"".join(_pack_cell(cell) for bond in bonds for cell in bond_row(bond, Unsealed()))


def unpack_bonds(packed: bytes) -> tuple[Bond, ...]:
    """The bonds again, as a phone's.

    Raises:
        ValueError, struct.error, BondError: the bytes are no bonds, or more than a phone holds.
    """
    cells = list(_cells(packed))
    width = len(BOND_COLUMNS)
    if len(cells) > MAX_PHONE_BONDS * width:
        raise ValueError(f"more than {MAX_PHONE_BONDS} bonds")
    rows = [cells[start : start + width] for start in range(0, len(cells), width)]
    return tuple(read_bond(row, Role.PHONE, Unsealed()) for row in rows)


def _pack_cell(cell: Cell) -> bytes:
    match cell:
        case None:
            kind, raw = _NONE, b""
        case bytes():
            kind, raw = _BYTES, cell
        case str():
            kind, raw = _TEXT, cell.encode()
        case int():
            kind, raw = _INTEGER, _NUMBER[_INTEGER].pack(cell)
        case float():
            kind, raw = _REAL, _NUMBER[_REAL].pack(cell)
    return _CELL.pack(kind, len(raw)) + raw


def _cells(packed: bytes) -> Iterator[Cell]:
    at = 0
    while at < len(packed):
        kind, length_bytes = _CELL.unpack_from(packed, at)
        at += _CELL.size
        raw = packed[at : at + length_bytes]
        if len(raw) < length_bytes:
            raise ValueError("the last cell is cut off")
        yield _read_cell(kind, raw)
        at += length_bytes


def _read_cell(kind: int, raw: bytes) -> Cell:
    if kind in _NUMBER:
        number: int | float = _NUMBER[kind].unpack(raw)[0]
        return number
    if kind == _TEXT:
        return raw.decode()
    if kind == _BYTES:
        return raw
    if kind == _NONE and not raw:
        return None
    raise ValueError("a cell of no kind")
