"""Advertising through the kernel's management socket, with a stand-in for the kernel: its bytes are the interface."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from blechannel.errors import TransportError
from blechannel.gatt import SERVICE_UUID
from blechannel.transports.bluez import BluezWatchTransport, kernel
from blechannel.transports.bluez.kernel import KernelAdvertising
from tests.transports.bluez.daemon import ADAPTER, adapter, daemon
from tests.transports.bluez.live import SERVICE_DATA, Desk

INDEX = 0
ON_AIR_UUID = UUID(SERVICE_UUID).bytes[::-1]
READ, ADD, REMOVE = 0x003D, 0x003E, 0x003F


class Kernel:
    """Answers what is asked of it on any control socket."""

    def __init__(self) -> None:
        self.places = 5
        self.status: dict[int, int] = {}
        self.deaf = False
        self.noise: list[bytes] = []
        """Events that come before an answer, as they do."""
        self.advertised: dict[int, tuple[int, bytes, bytes]] = {}
        self._work: set[asyncio.Task[None]] = set()

    def open(self) -> socket.socket:
        theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        ours.setblocking(False)
        self._work.add(task := asyncio.ensure_future(self._serve(ours)))
        task.add_done_callback(self._work.discard)
        return theirs

    async def close(self) -> None:
        for task in self._work:
            task.cancel()
        if self._work:
            await asyncio.wait(self._work)

    async def _serve(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with control, suppress(ConnectionError):
            while command := await loop.sock_recv(control, 1024):
                opcode, index, length = struct.unpack_from("<HHH", command)
                assert (index, length) == (INDEX, len(command) - 6)
                for event in [] if self.deaf else [*self.noise, self._answer(opcode, command[6:])]:
                    await loop.sock_sendall(control, event)

    def _answer(self, opcode: int, body: bytes) -> bytes:
        if (status := self.status.get(opcode, 0)) != 0:
            return self._event(0x0002, struct.pack("<HB", opcode, status))
        if opcode == READ:
            return self._event(0x0001, struct.pack("<HBIBBBB", opcode, 0, 0x03, 31, 31, self.places, 1) + b"\1")
        if opcode == ADD:
            place, flags, duration, timeout, data_bytes, answer_bytes = struct.unpack_from("<BIHHBB", body)
            assert (duration, timeout, len(body)) == (0, 0, 11 + data_bytes + answer_bytes)
            self.advertised[place] = flags, body[11 : 11 + data_bytes], body[11 + data_bytes :]
        else:
            del self.advertised[body[0]]
        return self._event(0x0001, struct.pack("<HBB", opcode, 0, body[0]))

    def _event(self, kind: int, body: bytes, index: int = INDEX) -> bytes:
        return struct.pack("<HHH", kind, index, len(body)) + body


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kernel]:
    made = Kernel()
    monkeypatch.setattr(kernel, "open_control", made.open)
    yield made
    await made.close()


async def test_the_bytes_are_those_of_the_protocol_and_go_away_again(fake: Kernel) -> None:
    advertising = KernelAdvertising("hci0")
    for service_data in (b"", SERVICE_DATA):
        await advertising.start(service_data)
        answer = bytes([17 + len(service_data), 0x21]) + ON_AIR_UUID + service_data
        assert fake.advertised == {5: (0x03, bytes([17, 0x07]) + ON_AIR_UUID, answer)}
        assert len(answer) <= 31
    await advertising.stop()
    assert fake.advertised == {}


async def test_events_for_others_are_passed_over(fake: Kernel) -> None:
    fake.noise = [
        b"",
        b"\1\0",
        struct.pack("<HHHHBB", 0x0001, 1, 4, READ, 0x14, 0),
        struct.pack("<HHHHB", 0x0002, 0, 3, ADD + 9, 0x14),
        struct.pack("<HHHHB", 0x0007, 0, 3, READ, 0x14),
    ][1:]
    await KernelAdvertising("hci0").start(SERVICE_DATA)
    assert [*fake.advertised] == [5]


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        (READ, 0x14, "run as root or with CAP_NET_ADMIN"),
        (ADD, 0x14, "run as root or with CAP_NET_ADMIN"),
        (READ, 0x11, "no such adapter"),
        (ADD, 0x0F, "switched off"),
        (ADD, 0x0D, r"refused \(status 0x0D\)"),
    ],
)
async def test_a_refusal_says_what_to_do(fake: Kernel, command: int, status: int, words: str) -> None:
    fake.status[command] = status
    with pytest.raises(TransportError, match=f"advertise on hci0: .*{words}"):
        await KernelAdvertising("hci0").start(SERVICE_DATA)
    await KernelAdvertising("hci0").stop()


async def test_an_adapter_without_places(fake: Kernel) -> None:
    fake.places = 0
    with pytest.raises(TransportError, match="cannot advertise"):
        await KernelAdvertising("hci0").start(SERVICE_DATA)


async def test_a_kernel_that_does_not_answer_is_given_up(fake: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "COMMAND_S", 0.02)
    fake.deaf = True
    with pytest.raises(TransportError, match=r"no answer within 0\.02 s"):
        await KernelAdvertising("hci0").start(SERVICE_DATA)


async def test_a_socket_that_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed() -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.shutdown(socket.SHUT_WR)
        sockets.append(theirs)
        return ours

    sockets: list[socket.socket] = []
    monkeypatch.setattr(kernel, "open_control", closed)
    with pytest.raises(TransportError, match="closed the socket"):
        await KernelAdvertising("hci0").start(SERVICE_DATA)
    sockets[0].close()


async def test_without_such_an_adapter_or_without_bluetooth_the_kernel_says_so() -> None:
    with pytest.raises(TransportError, match=r"advertise on hci999: .+"):
        await KernelAdvertising("hci999").start(SERVICE_DATA)


async def test_a_watch_on_an_older_bluez_advertises_through_the_kernel(fake: Kernel, tmp_path: Path) -> None:
    async with daemon(tmp_path) as (made, address):
        made.objects = {ADAPTER: adapter(version=(5, 66))}
        desk = Desk(made, await BluezWatchTransport.open(bus_address=address), address)
        await desk.watch.advertise(SERVICE_DATA)
        assert ([*fake.advertised], made.advertisement) == ([5], None)
        phone, on_watch = await desk.joined()
        async with asyncio.timeout(5):
            while fake.advertised:
                await asyncio.sleep(0.01)
            phone.disconnect()
            await on_watch.lost.wait()
            while not fake.advertised:
                await asyncio.sleep(0.01)
        made.die()
        await desk.watch.close()
        assert fake.advertised == {}
