"""How many bytes a second go through, over the channel and over the bare link."""

from __future__ import annotations

import asyncio
from enum import Enum
from random import Random
from typing import Any

from blechannel.aio.channel import Channel
from blechannel.aio.link import Link, LinkReceiver
from blechannel.aio.port import Port
from blechannel.errors import TransportError
from blechannel.roles import Role
from blechannel.transports.airtime import exchange_us, goodput_bytes_per_s
from blechannel_tools.simulate.sides import Sides, both_sides
from blechannel_tools.simulate.tally import Tally
from blechannel_tools.simulate.terms import Terms

PORT = "bulk"


class Way(Enum):
    """Who sends."""

    TO_WATCH = "to-watch"
    TO_PHONE = "to-phone"
    BOTH = "both"

    def is_taken_by(self, sender: Role) -> bool:
        """Whether this side sends."""
        return self is Way.BOTH or (self is Way.TO_WATCH) == (sender is Role.PHONE)


def limit_bytes_per_s(terms: Terms, way: Way) -> float:
    """The physical limit of GATT values of the greatest length, of all directions together, without loss."""
    directions = 2 if way is Way.BOTH else 1
    return directions * goodput_bytes_per_s(terms.air_time, terms.value_bytes, both_ways=way is Way.BOTH)


async def transfer(terms: Terms, random: Random, *, way: Way, message_bytes: int | None = None) -> float:
    """Message bytes a second that one channel carries, all directions together; the longest messages unless told.

    Raises:
        BlechannelError: the channel was cut off.
    """
    async with both_sides(random) as sides:
        await sides.bond()
        sides.air.join = lambda: terms.link(random)
        phone = await sides.phone.connect(await sides.found())
        watch = await _watchs_end(sides, phone, terms.interval_s)
        size_bytes = phone.max_message_bytes if message_bytes is None else message_bytes
        streams = [
            _Stream(sender, receiver, bytes(size_bytes), Tally(terms.interval_s))
            for role, sender, receiver in ((Role.PHONE, phone, watch), (Role.WATCH, watch, phone))
            if way.is_taken_by(role)
        ]
        try:
            return sum(await asyncio.gather(*(stream.bytes_per_s() for stream in streams)))
        finally:
            for stream in streams:
                await stream.stop()


async def bare_link(terms: Terms, random: Random, *, way: Way) -> float:
    """Bytes a second of values that the link carries with nothing above it, all directions together.

    Raises:
        TransportError: it was lost.
    """
    air_time, value = terms.air_time, bytes(terms.value_bytes)
    phone, watch = terms.link(random, capacity=2 + 2 * int(air_time.budget_us / exchange_us(air_time, 0)))
    tallies = {sender: Tally(terms.interval_s) for sender in Role if way.is_taken_by(sender)}
    _BareEnd(phone, value if Role.PHONE in tallies else b"", tallies.get(Role.WATCH))
    _BareEnd(watch, value if Role.WATCH in tallies else b"", tallies.get(Role.PHONE))
    try:
        return sum(await asyncio.gather(*(tally.bytes_per_s for tally in tallies.values())))
    finally:
        phone.drop("measured")


class _Stream:
    """One message after the other, in one direction, until it is stopped."""

    def __init__(self, sender: Channel, receiver: Channel, message: bytes, tally: Tally) -> None:
        self._tally = tally
        self._tasks = (
            asyncio.create_task(self._send(sender.port(PORT), message)),
            asyncio.create_task(self._receive(receiver.port(PORT))),
        )

    async def bytes_per_s(self) -> float:
        """Once it is known, the stream going on; raises what the sender or the channel failed with."""
        known: set[asyncio.Future[Any]] = {*self._tasks, self._tally.bytes_per_s}
        await asyncio.wait(known, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()
        return await self._tally.bytes_per_s

    async def stop(self) -> None:
        """End both tasks, however they have fared."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, port: Port, message: bytes) -> None:
        async with port:
            while True:
                await port.send(message)

    async def _receive(self, port: Port) -> None:
        while True:
            self._tally.arrived(len(await port.receive()))


class _BareEnd(LinkReceiver):
    """Keeps its link full of `value`, unless that is empty, and counts what comes from the other end."""

    def __init__(self, link: Link, value: bytes, tally: Tally | None) -> None:
        self._link = link
        self._value = value
        self._tally = tally
        link.start(self)
        self.resume_sending()

    def fragment_received(self, fragment: bytes) -> None:
        if self._tally is not None:
            self._tally.arrived(len(fragment))

    def resume_sending(self) -> None:
        while self._value and self._link.room:
            self._link.send(self._value)

    def link_lost(self, error: TransportError) -> None:
        if self._tally is not None:
            self._tally.failed(error)


async def _watchs_end(sides: Sides, phone: Channel, interval_s: float) -> Channel:
    """The watch's end of the channel, which stands once the phone's first record is there."""
    while not sides.watch.channels:
        phone.check()
        await asyncio.sleep(interval_s)
    return sides.watch.channels[0]
