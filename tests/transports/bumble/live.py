"""Two live sides on a virtual radio, and a peer that does not keep to the rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bumble import att, core, hci
from bumble.device import Connection, Device
from bumble.gatt_client import Client
from bumble.host import Host

from blechannel.aio.link import LinkReceiver, Sighting
from blechannel.errors import TransportError
from blechannel.gatt import INBOX_UUID, INFO_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.bumble import BumblePhoneTransport, BumbleWatchTransport, VirtualRadio
from blechannel.transports.bumble.adapter import fresh_address
from blechannel.transports.bumble.link import BumbleLink
from blechannel.transports.bumble.virtual import VirtualController, VirtualTransport

SERVICE_DATA = bytes(range(13))
ANSWER_S = 5.0
QUIET_TURNS = 500


class Recorder(LinkReceiver):
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.fragments: list[bytes] = []
        self.losses: list[TransportError] = []
        self.resumed = 0
        self._news = asyncio.Event()

    def fragment_received(self, fragment: bytes) -> None:
        assert self.losses == []
        self.fragments.append(fragment)
        self._news.set()

    def resume_sending(self) -> None:
        assert self.losses == []
        self.resumed += 1
        self._news.set()

    def link_lost(self, error: TransportError) -> None:
        self.losses.append(error)
        self._news.set()

    async def news(self) -> None:
        self._news.clear()
        async with asyncio.timeout(ANSWER_S):
            await self._news.wait()

    async def received(self, count: int) -> list[bytes]:
        while len(self.fragments) < count:
            await self.news()
        return self.fragments

    async def lost(self) -> TransportError:
        while not self.losses:
            await self.news()
        await asyncio.sleep(0.02)
        [loss] = self.losses
        return loss


@dataclass
class Joined:
    """A link, seen from both ends."""

    phone: BumbleLink
    watch: BumbleLink
    on_phone: Recorder
    on_watch: Recorder


async def sighted(phone: BumblePhoneTransport) -> Sighting:
    """The next complete sighting."""
    scan = phone.scan()
    try:
        async with asyncio.timeout(ANSWER_S):
            async for sighting in scan:
                if sighting.service_data:
                    return sighting
    finally:
        await scan.aclose()
    raise AssertionError("the scan ended")


async def joined(phone: BumblePhoneTransport, watch: BumbleWatchTransport) -> Joined:
    """The phone scans, connects and starts; so does the watch."""
    async with asyncio.timeout(ANSWER_S):
        link = await phone.connect((await sighted(phone)).address)
        accepted = await watch.accept()
    both = Joined(link, accepted, Recorder(), Recorder())
    both.phone.start(both.on_phone)
    both.watch.start(both.on_watch)
    while not both.watch.room:
        await both.on_watch.news()
    return both


@asynccontextmanager
async def on_air(
    radio: VirtualRadio, *, phone_mtu: int = 517, watch_mtu: int = 517
) -> AsyncIterator[tuple[BumblePhoneTransport, BumbleWatchTransport]]:
    """A phone, and a watch that advertises; both closed in the end."""
    phone = await radio.phone(att_mtu_bytes=phone_mtu)
    watch = await radio.watch(att_mtu_bytes=watch_mtu)
    try:
        await watch.advertise(SERVICE_DATA)
        yield phone, watch
    finally:
        await phone.close()
        await watch.close()


class Stranger:
    """A central on bumble alone, which does as it likes."""

    def __init__(self, radio: VirtualRadio) -> None:
        self._transport = VirtualTransport(VirtualController(radio._air))
        self.device = Device(
            name="stranger",
            address=fresh_address(),
            host=Host(self._transport.source, self._transport.sink),
        )

    async def connect(self, address: str) -> Connection:
        await self.device.power_on()
        self.connection = await self.device.connect_le(hci.Address(address), timeout=ANSWER_S)
        return self.connection

    @property
    def client(self) -> Client:
        return self.connection.gatt_client

    async def handles(self) -> dict[str, int]:
        """Attribute handles by UUID, the configuration's as "cccd" and the service's as "service"."""
        [service] = await self.client.discover_service(SERVICE_UUID)
        found = {str(c.uuid).lower(): c for c in await service.discover_characteristics()}
        [configuration] = await found[OUTBOX_UUID].discover_descriptors()
        return {
            "service": service.handle,
            "inbox": found[INBOX_UUID].handle,
            "outbox": found[OUTBOX_UUID].handle,
            "info": found[INFO_UUID].handle,
            "cccd": configuration.handle,
        }

    def send(self, raw: bytes) -> None:
        """Any bytes as an ATT PDU."""
        self.connection.send_l2cap_pdu(att.ATT_CID, raw)

    def _answers(self) -> asyncio.Queue[bytes]:
        """What comes from now on."""
        answers: asyncio.Queue[bytes] = asyncio.Queue()
        channels = self.device.l2cap_channel_manager
        channels.register_fixed_channel(att.ATT_CID, lambda _handle, pdu: answers.put_nowait(pdu))
        return answers

    async def silence(self) -> None:
        """Return once everything that was sent has had its answer: in turns of the loop, which no load stretches."""
        answers = self._answers()
        try:
            quiet_turns = 0
            while quiet_turns < QUIET_TURNS:
                await asyncio.sleep(0)
                quiet_turns = quiet_turns + 1 if answers.empty() else 0
                while not answers.empty():
                    answers.get_nowait()
        finally:
            self.device.l2cap_channel_manager.register_fixed_channel(att.ATT_CID, self.device.on_gatt_pdu)

    async def request(self, raw: bytes) -> bytes:
        """What is answered to any bytes."""
        answers = self._answers()
        self.send(raw)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answers.get()
        finally:
            self.device.l2cap_channel_manager.register_fixed_channel(att.ATT_CID, self.device.on_gatt_pdu)

    async def close(self) -> None:
        await self.device.power_off()
        await self._transport.close()


def hci_error(code: int) -> Exception:
    """What bumble raises when a controller refuses."""
    return hci.HCI_Error(code)  # type: ignore[no-untyped-call]


def connection_error(code: int) -> Exception:
    """What bumble raises when a connection does not come about."""
    transport = core.PhysicalTransport.LE
    return core.ConnectionError(code, transport, hci.Address.ANY)  # type: ignore[no-untyped-call]
