from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ticket:
    secret: bytes = field(repr=False)
    key_hash: bytes

    @classmethod
    def of(cls, secret: bytes, static: bytes) -> Ticket:
        return cls(secret, hashlib.sha256(static).digest())

    def matches(self, static: bytes) -> bool:
        return hmac.compare_digest(self.key_hash, hashlib.sha256(static).digest())
