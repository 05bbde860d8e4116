"""Services in the plain, beside the channel: what strangers do with them, and what they cannot do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from bumble import att

from blechannel.aio.attributes import Notifications, PlainCharacteristic, PlainService, Tell
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.errors import AttributeRefused, LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import SERVICE_UUID, AttErrorCode, Properties, assigned_uuid
from blechannel.limits import Patience
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import BumblePhoneTransport, BumbleWatchTransport, VirtualRadio
from blechannel.transports.bumble import peer as peers
from blechannel.transports.bumble.peer import BumbleGattPeer
from tests.transports.bumble.live import SERVICE_DATA, Stranger, joined, sighted

SERVICE = assigned_uuid(0x180F)
READ, WRITTEN, TOLD = (f"b1ec100{n}-7c4b-4f0e-9a53-5d8f6a3c21e7" for n in (1, 2, 3))
OWN = "b1ec1000-7c4b-4f0e-9a53-5d8f6a3c21e7"
SET_NOTIFY, SET_NOTHING = b"\x01\x00", b"\x00\x00"


class Shelf:
    """Attributes that hold one value, and refuse or fail where a test wants it."""

    def __init__(self) -> None:
        self.value = b"value"
        self.written: list[bytes] = []
        self.failure: Exception | None = None
        self.tellers: list[Tell] = []

    def read(self, _characteristic: str) -> bytes:
        if self.failure is not None:
            raise self.failure
        return self.value

    def write(self, _characteristic: str, value: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.written.append(value)

    def subscribe(self, _characteristic: str, tell: Tell) -> Callable[[], None]:
        self.tellers.append(tell)
        return lambda: self.tellers.remove(tell)

    def tell(self, value: bytes) -> None:
        for tell in self.tellers:
            tell(value)

    def service(self, uuid: str = OWN) -> PlainService:
        table = (
            PlainCharacteristic(READ, Properties.READ),
            PlainCharacteristic(WRITTEN, Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE),
            PlainCharacteristic(TOLD, Properties.NOTIFY),
        )
        return PlainService(uuid, table, self)


class Plain:
    """A watch with a shelf, and who meets it."""

    def __init__(self, radio: VirtualRadio, phone: BumblePhoneTransport, watch: BumbleWatchTransport) -> None:
        self.radio = radio
        self.phone = phone
        self.watch = watch

    async def peer(self) -> BumbleGattPeer:
        return await self.phone.connect_gatt((await sighted(self.phone)).address)

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[tuple[Stranger, dict[str, int]]]:
        """Bumble alone, and the handles of the shelf."""
        stranger = Stranger(self.radio)
        try:
            await stranger.connect((await sighted(self.phone)).address)
            [service] = await stranger.client.discover_service(OWN)
            found = {str(c.uuid).lower(): c for c in await service.discover_characteristics()}
            [configuration] = await found[TOLD].discover_descriptors()
            yield stranger, {uuid: c.handle for uuid, c in found.items()} | {"cccd": configuration.handle}
        finally:
            await stranger.close()


@asynccontextmanager
async def shelved(shelf: Shelf, *, att_mtu_bytes: int = 517) -> AsyncIterator[Plain]:
    radio = VirtualRadio()
    phone = await radio.phone(att_mtu_bytes=att_mtu_bytes)
    watch = await radio.watch(plain_services=[shelf.service()])
    try:
        await watch.advertise(SERVICE_DATA)
        yield Plain(radio, phone, watch)
    finally:
        await phone.close()
        await watch.close()


async def told(shelf: Shelf, peer: BumbleGattPeer, value: bytes) -> None:
    """A new value, and everything before it has arrived when this returns."""
    shelf.tell(value)
    await peer.read(OWN, READ)


async def test_read_write_and_subscribe() -> None:
    shelf = Shelf()
    async with shelved(shelf) as plain:
        peer = await plain.peer()
        assert peer.peer == str(plain.watch._device.random_address)
        assert await peer.read(OWN, READ) == b"value"
        await peer.write(OWN, WRITTEN, b"one", acknowledged=True)
        await peer.write(OWN, WRITTEN, b"two", acknowledged=False)
        heard = Notifications()
        await peer.subscribe(OWN, TOLD, heard)
        assert shelf.written == [b"one", b"two"]
        shelf.tell(b"news")
        assert await anext(heard) == b"news"
        await peer.unsubscribe(OWN, TOLD)
        await peer.unsubscribe(OWN, TOLD)
        await told(shelf, peer, b"more news")
        assert not heard._values


async def test_long_values() -> None:
    shelf = Shelf()
    shelf.value = bytes(range(256)) * 2
    async with shelved(shelf, att_mtu_bytes=100) as plain:
        peer = await plain.peer()
        assert await peer.read(OWN, READ) == shelf.value
        heard = Notifications()
        await peer.subscribe(OWN, TOLD, heard)
        await told(shelf, peer, shelf.value)
        assert await anext(heard) == shelf.value[:97], "the rest of a notified value has to be read"


async def test_the_channel_goes_on_beside_it() -> None:
    shelf = Shelf()
    async with shelved(shelf) as plain:
        both = await joined(plain.phone, plain.watch)
        both.phone.send(b"to the watch")
        assert await both.on_watch.received(1) == [b"to the watch"]
        with pytest.raises(TransportError, match="there is a link to"):
            await plain.phone.connect_gatt(both.phone.peer)


async def test_what_the_application_refuses_keeps_its_code() -> None:
    shelf = Shelf()
    shelf.failure = AttributeRefused(0x80, "no")
    async with shelved(shelf) as plain:
        peer = await plain.peer()
        for asked in (peer.read(OWN, READ), peer.write(OWN, WRITTEN, b"", acknowledged=True)):
            with pytest.raises(AttributeRefused) as refused:
                await asked
            assert refused.value.code == 0x80


async def test_an_application_that_fails_is_answered_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    shelf.failure = ZeroDivisionError("a fault")
    async with shelved(shelf) as plain:
        peer = await plain.peer()
        with caplog.at_level(logging.ERROR), pytest.raises(AttributeRefused) as refused:
            await peer.read(OWN, READ)
        assert refused.value.code == AttErrorCode.UNLIKELY_ERROR
        assert "a plain service failed" in caplog.text


async def test_what_the_peer_does_not_have() -> None:
    async with shelved(Shelf()) as plain:
        peer = await plain.peer()
        for service, characteristic in ((SERVICE, READ), (OWN, SERVICE)):
            with pytest.raises(AttributeRefused, match=f"the peer has no {characteristic}") as refused:
                await peer.read(service, characteristic)
            assert refused.value.code == AttErrorCode.ATTRIBUTE_NOT_FOUND
        with pytest.raises(AttributeRefused, match="does not notify"):
            await peer.subscribe(OWN, READ, Notifications())
        heard = Notifications()
        await peer.subscribe(OWN, TOLD, heard)
        with pytest.raises(LocalProtocolError, match="already"):
            await peer.subscribe(OWN, TOLD, heard)
        for uuid in ("battery", "0000zzzz-0000-1000-8000-00805f9b34fb"):
            with pytest.raises(LocalProtocolError, match="no UUID"):
                await peer.read(uuid, READ)


async def test_a_connection_that_is_lost_ends_everything_by_name() -> None:
    async with shelved(Shelf()) as plain:
        peer = await plain.peer()
        heard = Notifications()
        await peer.subscribe(OWN, TOLD, heard)
        plain.radio.drop_link()
        with pytest.raises(LinkLost, match="out of reach"):
            await anext(heard)
        with pytest.raises(LinkLost, match="out of reach"):
            await peer.read(OWN, READ)
        await peer.close()


async def test_a_request_under_way_when_the_connection_is_closed() -> None:
    async with shelved(Shelf()) as plain:
        peer = await plain.peer()
        asked = asyncio.ensure_future(peer.read(OWN, READ))
        await asyncio.sleep(0)
        await peer.close()
        with pytest.raises(LinkLost):
            await asked
        await peer.close()


async def test_a_peer_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ANSWER_S", 0.1)
    async with shelved(Shelf()) as plain:
        peer = await plain.peer()
        await peer.read(OWN, READ)
        monkeypatch.setattr(plain.watch._device, "on_gatt_pdu", lambda *_pdu: None)
        with pytest.raises(TransportError, match="no answer within"):
            await peer.read(OWN, READ)


async def test_a_stranger_cannot_write_read_or_configure_what_is_not_his() -> None:
    shelf = Shelf()
    async with shelved(shelf) as plain, plain.stranger() as (stranger, handles):
        client = stranger.client
        for handle, value, code in (
            (handles[READ], b"mine", att.ErrorCode.WRITE_NOT_PERMITTED),
            (handles[TOLD], b"mine", att.ErrorCode.WRITE_NOT_PERMITTED),
            (handles["cccd"], b"\1", att.ErrorCode.INVALID_ATTRIBUTE_LENGTH),
            (handles["cccd"], b"\1\0\0", att.ErrorCode.INVALID_ATTRIBUTE_LENGTH),
            (handles["cccd"], b"\2\0", att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED),
        ):
            with pytest.raises(att.ATT_Error) as refused:
                await client.write_value(handle, value, with_response=True)
            assert refused.value.error_code == code
        for handle in (handles[WRITTEN], handles[TOLD]):
            with pytest.raises(att.ATT_Error) as refused:
                await client.read_value(handle)
            assert refused.value.error_code == att.ErrorCode.READ_NOT_PERMITTED
        assert await client.read_value(handles["cccd"]) == SET_NOTHING
        assert shelf.written == []


async def test_a_subscription_is_one_connections_own() -> None:
    shelf = Shelf()
    async with shelved(shelf) as plain:
        async with plain.stranger() as (stranger, handles):
            await stranger.client.write_value(handles["cccd"], SET_NOTIFY, with_response=True)
            assert await stranger.client.read_value(handles["cccd"]) == SET_NOTIFY
            await stranger.connection.disconnect()
        async with asyncio.timeout(5):
            while plain.watch._service.links:
                await asyncio.sleep(0)
        assert [served.subscribers for served in plain.watch._plain._served] == [set()] * 3, "numbers are used again"
        async with plain.stranger() as (stranger, handles):
            assert await stranger.client.read_value(handles["cccd"]) == SET_NOTHING
            pdus: list[bytes] = []
            stranger.device.l2cap_channel_manager.register_fixed_channel(att.ATT_CID, lambda _h, pdu: pdus.append(pdu))
            shelf.tell(b"not for this one")
            await stranger.silence()
            assert pdus == []


async def test_what_a_slow_connection_cannot_take_is_left_out() -> None:
    shelf = Shelf()
    async with shelved(shelf) as plain:
        peer = await plain.peer()
        heard = Notifications()
        await peer.subscribe(OWN, TOLD, heard)
        for number in range(60):
            shelf.tell(bytes((number,)))
        await peer.read(OWN, READ)
        await told(shelf, peer, b"last")
        values = [await anext(heard) for _ in range(len(heard._values))]
        assert values[:8] == [bytes((number,)) for number in range(8)]
        assert values[-1] == b"last"
        assert len(values) < 20


async def test_a_closed_watch_takes_no_more_values() -> None:
    shelf = Shelf()
    async with shelved(shelf):
        assert len(shelf.tellers) == 1
    assert shelf.tellers == []


@pytest.mark.parametrize("uuids", [(OWN, OWN), (SERVICE_UUID,)])
async def test_a_service_is_served_once(uuids: tuple[str, ...]) -> None:
    with pytest.raises(LocalProtocolError, match="a service is served once"):
        await VirtualRadio().watch(plain_services=[Shelf().service(uuid) for uuid in uuids])
    with pytest.raises(LocalProtocolError, match="a service is served once"):
        await BumbleWatchTransport.open("usb:0", plain_services=[Shelf().service(uuid) for uuid in uuids])


async def test_who_never_speaks_the_channels_protocol_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.aio.channel.FINISH_S", 0.1)
    radio = VirtualRadio()
    phone, transport = await radio.phone(), await radio.watch(plain_services=[Shelf().service()])
    config = Config("watch", patience=Patience(handshake_s=0.1, person_s=0.1))
    async with Watch(MemoryStore(), transport, config=config):
        peer = await phone.connect_gatt((await sighted(phone)).address)
        heard = Notifications()
        await peer.subscribe(OWN, TOLD, heard)
        async with asyncio.timeout(5):
            with pytest.raises(LinkLost, match="the peer disconnected"):
                await anext(heard)
        await phone.close()
