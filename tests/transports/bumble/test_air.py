"""What is on the air: advertisements, scanning, and connections that do not come about."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from bumble import hci
from bumble.core import AdvertisingData
from bumble.device import Advertisement
from bumble.gatt import Characteristic, Service

from blechannel.aio.link import Sighting
from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.adverts import scan_response
from blechannel.transports.bumble import BumblePhoneTransport, BumbleWatchTransport, VirtualRadio
from blechannel.transports.bumble.advertisement import ADVERTISEMENT, service_data_in
from blechannel.transports.bumble.sightings import MAX_ADDRESSES, MAX_WAITING
from tests.transports.bumble.live import ANSWER_S, SERVICE_DATA, Recorder, Stranger, hci_error, joined, on_air, sighted

ON_AIR_UUID = UUID(SERVICE_UUID).bytes[::-1]
NOWHERE = "F0:00:00:00:00:01"


async def advertising_stranger(radio: VirtualRadio, services: list[Service]) -> Stranger:
    """A watch of somebody else's make, which says that it has the service."""
    stranger = Stranger(radio)
    stranger.device.add_services(services)
    await stranger.device.power_on()
    await stranger.device.start_advertising(
        advertising_data=ADVERTISEMENT,
        scan_response_data=scan_response(SERVICE_DATA),
        advertising_interval_min=20,
        advertising_interval_max=20,
    )
    return stranger


async def nothing_is_connected(*transports: BumblePhoneTransport | BumbleWatchTransport) -> None:
    async with asyncio.timeout(ANSWER_S):
        while any(transport._adapter.host.connections for transport in transports):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not any(transport._device.connections for transport in transports)


def test_the_bytes_are_exact() -> None:
    assert bytes([2, 0x01, 0x06, 17, 0x07]) + ON_AIR_UUID == ADVERTISEMENT
    assert len(ADVERTISEMENT) == 21
    assert scan_response(SERVICE_DATA) == bytes([30, 0x21]) + ON_AIR_UUID + SERVICE_DATA
    assert len(scan_response(SERVICE_DATA)) == 31
    with pytest.raises(LocalProtocolError, match="at most 13"):
        scan_response(bytes(14))


@pytest.mark.parametrize(
    ("heard", "service_data"),
    [
        (b"", None),
        (ADVERTISEMENT, b""),
        (scan_response(b"x"), b"x"),
        (ADVERTISEMENT + scan_response(SERVICE_DATA), SERVICE_DATA),
        (bytes([33, 0x06]) + bytes(16) + ON_AIR_UUID, b""),
        (bytes([17, 0x07]) + bytes(16), None),
        (bytes([17, 0x07]) + ON_AIR_UUID[:8], None),
        (bytes([31, 0x21]) + ON_AIR_UUID + bytes(14), None),
        (bytes([18, 0x21]) + bytes(17), None),
        (bytes([0, 0, 255]), None),
    ],
)
def test_what_is_heard_is_read_by_its_structures(heard: bytes, service_data: bytes | None) -> None:
    assert service_data_in(AdvertisingData.from_bytes(heard)) == service_data


async def test_a_scanner_receives_exactly_these_bytes() -> None:
    radio = VirtualRadio()
    async with on_air(radio):
        stranger = Stranger(radio)
        heard: dict[bool, bytes] = {}
        stranger.device.on("advertisement", lambda report: heard.setdefault(report.is_scan_response, report.data_bytes))
        await stranger.device.power_on()
        await stranger.device.start_scanning()
        async with asyncio.timeout(ANSWER_S):
            while len(heard) < 2:
                await asyncio.sleep(0.01)
        assert heard == {False: ADVERTISEMENT, True: scan_response(SERVICE_DATA)}
        await stranger.close()


async def test_a_second_advertisement_replaces_data_and_address() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        first = await sighted(phone)
        await watch.advertise(b"second")
        second = await sighted(phone)
        assert (first.service_data, second.service_data) == (SERVICE_DATA, b"second")
        assert first.address != second.address
        with pytest.raises(LocalProtocolError):
            await watch.advertise(bytes(14))
        assert (await sighted(phone)).service_data == b"second"


async def test_a_link_outlives_a_change_of_address() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        await watch.advertise(b"new")
        both.watch.send(b"down")
        both.phone.send(b"up")
        assert await both.on_phone.received(1) == [b"down"]
        assert await both.on_watch.received(1) == [b"up"]
        assert (await sighted(phone)).address != both.phone.peer


async def test_a_controller_that_keeps_its_address_still_advertises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
    async with on_air(VirtualRadio()) as (phone, watch):
        before = await sighted(phone)
        monkeypatch.setattr("bumble.controller.Controller.on_hci_le_set_random_address_command", lambda *_: refusal)
        await watch.advertise(b"again")
        after = await sighted(phone)
        assert (after.address, after.service_data) == (before.address, b"again")


async def test_every_start_has_its_own_address() -> None:
    radio = VirtualRadio()
    async with on_air(radio), on_air(radio) as (phone, _):
        seen: set[str] = set()
        scan = phone.scan()
        async for sighting in scan:
            seen.add(sighting.address)
            if len(seen) == 2:
                break
        await scan.aclose()


