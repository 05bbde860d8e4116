"""Each fault does what it says: between two ends, and as a pure script."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from blechannel.roles import Role
from blechannel.transports.loopback import Faults, RandomFaults, Rates, loopback_pair
from blechannel.transports.loopback.faults import (
    Corrupt,
    DisconnectAtByte,
    Drop,
    Duplicate,
    Fault,
    Inject,
    Recut,
    Stall,
    Swap,
    flip_bit,
)
from blechannel.transports.virtual_time import run_virtual
from tests.transports.receivers import Receiver

SENT = [b"zero", b"one", b"two"]


@pytest.mark.parametrize(
    ("faults", "arrives"),
    [
        ([], [b"zero", b"one", b"two"]),
        ([Drop(1)], [b"zero", b"two"]),
        ([Duplicate(1)], [b"zero", b"one", b"one", b"two"]),
        ([Recut(1, 1)], [b"zero", b"o", b"ne", b"two"]),
        ([Recut(1, 0)], [b"zero", b"", b"one", b"two"]),
        ([Corrupt(1, 0)], [b"zero", b"nne", b"two"]),
        ([Corrupt(1, 9)], [b"zero", b"ole", b"two"]),
        ([Swap(0)], [b"one", b"zero", b"two"]),
        ([Swap(0), Swap(1)], [b"zero", b"two", b"one"]),
        ([Swap(2)], [b"zero", b"one"]),
        ([Inject(0, b"evil")], [b"evil", b"zero", b"one", b"two"]),
        ([Duplicate(1), Recut(1, 2)], [b"zero", b"on", b"e", b"on", b"e", b"two"]),
        ([Inject(2, b"a"), Drop(0), Inject(2, b"b")], [b"one", b"b", b"a", b"two"]),
        ([Drop(1), Inject(1, b"evil")], [b"zero", b"evil", b"two"]),
        ([Drop(77)], [b"zero", b"one", b"two"]),
    ],
)
@pytest.mark.parametrize("sender", list(Role))
def test_what_arrives(faults: list[Fault], arrives: list[bytes], sender: Role) -> None:
    async def main() -> None:
        phone, watch = loopback_pair()
        here, there = (phone, watch) if sender is Role.PHONE else (watch, phone)
        here.faults = Faults(faults)
        seen: list[tuple[Role, bytes]] = []
        here.on_air = lambda role, value: seen.append((role, value))
        sends, receives = Receiver(here), Receiver(there)
        await sends.send_all(SENT)
        await here.close()
        assert receives.fragments == arrives
        assert seen == [(sender, value) for value in arrives]
        assert sends.fragments == []

    run_virtual(main())


@pytest.mark.parametrize(
    ("total_bytes", "arrives"),
    [
        (0, []),
        (3, []),
        (4, [b"zero"]),
        (5, [b"zero"]),
        (7, [b"zero", b"one"]),
    ],
)
def test_disconnect_at_byte(total_bytes: int, arrives: list[bytes]) -> None:
    async def main() -> None:
        phone, watch = loopback_pair()
        watch.faults = Faults([DisconnectAtByte(total_bytes)])
        receives, sends = Receiver(phone), Receiver(watch)
        for fragment in SENT:
            watch.send(fragment)
        await asyncio.gather(sends.lost.wait(), receives.lost.wait())
        assert receives.fragments == arrives
        assert phone.room == watch.room == 0

    run_virtual(main())


def test_a_stall_holds_back_all_that_follows_and_nothing_else() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        phone, watch = loopback_pair()
        phone.faults = Faults([Stall(1, 10.0), Stall(2, 5.0)])
        times: list[tuple[bytes, float]] = []
        Receiver(phone)
        Receiver(watch, answer=lambda fragment: times.append((fragment, loop.time())))
        for fragment in SENT:
            phone.send(fragment)
        await asyncio.sleep(1)
        phone.send(b"three")
        watch.send(b"other way")
        await asyncio.sleep(100)
        assert times == [(b"zero", 0.0), (b"one", 10.0), (b"two", 15.0), (b"three", 15.0)]

    run_virtual(main())


def test_a_stall_takes_room_and_gives_it_back() -> None:
    async def main() -> None:
        phone, watch = loopback_pair(capacity=4)
        phone.faults = Faults([Stall(0, 10.0)])
        sends, receives = Receiver(phone), Receiver(watch)
        for number in range(4):
            phone.send(bytes([number]))
        await asyncio.sleep(1)
        assert (phone.room, sends.resumed) == (0, 0)
        await receives.receive(4)
        assert (phone.room, sends.resumed) == (4, 1)

    run_virtual(main())


def test_closing_during_a_stall_gives_up_in_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        phone, watch = loopback_pair()
        phone.faults = Faults([Stall(0, 60.0)])
        sends, receives = Receiver(phone), Receiver(watch)
        phone.send(b"late")
        await phone.close()
        assert loop.time() == pytest.approx(2.0)
        await asyncio.sleep(100)
        assert receives.fragments == []
        assert sends.error is not None
        assert receives.error is not None

    run_virtual(main())


def test_closing_waits_for_a_short_stall() -> None:
    async def main() -> None:
        phone, watch = loopback_pair()
        phone.faults = Faults([Stall(0, 1.0)])
        Receiver(phone)
        receives = Receiver(watch)
        phone.send(b"first")
        phone.send(b"second")
        await phone.close()
        assert receives.fragments == [b"first", b"second"]

    run_virtual(main())


def test_flip_bit_counts_round_the_end() -> None:
    assert flip_bit(b"\x00\x00", 8) == b"\x00\x01"
    assert flip_bit(b"\x00\x00", 15) == b"\x00\x80"
    assert flip_bit(b"\x00\x00", 16) == b"\x01\x00"
    assert flip_bit(b"", 3) == b""


def test_random_faults_repeat_with_their_seed() -> None:
    rates = Rates(drop=0.1, duplicate=0.1, recut=0.1, corrupt=0.1, swap=0.1, stall=0.1, stall_s=0.5)
    values = [bytes([n]) * 20 for n in range(200)]

    def run(seed: int) -> list[object]:
        faults = RandomFaults(Random(seed), rates)
        return [faults.pass_on(value) for value in values]

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize("kind", ["drop", "duplicate", "recut", "corrupt", "stall"])
def test_random_rates_are_met(kind: str) -> None:
    rates = {kind: 0.25}
    faults = RandomFaults(
        Random(7),
        Rates(
            drop=rates.get("drop", 0.0),
            duplicate=rates.get("duplicate", 0.0),
            recut=rates.get("recut", 0.0),
            corrupt=rates.get("corrupt", 0.0),
            stall=rates.get("stall", 0.0),
        ),
    )
    value = bytes(20)
    passages = [faults.pass_on(value) for _ in range(4000)]
    troubled = sum(passage.arrivals != (value,) or passage.stall_s > 0 for passage in passages)
    assert troubled / 4000 == pytest.approx(0.25, abs=0.03)


def test_no_rates_change_nothing() -> None:
    faults = RandomFaults(Random(1), Rates())
    assert [faults.pass_on(value).arrivals for value in SENT] == [(value,) for value in SENT]
