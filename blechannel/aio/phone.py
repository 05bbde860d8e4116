"""The phone: finds watches, pairs, connects."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from types import TracebackType
from typing import TYPE_CHECKING

from blechannel.aio.channel import Channel
from blechannel.aio.household import Household, World
from blechannel.aio.keep import Kept
from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.keeping import Keeping
from blechannel.aio.key_log import KeyLog
from blechannel.aio.link import PhoneTransport, Sighting
from blechannel.aio.person import METHOD_OF, AskCode, Certificate, OutOfBand, Passkey, Way, Words
from blechannel.aio.strangers import Strangers
from blechannel.config import Config
from blechannel.errors import (
    BlechannelError,
    BondError,
    BondNotFound,
    LocalProtocolError,
    MalformedFrame,
    PairingLocked,
    PairingRefused,
    PeerTimedOut,
    WatchNotFound,
)
from blechannel.methods import Method
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import BondStore, MarkNotRecognised, ResetGuesses
from blechannel.session.credentials import Credentials
from blechannel.session.events import CodeWanted, CopyDetected, Event, WordsShown
from blechannel.session.setup import Pair, PhoneSetup, Reconnect
from blechannel.values import dataclass
from blechannel.wire.adverts import Advert, resolves

if TYPE_CHECKING:
    from blechannel.aio.outbox import Outbox

FIND_S = 15.0
BONDS_TRIED = 4
"""At most, with a watch whose advertisement no bond resolves."""
CONNECT_S = 30.0
PAIR_S = 150.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundWatch:
    """A watch that advertises, as far as this phone can tell."""

    address: str
    rssi_dbm: int | None
    bond: Bond | None
    """The bond that the advertisement resolves to; None for a stranger's watch or one that was never confirmed."""
    pairing_open: bool
    """Whether it claims that a pairing window is open."""


