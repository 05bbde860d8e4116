"""Peers that do not keep to the rules: every request is answered, nothing breaks, nobody else notices."""

from __future__ import annotations

import logging
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from bumble import att
from bumble.gatt import Characteristic, Service

from blechannel.errors import LinkLost
from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.adverts import scan_response
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.advertisement import ADVERTISEMENT
from blechannel.transports.bumble.gate import head
from blechannel.transports.bumble.link import BumbleLink
from tests.transports.bumble.live import SERVICE_DATA, Joined, Recorder, Stranger, joined, on_air, sighted

WRITE, COMMAND, PREPARE, EXECUTE, READ, READ_BLOB = 0x12, 0x52, 0x16, 0x18, 0x0A, 0x0C
WRITTEN = bytes([0x13])


def refused(request: bytes, code: att.ErrorCode) -> bytes:
    return bytes([0x01, request[0]]) + request[1:3].ljust(2, b"\0") + bytes([code])


@dataclass
class Visit:
    """A stranger on a watch that also serves an honest phone."""

    stranger: Stranger
    handles: dict[str, int]
    link: BumbleLink
    recorder: Recorder
    honest: Joined

    async def subscribe(self) -> None:
        await self.stranger.client.write_value(self.handles["cccd"], b"\1\0", with_response=True)

    def pdu(self, opcode: int, name: str, rest: bytes = b"") -> bytes:
        return head(opcode, self.handles[name]) + rest

    async def nobody_else_notices(self) -> None:
        self.honest.phone.send(b"up")
        self.honest.watch.send(b"down")
        assert (await self.honest.on_watch.received(1))[-1] == b"up"
        assert (await self.honest.on_phone.received(1))[-1] == b"down"


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch):
        honest = await joined(phone, watch)
        stranger = Stranger(radio)
        await stranger.connect((await sighted(phone)).address)
        link, recorder = await watch.accept(), Recorder()
        link.start(recorder)
        visit = Visit(stranger, await stranger.handles(), link, recorder, honest)
        yield visit
        await visit.nobody_else_notices()
        await stranger.close()


async def test_writes_before_subscribing_are_refused(visit: Visit) -> None:
    request = visit.pdu(WRITE, "inbox", b"early")
    assert await visit.stranger.request(request) == refused(request, att.ErrorCode.WRITE_REQUEST_REJECTED)
    visit.stranger.send(visit.pdu(COMMAND, "inbox", b"early"))
    await visit.subscribe()
    assert visit.recorder.fragments == []


async def test_writes_with_and_without_response_keep_their_order(visit: Visit) -> None:
    await visit.subscribe()
    for number in range(20):
        visit.stranger.send(visit.pdu(WRITE if number % 3 else COMMAND, "inbox", bytes([number])))
    assert await visit.recorder.received(20) == [bytes([number]) for number in range(20)]
    assert await visit.stranger.request(visit.pdu(WRITE, "inbox", b"last")) == WRITTEN


