"""A message bus with nobody on it but our program and a stand-in for bluetoothd: real D-Bus bytes over a socket.

The stand-in does what bluetoothd does with an application: reads its objects, asks it for values, passes sockets.
"""

from __future__ import annotations

import array
import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageFlag, MessageType, Variant
from dbus_fast.aio.message_reader import build_message_reader

BLUETOOTHD = ":1.1"
OURS = ":1.7"
DBUS = "org.freedesktop.DBus"
OBJECT_MANAGER = f"{DBUS}.ObjectManager"
PROPERTIES = f"{DBUS}.Properties"
ADAPTER = "/org/bluez/hci0"
DEVICE = "org.bluez.Device1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
LEGACY_BYTES = 31


def adapter(*, powered: bool = True, version: tuple[int, int] = (5, 80)) -> dict[str, dict[str, Variant]]:
    """What bluetoothd shows of an adapter that can be a peripheral."""
    modalias = f"usb:v1D6Bp0246d{version[0]:02X}{version[1]:02X}"
    return {
        "org.bluez.Adapter1": {"Powered": Variant("b", powered), "Modalias": Variant("s", modalias)},
        "org.bluez.GattManager1": {},
        "org.bluez.LEAdvertisingManager1": {},
    }


def with_sender(raw: bytes, sender: str) -> bytes:
    """The same message with the header field that only a bus writes (D-Bus specification, "Header Fields")."""
    [length] = struct.unpack_from("<I", raw, 12)
    fields, body = raw[16 : 16 + length], raw[16 + length + -length % 8 :]
    fields += bytes(-length % 8) + b"\7\1s\0" + struct.pack("<I", len(sender)) + sender.encode() + b"\0"
    return raw[:12] + struct.pack("<I", len(fields)) + fields + bytes(-len(fields) % 8) + body


