"""What a phone may do on a watch: its owner everything, a guest the ports that somebody allowed it."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from blechannel.errors import BondError
from blechannel.limits import MAX_PERMITTED_PORTS, MAX_PORT_NAME_BYTES, is_name
from blechannel.values import dataclass

OWNER_PORTS: Final = frozenset({"household"})
"""Ports that are the owner's alone, whatever a guest was allowed."""


class Standing(IntEnum):
    """Whose phone it is, to the watch. The numbers are those of the bond store."""

    OWNER = 1
    """The first phone that bonded, until the ownership is transferred. There is one while there are bonds."""
    GUEST = 2


@dataclass(frozen=True, slots=True)
class Access:
    """What one bond's phone may open, and what may be opened towards it.

    Raises:
        BondError: more than 64 ports, or a name that no port has.
    """

    standing: Standing = Standing.GUEST
    ports: frozenset[str] | None = None
    """The ports that this guest was allowed; None where the watch's own choice for guests holds."""

    def __post_init__(self) -> None:
        ports = self.ports or frozenset()
        if len(ports) > MAX_PERMITTED_PORTS:
            raise BondError(f"a guest is allowed at most {MAX_PERMITTED_PORTS} ports by name")
        if not all(is_name(name, MAX_PORT_NAME_BYTES) for name in ports):
            raise BondError(f"a port name has 1 to {MAX_PORT_NAME_BYTES} bytes of UTF-8")

    @property
    def is_owner(self) -> bool:
        """Whether it is the owner's."""
        return self.standing is Standing.OWNER

    def allows(self, port: str, *, guest_ports: frozenset[str]) -> bool:
        """Whether the port of this name may be used; `guest_ports` is the watch's choice for guests."""
        if self.is_owner:
            return True
        permitted = guest_ports if self.ports is None else self.ports
        return port in permitted and port not in OWNER_PORTS


def pack_ports(ports: frozenset[str]) -> bytes:
    """The names in their order, each behind its length in one byte."""
    names = [name.encode() for name in sorted(ports)]
    return b"".join(bytes((len(name),)) + name for name in names)


def unpack_ports(packed: bytes) -> frozenset[str]:
    """The names again.

    Raises:
        ValueError: the bytes are not what `pack_ports` gives.
    """
    names = []
    rest = packed
    while rest:
        end = 1 + rest[0]
        names.append(rest[1:end].decode())
        rest = rest[end:]
    ports = frozenset(names)
    if pack_ports(ports) != packed:
        raise ValueError("no list of port names")
    return ports
