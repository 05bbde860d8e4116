"""The keys that one side of a handshake starts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from blechannel.errors import LocalProtocolError
from blechannel.noise.functions import KeyPair
from blechannel.noise.protocol import Protocol
from blechannel.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the pattern asks of this side, and no more.

    `s`: own static; `rs`: the other side's static public key; `psks`: 32 bytes each by modifier number, or
    later with `HandshakeState.set_psk`. `e`: an own ephemeral made beforehand, for this one handshake; else
    one is generated.
    """

    s: KeyPair | None = None
    rs: bytes | None = None
    e: KeyPair | None = None
    psks: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    def check(self, protocol: Protocol, *, initiator: bool) -> None:
        """Hold these keys against what `protocol` asks of that role; psks are not looked at.

        Raises:
            LocalProtocolError: a key is missing, not asked for, of a wrong length, or given twice.
        """
        if (self.s is not None) is not protocol.pattern.needs_static(initiator=initiator):
            raise LocalProtocolError(f"{protocol.name}: own static key missing or not asked for")
        if (self.rs is not None) is not protocol.pattern.knows_remote_static(initiator=initiator):
            raise LocalProtocolError(f"{protocol.name}: remote static key missing or not asked for")
        publics = [pair.public for pair in (self.s, self.e) if pair]
        publics += [self.rs] if self.rs is not None else []
        if any(len(public) != protocol.dh.length_bytes for public in publics):
            raise LocalProtocolError(f"{protocol.name}: a public key has {protocol.dh.length_bytes} bytes")
        if len(set(publics)) != len(publics):
            raise LocalProtocolError(f"{protocol.name}: one key is given twice")


NO_KEYS: Final = Keys()
