"""The cloud's side: what watches sent, each message once and in order, and messages for watches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blechannel.errors import BlechannelError
from blechannel_gateway.broker import Broker
from blechannel_gateway.errors import BrokerError
from blechannel_gateway.forwarder import Pace
from blechannel_gateway.inbox import Delivery
from blechannel_gateway.messages import Lane, Limits, MessageId
from blechannel_gateway.presence import Roster
from blechannel_gateway.station import Address, Station, open_station
from blechannel_gateway.topics import Topics, Way


class _Running:
    """A station that runs while this context is entered."""

    _sends: Way | None = None
    _receives: Way | None = None

    def __init__(
        self,
        path: Path | str,
        broker: Broker,
        *,
        site: str,
        identifier: str,
        shards: Sequence[str] = ("+",),
        limits: Limits = Limits(),  # noqa: B008 - frozen
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self._address = Address(
            broker=broker,
            site=site,
            identifier=identifier,
            sends=self._sends,
            receives=self._receives,
            shards=shards,
            extra_filters=self._extra_filters(Topics(site)),
        )
        self._opening = open_station(self._address, path, limits=limits, pace=pace)
        self._held = AsyncExitStack()
        self._running: asyncio.Task[None]
        self.station: Station
        """Once entered."""

    async def __aenter__(self) -> Self:
        """Raises CloudStoreError."""
        self.station = await self._held.enter_async_context(self._opening)
        self._set_up()
        self._running = asyncio.get_running_loop().create_task(self.station.run(), name="blechannel cloud")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError, BlechannelError):  # an error has come out where somebody waited
            await self._running
        await self._held.aclose()

    def _extra_filters(self, _topics: Topics) -> Sequence[str]:
        return ()

    def _set_up(self) -> None:
        """The station is open, and does not run yet."""

    async def _or_failure(self, work: asyncio.Future[Any]) -> Any:
        """What `work` gives; raises what ended the station, if that comes first."""
        try:
            await asyncio.wait([work, self._running], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._running.result()
                raise BrokerError("the connection has ended")
            return work.result()
        finally:
            work.cancel()


class CloudInbox(_Running):
    """Messages of a site's watches; one for each consumer, with a file and an identifier of its own.

    ::

        async with CloudInbox("cloud.db", Broker(url="mqtts://…"), site="home", identifier="cloud-1") as inbox:
            async for delivery in inbox:
                ...
                await delivery.taken()
    """

    _receives = Way.UP
    roster: Roster
    """Which watches and gateways are there."""

    def _extra_filters(self, topics: Topics) -> Sequence[str]:
        return (topics.presence("+"), topics.state("+"))

    def _set_up(self) -> None:
        self.roster = Roster(self.station.topics)
        self.station.other = self.roster.heard

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        """The next one; cancelled, it has shown none. Raises BrokerRefused, CloudStoreError."""
        inbox = self.station.inbox  # the task beside only waits: what it took would be lost with who is cancelled
        while not inbox.is_ready:
            await self._or_failure(asyncio.ensure_future(inbox.ready()))
        return await anext(inbox)


class CloudOutbox(_Running):
    """Messages for a site's watches: kept here until their gateway has stored them for the watch."""

    _sends = Way.DOWN

    async def send(self, watch: str, port: str, body: bytes, *, schema: str = "") -> MessageId:
        """Returns once it is durable here; waits while too much is under way.

        Raises:
            GatewayError: it is too large; CloudStoreError: it could not be stored; BrokerRefused: no way to the broker.
        """
        adding = asyncio.ensure_future(self.station.add(Lane(watch, port), body, schema=schema))
        message_id: MessageId = await self._or_failure(adding)
        return message_id

    async def drained(self) -> None:
        """Return once the gateways have stored all of it. Raises as `send`."""
        await self._or_failure(asyncio.ensure_future(self.station.spool.drained()))
