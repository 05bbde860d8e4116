from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from blechannel.codec import REST, on_air
from blechannel.roles import Role


@dataclass(frozen=True, slots=True)
class Attestation:
    blob: bytes = on_air(REST, "x")


@dataclass(frozen=True, slots=True)
class Subject:
    leaf_sha256: bytes


class Identity(Protocol):
    chain: tuple[bytes, ...]

    def sign(self, statement: bytes) -> bytes: ...


class Verifier(Protocol):
    def verify(self, chain: tuple[bytes, ...], *, at_s: float) -> Subject: ...


def attest(identity: Identity, role: Role, h: bytes) -> Attestation:
    return Attestation(b"")


def check(a: Attestation, role: Role, h: bytes, verifier: Verifier, *, at_s: float) -> Subject:
    return Subject(bytes(32))
