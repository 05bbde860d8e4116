"""What real systems do to a phone: late, lost and merged values, writes that fail after the fact, slow ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)

from blechannel.aio.phone import Phone
from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.errors import (
    BlechannelError,
    FragmentRefused,
    LinkLost,
    LocalProtocolError,
    PeerTimedOut,
    TransportError,
)
from blechannel.limits import Patience
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from blechannel.transports import queued_link
from blechannel.transports.bleak import Backoff, carrier
from tests.transports.bleak.live import Air, on_air
from tests.transports.receivers import numbered

GAP = "a fragment was lost, repeated or reordered"


def aborted() -> BleakDBusError:
    """BlueZ gave a connection up, which often passes."""
    return BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"])


def switched_off() -> BleakBluetoothNotAvailableError:
    return BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF)


# --- connecting


async def test_a_connection_that_fails_is_tried_again_after_pauses_that_grow() -> None:
    async with on_air() as air:
        air.system.faults.connecting = [aborted(), TimeoutError(), BleakError("disconnected")]
        on_phone, _ = await air.joined()
        assert air.pauses_s == [0.25 * 0.75, 0.5 * 0.75, 0.75]
        assert [client.releases for client in air.system.clients] == [1, 1, 1, 0]
        assert on_phone.error is None


async def test_it_is_given_up_in_the_end_with_the_last_reason() -> None:
    async with on_air() as air:
        *_, last = air.system.faults.connecting = [aborted() for _ in range(4)]
        with pytest.raises(TransportError, match="le-connection-abort-by-local") as caught:
            await air.joined()
        assert caught.value.__cause__ is last
        assert (air.system.connects, len(air.pauses_s)) == (4, 3)


async def test_what_a_person_has_to_mend_is_not_tried_again() -> None:
    async with on_air() as air:
        air.system.faults.connecting = [switched_off()]
        with pytest.raises(TransportError, match="switch it on"):
            await air.joined()
        assert (air.system.connects, air.pauses_s) == (1, [])


def test_pauses_double_up_to_a_limit_and_never_keep_step() -> None:
    dice = iter([0.0, 0.5, 0.999, 0.0, 0.5])
    pauses_s = [*Backoff(attempts=6, random=lambda: next(dice)).pauses_s()]
    assert pauses_s == pytest.approx([0.125, 0.375, 1.0, 1.0, 1.5], abs=0.001)
    assert [*Backoff(attempts=1).pauses_s()] == []


async def test_a_device_that_the_system_forgot_is_looked_for_again() -> None:
    async with on_air() as air:
        address = (await air.sighted()).address
        air.system.faults.connecting = [BleakDeviceNotFoundError(address)]
        scans = len(air.system.arguments)
        await air.phone.connect(address)
        assert len(air.system.arguments) == scans + 4  # client, scanner, client, subscription


@dataclass
class Storm:
    """Many callers at once, for one watch."""

    links: int = 0
    refused: list[str] = field(default_factory=list)


async def test_a_storm_of_connects_is_one_connection_at_a_time() -> None:
    async with on_air() as air:
        address = (await air.sighted()).address
        air.system.faults.connect_s = 0.01
        air.system.faults.connecting = [aborted(), aborted()]
        storm = Storm()

        async def connect() -> None:
            try:
                await air.phone.connect(address)
                storm.links += 1
            except TransportError as error:
                storm.refused.append(str(error))

        await asyncio.gather(*(connect() for _ in range(20)))
        assert (storm.links, air.system.connecting_at_most, air.system.connections) == (1, 1, 1)
        assert len(storm.refused) == 19
        assert all("already" in words for words in storm.refused)


@pytest.mark.parametrize("turns", [1, 3, 10, 40, 120, 250])
async def test_a_connect_cancelled_anywhere_leaves_nothing_connected(turns: int) -> None:
    async with on_air() as air:
        address = (await air.sighted()).address
        connecting = asyncio.ensure_future(air.phone.connect(address))
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert air.system.connections == 0
        await asyncio.sleep(0.05)
        on_phone, _ = await air.joined()
        assert on_phone.error is None


async def test_a_subscription_that_is_refused_leaves_nothing_connected() -> None:
    async with on_air() as air:
        refusal = BleakDBusError("org.bluez.Error.NotPermitted", ["Notify acquired"])
        air.system.faults.subscribing = [refusal]
        with pytest.raises(TransportError, match="another program holds"):
            await air.joined()
        assert (air.system.connections, air.system.connects) == (0, 1)


async def test_a_subscription_without_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "SUBSCRIBE_S", 0.05)
    async with on_air() as air:
        air.system.faults.subscribe_s = 60
        with pytest.raises(TransportError, match=r"setting up .*: no answer within 0\.05 s"):
            await air.joined()
        assert (air.system.connects, air.system.connections) == (4, 0)


async def test_a_link_lost_while_it_is_set_up_is_told_at_once() -> None:
    async with on_air() as air:
        air.system.faults.subscribe_s = 60
        connecting = asyncio.ensure_future(air.joined())
        for _ in range(4):
            while not air.system.subscribing_now:
                await asyncio.sleep(0.01)
            air.radio.drop_link()
            while air.system.subscribing_now:
                await asyncio.sleep(0.01)
        with pytest.raises(TransportError, match=r"setting up .*: the watch disconnected, or is out of reach"):
            await connecting


# --- scanning


async def test_a_scan_that_is_refused_says_what_to_do() -> None:
    async with on_air() as air:
        air.system.faults.scanning = [switched_off()]
        with pytest.raises(TransportError, match="scanning: Bluetooth is switched off: switch it on"):
            await anext(air.phone.scan())
        assert (await air.sighted()).service_data


async def test_a_scan_that_cannot_be_ended_is_over_for_its_reader() -> None:
    async with on_air() as air:
        scan = air.phone.scan()
        await anext(scan)
        air.system.faults.scanning = [BleakError("busy")]
        await scan.aclose()
        assert (await air.sighted()).service_data


# --- values


@asynccontextmanager
async def echoing(patience: Patience = Patience()) -> AsyncIterator[tuple[Air, Port]]:  # noqa: B008 - frozen
    """A phone's port to a watch that says everything back."""
    config = Config("phone", patience=patience)
    async with (
        on_air() as air,
        Watch(MemoryStore(), air.watch) as watch,
        Phone(MemoryStore(), air.phone, config=config) as phone,
    ):
        watch.serve(echo.PORT, echo.echo)
        window = watch.open_pairing()

        async def ask_code() -> str:
            return window.code

        async with asyncio.timeout(10):
            channel = await phone.pair(await phone.find(), ask_code)
            async with channel.port(echo.PORT) as port:
                await port.send(b"ready")
                assert await port.receive() == b"ready"
                yield air, port