async def test_values_longer_than_the_mtu_allows_are_refused(visit: Visit) -> None:
    await visit.subscribe()
    longest = visit.link.max_fragment_bytes
    assert longest == 20
    request = visit.pdu(WRITE, "inbox", bytes(longest + 1))
    refusal = refused(request, att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
    assert await visit.stranger.request(request) == refusal
    for length in (longest + 1, 512, 513, 60_000):
        visit.stranger.send(visit.pdu(COMMAND, "inbox", bytes(length)))
    assert await visit.stranger.request(visit.pdu(WRITE, "inbox", bytes(longest))) == WRITTEN
    assert visit.recorder.fragments == [bytes(longest)]


async def test_a_write_in_parts_is_held_to_the_same_length(visit: Visit) -> None:
    await visit.subscribe()
    client = visit.stranger.client
    parts = [visit.pdu(PREPARE, "inbox", struct.pack("<H", at) + bytes(10)) for at in (0, 10, 20)]
    for part in parts:
        assert (await visit.stranger.request(part))[0] == 0x17
    answer = await visit.stranger.request(bytes([EXECUTE, 1]))
    assert answer[-1] == att.ErrorCode.INVALID_ATTRIBUTE_LENGTH
    await visit.stranger.request(parts[0])
    assert await visit.stranger.request(bytes([EXECUTE, 1])) == bytes([0x19])
    assert visit.recorder.fragments == [bytes(10)]
    await visit.stranger.request(visit.pdu(PREPARE, "inbox", struct.pack("<H", 5) + b"gap"))
    assert (await visit.stranger.request(bytes([EXECUTE, 1])))[-1] == att.ErrorCode.INVALID_OFFSET
    assert client.mtu == 23


@pytest.mark.parametrize("value", [b"", b"\1", b"\1\0\0", b"\2\0", b"\3\0", b"\0\1", b"\xff\xff"])
async def test_junk_in_the_configuration_changes_nothing(visit: Visit, value: bytes) -> None:
    for before in (0, 1):
        answer = await visit.stranger.request(visit.pdu(WRITE, "cccd", value))
        assert answer[0] == 0x01
        assert bool(visit.link.room) == bool(before)
        await visit.subscribe()
    assert visit.recorder.losses == []


async def test_unsubscribing_without_having_subscribed_is_nothing(visit: Visit) -> None:
    assert await visit.stranger.request(visit.pdu(WRITE, "cccd", b"\0\0")) == WRITTEN
    assert visit.recorder.losses == []


async def test_info_is_read_at_any_offset_and_refused_before_it_exists(visit: Visit) -> None:
    read = visit.pdu(READ, "info")
    assert await visit.stranger.request(read) == refused(read, att.ErrorCode.READ_NOT_PERMITTED)
    info = bytes(range(64))
    visit.link.publish_info(info)
    assert await visit.stranger.request(read) == bytes([0x0B]) + info[:22]
    for offset in (0, 22, 44, 63, 64):
        blob = visit.pdu(READ_BLOB, "info", struct.pack("<H", offset))
        assert await visit.stranger.request(blob) == bytes([0x0D]) + info[offset : offset + 22]
    for offset in (65, 0xFFFF):
        blob = visit.pdu(READ_BLOB, "info", struct.pack("<H", offset))
        assert await visit.stranger.request(blob) == refused(blob, att.ErrorCode.INVALID_OFFSET)


@pytest.mark.parametrize("name", ["inbox", "outbox"])
async def test_what_cannot_be_read_is_refused_at_once(visit: Visit, name: str) -> None:
    request = visit.pdu(READ, name)
    assert await visit.stranger.request(request) == refused(request, att.ErrorCode.READ_NOT_PERMITTED)


@pytest.mark.parametrize("name", ["service", "info", "outbox"])
@pytest.mark.parametrize("opcode", [WRITE, PREPARE])
async def test_nothing_else_can_be_written(visit: Visit, name: str, opcode: int) -> None:
    request = visit.pdu(opcode, name, b"\0\0other")
    assert await visit.stranger.request(request) == refused(request, att.ErrorCode.WRITE_NOT_PERMITTED)
    visit.stranger.send(visit.pdu(COMMAND, name, b"other"))
    visit.stranger.send(visit.pdu(0xD2, name, b"other"))
    assert await visit.stranger.handles() == visit.handles


async def test_the_mtu_cannot_shrink_below_what_is_cut(visit: Visit) -> None:
    request = bytes([0x02]) + struct.pack("<H", 100)
    assert (await visit.stranger.request(request))[0] == 0x03
    smaller = bytes([0x02]) + struct.pack("<H", 99)
    refusal = refused(smaller, att.ErrorCode.REQUEST_NOT_SUPPORTED)
    assert await visit.stranger.request(smaller) == refusal
    assert visit.link.max_fragment_bytes == 97
    assert (await visit.stranger.request(bytes([0x02]) + struct.pack("<H", 517)))[0] == 0x03
    assert visit.link.max_fragment_bytes == 512


@pytest.mark.parametrize("opcode", [0x0E, 0x20])
async def test_reading_several_values_is_refused(visit: Visit, opcode: int) -> None:
    request = visit.pdu(opcode, "info", struct.pack("<H", visit.handles["inbox"]))
    assert await visit.stranger.request(request) == refused(request, att.ErrorCode.REQUEST_NOT_SUPPORTED)


async def test_any_opcode_with_any_rest_is_survived(visit: Visit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "bumble")
    for opcode in range(256):
        for rest in (b"", b"\1", b"\xff\xff", bytes(5), bytes(40)):
            visit.stranger.send(bytes([opcode]) + rest)
    visit.stranger.send(b"")
    await visit.stranger.silence()
    truncated = bytes([READ])
    assert await visit.stranger.request(truncated) == refused(truncated, att.ErrorCode.INVALID_PDU)


async def test_a_receiver_that_fails_does_not_stop_the_others(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    await visit.subscribe()

    def fail(fragment: bytes) -> None:
        raise RuntimeError(f"a defect above: {fragment!r}")

    monkeypatch.setattr(visit.recorder, "fragment_received", fail)
    request = visit.pdu(WRITE, "inbox", b"x")
    assert await visit.stranger.request(request) == refused(request, att.ErrorCode.INVALID_PDU)


async def test_requests_after_the_link_ended_are_answered(visit: Visit) -> None:
    await visit.subscribe()
    visit.link._break(LinkLost("ended here, and not yet there"))
    for name in ("inbox", "cccd"):
        request = visit.pdu(WRITE, name, b"\1\0")
        assert await visit.stranger.request(request) == refused(request, att.ErrorCode.UNLIKELY_ERROR)
    await visit.recorder.lost()


async def test_a_watch_cannot_fill_the_memory_of_a_phone() -> None:
    radio = VirtualRadio()
    properties = Characteristic.Properties
    inbox = Characteristic(INBOX_UUID, properties.WRITE_WITHOUT_RESPONSE, "WRITEABLE", b"")
    outbox = Characteristic(OUTBOX_UUID, properties.NOTIFY, "READABLE", b"")
    stranger = Stranger(radio)
    stranger.device.add_service(Service(SERVICE_UUID, [inbox, outbox]))
    await stranger.device.power_on()
    await stranger.device.start_advertising(
        advertising_data=ADVERTISEMENT, scan_response_data=scan_response(SERVICE_DATA)
    )
    phone = await radio.phone()
    link = await phone.connect((await sighted(phone)).address)
    recorder = Recorder()
    link.start(recorder)
    [connection] = stranger.device.connections.values()
    for handle in range(1, 300):
        connection.send_l2cap_pdu(att.ATT_CID, head(0x1B, handle) + b"x")
        connection.send_l2cap_pdu(att.ATT_CID, head(0x1D, handle) + b"x")
    connection.send_l2cap_pdu(att.ATT_CID, head(0x1B, outbox.handle) + bytes(513))
    connection.send_l2cap_pdu(att.ATT_CID, bytes([0x02]) + struct.pack("<H", 23))
    connection.send_l2cap_pdu(att.ATT_CID, head(0x1B, outbox.handle) + b"last")
    assert (await recorder.received(2))[-1] == b"last"
    assert recorder.fragments == [b"x", b"last"]
    assert link._connection.gatt_client.cached_values == {}
    assert link.max_fragment_bytes == 510
    await phone.close()
    await stranger.close()