class Daemon:
    """One connection's two partners: the bus itself, and bluetoothd."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {ADAPTER: adapter()}
        self.extended_advertising = False
        self.refusals: dict[str, str] = {}
        """By method: the error that it gives, once."""
        self.deaf: set[str] = set()
        """Methods that get no answer."""
        self.application: dict[str, Any] = {}
        self.advertisement: dict[str, Variant] | None = None
        self.registrations = 0
        self.disconnected: list[str] = []
        self.calls: list[str] = []
        self.unasked: set[int] = set()
        self.faults: list[str] = []
        self.starting: list[str] = []
        """Methods that were called so that a bus would start bluetoothd, did it not run."""
        self.signals: list[Message] = []
        self.news = asyncio.Event()
        self._phones: dict[str, DaemonPhone] = {}
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._serial = 0
        self._stream: socket.socket | None = None

    # --- the bus

    async def serve(self, listener: socket.socket) -> None:
        """One client."""
        loop = asyncio.get_running_loop()
        self._stream, _ = await loop.sock_accept(listener)
        heard = b""
        while not heard.endswith(b"BEGIN\r\n"):
            heard += await loop.sock_recv(self._stream, 1)
            if heard.endswith(b"\r\n") and not heard.endswith(b"BEGIN\r\n"):
                answer = b"AGREE_UNIX_FD\r\n" if b"NEGOTIATE" in heard else b"OK 0123456789abcdef\r\n"
                heard = b""
                await loop.sock_sendall(self._stream, answer)
        loop.add_reader(self._stream, build_message_reader(self._stream, self._received, self._ended, True))

    def cut(self) -> None:
        """The bus itself ends."""
        if self._stream is not None:
            asyncio.get_running_loop().remove_reader(self._stream)
            self._stream.close()
            self._stream = None

    def die(self) -> None:
        """Bluetoothd ends: its name has no owner any more, its sockets close."""
        for phone in [*self._phones.values()]:
            phone.let_go()
        self.signal(DBUS, "/org/freedesktop/DBus", DBUS, "NameOwnerChanged", "sss", "org.bluez", BLUETOOTHD, "")

    def signal(
        self, sender: str, path: str, interface: str, member: str, signature: str, *body: object
    ) -> None:  # a signal has that many parts
        """Something that the client may have asked to be told."""
        self._send(
            Message(
                message_type=MessageType.SIGNAL,
                sender=sender,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=[*body],
            )
        )

    def changed(self, path: str, interface: str, sender: str = BLUETOOTHD, **values: Variant) -> None:
        """Properties of one of bluetoothd's objects."""
        self.signal(sender, path, PROPERTIES, "PropertiesChanged", "sa{sv}as", interface, values, [])

    async def call(
        self, path: str, interface: str, member: str, signature: str, *body: object, sender: str = BLUETOOTHD
    ) -> Message:
        """What the client answers."""
        message = Message(
            destination=OURS,
            sender=sender,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=[*body],
        )
        serial = self._send(message)
        self._answers[serial] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(5):
            return await self._answers[serial]

    def tell(self, path: str, interface: str, member: str, signature: str, *body: object) -> None:
        """Call without asking for an answer; one that comes all the same is a fault, as on a real bus."""
        message = Message(
            destination=OURS,
            sender=BLUETOOTHD,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=[*body],
            flags=MessageFlag.NO_REPLY_EXPECTED,
        )
        self.unasked.add(self._send(message))

    async def until(self, condition: Any) -> None:
        """Wait for calls until something holds."""
        async with asyncio.timeout(5):
            while not condition():
                self.news.clear()
                await self.news.wait()

    def _send(self, message: Message) -> int:
        self._serial += 1
        message.serial = self._serial
        if self._stream is not None:
            raw = with_sender(bytes(message._marshall(True)), message.sender or "")
            fds = array.array("i", message.unix_fds)
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else []
            with suppress(BrokenPipeError):
                self._stream.sendmsg([raw], ancillary)
        return self._serial

    def _ended(self, _error: Exception | None) -> None:
        self.cut()

    def _received(self, message: Message) -> None:
        if message.message_type is MessageType.METHOD_CALL:
            self._work.add(task := asyncio.ensure_future(self._serve_call(message)))
            task.add_done_callback(self._work.discard)
        elif message.reply_serial in self.unasked:
            self.faults.append(f"an answer that nobody asked for: {message.error_name}")
        elif message.message_type is MessageType.SIGNAL:
            self.signals.append(message)
            self.news.set()
        elif (answer := self._answers.pop(message.reply_serial, None)) is not None and not answer.done():
            answer.set_result(message)

    async def _serve_call(self, message: Message) -> None:
        member = message.member or ""
        self.calls.append(member)
        if message.destination != DBUS and not message.flags & MessageFlag.NO_AUTOSTART:
            self.starting.append(member)
        self.news.set()
        if member in self.deaf:
            return
        error = self.refusals.pop(member, None) or await self._did(member, message)
        if error is not None:
            reply = Message.new_error(message, error, "as the test wants it")
        elif member == "Hello":
            reply = Message.new_method_return(message, "s", [OURS])
        elif member == "GetManagedObjects":
            reply = Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        else:
            reply = Message.new_method_return(message)
        reply.sender = DBUS if message.destination == DBUS else BLUETOOTHD
        self._send(reply)
        self.news.set()

    # --- bluetoothd

    async def _did(self, member: str, message: Message) -> str | None:
        match member:
            case "RegisterApplication":
                reply = await self.call(message.body[0], OBJECT_MANAGER, "GetManagedObjects", "")
                assert reply.message_type is MessageType.METHOD_RETURN, reply.body
                self.application = reply.body[0]
            case "UnregisterApplication":
                self.application = {}
            case "RegisterAdvertisement":
                return await self._advertise(message.body[0])
            case "UnregisterAdvertisement":
                if self.advertisement is None:
                    return "org.bluez.Error.DoesNotExist"
                self.advertisement = None
            case "Disconnect":
                self.disconnected.append(message.path or "")
                if (phone := self._phones.get(message.path or "")) is not None:
                    phone.disconnect()
        return None

    async def _advertise(self, path: str) -> str | None:
        reply = await self.call(path, PROPERTIES, "GetAll", "s", "org.bluez.LEAdvertisement1")
        properties: dict[str, Variant] = reply.body[0]
        one = await self.call(path, PROPERTIES, "Get", "ss", "org.bluez.LEAdvertisement1", "Type")
        assert one.body[0] == properties["Type"]
        flags_and_uuid_bytes = 3 + 18
        [*data] = properties.get("ServiceData", Variant("a{sv}", {})).value.values()
        length = flags_and_uuid_bytes + sum(18 + len(value.value) for value in data)
        if length > LEGACY_BYTES and not self.extended_advertising:
            return "org.bluez.Error.Failed"
        self.advertisement = properties
        self.registrations += 1
        return None

    def phone(self, number: int, *, mtu: int = 517) -> DaemonPhone:
        """A phone that is connected."""
        return self._phones.setdefault(phone := DaemonPhone.path_of(number), DaemonPhone(self, phone, mtu))