class Values:
    """The first two data values are given to `change`, the others as they come."""

    def __init__(self, change: Callable[[bytes, bytes], list[bytes]]) -> None:
        self._change = change
        self._held: list[bytes] = []

    def __call__(self, value: bytes) -> list[bytes]:
        if len(self._held) == 2 or len(value) < 100:
            return [value]
        self._held.append(value)
        return self._change(*self._held) if len(self._held) == 2 else []


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda first, second: [first, second], None, ""),
        (lambda first, _second: [first], FragmentRefused, GAP),
        (lambda _first, second: [second], FragmentRefused, GAP),
        (lambda first, second: [second, first], FragmentRefused, GAP),
        (lambda first, second: [first, first, second], FragmentRefused, GAP),
        (lambda first, second: [first + second], LinkLost, "came as one value; GATT has at most 512"),
        (lambda first, second: [first[:200] + second[:200]], FragmentRefused, GAP),
    ],
    ids=["none", "second lost", "first lost", "swapped", "repeated", "merged", "cut and merged"],
)
async def test_values_that_do_not_arrive_as_they_were_sent_end_the_channel_by_name(
    change: Callable[[bytes, bytes], list[bytes]], kind: type[BlechannelError] | None, words: str
) -> None:
    with nullcontext() if kind is None else pytest.raises(kind, match=words):
        async with echoing() as (air, port):
            air.system.faults.notified = Values(change)
            await port.send(bytes(4000))
            assert await port.receive() == bytes(4000)


