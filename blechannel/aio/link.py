"""What a transport gives: links that carry fragments, and two ways to get one.

A link is callback-driven, like an asyncio transport: the channel that owns it is its receiver. Everything runs
on one event loop; nothing here blocks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from blechannel.errors import TransportError
from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class LinkPosture:
    """What is known of the link's own protection. Reported, never relied on (protocol, "GATT service")."""

    transport: str
    encrypted: bool | None = None
    """Whether the link layer encrypts; None where the platform does not say."""
    phy: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One advertisement of our service, as a scanner saw it."""

    address: str
    """Where to connect, in the transport's own notation; means nothing elsewhere and may change."""
    service_data: bytes
    """At most 13 bytes; empty while no scan response was heard."""
    rssi_dbm: int | None = None


class LinkReceiver(Protocol):
    """What a link calls. None of these may raise or block."""

    def fragment_received(self, fragment: bytes) -> None:
        """One GATT value (or one datagram) arrived, whole and in order."""

    def fragments_received(self, fragments: Sequence[bytes]) -> None:
        """Several arrived at once: the same as one after the other, and cheaper for a receiver that knows how."""
        for fragment in fragments:
            self.fragment_received(fragment)

    def resume_sending(self) -> None:
        """`Link.room` is above zero again, or the peer has subscribed."""

    def link_lost(self, error: TransportError) -> None:
        """The link is gone; called exactly once, also after a local `close`; nothing is called after it."""


class Link(Protocol):
    """A connection that carries fragments in order; it may end at any time, and operating systems may drop."""

    @property
    def peer(self) -> str:
        """The peer's address, for people."""

    @property
    def max_fragment_bytes(self) -> int:
        """Longest value that `send` takes now (ATT_MTU − 3 or less); may grow while the link lives."""

    @property
    def posture(self) -> LinkPosture:
        """The link's own protection as far as it is known."""

    @property
    def room(self) -> int:
        """How many fragments `send` takes right now; 0 means: wait for `resume_sending`."""

    def start(self, receiver: LinkReceiver) -> None:
        """Begin to deliver. Called once; fragments that came earlier are delivered now."""

    def send(self, fragment: bytes) -> None:
        """Queue one fragment.

        Raises:
            LocalProtocolError: `room` is 0 or the fragment is longer than `max_fragment_bytes`.
        """

    def publish_info(self, info: bytes) -> None:
        """What the `info` characteristic answers on this connection (watch side; elsewhere nothing happens)."""

    async def close(self) -> None:
        """Send what is queued if the link still lives, then disconnect. Safe to call again. Never raises."""


@runtime_checkable
class BatchLink(Protocol):
    """What a link has beside, for which several fragments at once cost less than one after the other."""

    def send_all(self, fragments: Sequence[bytes]) -> None:
        """The same as `send` of each in this order; what is given together may arrive together, within this call.

        Raises:
            LocalProtocolError: as `send`; those before the one that is refused are on their way.
        """


class PhoneTransport(Protocol):
    """The central: scans and connects."""

    def scan(self) -> AsyncGenerator[Sighting, None]:
        """Sightings as they come, until the iterator is closed.

        Raises:
            TransportError: there is no adapter, or it refuses.
        """

    async def connect(self, address: str) -> Link:
        """Connect, find the service and subscribe to its outbox. The caller bounds the time.

        Raises:
            TransportError: no connection, or the peer has no such service.
        """

    async def close(self) -> None:
        """Stop everything and free the adapter. Safe to call again."""


class WatchTransport(Protocol):
    """The peripheral: advertises and accepts."""

    async def advertise(self, service_data: bytes) -> None:
        """Advertise the service with these at most 13 bytes; a second call replaces the first.

        Raises:
            TransportError: there is no adapter, or it refuses.
        """

    async def accept(self) -> Link:
        """The next phone that connects. The link has no room before the phone subscribes to the outbox.

        Raises:
            TransportError: the transport was closed or its adapter is gone.
        """

    async def close(self) -> None:
        """Stop advertising, drop every link and free the adapter. Safe to call again."""
