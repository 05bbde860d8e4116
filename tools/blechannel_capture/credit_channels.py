"""Credit-based channels of L2CAP: which there are on a connection, and their SDUs put together.

Source: Core Specification, Vol 3 Part A, 3.4 (frames), 4.22 to 4.26 (credit-based and enhanced credit-based
connections); Part F, 3.2.11 and Part G, 5.3 (ATT on such a channel, by its SPSM).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from blechannel_capture.events import Side

CONNECT_REQUEST, CONNECT_RESPONSE = 0x14, 0x15
ENHANCED_REQUEST, ENHANCED_RESPONSE = 0x17, 0x18
DISCONNECT_REQUEST: Final = 0x06
EATT_SPSM: Final = 0x0027
_ACCEPTED: Final = 0
_REFUSED: Final = 0
"""In place of a channel's identifier, where an enhanced answer grants only some of them."""


@dataclass(slots=True)
class _Channel:
    """One direction: an SDU that is being put together."""

    carries_att: bool
    length: int | None = None
    sdu: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Sdu:
    """A whole SDU."""

    data: bytes
    carries_att: bool


class MalformedSdu(Exception):
    """An SDU that contradicts itself; it is given up."""


class CreditChannels:
    """One connection's, both ways."""

    def __init__(self) -> None:
        self._requested: dict[tuple[Side, int], tuple[int, tuple[int, ...]]] = {}
        """By who asked and the signal's identifier: SPSM, and the asker's channel identifiers."""
        self._channels: dict[tuple[Side, int], _Channel] = {}
        """By the receiving side and its channel identifier."""

    def learn(self, code: int, identifier: int, value: bytes, sender: Side) -> None:
        """From one signalling PDU."""
        asker = sender.other, identifier
        if code == CONNECT_REQUEST and len(value) >= 4:
            self._requested[sender, identifier] = _numbers(value)[0], _numbers(value)[1:2]
        elif code == ENHANCED_REQUEST and len(value) >= 10:
            self._requested[sender, identifier] = _numbers(value)[0], _numbers(value[8:])
        elif code == CONNECT_RESPONSE and len(value) >= 10:
            self._answered(asker, _numbers(value)[:1] if _numbers(value)[4] == _ACCEPTED else ())
        elif code == ENHANCED_RESPONSE and len(value) >= 8:
            self._answered(asker, _numbers(value[8:]))
        elif code == DISCONNECT_REQUEST and len(value) >= 4:
            destination, source = _numbers(value)[:2]
            self._channels.pop((sender.other, destination), None)
            self._channels.pop((sender, source), None)

    def has(self, receiver: Side, cid: int) -> bool:
        """Whether that side receives on a credit-based channel of that identifier."""
        return (receiver, cid) in self._channels

    def take(self, receiver: Side, cid: int, piece: bytes) -> Sdu | None:
        """The SDU that this piece completes, if it does; the channel must be there.

        Raises:
            MalformedSdu: no length in its first piece, or more bytes than that says.
        """
        channel = self._channels[receiver, cid]
        if channel.length is None:
            if len(piece) < 2:
                raise MalformedSdu("a first piece of an SDU without its length")
            channel.length = piece[0] | piece[1] << 8
            piece = piece[2:]
        channel.sdu += piece
        if len(channel.sdu) < channel.length:
            return None
        sdu, length = bytes(channel.sdu), channel.length
        channel.sdu, channel.length = bytearray(), None
        if len(sdu) > length:
            raise MalformedSdu(f"an SDU of {len(sdu)} bytes says {length}")
        return Sdu(sdu, channel.carries_att)

    def _answered(self, asker: tuple[Side, int], granted: tuple[int, ...]) -> None:
        spsm, asked = self._requested.pop(asker, (0, ()))
        side = asker[0]
        for theirs, ours in zip(asked, granted, strict=False):
            if ours != _REFUSED:
                self._channels[side, theirs] = _Channel(spsm == EATT_SPSM)
                self._channels[side.other, ours] = _Channel(spsm == EATT_SPSM)


def _numbers(value: bytes) -> tuple[int, ...]:
    """16 bits each, as many as there are."""
    return struct.unpack_from(f"<{len(value) // 2}H", value)