async def test_silence_after_a_last_value_was_lost_is_bounded() -> None:
    async def never_answered() -> None:
        async with echoing(Patience(stall_s=0.3, keepalive_s=0.1, frame_s=0.3)) as (air, port):
            air.system.faults.notified = lambda _value: []
            await port.send(bytes(100))
            await port.receive()

    with pytest.raises(PeerTimedOut):
        await never_answered()


async def test_late_values_are_taken_and_those_after_the_end_are_not() -> None:
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        air.system.faults.notify_s = 0.03
        await on_watch.send_all(numbered(20))
        assert await on_phone.receive(20) == numbered(20)
        await on_watch.send_all(numbered(20))
        air.radio.drop_link()
        await on_phone.lost.wait()
        came = len(on_phone.fragments)
        await asyncio.sleep(0.05)
        assert len(on_phone.fragments) == came


async def test_values_that_come_by_another_way_than_the_end_are_waited_for() -> None:
    """As with BlueZ, where they come through a socket and the end through the bus."""
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        air.system.faults.notify_s = queued_link.LINGER_S / 2
        await on_watch.send_all(numbered(3))
        await on_watch.link.close()
        await on_phone.lost.wait()
        assert on_phone.fragments == numbered(3)


# --- writing


async def test_a_write_that_raises_after_it_went_out_is_not_sent_again() -> None:
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        air.system.faults.writing = lambda value: aborted() if value == numbered(5)[2] else None
        for fragment in numbered(5):
            on_phone.link.send(fragment)
        await on_phone.lost.wait()
        assert "writing to the watch" in str(on_phone.error)
        assert "may have arrived or not" in str(on_phone.error)
        await on_watch.lost.wait()
        assert on_watch.fragments == numbered(3)


async def test_a_system_that_does_not_take_a_write_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "WRITE_S", 0.05)
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        air.system.faults.write_s = 60
        on_phone.link.send(b"x")
        await asyncio.gather(on_phone.lost.wait(), on_watch.lost.wait())
        assert "writing to the watch: no answer within 0.05 s" in str(on_phone.error)


async def test_a_slow_system_makes_the_sender_wait() -> None:
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        air.system.faults.write_s = 0.001
        for fragment in numbered(queued_link.ROOM_FRAGMENTS):
            on_phone.link.send(fragment)
        assert on_phone.link.room == 0
        with pytest.raises(LocalProtocolError, match="no room"):
            on_phone.link.send(b"")
        resumed = on_phone.resumed
        assert await on_watch.receive(queued_link.ROOM_FRAGMENTS) == numbered(queued_link.ROOM_FRAGMENTS)
        assert on_phone.resumed == resumed + 1


# --- ends


async def test_a_close_does_not_wait_for_a_write_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued_link, "FLUSH_S", 0.05)
    async with on_air() as air:
        on_phone, _ = await air.joined()
        air.system.faults.write_s = 60
        on_phone.link.send(b"x")
        async with asyncio.timeout(5):
            await on_phone.link.close()
        assert str(on_phone.error) == "closed on this side"


async def test_a_slow_disconnection_is_waited_for_before_the_next_connection() -> None:
    async with on_air() as air:
        on_phone, _ = await air.joined()
        air.system.faults.disconnect_s = 0.3
        closing = asyncio.ensure_future(on_phone.link.close())
        await asyncio.sleep(0)
        assert on_phone.link.room == 0
        connecting = asyncio.ensure_future(air.phone.connect(on_phone.link.peer))
        await asyncio.sleep(0.1)
        assert len(air.system.clients) == 1, "nothing is asked of the system before"
        again = await connecting
        assert closing.done()
        assert [client.releases for client in air.system.clients] == [1, 0]
        assert not again.ended


async def test_a_disconnection_that_fails_or_is_not_told_ends_the_link_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(carrier, "DISCONNECT_S", 0.05)
    async with on_air() as air:
        on_phone, _ = await air.joined()
        air.system.faults.disconnecting = [BleakError("not now")]
        await on_phone.link.close()
        assert str(on_phone.error) == "closed on this side"
        assert "disconnecting from" in caplog.text
        assert "not now" in caplog.text
        air.radio.drop_link()
        again, _ = await air.joined()
        air.system.faults.disconnect_s = 60
        await again.link.close()
        assert str(again.error) == "closed on this side"
        assert "no answer within 0.05 s" in caplog.text
        air.radio.drop_link()