class DaemonPhone:
    """One of bluetoothd's devices, and what it does to our service."""

    def __init__(self, daemon: Daemon, path: str, mtu: int) -> None:
        self._daemon = daemon
        self.path = path
        self.mtu = mtu
        self.notified: socket.socket | None = None

    @staticmethod
    def path_of(number: int) -> str:
        return f"{ADAPTER}/dev_00_00_00_00_00_{number:02X}"

    def options(self, **more: Variant) -> dict[str, Variant]:
        return {"device": Variant("o", self.path), "mtu": Variant("q", self.mtu), "link": Variant("s", "LE"), **more}

    async def ask(self, uuid: str, member: str, signature: str, *body: object) -> Message:
        """Call a method of the characteristic with this UUID."""
        return await self._daemon.call(self._path(uuid), CHARACTERISTIC, member, signature, *body)

    def command(self, uuid: str, value: bytes) -> None:
        """A write without response: bluetoothd asks for no answer, and does not wait."""
        self._daemon.tell(self._path(uuid), CHARACTERISTIC, "WriteValue", "aya{sv}", value, self.options())

    def _path(self, uuid: str) -> str:
        [path] = [
            path
            for path, interfaces in self._daemon.application.items()
            if CHARACTERISTIC in interfaces and interfaces[CHARACTERISTIC]["UUID"].value == uuid
        ]
        return path

    async def subscribe(self, uuid: str) -> Message:
        """What bluetoothd does when the configuration is written."""
        reply = await self.ask(uuid, "AcquireNotify", "a{sv}", self.options())
        if reply.message_type is MessageType.METHOD_RETURN:
            assert reply.signature == "hq"
            assert reply.body[1] == self.mtu
            self.let_go()
            self.notified = socket.socket(fileno=reply.unix_fds[reply.body[0]])
            self.notified.setblocking(False)
        return reply

    async def notification(self, *, within_s: float = 5) -> bytes:
        """The next value."""
        assert self.notified is not None
        async with asyncio.timeout(within_s):
            return await asyncio.get_running_loop().sock_recv(self.notified, 600)

    def let_go(self) -> None:
        """Bluetoothd closes the socket: it is not subscribed any more."""
        if self.notified is not None:
            self.notified.close()
            self.notified = None

    def disconnect(self) -> None:
        """The device is gone."""
        self.let_go()
        self._daemon.changed(self.path, DEVICE, Connected=Variant("b", False))


@asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[tuple[Daemon, str]]:
    """A bus with bluetoothd on it, and its address."""
    path = folder / "bus"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.setblocking(False)
    made = Daemon()
    serving = asyncio.ensure_future(made.serve(listener))
    try:
        yield made, f"unix:path={path}"
    finally:
        serving.cancel()
        await asyncio.wait({serving})
        for phone in made._phones.values():
            phone.let_go()
        made.cut()
        for task in [*made._work]:
            task.cancel()
        listener.close()
