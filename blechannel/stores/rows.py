"""Bonds as rows of the file. Reading checks every cell: the file may have been written by anyone."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from blechannel.methods import Method, Suite
from blechannel.pairing.access import Access, Standing, pack_ports, unpack_ports
from blechannel.pairing.bonds import BOND_ID_BYTES, KEY_BYTES, Bond, Epoch
from blechannel.roles import Role
from blechannel.stores.sealing import KdfCost, Lock, Sealer

Kind = TypeVar("Kind")

CANDIDATE: Final = struct.Struct(f">Q{KEY_BYTES}s{KEY_BYTES}s")
PUBLIC_COLUMNS: Final = (
    *("bond_id", "peer_name", "method", "suite", "version", "peer_static"),
    *("epoch", "pending", "replaces", "created_s", "last_seen_s", "peer_certificate"),
    *("standing", "ports", "copied_s", "not_recognised_s"),
)
SECRET_COLUMNS: Final = ("own_static", "psk", "hint_key", "candidates", "retired", "discovery_key")
BOND_COLUMNS: Final = (*PUBLIC_COLUMNS, *SECRET_COLUMNS)
LOCK_COLUMNS: Final = ("kdf_salt", "kdf_iterations", "kdf_lanes", "kdf_memory_kib", "kdf_check")

Cell = bytes | str | int | float | None


class Cells:
    """A row by column names.

    Each way of reading raises ValueError where the cell is of another kind.
    """

    def __init__(self, columns: Sequence[str], row: Sequence[object]) -> None:
        self._cells: Mapping[str, object] = dict(zip(columns, row, strict=True))

    def of(self, column: str, kind: type[Kind]) -> Kind:
        """The cell as a `kind`."""
        cell = self._cells[column]
        if not isinstance(cell, kind):
            raise ValueError(f"{column} is no {kind.__name__}")
        return cell

    def optional(self, column: str, kind: type[Kind]) -> Kind | None:
        """The cell as a `kind`, or None."""
        return None if self._cells[column] is None else self.of(column, kind)

    def flag(self, column: str) -> bool:
        """A cell that is 0 or 1."""
        return (0, 1).index(self.of(column, int)) == 1

    def identity(self, column: str) -> bytes:
        """A cell of 16 bytes."""
        cell = self.of(column, bytes)
        if len(cell) != BOND_ID_BYTES:
            raise ValueError(f"{column} is not {BOND_ID_BYTES} bytes long")
        return cell


def bond_row(bond: Bond, sealer: Sealer) -> list[Cell]:
    """The cells of `BOND_COLUMNS`."""
    public: list[Cell] = [
        bond.bond_id,
        bond.peer_name,
        int(bond.method),
        int(bond.suite),
        bond.version,
        bond.peer_static,
        bond.epoch.number,
        int(bond.pending),
        bond.replaces,
        bond.created_s,
        bond.last_seen_s,
        bond.peer_certificate,
        int(bond.access.standing),
        None if bond.access.ports is None else pack_ports(bond.access.ports),
        bond.copied_s,
        bond.not_recognised_s,
    ]
    secrets = (
        bond.own_static,
        bond.epoch.psk,
        bond.epoch.hint_key,
        b"".join(CANDIDATE.pack(each.number, each.psk, each.hint_key) for each in bond.candidates),
        b"".join(bond.retired),
        bond.discovery_key,
    )
    named = zip(SECRET_COLUMNS, secrets, strict=True)
    return public + [sealer.seal(secret, bond.bond_id, column) for column, secret in named]


def read_bond(row: Sequence[object], role: Role, sealer: Sealer) -> Bond:
    """The bond of a row of `BOND_COLUMNS`.

    Raises:
        ValueError, struct.error, BondError: the row is no bond's.
    """
    cells = Cells(BOND_COLUMNS, row)
    bond_id = cells.identity("bond_id")
    ports = cells.optional("ports", bytes)

    def secret(column: str) -> bytes:
        return sealer.unseal(cells.of(column, bytes), bond_id, column)

    return Bond(
        bond_id=bond_id,
        role=role,
        peer_name=cells.of("peer_name", str),
        method=Method(cells.of("method", int)),
        suite=Suite(cells.of("suite", int)),
        version=cells.of("version", int),
        own_static=secret("own_static"),
        peer_static=cells.of("peer_static", bytes),
        epoch=Epoch(cells.of("epoch", int), secret("psk"), secret("hint_key")),
        candidates=tuple(Epoch(*fields) for fields in CANDIDATE.iter_unpack(secret("candidates"))),
        retired=tuple(key for (key,) in struct.iter_unpack(f"{KEY_BYTES}s", secret("retired"))),
        discovery_key=secret("discovery_key"),
        pending=cells.flag("pending"),
        replaces=cells.optional("replaces", bytes),
        created_s=cells.of("created_s", float),
        last_seen_s=cells.of("last_seen_s", float),
        peer_certificate=cells.of("peer_certificate", bytes),
        access=Access(Standing(cells.of("standing", int)), None if ports is None else unpack_ports(ports)),
        copied_s=cells.optional("copied_s", float),
        not_recognised_s=cells.optional("not_recognised_s", float),
    )


def lock_row(lock: Lock | None) -> list[Cell]:
    """The cells of `LOCK_COLUMNS`."""
    if lock is None:
        return [None] * len(LOCK_COLUMNS)
    return [lock.salt, lock.cost.iterations, lock.cost.lanes, lock.cost.memory_kib, lock.check]


def read_lock(cells: Cells) -> Lock | None:
    """The lock of a row that has `LOCK_COLUMNS`; None where secrets are stored as they are.

    Raises:
        ValueError: no lock, or one that would cost too much to try.
    """
    if cells.optional("kdf_salt", bytes) is None:
        return None
    cost = KdfCost(*(cells.of(column, int) for column in LOCK_COLUMNS[1:4]))
    return Lock(cells.identity("kdf_salt"), cost, cells.of("kdf_check", bytes))
