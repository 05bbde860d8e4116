"""The watch: advertises, accepts phones, and opens pairing windows when its person asks."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator
from dataclasses import field
from types import TracebackType
from typing import TYPE_CHECKING

from blechannel.aio.broadcast import Broadcast
from blechannel.aio.channel import Channel
from blechannel.aio.household import Household, World
from blechannel.aio.key_log import KeyLog
from blechannel.aio.link import WatchTransport
from blechannel.aio.membership import Membership
from blechannel.aio.person import Compare
from blechannel.config import Config
from blechannel.errors import (
    BlechannelError,
    LocalProtocolError,
    PairingLocked,
    PairingRefused,
    ReplayDetected,
    TransportError,
)
from blechannel.limits import MAX_LINKS
from blechannel.methods import Method
from blechannel.pairing.bonds import KEY_BYTES, Bond
from blechannel.pairing.changes import BondStore, SetDiscoveryKey
from blechannel.pairing.lockout import guesses_left
from blechannel.pairing.window import ATTEMPTS, PairingWindow
from blechannel.session.credentials import Credentials
from blechannel.session.events import Closed, CodeChanged, Established, Event, Failed, WordsShown
from blechannel.session.setup import WatchSetup
from blechannel.values import dataclass
from blechannel.wire.adverts import make_advert

if TYPE_CHECKING:
    from blechannel.aio.outbox import Outbox

ROTATE_S = 600.0
"""How long one advertisement is used; the protocol allows at most 15 minutes."""
EVENTS_KEPT = 64
FULL_HOUSE_S = 3.0
"""With as many links as there can be, before the one that has been there for longest without a session gives way."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CodeShown:
    """Show this code, large: it is what the person types on the phone."""

    code: str = field(repr=False)
    attempts_left: int


