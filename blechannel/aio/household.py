"""What a phone and a watch have in common: one store, one transport, and channels that must know of each other."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from blechannel.aio.channel import Channel, Service
from blechannel.aio.counters import Counters, Figures, kind_of
from blechannel.aio.journal import Journal
from blechannel.aio.key_log import KeyLog
from blechannel.aio.link import Link
from blechannel.aio.person import Questions
from blechannel.config import Config
from blechannel.errors import BlechannelError
from blechannel.pairing.changes import BondStore
from blechannel.pairing.lockout import LockOut
from blechannel.session.credentials import Credentials
from blechannel.session.events import Closed, Established, Event, Failed, KeysLogged
from blechannel.session.session import Session
from blechannel.session.setup import PhoneSetup, WatchSetup
from blechannel.values import dataclass

if TYPE_CHECKING:
    from blechannel.aio.outbox import Outbox

_log = logging.getLogger(__name__)


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
        self._journal = Journal(_log)
        self.counters = Counters()
        """What happened since the beginning; `figures` has what is under way as well."""

    @property
    def store(self) -> BondStore:
        """Where the bonds are."""
        return self._store

    @property
    def channels(self) -> list[Channel]:
        """The channels that stand now."""
        return [channel for channel in self._channels if channel.is_open]

    @property
    def figures(self) -> Figures:
        """What there is to measure, at this moment."""
        volume = dataclasses.replace(self.counters.over)
        for channel in self._channels:
            volume.add(channel.volume)
        queued_bytes = sum(channel.queued_bytes for channel in self._channels)
        events = self._events_waiting()
        return Figures(self.counters, volume, len(self._channels), len(self.channels), queued_bytes, events)

    @property
    def locked_for_s(self) -> float:
        """Seconds of powered-on time until another code may be tried; 0 where one may be tried now."""
        self._notice_guesses()
        return self._lock_out().left_s(self._now())

    def serve(self, name: str, service: Service) -> None:
        """Run `service` for each port of that name that a peer opens, on every channel made from now on."""
        self._services = {**self._services, name: service}

    def told(self, channel: Channel, event: Event) -> None:
        """See ChannelOwner."""
        match event:
            case KeysLogged():
                if self._key_log is not None:
                    self._key_log.write(event.line)
            case Established():
                self._questions.over(channel)
                self._began(channel, event)
                if self._outbox is not None:
                    self._outbox.stands(channel)
            case Closed() | Failed():
                self._questions.over(channel)
                if self._outbox is not None:
                    self._outbox.over(channel)
                channel.when_over(self._forget)
                self._ended(channel, event.error if isinstance(event, Failed) else None)

    def book_changed(self) -> None:
        """The store's book has changed: end what is overtaken or forgotten and tell what is new, in the same step.

        Called by channels; by who changes the store otherwise too.
        """
        self._notice_guesses()
        self._notice_bonds()
        for channel in tuple(self._channels):
            channel.look_at_book()

    def service_failed(self, channel: Channel, port: str, error: Exception) -> None:
        """See ChannelOwner."""
        is_expected = isinstance(error, BlechannelError)
        level, kind = (logging.INFO, "port-ended") if is_expected else (logging.ERROR, "service-failed")
        how = kind_of(error) if isinstance(error, BlechannelError) else type(error).__name__
        bond = channel.bond_id.hex()[:8]
        message = f"the service of port {port} ended: {error}" if is_expected else f"the service of port {port} failed"
        fields = {"peer": channel.peer, "bond": bond, "port": port, "error": how}
        self._journal.say(kind, message, fields, level=level, cause=None if is_expected else error)

    def _began(self, channel: Channel, event: Established) -> None:
        self.counters.established(resumed=event.resumed)
        kind = "resumed" if event.resumed else "paired"
        fields = {"peer": channel.peer, "bond": event.bond_id.hex()[:8]}
        self._journal.say(kind, f"{kind} with {channel.peer}", fields)

    def _ended(self, channel: Channel, error: BlechannelError | None) -> None:
        stood = channel.was_established
        self.counters.ended(error, stood=stood)
        what = "session" if stood else "handshake"
        message = f"{what} with {channel.peer} ended: {error or 'closed by both'}"
        fields = {"peer": channel.peer}
        if stood:
            fields["bond"] = channel.bond_id.hex()[:8]
        if error is not None:
            fields["error"] = kind_of(error)
        self._journal.say(f"{what}-ended", message, fields)

    def _events_waiting(self) -> int:
        return 0

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
        self.counters.handshakes_begun += 1
        return channel

    def _forget(self, channel: Channel) -> None:
        if channel in self._channels:
            del self._channels[channel]
            self.counters.over.add(channel.volume)

    async def _close_channels(self) -> None:
        """CLOSE on every channel, all at once."""
        await asyncio.gather(*(channel.close() for channel in tuple(self._channels)))
        await self._questions.close()
        self._journal.sum_up()
