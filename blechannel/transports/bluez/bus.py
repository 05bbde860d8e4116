"""A connection to the system's message bus, on which only bluetoothd is listened to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dbus_fast import BusType, DBusError, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

from blechannel.errors import TransportError
from blechannel.transports.answers import answered
from blechannel.transports.bluez.failures import BUS_LOST, explained

BLUEZ = "org.bluez"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
_DBUS = "org.freedesktop.DBus"
CALL_S = 10.0
CLOSE_S = 2.0
BLUETOOTHD_GONE = "bluetoothd has ended: start it again (systemctl start bluetooth)"

Objects = dict[str, dict[str, dict[str, Any]]]
"""By path and interface: properties, as variants."""
Handle = Callable[[Message], None]


class Bus:
    """Made by `connect`; `bluetoothd` is the name behind which the daemon was found."""

    def __init__(self, connection: MessageBus) -> None:
        self._connection = connection
        self.bluetoothd = ""
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when bluetoothd or the bus has ended; says which."""
        self.on_call: Handle | None = None
        self.on_signal: Handle | None = None

    @classmethod
    async def connect(cls, address: str | None = None) -> tuple[Bus, Objects]:
        """A connection, and what bluetoothd has; `address` is another bus than the system's.

        Raises:
            TransportError: no bus, no bluetoothd, or no permission.
        """
        connection = MessageBus(bus_address=address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True)
        await answered(connection.connect(), within_s=CALL_S, doing="reaching D-Bus", explain=explained)
        bus = cls(connection)
        try:
            objects = await bus._begin()
        except BaseException:
            await bus.close()
            raise
        return bus, objects

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body: object) -> list[Any]:
        """What bluetoothd answers.

        Raises:
            TransportError: it refuses, or does not answer in time.
        """
        return (await self._ask(BLUEZ, path, interface, member, signature, *body)).body

    def reply(self, call: Message, answer: Message, sent: Callable[[], None] | None = None) -> None:
        """Answer a call whose sender wants an answer; `sent` is called when that is on its way, or never will be."""
        if call.flags & MessageFlag.NO_REPLY_EXPECTED:
            # As for writes without response; the bus would throw the answer away, and log it.
            if sent is not None:
                sent()
            return
        self._send(answer, sent)

    def changed(self, path: str, interface: str, **values: Variant) -> None:
        """Tell of new properties of an object of ours."""
        body = [interface, values, []]
        signal = Message.new_signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)
        self._send(signal)

    async def close(self) -> None:
        """Safe to call again; never raises."""
        self._end("this transport was closed")
        self._connection.disconnect()
        with suppress(TransportError):
            await answered(self._disconnected(), within_s=CLOSE_S, doing="leaving D-Bus", explain=explained)

    async def watch(self) -> None:
        """Wait until the bus is lost, and say so in `gone`."""
        with suppress(Exception):  # whatever it was that ended it
            await self._disconnected()
        self._end(BUS_LOST)

    def _send(self, message: Message, sent: Callable[[], None] | None = None) -> None:
        sending = self._connection.send(message)
        if sent is not None:
            sending.add_done_callback(lambda _sending: sent())

    async def _disconnected(self) -> None:
        await self._connection.wait_for_disconnect()  # type: ignore[no-untyped-call]

    async def _begin(self) -> Objects:
        self._connection.add_message_handler(self._received)
        for rule in (
            f"sender='{BLUEZ}',interface='{PROPERTIES}',member='PropertiesChanged',path_namespace='/org/bluez'",
            f"sender='{BLUEZ}',interface='{OBJECT_MANAGER}',member='InterfacesRemoved'",
            f"sender='{_DBUS}',interface='{_DBUS}',member='NameOwnerChanged',arg0='{BLUEZ}'",
        ):
            await self._ask(_DBUS, "/org/freedesktop/DBus", _DBUS, "AddMatch", "s", f"type='signal',{rule}")
        reply = await self._ask(BLUEZ, "/", OBJECT_MANAGER, "GetManagedObjects")
        self.bluetoothd = reply.sender or ""
        objects: Objects = reply.body[0]
        return objects

    async def _ask(
        self, destination: str, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> Message:
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=[*body],
        )
        return await answered(self._answer(message), within_s=CALL_S, doing=f"{interface}.{member}", explain=explained)

    async def _answer(self, message: Message) -> Message:
        reply = await self._connection.call(message)
        if reply.message_type is MessageType.ERROR:
            raise DBusError(
                reply.error_name or "unknown.error", str(reply.body[0]) if reply.body else "no reason given"
            )
        return reply

    def _received(self, message: Message) -> bool:
        """Everything but answers to what was asked; true where nobody else shall look at it."""
        match message.message_type:
            case MessageType.METHOD_CALL:
                self._called(message)
                return True
            case MessageType.SIGNAL if message.sender == self.bluetoothd and self.on_signal is not None:
                self.on_signal(message)
            case MessageType.SIGNAL if message.sender == _DBUS and message.member == "NameOwnerChanged":
                if message.body[1] == self.bluetoothd:
                    self._end(BLUETOOTHD_GONE)
        return False

    def _called(self, message: Message) -> None:
        if message.sender == self.bluetoothd and self.on_call is not None:
            self.on_call(message)
        else:
            refusal = Message.new_error(message, "org.freedesktop.DBus.Error.AccessDenied", "only bluetoothd may")
            self.reply(message, refusal)

    def _end(self, reason: str) -> None:
        if not self.gone.done():
            self.gone.set_result(reason)
