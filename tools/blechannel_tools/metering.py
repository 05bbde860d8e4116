"""What a phone's links carry, counted where fragments pass: bytes on the air and turns of the conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from blechannel.aio.link import Link, LinkPosture, LinkReceiver, PhoneTransport, Sighting
from blechannel.errors import TransportError
from blechannel.transports.airtime import VALUE_HEADER_BYTES, packets


@dataclass(slots=True)
class Meter:
    """Running totals; take `reading` before and after to measure what lies between."""

    air_bytes: int = 0
    """Link-layer payload both ways: fragments with their ATT and L2CAP headers."""
    round_trips: int = 0
    """How often the peer spoke after this side had."""
    _spoke: bool = False

    def sent(self, fragment: bytes) -> None:
        """This side sent a fragment."""
        self.air_bytes += sum(packets(len(fragment) + VALUE_HEADER_BYTES))
        self._spoke = True

    def received(self, fragment: bytes) -> None:
        """The peer's fragment came."""
        self.air_bytes += sum(packets(len(fragment) + VALUE_HEADER_BYTES))
        self.round_trips += self._spoke
        self._spoke = False

    def new_link(self) -> None:
        """What was said on an older link is not answered on this one."""
        self._spoke = False


class MeteredPhoneTransport:
    """A phone's transport whose links are counted by `meter`."""

    def __init__(self, transport: PhoneTransport, meter: Meter) -> None:
        self._transport = transport
        self._meter = meter

    def scan(self) -> AsyncGenerator[Sighting, None]:
        """See PhoneTransport."""
        return self._transport.scan()

    async def connect(self, address: str) -> MeteredLink:
        """See PhoneTransport."""
        link = await self._transport.connect(address)
        self._meter.new_link()
        return MeteredLink(link, self._meter)

    async def close(self) -> None:
        """See PhoneTransport."""
        await self._transport.close()


class MeteredLink:
    """A link that is counted."""

    def __init__(self, link: Link, meter: Meter) -> None:
        self._link = link
        self._meter = meter

    @property
    def peer(self) -> str:
        """See Link."""
        return self._link.peer

    @property
    def max_fragment_bytes(self) -> int:
        """See Link."""
        return self._link.max_fragment_bytes

    @property
    def posture(self) -> LinkPosture:
        """See Link."""
        return self._link.posture

    @property
    def room(self) -> int:
        """See Link."""
        return self._link.room

    def start(self, receiver: LinkReceiver) -> None:
        """See Link."""
        self._link.start(_MeteredReceiver(receiver, self._meter))

    def send(self, fragment: bytes) -> None:
        """See Link."""
        self._link.send(fragment)
        self._meter.sent(fragment)

    def publish_info(self, info: bytes) -> None:
        """See Link."""
        self._link.publish_info(info)

    async def close(self) -> None:
        """See Link."""
        await self._link.close()


class _MeteredReceiver(LinkReceiver):
    def __init__(self, receiver: LinkReceiver, meter: Meter) -> None:
        self._receiver = receiver
        self._meter = meter

    def fragment_received(self, fragment: bytes) -> None:
        self._meter.received(fragment)
        self._receiver.fragment_received(fragment)

    def resume_sending(self) -> None:
        self._receiver.resume_sending()

    def link_lost(self, error: TransportError) -> None:
        self._receiver.link_lost(error)
