"""What bumble's virtual controllers lack for hosts other than ours, and what a radio costs."""

from __future__ import annotations

import asyncio

from bumble import hci
from bumble.device import Advertisement, Device
from bumble.host import Host

from blechannel.transports.adverts import scan_response
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.advertisement import ADVERTISEMENT
from blechannel.transports.bumble.virtual import ACL_BYTES, VirtualAir, VirtualController, VirtualTransport
from tests.transports.bumble.live import ANSWER_S, SERVICE_DATA, Recorder, on_air, sighted

PUBLIC = hci.Address("F0:00:00:00:00:01", hci.Address.PUBLIC_DEVICE_ADDRESS)


class OldController(VirtualController):
    """As before Bluetooth 5: reports and advertisements are of the first kind, and its address is its own."""

    le_features = VirtualController.le_features & ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    def __init__(self, air: VirtualAir) -> None:
        super().__init__(air)
        self.public_address = PUBLIC


async def old_device(air: VirtualAir) -> Device:
    transport = VirtualTransport(OldController(air))
    device = Device(name="old", address=PUBLIC, host=Host(transport.source, transport.sink))
    await device.power_on()
    return device


async def test_an_old_scanner_hears_the_scan_response_itself() -> None:
    air = VirtualAir()
    async with on_air(VirtualRadio(air)):
        scanner = await old_device(air)
        heard: asyncio.Queue[Advertisement] = asyncio.Queue()
        scanner.on("advertisement", heard.put_nowait)
        await scanner.start_scanning(legacy=True)
        async with asyncio.timeout(ANSWER_S):
            joined = await heard.get()
        assert bytes(joined.data) == ADVERTISEMENT + scan_response(SERVICE_DATA)
        await scanner.power_off()


async def test_the_scan_response_of_an_old_advertiser_is_heard() -> None:
    air = VirtualAir()
    phone = await VirtualRadio(air).phone()
    advertiser = await old_device(air)
    await advertiser.start_advertising(
        advertising_data=ADVERTISEMENT,
        scan_response_data=scan_response(SERVICE_DATA),
        own_address_type=hci.OwnAddressType.PUBLIC,
    )
    sighting = await sighted(phone)
    assert (sighting.address, sighting.service_data) == (str(PUBLIC), SERVICE_DATA)
    await advertiser.power_off()
    await phone.close()


async def test_data_comes_from_who_connected_also_under_a_public_address() -> None:
    air = VirtualAir()
    async with on_air(VirtualRadio(air)) as (phone, watch):
        central = await old_device(air)
        address = hci.Address((await sighted(phone)).address)
        connection = await central.connect_le(address, own_address_type=hci.OwnAddressType.PUBLIC, timeout=ANSWER_S)
        link = await watch.accept()
        link.start(Recorder())
        assert link.peer == str(PUBLIC)
        async with asyncio.timeout(ANSWER_S):
            assert await connection.gatt_client.request_mtu(247) == 247
        await central.power_off()


async def test_a_fragment_costs_as_many_packets_as_on_a_radio_of_today() -> None:
    async with on_air(VirtualRadio()) as (phone, _watch):
        queue = phone._adapter.host.le_acl_packet_queue
        assert queue is not None
        assert queue.max_packet_size == ACL_BYTES == 251
