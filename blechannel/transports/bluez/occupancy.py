"""The one phone that is served, and everything that comes from phones.

What BlueZ cannot tell apart decides this. `WriteValue` and `ReadValue` say which device they come from, and so does
`AcquireNotify`. But before 5.70 a notified value goes to every device that has subscribed, and `StartNotify` does not
say who subscribes. So:

- one phone at a time; while it is there, nothing is advertised, and another device that touches the service is
  disconnected;
- `StartNotify` is not offered, and neither is `AcquireWrite`: what comes before bluetoothd has the socket is read from
  memory that it has used again (seen with 5.82: three values with the bytes of the last).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from dbus_fast import DBusError

from blechannel.errors import TransportError
from blechannel.transports.bluez.bus import Bus
from blechannel.transports.bluez.carrier import DEVICE, BluezCarrier
from blechannel.transports.bluez.exports import FAILED, INVALID_OFFSET, NOT_PERMITTED
from blechannel.transports.chores import Chores
from blechannel.transports.queued_link import QueuedLink

DISCONNECTED = "the phone disconnected, or is out of reach"


class Occupancy:
    """`on_begun` and `on_ended` are called with each link, in turn."""

    def __init__(
        self,
        bus: Bus,
        chores: Chores,
        *,
        on_begun: Callable[[QueuedLink], None],
        on_ended: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._chores = chores
        self._on_begun = on_begun
        self._on_ended = on_ended
        self._link: QueuedLink | None = None
        self._carrier: BluezCarrier | None = None

    @property
    def link(self) -> QueuedLink | None:
        """The link that is there, or that bluetoothd has not yet freed."""
        return self._link

    def subscribed(self, device: str, att_mtu_bytes: int) -> socket.socket:
        """A phone begins; bluetoothd's end of its socket.

        Raises:
            DBusError: another is served.
        """
        self.disconnected(device)
        if self._link is not None and not self._link.ended:
            self._turn_away(device)
            raise DBusError(FAILED, "one phone at a time")
        carrier = BluezCarrier(
            self._bus,
            device,
            att_mtu_bytes=att_mtu_bytes,
            on_hung_up=lambda: self.disconnected(device, "the phone unsubscribed or disconnected", still_there=True),
        )
        link = QueuedLink(carrier)
        link.on_ended = lambda: self._freed(link)
        self._carrier, self._link = carrier, link
        self._on_begun(link)
        return carrier.theirs

    def write(self, device: str, att_mtu_bytes: int, offset: int, value: bytes) -> None:
        """A value for the inbox.

        Raises:
            DBusError: it is not this device's turn, or the value comes in parts.
        """
        link, carrier = self._of(device)
        if offset:
            raise DBusError(INVALID_OFFSET, "a value is written in one piece")
        carrier.learn_mtu(att_mtu_bytes)
        link.deliver(value)

    def read_info(self, device: str, offset: int) -> bytes:
        """INFO of this connection, from an offset on.

        Raises:
            DBusError: there is none for this device, or not so much of it.
        """
        info = self._of(device)[0].info
        if info is None:
            raise DBusError(NOT_PERMITTED, "there is no INFO yet")
        if offset > len(info):
            raise DBusError(INVALID_OFFSET, "INFO is shorter")
        return info[offset:]

    def disconnected(self, device: str, reason: str = DISCONNECTED, *, still_there: bool = False) -> None:
        """This device is gone, or has only unsubscribed."""
        if self._link is not None and self._carrier is not None and self._carrier.device == device:
            self._carrier.connected = self._carrier.connected and still_there
            self._link.lost(reason)

    def lose(self, reason: str) -> None:
        """Whoever is there is gone."""
        if self._carrier is not None:
            self.disconnected(self._carrier.device, reason)

    def _of(self, device: str) -> tuple[QueuedLink, BluezCarrier]:
        link, carrier = self._link, self._carrier
        if link is None or carrier is None:
            raise DBusError(NOT_PERMITTED, "subscribe first")
        if carrier.device != device:
            self._turn_away(device)
            raise DBusError(NOT_PERMITTED, "one phone at a time")
        return link, carrier

    def _turn_away(self, device: str) -> None:
        self._chores.later(self._disconnect(device))

    async def _disconnect(self, device: str) -> None:
        with suppress(TransportError):
            await self._bus.call(device, DEVICE, "Disconnect")

    def _freed(self, link: QueuedLink) -> None:
        if self._link is link:
            self._link = self._carrier = None
            self._on_ended()
