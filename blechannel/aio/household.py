"""What a phone and a watch have in common: one store, one transport, and channels that must know of each other."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blechannel.aio.channel import Channel, Service
from blechannel.aio.key_log import KeyLog
from blechannel.aio.link import Link
from blechannel.aio.person import Questions
from blechannel.config import Config
from blechannel.pairing.changes import BondStore
from blechannel.pairing.lockout import LockOut
from blechannel.session.credentials import Credentials
from blechannel.session.events import Closed, Established, Event, Failed, KeysLogged
from blechannel.session.session import Session
from blechannel.session.setup import PhoneSetup, WatchSetup

if TYPE_CHECKING:
    from blechannel.aio.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where randomness and the wall clock come from, so that a run can be replayed.

    `random` gives secret uniform bytes; `unix_time` seconds since 1970, None where there is no clock. With both, the
    loop's clock and the stores' clocks replayed, what is on the air is the same byte for byte, but for the hybrid
    suite: ML-KEM encapsulation draws its own randomness.
    """

    random: Callable[[int], bytes] = secrets.token_bytes
    unix_time: Callable[[], float | None] = time.time


class Household:
    """The channels of one side. Not for applications: `Phone` and `Watch` are."""

    def __init__(
        self,
        store: BondStore,
        config: Config,
        world: World,
        key_log: KeyLog | None,
        credentials: Credentials | None,
        outbox: Outbox | None = None,
    ) -> None:
        self._store = store
        self._config = dataclasses.replace(config, key_log=key_log is not None)
        self._world = world
        self._key_log = key_log
        self._credentials = credentials or Credentials()
        self._outbox = outbox
        self._questions = Questions()
        self._services: dict[str, Service] = {}
        self._channels: dict[Channel, None] = {}  # in the order in which they were made
        self._lock: LockOut | None = None

    @property
    def store(self) -> BondStore:
        """Where the bonds are."""
        return self._store

    @property
    def channels(self) -> list[Channel]:
        """The channels that stand now."""
        return [channel for channel in self._channels if channel.is_open]

    @property
    def locked_for_s(self) -> float:
        """Seconds of powered-on time until another code may be tried; 0 where one may be tried now."""
        self._notice_guesses()
        return self._lock_out().left_s(self._now())

    def serve(self, name: str, service: Service) -> None:
        """Run `service` for each port of that name that a peer opens, on every channel made from now on."""
        self._services[name] = service

    def told(self, channel: Channel, event: Event) -> None:
        """See ChannelOwner."""
        match event:
            case KeysLogged():
                if self._key_log is not None:
                    self._key_log.write(event.line)
            case Established():
                self._questions.over(channel)
                if self._outbox is not None:
                    self._outbox.stands(channel)
            case Closed() | Failed():
                self._questions.over(channel)
                if self._outbox is not None:
                    self._outbox.over(channel)
                channel.when_over(self._forget)

    def book_changed(self) -> None:
        """The store's book has changed: end what is overtaken or forgotten and tell what is new, in the same step.

        Called by channels; by who changes the store otherwise too.
        """
        self._notice_guesses()
        self._notice_bonds()
        for channel in tuple(self._channels):
            channel.act(channel.session.book_changed())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _lock_out(self) -> LockOut:
        if self._lock is None:
            self._lock = LockOut(self._store.book.guesses_spent, now=self._now())
        return self._lock

    def _notice_guesses(self) -> None:
        self._lock_out().noticed(self._store.book.guesses_spent, now=self._now())

    def _notice_bonds(self) -> None:
        if self._outbox is not None:
            self._outbox.book_changed(self._store.book)

    def _make_channel(self, link: Link, setup: PhoneSetup | WatchSetup) -> Channel:
        """A channel that is to be started: events come at once."""

        def begin(max_fragment_bytes: int, now: float) -> Session:
            return Session(setup, max_fragment_bytes=max_fragment_bytes, random=self._world.random, now=now)

        channel = Channel(link, begin, self._store, services=self._services, owner=self, outbox=self._outbox)
        self._channels[channel] = None
        return channel

    def _forget(self, channel: Channel) -> None:
        self._channels.pop(channel, None)

    async def _close_channels(self) -> None:
        """CLOSE on every channel, all at once."""
        await asyncio.gather(*(channel.close() for channel in tuple(self._channels)))
        await self._questions.close()