async def test_scanning_goes_on_while_anybody_looks() -> None:
    async with on_air(VirtualRadio()) as (phone, _):
        device = phone._device
        one, two = phone.scan(), phone.scan()
        await anext(one)
        await anext(two)
        await one.aclose()
        assert device.is_scanning
        assert (await anext(two)).rssi_dbm == -50
        await two.aclose()
        assert not device.is_scanning


async def test_a_scan_ends_when_its_transport_closes() -> None:
    phone = await VirtualRadio().phone()
    waiting = asyncio.ensure_future(anext(phone.scan()))
    await asyncio.sleep(0.05)
    await asyncio.gather(phone.close(), phone.close())
    with pytest.raises(TransportError, match="closed"):
        await waiting


async def test_sightings_join_their_scan_response_and_are_bounded() -> None:
    def report(number: int, data: bytes, rssi: int = 127) -> Advertisement:
        address = hci.Address(number.to_bytes(6, "little"))
        return Advertisement(address=address, rssi=rssi, data_bytes=data)

    async with on_air(VirtualRadio()) as (phone, watch):
        await watch.close()
        scan = phone.scan()
        waiting = asyncio.ensure_future(anext(scan))
        await asyncio.sleep(0.02)
        device = phone._device
        for data in (b"", ADVERTISEMENT, scan_response(b"x"), ADVERTISEMENT):
            device.emit(device.EVENT_ADVERTISEMENT, report(1, data))
        heard = [await waiting, await anext(scan), await anext(scan)]
        assert heard == [Sighting("00:00:00:00:00:01", data) for data in (b"", b"x", b"x")]
        for number in range(1000):
            device.emit(device.EVENT_ADVERTISEMENT, report(number, ADVERTISEMENT, -number))
        assert len(phone._sightings._heard) == MAX_ADDRESSES
        latest = [await anext(scan) for _ in range(MAX_WAITING)]
        assert [sighting.rssi_dbm for sighting in latest] == [-n for n in range(1000 - MAX_WAITING, 1000)]
        await scan.aclose()
        device.emit(device.EVENT_ADVERTISEMENT, report(1, ADVERTISEMENT))


@pytest.mark.parametrize("address", ["", "a watch", "F0:00:00:00:00", "F0:00:00:00:00:0G"])
async def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    phone = await VirtualRadio().phone()
    with pytest.raises(TransportError, match="no Bluetooth address"):
        await phone.connect(address)
    await phone.close()


async def test_a_cancelled_connect_leaves_nothing_and_the_next_one_works() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        attempt = asyncio.ensure_future(phone.connect(NOWHERE))
        await asyncio.sleep(0.05)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await nothing_is_connected(phone, watch)
        both = await joined(phone, watch)
        both.phone.send(b"x")
        await both.on_watch.received(1)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 120])
async def test_a_connect_cancelled_anywhere_leaves_nothing_connected(turns: int) -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        address = (await sighted(phone)).address
        attempt = asyncio.ensure_future(phone.connect(address))
        while not phone._device.connections and turns > 8:
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait({attempt})
        if not attempt.cancelled():
            await attempt.result().close()
        await nothing_is_connected(phone, watch)


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.central.CONNECT_S", 0.1)
    phone = await VirtualRadio().phone()
    with pytest.raises(TransportError, match=f"connecting to {NOWHERE}: no answer"):
        # Less than the wait for a controller that does not call off.
        await asyncio.wait_for(phone.connect(NOWHERE), 2.0)
    await phone.close()


async def test_a_controller_that_does_not_call_off_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.central.CONNECT_S", 0.05)
    monkeypatch.setattr("blechannel.transports.bumble.central.COMMAND_S", 0.05)
    phone = await VirtualRadio().phone()
    monkeypatch.setattr(
        "blechannel.transports.bumble.virtual.VirtualController.on_hci_le_create_connection_cancel_command",
        lambda *_: hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS),
    )
    with pytest.raises(TransportError, match="connecting to"):
        await phone.connect(NOWHERE)
    await phone.close()


async def test_two_phones_answer_one_advertisement_and_one_is_told() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (one, watch):
        two = await radio.phone()
        address = (await sighted(one)).address
        outcomes = await asyncio.gather(one.connect(address), two.connect(address), return_exceptions=True)
        lost = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert [type(error) for error in lost] in ([], [LinkLost])
        links = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        recorder = Recorder()
        (await watch.accept()).start(recorder)
        links[0].send(b"x")
        assert await recorder.received(1) == [b"x"]
        await two.close()


