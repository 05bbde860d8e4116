"""The jumping clock."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from blechannel.transports import virtual_time
from blechannel.transports.virtual_time import VirtualTimeDeadlock, VirtualTimeLoop, run_virtual


def slowly() -> str:
    time.sleep(0.05)
    return "stored"


def test_an_hour_takes_less_than_a_second() -> None:
    async def hour() -> float:
        for _ in range(3600):
            await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    began_s = time.process_time()
    assert run_virtual(hour()) == pytest.approx(3600)
    assert time.process_time() - began_s < 1


def test_timers_fire_in_order_at_their_own_time() -> None:
    async def main() -> list[tuple[str, float]]:
        loop, seen = asyncio.get_running_loop(), list[tuple[str, float]]()

        def note(name: str) -> None:
            seen.append((name, loop.time()))

        for name, when_s in (("late", 1e6), ("early", 0.5), ("middle", 7.0)):
            loop.call_at(when_s, note, name)
        await asyncio.sleep(2e6)
        return seen

    assert run_virtual(main()) == [("early", 0.5), ("middle", 7.0), ("late", 1e6)]


def test_time_outs_work() -> None:
    async def main() -> None:
        async with asyncio.timeout(1e9):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_virtual(main())


def test_a_deadlock_is_an_error_and_tasks_are_cleaned_up() -> None:
    cleaned: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("wait")

    async def main() -> None:
        task = asyncio.create_task(wait())
        await task

    with pytest.raises(VirtualTimeDeadlock, match="nobody is left"):
        run_virtual(main())
    assert cleaned == ["wait"]


def test_the_clock_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        timer = asyncio.create_task(asyncio.sleep(0.001))
        outcome = await loop.run_in_executor(None, slowly)
        now_s = loop.time()
        await timer
        return outcome, now_s

    outcome, now_s = run_virtual(main())
    assert (outcome, now_s) == ("stored", 0)


def test_a_thread_without_any_timer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_time, "THREAD_PATIENCE_S", 0.01)

    async def main() -> str:
        return await asyncio.to_thread(slowly)

    assert run_virtual(main()) == "stored"


def test_a_thread_that_waits_for_a_timer_does_not_stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_time, "THREAD_PATIENCE_S", 0.01)

    async def main() -> bool:
        rang = threading.Event()
        asyncio.get_running_loop().call_later(100, rang.set)
        return await asyncio.to_thread(rang.wait, 5)

    assert run_virtual(main())


def test_with_a_socket_open_time_is_real() -> None:
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            reading = asyncio.ensure_future(loop.sock_recv(here, 10))
            await asyncio.sleep(0.02)
            assert loop.time() >= 0.02
            there.send(b"hello")
            return await reading

    began_s = time.monotonic()
    assert run_virtual(main()) == b"hello"
    assert time.monotonic() - began_s >= 0.015


def test_two_runs_are_the_same() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        seen = []
        for number in range(50):
            await asyncio.sleep(0.1 * number)
            seen.append(loop.time())
        return seen

    assert run_virtual(main()) == run_virtual(main())


def test_the_loop_serves_a_runner() -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(asyncio.sleep(3600))
        runner.run(asyncio.to_thread(int))
        assert runner.get_loop().time() == pytest.approx(3600)
