"""Opening, capturing, losing and closing a controller."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import pty
import struct
import subprocess
import sys
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bumble import att, core, hci
from bumble.host import DataPacketQueue
from bumble.snoop import Snooper
from bumble.transport.common import PacketParser, TransportLostError

from blechannel.errors import LinkLost, TransportError
from blechannel.transports.bumble import BumblePhoneTransport, BumbleWatchTransport, VirtualRadio
from blechannel.transports.bumble.failures import answered, explained, hci_reason
from blechannel.transports.bumble.host import CountingHost, Flow
from blechannel.transports.bumble.snoop import SnoopFile
from blechannel.transports.bumble.virtual import VirtualAir, VirtualController
from tests.transports.bumble.live import SERVICE_DATA, connection_error, hci_error, joined, on_air, sighted


class Wire:
    """Writes a controller's packets to a stream."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def on_packet(self, packet: bytes) -> None:
        self._write(packet)


@asynccontextmanager
async def served(air: VirtualAir) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A controller behind each TCP connection: the transport string, and a way to pull all plugs."""
    streams: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        controller = VirtualController(air)
        controller.set_packet_sink(Wire(writer.write))
        parser = PacketParser(controller)
        streams.append(writer)
        while data := await reader.read(4096):
            parser.feed_data(data)
        controller.set_packet_sink(None)
        controller.switch_off()
        writer.close()

    def pull() -> None:
        for stream in streams:
            stream.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"tcp-client:{host}:{port}", pull
    finally:
        pull()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)


async def test_two_controllers_over_tcp_carry_a_link_and_their_loss_is_told() -> None:
    async with served(VirtualAir()) as (spec, pull):
        watch = await BumbleWatchTransport.open(spec)
        phone = await BumblePhoneTransport.open(spec, att_mtu_bytes=247)
        await watch.advertise(SERVICE_DATA)
        both = await joined(phone, watch)
        assert both.phone.max_fragment_bytes == 244
        both.phone.send(bytes(244))
        assert await both.on_watch.received(1) == [bytes(244)]
        scan = phone.scan()
        waiting = asyncio.ensure_future(anext(scan))
        accepting = asyncio.ensure_future(watch.accept())
        await asyncio.sleep(0.02)
        pull()
        for recorder in (both.on_phone, both.on_watch):
            assert "closed or unplugged" in str(await recorder.lost())
        for attempt in (waiting, accepting, phone.connect("F0:00:00:00:00:01"), watch.advertise(b"")):
            with pytest.raises(TransportError, match="way to the controller was lost"):
                await attempt
        await phone.close()
        await watch.close()


async def test_a_controller_on_a_serial_port() -> None:
    air = VirtualAir()
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    controller = VirtualController(air)
    controller.set_packet_sink(Wire(lambda packet: os.write(ours, packet)))
    parser = PacketParser(controller)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: parser.feed_data(os.read(ours, 4096)))
    async with served(air) as (spec, _):
        watch = await BumbleWatchTransport.open(f"serial:{os.ttyname(theirs)},1000000")
        phone = await BumblePhoneTransport.open(spec)
        await watch.advertise(SERVICE_DATA)
        assert (await sighted(phone)).service_data == SERVICE_DATA
        await phone.close()
        await watch.close()
    loop.remove_reader(ours)
    os.close(ours)
    os.close(theirs)
    controller.switch_off()


async def test_a_controller_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.adapter.POWER_ON_S", 0.1)
    server = await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1", 0)
    writers: list[asyncio.StreamWriter] = []
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TransportError, match=r"switched on: no answer within 0\.1 s"):
        await BumblePhoneTransport.open(f"tcp-client:127.0.0.1:{port}")
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("spec", "advice"),
    [
        ("nonsense:0", "write the transport like hci-socket:0, usb:0"),
        ("", "write the transport like"),
        ("usb", "write the transport like"),
        ("tcp-client:127.0.0.1:1", "nobody listens there"),
        ("tcp-client:nowhere", "cannot be opened"),
        ("serial:/dev/no-such-port", "there is no such device"),
        ("hci-socket:many", "cannot be opened"),
    ],
)
async def test_a_transport_that_is_not_there_is_explained(spec: str, advice: str) -> None:
    for transport in (BumblePhoneTransport, BumbleWatchTransport):
        with pytest.raises(TransportError, match=advice):
            await transport.open(spec)


class USBErrorBusy(Exception):
    """Named as the optional package's."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EBUSY, "busy"), "stop bluetoothd"),
        (OSError(errno.EPERM, "no"), "CAP_NET_ADMIN"),
        (PermissionError(errno.EACCES, "no"), "permission denied"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError("without a number"), "without a number"),
        (USBErrorBusy(), "stop bluetoothd"),
        (core.TimeoutError(), "no answer in time"),
        (core.CommandTimeoutError(), "no answer in time"),
        (hci_error(0x0D), r"connection_rejected_due_to_limited_resources_error \(HCI 0x0D\)"),
        (connection_error(0x3E), "did not answer the connection request"),
        (att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED), r"the peer refused \(WRITE_NOT_PERMITTED\)"),
        (ModuleNotFoundError("No module named 'usb1'"), "No module named 'usb1'"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_every_failure_has_words(error: Exception, words: str) -> None:
    with pytest.raises(TransportError, match=f"^doing this: .*{words}"):
        raise explained(error, "doing this")


def test_an_error_of_ours_stays_itself() -> None:
    error = LinkLost("gone")
    assert explained(error, "anything") is error


def test_any_reason_has_words() -> None:
    assert all(hci_reason(code).endswith(f"(HCI 0x{code:02X})") for code in range(256))


async def test_a_cancelled_wait_cancels_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.ensure_future(answered(work(), within_s=60, doing="waiting"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


def packets(path: Path) -> list[tuple[int, bytes]]:
    """A btsnoop file's records: flags and bytes."""
    raw = path.read_bytes()
    assert raw[:16] == b"btsnoop\0" + struct.pack(">II", 1, 1002)
    found, at = [], 16
    while at < len(raw):
        original, included, flags, drops, _ = struct.unpack_from(">IIIIQ", raw, at)
        assert (original, drops) == (included, 0)
        found.append((flags, raw[at + 24 : at + 24 + included]))
        at += 24 + included
    assert at == len(raw)
    return found


async def test_captures_hold_every_value_of_both_sides(tmp_path: Path) -> None:
    files = [tmp_path / "phone.btsnoop", tmp_path / "watch.btsnoop"]
    files[0].touch(mode=0o644)
    radio = VirtualRadio()
    phone = await radio.phone(snoop=files[0])
    watch = await radio.watch(snoop=files[1])
    await watch.advertise(SERVICE_DATA)
    both = await joined(phone, watch)
    both.phone.send(b"from phone to watch")
    both.watch.send(b"from watch to phone")
    await both.on_watch.received(1)
    await both.on_phone.received(1)
    await phone.close()
    await watch.close()
    for file, sent, heard in zip(files, (b"phone", b"watch"), (b"watch", b"phone"), strict=True):
        assert file.stat().st_mode & 0o777 == 0o600
        acl = [(flags, raw) for flags, raw in packets(file) if raw[0] == 2]
        for direction, side in ((0, sent), (1, heard)):
            [whole] = [raw for flags, raw in acl if flags == direction and b"from " + side in raw]
            assert whole[9] == (0x52 if side == b"phone" else 0x1B)
        assert any(raw[0] == 4 and flags == 3 for flags, raw in packets(file))


async def test_a_capture_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="cannot be written: No such file"):
        await VirtualRadio().phone(snoop=tmp_path / "none" / "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
async def test_a_full_disk_ends_the_capture_and_not_the_session(caplog: pytest.LogCaptureFixture) -> None:
    radio = VirtualRadio()
    full = await radio.phone(snoop=Path("/dev/full"))
    async with on_air(radio) as (_, watch):
        both = await joined(full, watch)
        for _ in range(ROUNDS := 20):
            both.watch.send(bytes(500))
        assert len(await both.on_phone.received(ROUNDS)) == ROUNDS
        await full.close()
    ended = [record for record in caplog.records if "the capture /dev/full ends here" in record.message]
    assert len(ended) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_is_full_at_the_last_flush_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    snooper = SnoopFile(Path("/dev/full"))
    snooper.snoop(bytes([4, 0, 0]), Snooper.Direction.CONTROLLER_TO_HOST)
    snooper.close()
    snooper.close()
    snooper.snoop(bytes([4, 0, 0]), Snooper.Direction.CONTROLLER_TO_HOST)
    assert len([record for record in caplog.records if "ends here" in record.message]) == 1


async def test_closing_goes_on_when_the_controller_does_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stuck() -> None:
        await asyncio.sleep(60)

    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("blechannel.transports.bumble.adapter.CLOSE_S", 0.05)
    phone = await VirtualRadio().phone()
    monkeypatch.setattr(phone._device, "power_off", stuck)
    await phone.close()
    assert "closing the controller: no answer" in caplog.text


def test_what_bumble_calls_is_what_is_overridden() -> None:
    """The host counts what bumble queues: a release that goes another way must fail here, not on the air."""
    sent: list[hci.HCI_Packet] = []
    host = CountingHost()
    host.ready = True
    host.le_acl_packet_queue = DataPacketQueue(27, 2, sent.append)
    host.on_packet(
        bytes(hci.HCI_LE_Connection_Complete_Event(0, 7, hci.Role.CENTRAL, 0, hci.Address.ANY, 6, 0, 100, 0))
    )
    host.send_l2cap_pdu(7, 4, bytes(50 + 27))
    host.send_l2cap_pdu(8, 4, b"to nobody")
    assert host.flows[7].pending_packets == 3
    assert host.le_acl_packet_queue.pending == 3
    assert b"".join(packet.data for packet in sent if isinstance(packet, hci.HCI_AclDataPacket)) == (
        struct.pack("<HH", 77, 4) + bytes(50)
    )
    told: list[int] = []
    host.flows[7].on_completed = lambda: told.append(host.flows[7].pending_packets)
    host.on_packet(bytes(hci.HCI_Number_Of_Completed_Packets_Event([7, 9], [2, 1])))
    assert told == [1]
    assert len(sent) == 3
    flow = host.flows[7]
    host.on_packet(bytes(hci.HCI_Disconnection_Complete_Event(0, 7, 8)))
    assert host.flows == {}
    assert flow.pending_packets == 0


async def test_a_flow_is_drained_when_all_is_sent_or_the_link_has_ended() -> None:
    flow = Flow()
    await flow.drained()
    ends: list[Callable[[], None]] = [lambda: flow.completed(5), flow.ended]
    for end in ends:
        flow.pending_packets = 2
        waiting = asyncio.ensure_future(flow.drained())
        await asyncio.sleep(0)
        assert not waiting.done()
        end()
        await waiting


def test_without_the_extra_the_import_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['bumble'] = None\n"
        "import blechannel\n"
        "from blechannel.errors import MissingExtra\n"
        "try:\n"
        "    import blechannel.transports.bumble\n"
        "except MissingExtra as error:\n"
        "    print(error.extra, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("bumble blechannel.transports.bumble needs an optional dependency")


def test_a_broken_dependency_of_bumble_is_not_called_missing() -> None:
    program = "import sys; sys.modules['pyee'] = None\nimport blechannel.transports.bumble\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pyee" in done.stderr.splitlines()[-1]
    assert "ModuleNotFoundError" in done.stderr.splitlines()[-1]


def test_a_controller_lost_in_the_middle_of_a_command() -> None:
    told = str(explained(TransportLostError("transport lost"), "scanning"))
    assert told == "scanning: the way to the controller was lost: is it still plugged in?"


async def test_an_error_of_ours_keeps_what_it_came_from() -> None:
    cause = ValueError("what it came from")

    async def fail() -> None:
        raise TransportError("ours") from cause

    with pytest.raises(TransportError, match=r"^ours$") as caught:
        await answered(fail(), within_s=1, doing="trying")
    assert caught.value.__cause__ is cause
