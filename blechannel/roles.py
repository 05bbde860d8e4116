"""Who is who. Phone = GATT central = Noise initiator; watch = GATT peripheral = Noise responder. Always."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """The side that a session plays; never inferred from anything else."""

    PHONE = "phone"
    WATCH = "watch"

    __hash__ = object.__hash__  # an enumeration's own is slow, and looked for with every frame

    @property
    def peer(self) -> Role:
        """The other side."""
        return Role.WATCH if self is Role.PHONE else Role.PHONE

    @property
    def is_initiator(self) -> bool:
        """Whether this side writes the first Noise message."""
        return self is Role.PHONE
