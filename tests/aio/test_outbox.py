"""An outbox on both sides: messages outlive channels, and whoever sent them learns what became of them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from blechannel.aio.household import World
from blechannel.aio.outbox import Outbox
from blechannel.aio.queues import port as queue_port
from blechannel.aio.queues.queue import OutboxQueue
from blechannel.aio.queues.store import Act
from blechannel.delivery.changes import Change
from blechannel.delivery.events import (
    BondGone,
    Broken,
    CarriedOver,
    Expired,
    NotStored,
    Refused,
    Stored,
    StoreReset,
    Superseded,
)
from blechannel.delivery.frames import Begin, Fault, encode_frame
from blechannel.delivery.policies import BestEffort, Latest, MessageId, Ordered
from blechannel.errors import (
    BondNotFound,
    LocalProtocolError,
    MessageExpired,
    MessageRefused,
    MessageSuperseded,
    QueueFull,
    StoreError,
)
from blechannel.pairing.changes import Forget
from blechannel.stores.outbox_memory import MemoryQueues
from blechannel.stores.outbox_sqlite import SqliteQueues
from tests.aio.outboxes import SOON_S, next_event, sides, until


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
async def test_a_message_that_was_queued_without_a_channel_arrives_with_the_next(tmp_path: Path, durable: bool) -> None:
    async with sides(tmp_path if durable else None) as ours:
        await (await ours.pair()).close()
        receipts = [await ours.from_watch().send(b"%d" % number) for number in range(3)]
        assert ours.from_watch().waiting == 3
        await ours.connect()
        for receipt in receipts:
            await receipt.stored()
        await until(lambda: ours.from_watch().waiting == 0)
        assert ours.at_phone().untaken == 3
        for number, receipt in enumerate(receipts):
            async with ours.at_phone().next() as delivery:
                assert delivery.message == b"%d" % number
                assert delivery.message_id == receipt.message_id
                assert (delivery.bond_id, delivery.port) == (ours.on_phone, "journal")
        assert ours.at_phone().untaken == 0
        assert await next_event(ours.of_watch, Stored) == Stored(ours.on_watch, "journal", receipts[0].message_id)


async def test_what_was_not_taken_is_shown_again() -> None:
    async with sides() as ours:
        channel = await ours.pair()
        await ours.from_watch().send(b"once")
        with pytest.raises(ZeroDivisionError):
            async with channel.outbox("journal").next():
                raise ZeroDivisionError
        async for delivery in channel.outbox("journal"):
            assert delivery.message == b"once"
            await delivery.taken()
            await delivery.taken()
            break
        assert ours.at_phone().untaken == 0


async def test_a_restart_of_both_sides_keeps_what_waits_and_what_was_not_taken(tmp_path: Path) -> None:
    async with sides(tmp_path) as ours:
        await (await ours.pair()).close()
        for number in range(5):
            await ours.from_watch().send(b"%d" % number)
        stores = ours.stores
    async with sides(tmp_path, stores=stores) as ours:
        assert ours.from_watch().waiting == 5
        await ours.connect()
        await until(lambda: ours.at_phone().untaken == 5)
    async with sides(tmp_path, stores=stores) as ours:
        await ours.connect()
        await ours.from_watch().send(b"5")
        numbers = []
        async for delivery in ours.at_phone():
            numbers.append(int(delivery.message))
            await delivery.taken()
            if len(numbers) == 6:
                break
        assert numbers == list(range(6))


async def test_a_large_message_comes_in_pieces_and_goes_on_after_a_lost_link(tmp_path: Path) -> None:
    blob = bytes(range(256)) * 1200
    async with sides(tmp_path) as ours:
        await (await ours.pair()).close()
        receipt = await ours.from_watch().send(blob)
        lane = ours.at_phone
        while not receipt._done.done():
            channel = await ours.connect()
            before = partial.have if (partial := lane().lane and lane().lane.partial) else 0  # type: ignore[union-attr]
            await until(lambda: receipt._done.done() or _have(lane()) > before)  # noqa: B023 - awaited at once
            await channel.close()
        async with ours.at_phone().next() as delivery:
            assert delivery.message == blob


def _have(queue) -> int:  # type: ignore[no-untyped-def]
    partial = queue.lane.partial if queue.lane else None
    return partial.have if partial else 0


async def test_a_full_queue_holds_its_sender_or_says_so() -> None:
    async with sides(policies={"journal": Ordered(max_messages=2, max_bytes=100)}) as ours:
        await (await ours.pair()).close()
        queue = ours.from_watch()
        await queue.send(b"one")
        await queue.send(bytes(97))
        with pytest.raises(QueueFull):
            await queue.send(b"", wait=False)
        waiting = asyncio.ensure_future(queue.send(b"three"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await ours.connect()
        await waiting
        with pytest.raises(LocalProtocolError, match="takes 100"):
            await queue.send(bytes(101))


async def test_a_reader_that_takes_nothing_holds_back_the_sender_at_the_other_end() -> None:
    async with sides(policies={"journal": Ordered(max_messages=3)}) as ours:
        await ours.pair()
        queue = ours.from_watch()
        for _ in range(6):
            await queue.send(b"x")
        await until(lambda: ours.at_phone().untaken == 3)
        waiting = asyncio.ensure_future(queue.send(b"seventh"))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        async with ours.at_phone().next():
            pass
        await asyncio.wait_for(waiting, SOON_S)


async def test_a_reader_that_is_cancelled_while_it_takes_makes_room_all_the_same(tmp_path: Path) -> None:
    async with sides(tmp_path, policies={"journal": Ordered(max_messages=1)}) as ours:
        await ours.pair()
        queue = ours.from_watch()
        await queue.send(b"first")
        delivery = await anext(aiter(ours.at_phone()))
        receipt = await queue.send(b"second")
        taking = asyncio.ensure_future(delivery.taken())
        await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait([taking])
        assert taking.cancelled()
        await asyncio.wait_for(receipt.stored(), SOON_S)


async def test_the_whole_store_is_bounded_on_both_sides() -> None:
    async with sides(max_bytes=100) as ours:
        await (await ours.pair()).close()
        await ours.from_watch().send(bytes(90))
        with pytest.raises(QueueFull):
            await ours.from_watch().send(bytes(20), wait=False)
        await ours.at_phone().send(bytes(60))
        await ours.connect()
        event = await next_event(ours.of_phone, NotStored)
        assert "holds its 100 bytes" in event.reason  # type: ignore[union-attr]
        assert isinstance(await next_event(ours.of_watch, Refused), Refused)
        assert ours.from_watch().waiting == 1


async def test_a_peer_without_room_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_port, "RETRY_S", 0.01)
    async with sides() as ours:
        await ours.pair()
        ours.of_phone.max_bytes = 0
        receipt = await ours.from_watch().send(b"one")
        await next_event(ours.of_watch, Refused)
        ours.of_phone.max_bytes = 100
        await asyncio.wait_for(receipt.stored(), SOON_S)


async def test_the_latest_value_takes_the_place_of_older_ones() -> None:
    async with sides() as ours:
        await (await ours.pair()).close()
        old = await ours.from_watch("gauge").send(b"old")
        new = await ours.from_watch("gauge").send(b"new")
        with pytest.raises(MessageSuperseded):
            await old.stored()
        assert await next_event(ours.of_watch, Superseded) == Superseded(ours.on_watch, "gauge", old.message_id)
        await ours.connect()
        await new.stored()
        async with ours.at_phone("gauge").next() as delivery:
            assert delivery.message == b"new"
        many = await asyncio.gather(*(ours.from_watch("gauge").send(b"%d" % n) for n in range(20)))
        await many[-1].stored()
        async with ours.at_phone("gauge").next() as delivery:
            assert delivery.message == b"19"


async def test_best_effort_makes_room_for_the_newest() -> None:
    policies = {"motion": BestEffort(max_messages=2, max_bytes=10)}
    async with sides(policies=policies) as ours:
        await (await ours.pair()).close()
        queue = ours.from_watch("motion")
        receipts = [await queue.send(body) for body in (b"one", b"two", b"three", b"longlonglo")]
        assert queue.waiting == 1
        for receipt in receipts[:-1]:
            with pytest.raises(MessageSuperseded):
                await receipt.stored()
        await ours.connect()
        await receipts[-1].stored()
        async with ours.at_phone("motion").next() as delivery:
            assert delivery.message == b"longlonglo"


async def test_what_waits_too_long_is_dropped() -> None:
    async with sides(policies={"journal": Ordered(ttl_s=0.05)}) as ours:
        await (await ours.pair()).close()
        late = [await ours.from_watch().send(b"late") for _ in range(2)]
        for receipt in late:
            with pytest.raises(MessageExpired):
                await receipt.stored()
        assert isinstance(await next_event(ours.of_watch, Expired), Expired)
        assert ours.from_watch().waiting == 0
        await ours.connect()
        await (await ours.from_watch().send(b"in time")).stored()


async def test_without_a_wall_clock_the_time_to_live_is_that_of_the_loop() -> None:
    world = World(unix_time=lambda: None)
    async with sides(policies={"journal": Ordered(ttl_s=0.03)}, world=world) as ours:
        await (await ours.pair()).close()
        queue = ours.from_watch()
        for _ in range(2):
            with pytest.raises(MessageExpired):
                await (await queue.send(b"late")).stored()
        assert len(queue._since_s) <= 1  # nothing piles up


async def test_a_time_to_live_goes_on_after_a_restart(tmp_path: Path) -> None:
    policies = {"journal": Ordered(ttl_s=0.1)}
    async with sides(tmp_path, policies=policies) as ours:
        await (await ours.pair()).close()
        await ours.from_watch().send(b"late")
        stores = ours.stores
    async with sides(tmp_path, policies=policies, stores=stores) as ours:
        await until(lambda: ours.from_watch().waiting == 0)


async def test_a_message_too_large_for_the_peer_is_refused_and_the_next_goes() -> None:
    async with sides(of_phone={"journal": Ordered(max_bytes=10)}) as ours:
        await ours.pair()
        large, small = await ours.from_watch().send(bytes(11)), await ours.from_watch().send(bytes(10))
        with pytest.raises(MessageRefused):
            await large.stored()
        await small.stored()


async def test_policies_that_differ_are_told() -> None:
    async with sides(of_phone={"journal": Latest()}) as ours:
        await ours.pair()
        await ours.from_watch().send(b"one")
        assert await next_event(ours.of_watch, Refused) == Refused(ours.on_watch, "journal", None, Fault.POLICY)
        assert ours.from_watch().waiting == 1


async def test_a_bond_that_is_removed_takes_its_messages_along() -> None:
    async with sides() as ours:
        channel = await ours.pair()
        await channel.close()
        bond_id, queue = ours.on_phone, ours.at_phone()
        receipt = await queue.send(b"never")
        reader = asyncio.ensure_future(anext(aiter(queue)))
        await asyncio.sleep(0)
        await ours.stores[1].apply(Forget(bond_id))
        ours.phone.book_changed()
        assert await next_event(ours.of_phone, BondGone) == BondGone(bond_id, "journal", 1, 0)
        for refused in (receipt.stored(), reader, queue.send(b"more")):
            with pytest.raises(BondNotFound):
                await refused
        assert not ours.queues[1].ledger.lanes


async def test_pairing_again_carries_over_what_waits_on_both_sides(tmp_path: Path) -> None:
    async with sides(tmp_path) as ours:
        channel = await ours.pair()
        await (await ours.from_watch().send(b"0")).stored()
        await (await ours.at_phone().send(b"zero")).stored()
        await channel.close()
        first_watch, first_phone = ours.on_watch, ours.on_phone
        from_watch = await ours.from_watch().send(b"1")
        from_phone = await ours.at_phone().send(b"one")
        await ours.pair()
        assert (first_watch, first_phone) != (ours.on_watch, ours.on_phone)
        await asyncio.wait_for(from_phone.stored(), SOON_S)
        await asyncio.wait_for(from_watch.stored(), SOON_S)
        assert await next_event(ours.of_phone, CarriedOver) == CarriedOver(ours.on_phone, "journal", first_phone)
        assert await next_event(ours.of_watch, CarriedOver) == CarriedOver(ours.on_watch, "journal", first_watch)
        for queue, expected in ((ours.at_phone(), [b"0", b"1"]), (ours.from_watch(), [b"zero", b"one"])):
            for body in expected:
                async with queue.next() as delivery:
                    assert delivery.message == body


async def test_a_store_that_is_lost_is_noticed(tmp_path: Path) -> None:
    async with sides(tmp_path) as ours:
        await ours.pair()
        await (await ours.from_watch().send(b"one")).stored()
        stores = ours.stores
    (tmp_path / "watch.queues").unlink()
    async with sides(tmp_path, stores=stores) as ours:
        await ours.connect()
        await ours.from_watch().send(b"two")
        assert await next_event(ours.of_watch, StoreReset) == StoreReset(ours.on_watch, "journal")


async def test_one_reader_at_a_time() -> None:
    async with sides() as ours:
        channel = await ours.pair()
        reader = asyncio.ensure_future(anext(aiter(channel.outbox("journal"))))
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="another task reads"):
            async with channel.outbox("journal").next():
                pass
        reader.cancel()


async def test_a_peer_that_breaks_the_rules_ends_the_port_and_not_the_channel() -> None:
    async with sides() as ours:
        channel = await ours.pair()
        await (await ours.from_watch().send(b"one")).stored()
        port = channel.port("journal")
        assert isinstance(port, queue_port.OutboxPort)
        port._unsent.append(b"\xff")
        port.room_again()
        assert isinstance(await next_event(ours.of_watch, Broken), Broken)
        port._unsent.append(encode_frame(Begin(bytes(16))))
        port.room_again()
        assert channel.is_open
        await channel.close()
        await ours.connect()
        await (await ours.from_watch().send(b"two")).stored()


async def test_queues_are_idle_without_tasks() -> None:
    async with sides() as ours:
        await ours.pair()
        before = asyncio.all_tasks()
        await (await ours.from_watch().send(b"one")).stored()
        assert asyncio.all_tasks() == before


async def test_an_outbox_names_its_ports() -> None:
    async with sides() as ours:
        await ours.pair()
        with pytest.raises(LocalProtocolError, match="does not carry port other"):
            ours.from_watch("other")
    for names in ([str(number) for number in range(16)], [""]):
        with pytest.raises(LocalProtocolError, match="at most 15 ports"):
            Outbox(MemoryQueues(), {name: Ordered() for name in names})


async def test_a_channel_without_an_outbox_says_so() -> None:
    from tests.aio.rooms import room

    async with room() as ours:
        channel = await ours.pair()
        with pytest.raises(LocalProtocolError, match="no outbox was given"):
            channel.outbox("journal")


async def test_a_closed_outbox_tells_who_waits() -> None:
    async with sides() as ours:
        await (await ours.pair()).close()
        receipt = await ours.from_watch().send(b"one")
    with pytest.raises(StoreError, match="closed"):
        await receipt.stored()
    assert isinstance(receipt.message_id, MessageId)
    assert str(receipt.message_id) in repr(receipt)


def full(at: sqlite3.Connection) -> None:
    [(pages,)] = at.execute("PRAGMA page_count").fetchall()
    at.execute(f"PRAGMA max_page_count = {pages}")


def roomy(at: sqlite3.Connection) -> None:
    at.execute("PRAGMA max_page_count = 1000000")


async def test_a_full_disk_is_an_error_to_the_sender_and_never_a_lost_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_port, "RETRY_S", 0.02)
    async with sides(tmp_path) as ours:
        await ours.pair()
        await (await ours.from_watch().send(b"small")).stored()
        watch_disk, phone_disk = ours.queues
        await watch_disk.write((), full)
        with pytest.raises(StoreError, match="no room left for the outbox"):
            await ours.from_watch().send(bytes(200_000))
        await watch_disk.write((), roomy)
        await phone_disk.write((), full)
        receipt = await ours.from_watch().send(bytes(300_000))
        event = await next_event(ours.of_phone, NotStored)
        assert "no room left for the outbox" in event.reason  # type: ignore[union-attr]
        assert isinstance(await next_event(ours.of_watch, Refused), Refused)
        assert not receipt._done.done()
        await phone_disk.write((), roomy)
        await asyncio.wait_for(receipt.stored(), SOON_S)
        assert [len(body) for body in await taken(ours.at_phone(), 2)] == [5, 300_000]


async def taken(queue: OutboxQueue, count: int) -> list[bytes]:
    bodies = []
    for _ in range(count):
        async with queue.next() as delivery:
            bodies.append(delivery.message)
    return bodies


async def test_a_disk_that_is_full_from_the_start_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_port, "RETRY_S", 0.01)
    async with sides(tmp_path) as ours:
        await ours.pair()
        write = type(ours.queues[1]).write
        failing = {"until": 3}

        def fail(self: SqliteQueues, changes: Sequence[Change], act: Act | None = None) -> asyncio.Future[None]:
            if self is ours.queues[1] and failing["until"]:
                failing["until"] -= 1
                refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                refused.set_exception(StoreError("the disk is full"))
                return refused
            return write(self, changes, act)

        monkeypatch.setattr(SqliteQueues, "write", fail)
        await asyncio.wait_for((await ours.from_watch().send(b"one")).stored(), SOON_S)
        assert failing == {"until": 0}


async def test_a_guests_phone_delivers_on_the_ports_that_it_may_use_alone() -> None:
    async with sides() as ours:
        await ours.pair()
        channel = await ours.pair()  # the first bond is the owner's; this one replaces it on the phone alone
        await ours.watch.members.permit(ours.on_watch, frozenset({"gauge"}))
        await (await channel.outbox("gauge").send(b"allowed")).stored()
        denied = await channel.outbox("journal").send(b"denied")
        await asyncio.sleep(0.05)
        assert not denied._done.done()
        assert channel.is_open
        await ours.watch.members.permit(ours.on_watch, frozenset({"journal"}))
        await channel.close()
        await ours.connect()
        await asyncio.wait_for(denied.stored(), SOON_S)