@dataclass(frozen=True, slots=True)
class CodeHidden:
    """The pairing window is closed: show no code."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A phone has paired or reconnected."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Left:
    """A channel is over; `error` is None after an authenticated CLOSE."""

    channel: Channel
    error: BlechannelError | None


@dataclass(frozen=True, slots=True)
class Declined:
    """A phone connected and did not get a channel."""

    peer: str
    error: BlechannelError


@dataclass(frozen=True, slots=True)
class CopyDetected:
    """A phone used keys of this bond that had been replaced: it, or this watch's store, was copied or put back.

    Whoever holds the copy is shut out, or the bond's own phone is. Forget the bond and pair again.
    """

    bond: Bond


WatchEvent = CodeShown | CodeHidden | Joined | Left | Declined | CopyDetected


class Watch(Household):
    """``async with Watch(store, transport) as watch``: entering advertises; leaving closes all but the store."""

    def __init__(
        self,
        store: BondStore,
        transport: WatchTransport,
        *,
        config: Config = Config("watch"),  # noqa: B008 - frozen
        world: World = World(),  # noqa: B008 - frozen
        key_log: KeyLog | None = None,
        credentials: Credentials | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        super().__init__(store, config, world, key_log, credentials, outbox)
        self._compare: Compare | None = None
        self._transport = transport
        self._window: PairingWindow | None = None
        self._shown: str | None = None
        self._advertised_key = b""
        self._tasks: list[asyncio.Task[None]] = []
        self._advertise_now = asyncio.Event()
        self._events: Broadcast[WatchEvent] = Broadcast(EVENTS_KEPT)
        self._failure: BlechannelError | None = None
        self._full_since: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Watch:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to advertise and to accept phones.

        Raises:
            TransportError: no adapter, or it refuses.
            StoreError: the store cannot be written.
        """
        self._notice_guesses()
        self._notice_bonds()
        if not self._store.book.discovery_key:
            await self._store.apply(SetDiscoveryKey(self._world.random(KEY_BYTES)))
        await self._transport.advertise(self._advert())
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._accept(), name="blechannel accept"),
            loop.create_task(self._rotate(), name="blechannel advertise"),
        ]

    async def close(self) -> None:
        """Stop advertising, CLOSE every channel and free the adapter. Safe to call again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._full_since is not None:
            self._full_since.cancel()
        await self._close_channels()
        await self._transport.close()

    @property
    def members(self) -> Membership:
        """The phones that belong to this watch, to be changed by its person or for its authenticated owner."""
        return Membership(self._store, random=self._world.random, changed=self.book_changed)

    @property
    def window(self) -> PairingWindow | None:
        """The pairing window, while it is open."""
        window = self._window
        return window if window is not None and window.is_open(self._now()) else None

    def open_pairing(
        self,
        method: Method = Method.PASSKEY,
        *,
        compare: Compare | None = None,
        duration_s: float | None = None,
        attempts: int = ATTEMPTS,
    ) -> PairingWindow:
        """A person on the watch allows pairing, for one bond and by one method.

        Show `window.code`, which changes when it is burned; or put `window.ticket()` on a tag or into a QR code. For
        words, `compare` asks the watch's person.

        There are fewer attempts where codes or words were tried before and no bond came of it.

        Raises:
            PairingLocked: by code or words, and too many were tried; `.wait_s` says how long to wait.
            LocalProtocolError: a window is open already, the policy leaves this method out, it lacks what it needs,
                or the numbers make no sense.
        """
        if self.window is not None:
            raise LocalProtocolError("a pairing window is open already")
        if not self._config.policy.allows(method):
            raise LocalProtocolError(f"this watch's policy does not allow pairing by {method.name.lower()}")
        if (method is Method.WORDS) != (compare is not None):
            raise LocalProtocolError("pairing by words needs somebody to compare them, and no other method does")
        if method is Method.CERTIFICATE:
            self._credentials.require_both()
        if method.costs_a_guess:
            attempts = min(attempts, self._guesses_left())
        self._compare = compare
        self._window = PairingWindow(
            method=method,
            random=self._world.random,
            now=self._now(),
            duration_s=duration_s,
            attempts=attempts,
        )
        self._show()
        return self._window

    def close_pairing(self) -> None:
        """The person closes the window; a run under way goes on. Safe to call again."""
        if self._window is not None:
            self._window.close()
        self._show()

    async def events(self) -> AsyncGenerator[WatchEvent, None]:
        """What happens, for a display; ends only when it is closed. Any number may read, each all of it.

        Who is behind misses the oldest; what happens while nobody reads is kept for who reads next.

        Raises:
            TransportError: the adapter is gone.
        """
        reader = self._events.join()
        try:
            while True:
                if self._failure is not None and reader.empty():
                    raise self._failure
                yield await reader.get()
        finally:
            self._events.leave(reader)

    def told(self, channel: Channel, event: Event) -> None:
        """See ChannelOwner."""
        match event:
            case CodeChanged():
                self._show()
            case WordsShown(words) if self._compare is not None:
                self._questions.ask_whether_same(channel, self._compare, words)
            case Established():
                self._show()
                self._happened(Joined(channel))
            case Failed() if not channel.was_established:
                self._tell_copy(event.error)
                self._happened(Declined(channel.peer, event.error))
            case Closed() | Failed():
                self._happened(Left(channel, channel.error))
        super().told(channel, event)

    def book_changed(self) -> None:
        """See Household. Under another discovery key the advertisement is another one."""
        super().book_changed()
        if self._store.book.discovery_key != self._advertised_key:
            self._advertise_now.set()

    # --- inside ---

    def _events_waiting(self) -> int:
        return self._events.waiting

    def _guesses_left(self) -> int:
        """Until the next lock; raises PairingLocked while there are none."""
        wait_s = self.locked_for_s
        if wait_s:
            raise PairingLocked(wait_s, f"too many tries failed: pairing is locked for {math.ceil(wait_s)} s more")
        return guesses_left(self._store.book.guesses_spent)

    def _tell_copy(self, error: BlechannelError) -> None:
        bond = self._store.book.bonds.get(error.bond_id) if isinstance(error, ReplayDetected) else None
        if bond is not None:
            self._happened(CopyDetected(bond))

    def _show(self) -> None:
        """Tell the display and the air what has changed about the window."""
        window = self.window
        code = window.code if window is not None else None
        if code == self._shown:
            return
        self._shown = code
        self._advertise_now.set()
        self._happened(CodeHidden() if window is None else CodeShown(window.code, window.attempts_left))

    def _happened(self, event: WatchEvent) -> None:
        self._events.say(event)

    def _advert(self) -> bytes:
        self._advertised_key = self._store.book.discovery_key
        return make_advert(
            self._advertised_key,
            pairing_open=self.window is not None,
            random=self._world.random,
            unix_time_s=self._world.unix_time(),
        )

    async def _rotate(self) -> None:
        """A fresh advertisement in time, whenever the window changes, and when its time is over."""
        while True:
            window = self.window
            wait_s = ROTATE_S if window is None else max(0.0, min(ROTATE_S, window.closes_at - self._now()))
            try:
                async with asyncio.timeout(wait_s):
                    await self._advertise_now.wait()
            except TimeoutError:
                self._show()
            self._advertise_now.clear()
            try:
                await self._transport.advertise(self._advert())
            except TransportError as error:
                _log.error("advertising failed: %s", error)

    async def _accept(self) -> None:
        setup = WatchSetup(self._config, self._store, lambda: self._window, self._credentials)
        while True:
            try:
                link = await self._transport.accept()
            except TransportError as error:
                self._failure = error
                self._happened(Declined("adapter", error))
                return
            if len(self._channels) >= MAX_LINKS:
                self.counters.links_refused += 1
                self._journal.say("link-refused", f"{MAX_LINKS} phones are connected already", {"peer": link.peer})
                await link.close()
                continue
            try:
                self._make_channel(link, setup).start()
            except BlechannelError as error:  # such a link serves nobody, and must not keep others from theirs
                self._happened(Declined(link.peer, error))
                await link.close()
            if len(self._channels) >= MAX_LINKS and self._full_since is None:
                self._full_since = asyncio.get_running_loop().call_later(FULL_HOUSE_S, self._make_room)

    def _make_room(self) -> None:
        """Strangers who connect and say nothing shall not keep bonded phones out; while people pair, they may."""
        self._full_since = None
        strangers = [channel for channel in self._channels if not channel.was_established]
        if self.window is None and len(self._channels) >= MAX_LINKS and strangers:
            error = PairingRefused("busy", "it gave way to others: it had said for too long nothing that is of a bond")
            strangers[0].act(strangers[0].session.abandon(error))
