"""Connection events: when what both ends of one link have to say travels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import ceil
from random import Random
from typing import Protocol

from blechannel.transports.airtime import VALUE_HEADER_BYTES, AirTime, exchange_us, packets

_ATT_PDU = bytes(20)
"""A question or an answer while a connection is set up; whatever its length, it takes one packet."""

_FAILURES_THAT_CLOSE = 2
"""One after the other, they close an event early (Core Specification, volume 6, part B, 4.5.6)."""


class Sender(Protocol):
    """One end, as the connection sees it."""

    @property
    def header_bytes(self) -> int:
        """What each value costs beside itself."""

    def waiting(self) -> Sequence[bytes]:
        """What may travel now, in order."""

    def carry(self, count: int) -> None:
        """The first `count` of them have arrived at the other end."""

    def drop(self, reason: str) -> None:
        """The connection is lost."""


class _Lane:
    """One direction. A long value takes several packets and may be half way when an event ends."""

    def __init__(self, sender: Sender, max_packet_bytes: int) -> None:
        self.sender = sender
        self._max_packet_bytes = max_packet_bytes
        self.whole = 0
        """Values that arrived in this event."""
        self._part = 0
        self._packets: Iterator[tuple[int, bool]] = iter(())
        self._head: tuple[int, bool] | None = None

    def open(self) -> None:
        """Begin an event with what waits at this moment: an answer to it travels in the next one."""
        self.whole = 0
        self._packets = islice(self._each_packet(tuple(self.sender.waiting())), self._part, None)
        self._head = next(self._packets, None)

    @property
    def busy(self) -> bool:
        return self._head is not None

    @property
    def packet_bytes(self) -> int:
        """The next packet's length; 0 is the empty one."""
        return self._head[0] if self._head else 0

    def advance(self) -> None:
        """The packet has been acknowledged."""
        if self._head is not None:
            is_last = self._head[1]
            self.whole += is_last
            self._part = 0 if is_last else self._part + 1
            self._head = next(self._packets, None)

    def _each_packet(self, values: Sequence[bytes]) -> Iterator[tuple[int, bool]]:
        for value in values:
            lengths = list(packets(len(value) + self.sender.header_bytes, self._max_packet_bytes))
            for number, length_bytes in enumerate(lengths, 1):
                yield length_bytes, number == len(lengths)


class _Asker:
    """One end while the connection is set up: it holds one value, in turn with the other end."""

    header_bytes = VALUE_HEADER_BYTES

    def __init__(self, passed: Callable[[], None], drop: Callable[[str], None]) -> None:
        self.speaks = False
        self.drop = drop
        self._passed = passed

    def waiting(self) -> Sequence[bytes]:
        return (_ATT_PDU,) if self.speaks else ()

    def carry(self, count: int) -> None:
        if count:
            self.speaks = False
            self._passed()


class _SetUp:
    """Questions of the phone's end and answers to them, but for the last answer."""

    def __init__(self, requests: int, drop: Callable[[str], None]) -> None:
        self.over = asyncio.Event()
        self._left = 2 * requests - 1
        self._drop = drop
        self.ends = (_Asker(self._passed, self._lost), _Asker(self._passed, self._lost))
        self.ends[0].speaks = True

    def _passed(self) -> None:
        self._left -= 1
        if self._left:
            self.ends[(self._left + 1) % 2].speaks = True
        else:
            self.over.set()

    def _lost(self, reason: str) -> None:
        self._drop(reason)
        self.over.set()


class ConnectionEvents:
    """Both directions of one connection, on the running loop's clock. Nothing ticks while nothing waits."""

    def __init__(self, air_time: AirTime, random: Random, phone: Sender, watch: Sender) -> None:
        self.air_time = air_time
        self._random = random
        self._lanes = self._lanes_of(phone, watch)
        self._loop = asyncio.get_running_loop()
        self._anchor_s = self._loop.time()
        self._event = 0
        self._scheduled = False
        self._heard_s = self._anchor_s

    async def set_up(self) -> None:
        """Ask what a phone asks on a new connection, until the watch has heard the last question, the subscription.

        The answer to it travels with what the watch sends first. Returns as well when the connection is lost.
        """
        ends = self._lanes
        set_up = _SetUp(self.air_time.set_up_requests, ends[0].sender.drop)
        self._lanes = self._lanes_of(*set_up.ends)
        self.wake()
        try:
            await set_up.over.wait()
        finally:
            self._lanes = ends

    def wake(self) -> None:
        """Something waits: there is work for the next event."""
        if not self._scheduled:
            self._heard_s = self._loop.time()
            self._schedule()

    def _lanes_of(self, phone: Sender, watch: Sender) -> tuple[_Lane, _Lane]:
        max_packet_bytes = self.air_time.max_packet_bytes
        return _Lane(phone, max_packet_bytes), _Lane(watch, max_packet_bytes)

    def _schedule(self) -> None:
        self._scheduled = True
        interval_s = self.air_time.interval_s
        elapsed = (self._loop.time() - self._anchor_s) / interval_s
        # A hair less, so that an end exactly on an event's moment still belongs to that event.
        self._event = max(self._event + 1, ceil(elapsed - 1e-6))
        self._loop.call_at(self._anchor_s + self._event * interval_s, self._run)

    def _run(self) -> None:
        for lane in self._lanes:
            lane.open()
        used_us, heard = self._exchange()
        self._loop.call_later(used_us / 1e6, self._land, heard)

    def _exchange(self) -> tuple[float, bool]:
        """Time that the event takes in µs, and whether anything got through."""
        (up, down), air_time = self._lanes, self.air_time
        used_us, heard, failures = 0.0, not (up.busy or down.busy), 0
        while (up.busy or down.busy) and failures < _FAILURES_THAT_CLOSE:
            next_us = exchange_us(air_time, up.packet_bytes, down.packet_bytes)
            if used_us + next_us > air_time.budget_us:
                break
            used_us += next_us
            if air_time.loss and self._random.random() < air_time.loss:
                failures += 1
            else:
                heard, failures = True, 0
                up.advance()
                down.advance()
        return used_us, heard

    def _land(self, heard: bool) -> None:
        now_s = self._loop.time()
        self._heard_s = now_s if heard else self._heard_s
        if now_s - self._heard_s >= self.air_time.supervision_timeout_s:
            self._lanes[0].sender.drop("the connection timed out: the peer is out of range or switched off")
            return
        for lane in self._lanes:
            lane.sender.carry(lane.whole)
        self._scheduled = any(lane.sender.waiting() for lane in self._lanes)
        if self._scheduled:
            self._schedule()
