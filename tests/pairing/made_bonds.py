"""Bonds for tests: whole, and different wherever the seed is."""

from __future__ import annotations

import hashlib

from blechannel.methods import Method, Suite
from blechannel.pairing.bonds import Bond, BondBook, Epoch
from blechannel.roles import Role


def key(*seed: object) -> bytes:
    """32 bytes that look like nothing else."""
    return hashlib.sha256(repr(seed).encode()).digest()


def epoch(number: int, *seed: object) -> Epoch:
    return Epoch(number, key("psk", number, *seed), key("hint", number, *seed))


def bond_id(seed: int) -> bytes:
    return key("id", seed)[:16]


def bond(seed: int = 1, role: Role = Role.PHONE) -> Bond:
    return Bond(
        bond_id=bond_id(seed),
        role=role,
        peer_name=f"Peer {seed}",
        method=Method.PASSKEY,
        suite=Suite.CLASSICAL,
        version=1,
        own_static=key("own", seed),
        peer_static=key("peer", seed),
        epoch=epoch(0, seed),
    )


def book(*bonds: Bond) -> BondBook:
    return BondBook({each.bond_id: each for each in bonds})