@pytest.mark.parametrize(
    "services",
    [
        [],
        [Service(SERVICE_UUID, [])],
        [Service(SERVICE_UUID, [Characteristic(INBOX_UUID, Characteristic.Properties.WRITE, "WRITEABLE")])],
        [
            Service(
                SERVICE_UUID,
                [
                    Characteristic(INBOX_UUID, Characteristic.Properties.WRITE, "WRITEABLE"),
                    Characteristic(OUTBOX_UUID, Characteristic.Properties.READ, "READABLE"),
                ],
            )
        ],
    ],
    ids=["none", "empty", "half", "no notifications"],
)
async def test_a_peer_without_the_service_is_left_again(services: list[Service]) -> None:
    radio = VirtualRadio()
    stranger = await advertising_stranger(radio, services)
    phone = await radio.phone()
    with pytest.raises(TransportError, match="does not have the service"):
        await phone.connect((await sighted(phone)).address)
    await nothing_is_connected(phone)
    await phone.close()
    await stranger.close()


async def test_a_peer_that_does_not_answer_att_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.central.SETUP_S", 0.1)
    radio = VirtualRadio()
    stranger = await advertising_stranger(radio, [])
    stranger.device.l2cap_channel_manager.register_fixed_channel(4, lambda *_: None)
    phone = await radio.phone()
    with pytest.raises(TransportError, match=r"setting up .*: no answer within 0\.1 s"):
        await phone.connect((await sighted(phone)).address)
    await nothing_is_connected(phone)
    await phone.close()
    await stranger.close()


async def test_a_link_lost_during_set_up_is_no_cancellation() -> None:
    radio = VirtualRadio()
    stranger = await advertising_stranger(radio, [])
    stranger.device.l2cap_channel_manager.register_fixed_channel(4, lambda *_: radio.drop_link())
    phone = await radio.phone()
    with pytest.raises(LinkLost, match="setting up"):
        await phone.connect((await sighted(phone)).address)
    await phone.close()
    await stranger.close()


@pytest.mark.parametrize("turns", range(12))
async def test_a_link_lost_between_two_requests_is_told_at_once(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.central.SETUP_S", 1.0)
    radio = VirtualRadio()
    stranger = await advertising_stranger(radio, [])

    async def answer_and_leave() -> None:
        [connection] = stranger.device.connections.values()
        connection.send_l2cap_pdu(4, bytes([0x03, 23, 0]))
        for _ in range(turns):
            await asyncio.sleep(0)
        radio.drop_link()

    left: list[asyncio.Future[None]] = []

    def heard(_handle: int, _pdu: bytes) -> None:
        if not left:
            left.append(asyncio.ensure_future(answer_and_leave()))

    stranger.device.l2cap_channel_manager.register_fixed_channel(4, heard)
    phone = await radio.phone()
    with pytest.raises(LinkLost):
        await phone.connect((await sighted(phone)).address)
    await phone.close()
    await stranger.close()


async def test_a_transport_closes_under_a_connect_that_waits() -> None:
    phone = await VirtualRadio().phone()
    attempt = asyncio.ensure_future(phone.connect(NOWHERE))
    await asyncio.sleep(0.05)
    await phone.close()
    with pytest.raises(TransportError):
        await attempt


async def test_a_transport_closes_under_a_set_up_and_takes_leave() -> None:
    radio = VirtualRadio()
    stranger = await advertising_stranger(radio, [])
    stranger.device.l2cap_channel_manager.register_fixed_channel(4, lambda *_: None)
    phone = await radio.phone()
    attempt = asyncio.ensure_future(phone.connect((await sighted(phone)).address))
    while not phone._device.connections:
        await asyncio.sleep(0.01)
    await phone.close()
    with pytest.raises(TransportError):
        await attempt
    await asyncio.sleep(0.05)
    assert not stranger.device.connections
    await stranger.close()


async def test_advertising_comes_back_after_a_controller_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.peripheral.RETRY_S", 0.05)
    async with on_air(VirtualRadio()) as (phone, watch):
        start = watch._device.start_advertising
        refused = asyncio.Event()

        async def refuse(**_: object) -> None:
            refused.set()
            raise hci_error(hci.HCI_ErrorCode.CONNECTION_LIMIT_EXCEEDED_ERROR)

        monkeypatch.setattr(watch._device, "start_advertising", refuse)
        await joined(phone, watch)
        await asyncio.wait_for(refused.wait(), ANSWER_S)
        monkeypatch.setattr(watch._device, "start_advertising", start)
        assert (await sighted(phone)).service_data == SERVICE_DATA


async def test_a_refusal_to_advertise_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(**_: object) -> None:
        raise hci_error(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)

    watch = await VirtualRadio().watch()
    monkeypatch.setattr(watch._device, "start_advertising", refuse)
    with pytest.raises(TransportError, match=r"advertising: command_disallowed_error \(HCI 0x0C\)"):
        await watch.advertise(b"")
    await watch.close()


async def test_a_phone_that_connects_while_the_watch_closes_is_turned_away() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch):
        address = (await sighted(phone)).address
        watch._closed = True
        with pytest.raises(TransportError):
            await phone.connect(address)
        await nothing_is_connected(phone, watch)


async def test_who_waits_for_a_phone_hears_of_the_end() -> None:
    watch = await VirtualRadio().watch()
    waiting = [asyncio.ensure_future(watch.accept()) for _ in range(2)]
    cancelled = asyncio.ensure_future(watch.accept())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(watch.close(), watch.close())
    for waiter in waiting:
        with pytest.raises(TransportError, match="closed"):
            await waiter