class Phone(Household):
    """``async with Phone(store, transport) as phone``: leaving closes the channels and the transport, not the store."""

    def __init__(
        self,
        store: BondStore,
        transport: PhoneTransport,
        *,
        config: Config = Config("phone"),  # noqa: B008 - frozen
        world: World = World(),  # noqa: B008 - frozen
        key_log: KeyLog | None = None,
        credentials: Credentials | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        super().__init__(store, config, world, key_log, credentials, outbox)
        self._transport = transport
        self._ways: dict[Channel, Way] = {}
        self._turns: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._strangers = Strangers()
        self._is_pairing = False
        self._keeping = Keeping(store, transport, self._world, reach=self)

    async def __aenter__(self) -> Phone:
        self._notice_guesses()
        self._notice_bonds()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Keep no watch any more, CLOSE every channel and free the adapter. Safe to call again."""
        await self._keeping.close()
        await self._close_channels()
        await self._transport.close()

    async def scan(self) -> AsyncGenerator[FoundWatch, None]:
        """Watches as they are seen, again whenever something about one changes, until the iterator is closed.

        Raises:
            TransportError: no adapter, or it refuses.
        """
        seen: dict[str, FoundWatch] = {}
        async with aclosing(self._transport.scan()) as sightings:
            async for sighting in sightings:
                found = self.resolve(sighting)
                if found is not None and seen.get(found.address) != found:
                    seen[found.address] = found
                    yield found

    async def find(self, *, timeout_s: float = FIND_S) -> FoundWatch:
        """The first watch seen that is bonded with this phone or open for pairing.

        Where this phone has bonds and no such watch shows itself in all that time, it is the nearest watch that has not
        refused them yet: a watch that has forgotten another phone advertises under a key that this one may lack.

        Raises:
            WatchNotFound: none within `timeout_s`.
            TransportError: no adapter, or it refuses.
        """
        unresolved: dict[str, FoundWatch] = {}
        try:
            async with asyncio.timeout(timeout_s), aclosing(self.scan()) as watches:
                async for found in watches:
                    if found.bond is not None or found.pairing_open or self._may_have_stored(found):
                        return found
                    if self._bonds_to_try(found):
                        unresolved[found.address] = found
        except TimeoutError:
            if unresolved:
                return max(unresolved.values(), key=_nearness)
            raise WatchNotFound(f"no bonded or pairable watch was seen in {timeout_s:g} s") from None
        raise WatchNotFound("the scan ended before a watch was seen")

    async def pair(self, watch: FoundWatch, way: AskCode | Way, *, timeout_s: float = PAIR_S) -> Channel:
        """Pair the way that the person chose, and hold the channel that results; a plain `ask_code` is a `Passkey`.

        `ask_code` is awaited once the watch is connected, and again while its answer is not six digits. A code serves
        one try: a new one is shown after a failure. `compare` is awaited once both devices show their words. A
        PairingRefused that either raises comes out here. An older bond with the same watch is kept until the new one
        stands.

        Raises:
            PairingLocked: by code or words, and too many tries failed: somebody may be in between; `.wait_s` says how
                long to wait.
            PairingRefused: no window, busy, no room, a wrong code, other words, or no answer in time (`.reason`).
            LocalProtocolError: this phone is pairing already; or certificates are to be used, and it has none or no
                list of those it takes.
            RemoteProtocolError: the watch, or somebody in between, broke the protocol.
            TransportError: no link.
        """
        if self._is_pairing:
            raise LocalProtocolError("this phone is pairing already")
        chosen = Passkey(way) if callable(way) else way
        if isinstance(chosen, Certificate):
            self._credentials.require_both()
        ticket = chosen.ticket if isinstance(chosen, OutOfBand) else None
        intent = Pair(METHOD_OF[type(chosen)], watch.bond.bond_id if watch.bond else None, ticket)
        self._check_unlocked(intent.method, None)
        self._is_pairing = True
        try:
            return await self._open(watch.address, intent, timeout_s, chosen)
        except BlechannelError as error:
            self._check_unlocked(intent.method, error)
            raise
        finally:
            self._is_pairing = False

    async def reset_guesses(self) -> None:
        """The person has been told of the tries that failed, and pairs again without waiting. Raises StoreError."""
        await self._store.apply(ResetGuesses())
        self.book_changed()

    async def connect(self, watch: FoundWatch, *, timeout_s: float = CONNECT_S) -> Channel:
        """Reconnect to a bonded watch in one round trip.

        A bond that was never confirmed is tried first: the watch may have stored it. With a watch that no bond
        resolves, at most `BONDS_TRIED` are tried, each on a connection of its own and once for each address: a watch
        that is somebody else's learns nothing from it, because what a phone says first is random to it. `timeout_s`
        is for each of them. There is no other retry.

        Raises:
            BondNotFound: there is no bond with this watch, or it recognises none of those that were tried.
            PairingRefused: the watch does not recognise the bond, which stays and says since when.
            RemoteProtocolError, BondError, TransportError: as everywhere.
        """
        *others, last = self._bonds_for(watch)
        for bond in others:
            with suppress(PairingRefused):
                return await self._reconnect(watch, bond, timeout_s)
        try:
            return await self._reconnect(watch, last, timeout_s)
        except PairingRefused as error:
            if not last.pending and self._strangers.has_refused(watch.address, last.bond_id):
                raise BondNotFound("that watch is somebody else's, or this phone was removed there") from error
            raise

    def keep(self, bond_id: bytes, *, policy: KeepPolicy = KeepPolicy()) -> Kept:  # noqa: B008 - frozen
        """Stay connected with the watch of this bond: ``async with phone.keep(bond_id) as kept``.

        Any number of watches may be kept. They share one scan, and a few are connected to at once, each in its turn.
        A bond that is kept already, or that there is none of, is told of when the block is entered: LocalProtocolError,
        or the state `Stopped` with BondNotFound.
        """
        return Kept(bond_id, policy, self._keeping)

    def book_changed(self) -> None:
        """See Household."""
        super().book_changed()
        self._keeping.book_changed()

    def told(self, channel: Channel, event: Event) -> None:
        """See ChannelOwner."""
        match event, self._ways.get(channel):
            case CodeWanted(), Passkey(ask_code):
                self._questions.ask_code(channel, ask_code)
            case WordsShown(words), Words(compare):
                self._questions.ask_whether_same(channel, compare, words)
            case CopyDetected(bond_id), _:
                _log.warning("bond %s was copied, its watch says: forget it and pair again", bond_id.hex()[:8])
        super().told(channel, event)

    # --- for the keeping ---

    def resolve(self, sighting: Sighting) -> FoundWatch | None:
        """Which watch was seen; None for what is no advertisement of one."""
        try:
            advert = Advert.decode(sighting.service_data)
        except MalformedFrame:
            return None
        now_s = self._world.unix_time()
        bonds = self._store.book.bonds.values()
        keyed = [bond for bond in bonds if bond.discovery_key]
        mine = [bond for bond in keyed if resolves(sighting.service_data, bond.discovery_key, now_s)]
        return FoundWatch(sighting.address, sighting.rssi_dbm, mine[0] if mine else None, advert.pairing_open)

    def may_know(self, watch: FoundWatch, bond_id: bytes) -> bool:
        """Whether this watch, which no bond resolves, has not refused this bond."""
        return not self._strangers.has_refused(watch.address, bond_id)

    async def reconnect(self, watch: FoundWatch, bond_id: bytes) -> Channel:
        """As `connect`, but an unresolved watch is tried with this bond alone."""
        if watch.bond is not None:
            return await self.connect(watch)
        return await self._reconnect(watch, self._store.book.bond(bond_id), CONNECT_S)

    # --- inside ---

    def _check_unlocked(self, method: Method, error: BlechannelError | None) -> None:
        """Raises PairingLocked, from `error`, where this method costs a guess and none may be tried now."""
        wait_s = self.locked_for_s
        if wait_s and method.costs_a_guess:
            count = self._store.book.guesses_spent
            advice = f"somebody may be between you and the watch; pairing is locked for {math.ceil(wait_s)} s"
            raise PairingLocked(wait_s, f"{count} tries failed: {advice}") from error

    async def _reconnect(self, watch: FoundWatch, bond: Bond, timeout_s: float) -> Channel:
        try:
            return await self._open(watch.address, Reconnect(bond.bond_id), timeout_s, None)
        except PairingRefused as error:
            if error.reason == "not-recognised":
                await self._not_recognised(watch, bond)
            raise

    async def _not_recognised(self, watch: FoundWatch, bond: Bond) -> None:
        """Nobody has signed it: it is remembered and shown. That a pending bond is not recognised is expected."""
        if watch.bond is None:
            self._strangers.refused(watch.address, bond.bond_id)
        elif not bond.pending and bond.not_recognised_s is None:
            with suppress(BondError):  # the refusal is what the person has to hear
                await self._store.apply(MarkNotRecognised(bond.bond_id))

    def _may_have_stored(self, watch: FoundWatch) -> bool:
        """Whether this may be the watch of a pairing that was cut off, and has not said that it is not."""
        pending = [bond.bond_id for bond in self._store.book.bonds.values() if bond.pending]
        return any(not self._strangers.has_refused(watch.address, bond_id) for bond_id in pending)

    def _bonds_to_try(self, watch: FoundWatch) -> list[Bond]:
        """Confirmed bonds that an unresolved watch may turn out to know, the one used last first."""
        bonds = [bond for bond in self._store.book.bonds.values() if not bond.pending]
        unknown = [bond for bond in bonds if not self._strangers.has_refused(watch.address, bond.bond_id)]
        return sorted(unknown, key=lambda bond: bond.last_seen_s, reverse=True)[:BONDS_TRIED]

    def _bonds_for(self, watch: FoundWatch) -> list[Bond]:
        """Newest first: an unconfirmed bond before the one that it replaces."""
        known = watch.bond.bond_id if watch.bond else None
        pending = [b for b in self._store.book.bonds.values() if b.pending and b.replaces == known]
        bonds = [*reversed(pending), *([watch.bond] if watch.bond else self._bonds_to_try(watch))]
        if not bonds:
            raise BondNotFound("this phone has no bond with that watch: pair first")
        return bonds

    async def _open(self, address: str, intent: Pair | Reconnect, timeout_s: float, way: Way | None) -> Channel:
        try:
            async with asyncio.timeout(timeout_s), self._turn(intent):
                return await self._established(address, intent, way)
        except TimeoutError:
            raise PeerTimedOut(f"the watch did not answer within {timeout_s:g} s") from None

    def _turn(self, intent: Pair | Reconnect) -> AbstractAsyncContextManager[None]:
        """One reconnect of a bond at a time: with more, their first messages, held back by somebody in between, could
        push the candidate that this phone moves to out of the watch's store."""
        return self._turns[intent.bond_id] if isinstance(intent, Reconnect) else nullcontext()

    async def _established(self, address: str, intent: Pair | Reconnect, way: Way | None) -> Channel:
        link = await self._transport.connect(address)
        try:
            channel = self._make_channel(link, PhoneSetup(self._config, self._store, intent, self._credentials))
        except BlechannelError:
            await link.close()
            raise
        if way is not None:
            self._ways[channel] = way
        channel.start()
        try:
            await channel.established()
            await self._stop_asking(channel)
        except BaseException:
            try:
                await self._stop_asking(channel)
            finally:  # cancelled once more, it says CLOSE all the same
                await channel.close()
            raise
        return channel

    async def _stop_asking(self, channel: Channel) -> None:
        """The person need not answer any more."""
        self._ways.pop(channel, None)
        await self._questions.stop(channel)


def _nearness(watch: FoundWatch) -> float:
    return -math.inf if watch.rssi_dbm is None else watch.rssi_dbm
