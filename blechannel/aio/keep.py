"""A watch that is kept: found, connected to and, when the link is lost, connected to again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol

from blechannel.aio.channel import Channel
from blechannel.aio.keep_policy import KeepPolicy, check_usable, may_pass
from blechannel.errors import BlechannelError, LocalProtocolError, WatchNotFound
from blechannel.pairing.bonds import BondBook
from blechannel.values import dataclass

if TYPE_CHECKING:
    from blechannel.aio.phone import FoundWatch

STATES_KEPT: Final = 64
"""For a reader of states that is behind; the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Searching:
    """The scan looks for it, or its turn to be connected to has not come."""


@dataclass(frozen=True, slots=True)
class Connecting:
    """It was seen, and is connected to."""

    address: str


@dataclass(frozen=True, slots=True)
class Connected:
    """The channel stands."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Waiting:
    """For the next try."""

    until_s: float
    """On the loop's clock."""
    error: BlechannelError | None
    """What the last try, or the last channel, ended with; None after an authenticated CLOSE by the watch."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """It is kept no longer; the last state."""

    error: BlechannelError | None
    """Why; None where this side ended it."""


KeptState = Searching | Connecting | Connected | Waiting | Stopped


class Keeper(Protocol):
    """The phone, as a kept watch sees it."""

    @property
    def book(self) -> BondBook:
        """The bonds as they are stored now."""

    def random(self, count: int) -> bytes:
        """So many uniform bytes."""

    def standing(self, bond_id: bytes) -> Channel | None:
        """The channel of this bond that stands, if there is one."""

    async def find(self, bond_id: bytes) -> FoundWatch:
        """A sighting of the bond's watch; raises BlechannelError."""

    async def connect(self, found: FoundWatch, bond_id: bytes, began: Callable[[], None]) -> Channel:
        """Connect when it is this one's turn, told by `began`; raises BlechannelError."""

    def kept(self, watch: Kept) -> None:
        """It begins; raises LocalProtocolError where another keeps the same bond."""

    def left(self, watch: Kept) -> None:
        """It has ended."""


class Kept:
    """``async with phone.keep(bond_id) as kept``: leaving ends the keeping and says CLOSE on its channel.

    A channel of this bond that stands already, as after a pairing, is kept too. When the person pairs anew with the
    same watch, the new bond is kept in place of the old one. Which errors end it: `keep_policy.may_pass`.
    """

    def __init__(self, bond_id: bytes, policy: KeepPolicy, keeper: Keeper) -> None:
        self.bond_id = bond_id
        self.state: KeptState = Searching()
        self._policy = policy
        self._keeper = keeper
        self._failed = 0
        self._last_error: BlechannelError | None = None
        self._why: BlechannelError | None = None
        self._give_up_at: float | None = None
        self._is_ending = False
        self._task: asyncio.Task[None] | None = None
        self._channel: Channel | None = None
        self._readers: set[asyncio.Queue[KeptState]] = set()

    def __repr__(self) -> str:
        return f"Kept({self.bond_id.hex()[:8]}, {type(self.state).__name__})"

    async def __aenter__(self) -> Kept:
        self._keeper.kept(self)
        self._task = asyncio.create_task(self._run(), name=f"blechannel keep {self.bond_id.hex()[:8]}")
        self._task.add_done_callback(self._ended)  # also when it is cancelled before its first step
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def channel(self) -> Channel:
        """The channel that stands now, or the next one.

        Raises:
            BlechannelError: what ended the keeping; LocalProtocolError where this side did.
        """
        async with aclosing(self.states()) as states:
            async for state in states:
                if isinstance(state, Connected) and state.channel.is_open:
                    return state.channel
                if isinstance(state, Stopped) and state.error is not None:
                    raise state.error.with_traceback(None)
        raise LocalProtocolError("this watch is kept no longer")

    async def states(self) -> AsyncGenerator[KeptState, None]:
        """The state of now and each that follows, until it is `Stopped`. Any number may read."""
        states: asyncio.Queue[KeptState] = asyncio.Queue(STATES_KEPT)
        states.put_nowait(self.state)
        self._readers.add(states)
        try:
            while True:
                yield (state := await states.get())
                if isinstance(state, Stopped):
                    return
        finally:
            self._readers.discard(states)

    def stop(self, error: BlechannelError | None = None) -> None:
        """End the keeping, because of `error`, without waiting for its end; what stands is closed."""
        if self._task is not None and not self._is_ending:
            self._is_ending = True
            self._why = error
            self._task.cancel()

    async def close(self) -> None:
        """End the keeping and close its channel. Safe to call again."""
        self.stop()
        if self._task is not None:
            await asyncio.wait({self._task})
            with suppress(asyncio.CancelledError):
                self._task.result()

    # --- inside ---

    async def _run(self) -> None:
        try:
            self._begin_patience()
            while True:
                await self._once()
        except BlechannelError as error:
            self._why = error
        finally:
            self._is_ending = True
            if self._channel is not None:
                await self._channel.close()

    def _ended(self, _: object) -> None:
        self._keeper.left(self)
        self._enter(Stopped(self._why))

    async def _once(self) -> None:
        """One channel from its search to its end, or one try that failed, and the wait after it."""
        try:
            self._channel = channel = await self._connected()
        except BlechannelError as error:
            await self._wait(error)
            return
        self.bond_id = channel.bond_id
        self._enter(Connected(channel))
        stood_since = self._now()
        await channel.wait_over()
        if self._now() - stood_since >= self._policy.steady_s:
            self._failed = 0
        self._begin_patience()
        await self._wait(channel.error)

    async def _connected(self) -> Channel:
        bond = self._keeper.book.bond(self.bond_id)
        check_usable(self.bond_id, copied_s=bond.copied_s)
        standing = self._keeper.standing(self.bond_id)
        if standing is not None:
            return standing
        self._enter(Searching())
        try:
            async with asyncio.timeout_at(self._give_up_at):
                found = await self._keeper.find(self.bond_id)
                return await self._keeper.connect(found, self.bond_id, lambda: self._enter(Connecting(found.address)))
        except TimeoutError:
            raise self._last_error or WatchNotFound("the watch was not seen") from None

    async def _wait(self, error: BlechannelError | None) -> None:
        if error is not None and not may_pass(error):
            raise error
        self._last_error = error
        until_s = self._now() + self._policy.wait_s(self._failed, self._keeper.random)
        self._failed += 1
        if self._give_up_at is not None and until_s >= self._give_up_at:
            raise WatchNotFound(f"no channel with the watch for {self._policy.give_up_after_s:g} s: {error}") from error
        self._enter(Waiting(until_s, error))
        await asyncio.sleep(until_s - self._now())

    def _begin_patience(self) -> None:
        patience_s = self._policy.give_up_after_s
        self._give_up_at = None if patience_s is None else self._now() + patience_s

    def _enter(self, state: KeptState) -> None:
        self.state = state
        for states in self._readers:
            if states.full():
                states.get_nowait()
            states.put_nowait(state)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
