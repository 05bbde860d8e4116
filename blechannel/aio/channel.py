"""What an application holds: an established, authenticated and encrypted channel with named ports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from blechannel.aio.counters import Volume
from blechannel.aio.latch import Latch
from blechannel.aio.link import Link, LinkPosture
from blechannel.aio.port import Port
from blechannel.aio.pump import Begin, Pump
from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel.limits import MAX_PORTS
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import BondStore
from blechannel.session.events import (
    Closed,
    CreditGranted,
    Established,
    Event,
    Failed,
    Message,
    Persist,
    PortDenied,
    PortOpened,
    PortShut,
    PortWithdrawn,
)
from blechannel.session.session import Session
from blechannel.session.traffic import Traffic

if TYPE_CHECKING:
    from blechannel.aio.outbox import Outbox
    from blechannel.aio.queues.queue import OutboxQueue

_log = logging.getLogger(__name__)

Service = Callable[[Port], Awaitable[None]]
"""Serves one port that the peer opened; the port is open while it runs and shut when it returns."""

FINISH_S = 3.0
"""For what is queued to go out once the session is over."""
UNASKED_PORTS = 4 * MAX_PORTS
"""Of those that the peer opens and nobody here asked for. Open or unread are `MAX_PORTS` at most: of the others, which
the peer has shut, the oldest are forgotten first."""


class ChannelOwner(Protocol):
    """Whom a channel tells: the phone or the watch that made it."""

    def told(self, channel: Channel, event: Event) -> None:
        """Established, Closed, Failed, and everything that is for people."""

    def book_changed(self) -> None:
        """A change is durable: other channels of the same side may be affected."""

    def service_failed(self, channel: Channel, port: str, error: Exception) -> None:
        """The service of a port ended with an error: one that a peer or a link can cause, or a mistake of its own."""


class Channel:
    """One channel with one peer, made by `Phone` or `Watch`; ends with its link.

    ``async with channel.port("echo") as port`` opens a port; leaving ``async with channel`` says CLOSE.
    """

    __slots__ = (
        *("__weakref__", "_error", "_established", "_finishing", "_is_over", "_link", "_outbox", "_over", "_owner"),
        *("_ports", "_reading", "_services", "_settled", "_store", "_tasks", "_unasked", "_undelivered"),
        *("_when_over", "awake", "is_open", "pump"),
    )

    def __init__(
        self,
        link: Link,
        begin: Begin,
        store: BondStore,
        *,
        services: Mapping[str, Service],
        owner: ChannelOwner,
        outbox: Outbox | None = None,
    ) -> None:
        self._link = link
        self._store = store
        self._services = services
        self._owner = owner
        self._outbox = outbox
        # Tuples, and None, where there is mostly nothing or one thing: an idle channel is to be small.
        self._ports: tuple[Port, ...] = ()  # that a service or the application asked for
        self._unasked: dict[str, Port] | None = None  # in the order in which the peer opened them last
        self._reading: dict[int, Port] = {}  # while the session is awake
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._established: Established | None = None
        self._settled: Latch | None = Latch()
        self._finishing: asyncio.Task[None] | None = None
        self._over: Latch | None = None
        self._is_over = False
        self._when_over: tuple[Callable[[Channel], None], ...] = ()
        self._error: BlechannelError | None = None
        self._undelivered = 0
        self.pump = Pump(link, begin, store, owner=self)
        """For ports: `flush_soon` when something was said, and `is_congested` where senders should wait."""
        self.awake: Traffic | None = None
        """What `traffic` gives, where no session has to be woken for it: one look less for each message."""
        self.is_open = False
        """Whether messages can be sent and received."""

    def __repr__(self) -> str:
        return f"Channel({self._link.peer}, {self.pump.state.value})"

    async def __aenter__(self) -> Channel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- for applications ---

    def port(self, name: str) -> Port:
        """The port of that name, to be opened with ``async with``. Both sides use the same name."""
        port = self._asked(name)
        if port is None:
            port = self._unasked_or_new(name)
            self._ports += (port,)
        return port

    def outbox(self, name: str) -> OutboxQueue:
        """The queue of that port with this channel's bond: it outlives the channel.

        Raises:
            LocalProtocolError: this side was given no outbox, or one that does not carry the port.
        """
        if self._outbox is None:
            raise LocalProtocolError("no outbox was given to this phone or watch")
        return self._outbox.queue(self.bond.bond_id, name)

    def serve(self, name: str, service: Service) -> None:
        """Run `service` for each port of that name that the peer opens from now on."""
        self._services = {**self._services, name: service}  # it was shared

    @property
    def bond(self) -> Bond:
        """The bond that this channel belongs to, as it is stored now; raises BondNotFound once it is removed."""
        return self._store.book.bond(self.bond_id)

    @property
    def bond_id(self) -> bytes:
        """Which bond that is, also once it is removed."""
        return self._outcome.bond_id

    @property
    def resumed(self) -> bool:
        """Whether this was a reconnect; False after a pairing."""
        return self._outcome.resumed

    @property
    def handshake_hash(self) -> bytes:
        """32 bytes, the same on both sides and unique to this channel: bind other protocols to it. Not secret."""
        return self._outcome.handshake_hash

    @property
    def posture(self) -> LinkPosture:
        """What is known of the link's own protection; nothing here depends on it."""
        return self._link.posture

    @property
    def max_fragment_bytes(self) -> int:
        """The longest value that the link carries now: over the air, ATT_MTU − 3."""
        return self._link.max_fragment_bytes

    @property
    def peer(self) -> str:
        """The link's address of the peer, for people."""
        return self._link.peer

    @property
    def max_message_bytes(self) -> int:
        """The longest message that `Port.send` takes."""
        return self.traffic.max_message_bytes

    @property
    def was_established(self) -> bool:
        """Whether the channel ever stood."""
        return self._established is not None

    @property
    def error(self) -> BlechannelError | None:
        """Why it was cut off; None while it is open or when both sides said CLOSE."""
        return self._error

    @property
    def undelivered(self) -> int:
        """After a clean end: records of ours that the peer had not opened."""
        return self._undelivered

    async def close(self) -> None:
        """Say CLOSE, wait a little for the peer's, and let go of the link. Safe to call again; never raises.

        A service of this channel that calls it does not wait: the channel is over once that service has ended.
        """
        self.is_open = False
        self.act(self.session.close(asyncio.get_running_loop().time()))
        if asyncio.current_task() not in self._tasks:
            await self.wait_over()

    async def wait_over(self) -> None:
        """Return once the channel is over and its link is let go."""
        if not self._is_over:
            self._over = self._over or Latch()
            await self._over.wait()

    @property
    def rests(self) -> bool:
        """Whether it has come down to its keys, because it has had nothing to do for a while."""
        return self.pump.rests

    @property
    def volume(self) -> Volume:
        """What has gone through so far."""
        pump = self.pump
        return Volume(*pump.records_moved, pump.sent_bytes, pump.received_bytes)

    @property
    def queued_bytes(self) -> int:
        """What is to be sent and waits for the link or the peer's window."""
        return self.pump.queued_bytes

    # --- for ports and owners ---

    @property
    def traffic(self) -> Traffic:
        """The session's ports, once the channel stands; raises LocalProtocolError before."""
        traffic = self.awake
        if traffic is None:
            traffic = self.awake = self.session.traffic
        return traffic

    @property
    def session(self) -> Session:
        """The session under this channel."""
        return self.pump.session

    def when_over(self, callback: Callable[[Channel], None]) -> None:
        """Call back once the channel is over and its link is let go."""
        self._when_over += (callback,)

    def start(self) -> None:
        """Let the session begin."""
        self.pump.start()

    async def established(self) -> Established:
        """Return once the channel stands; raises what it failed with."""
        if self._settled is not None:
            await self._settled.wait()
            await asyncio.sleep(0)  # what the handshake said last is on its way before anybody goes on
        if self._established is None:
            self.check_cut_off()
        return self._outcome

    def look_at_book(self) -> None:
        """The side's bonds have changed: act on what that means for this channel."""
        self.pump.book_changed()

    def act(self, events: list[Event]) -> None:
        """Act on what the session told when somebody else called it."""
        self.pump.act(events)

    def check(self) -> None:
        """Raise what the channel failed with, or LocalProtocolError when it is closed or does not stand yet."""
        self.check_cut_off()
        if not self.is_open:
            raise LocalProtocolError("the channel is closed")

    def check_cut_off(self) -> None:
        """Raise what the channel failed with, if it did."""
        if self._error is not None:
            raise self._error.with_traceback(None)

    # --- called by the pump ---

    def deliver(self, events: list[Event]) -> None:
        """See PumpOwner."""
        for event in events:
            if type(event) is Message:  # by far the most frequent
                self._reading[event.port].arrived(event)
            else:
                self._deliver(event)

    def book_changed(self) -> None:
        """See PumpOwner."""
        self._owner.book_changed()

    def parked(self) -> None:
        """See PumpOwner."""
        self.awake = None
        del self._reading

    def woken(self) -> None:
        """See PumpOwner."""
        self._reading = {port.read_as: port for port in self._all_ports() if port.read_as is not None}

    def has_room(self) -> None:
        """See PumpOwner."""
        for port in self._ports:
            port.room_again()

    # --- inside ---

    @property
    def _outcome(self) -> Established:
        """What the handshake led to; raises LocalProtocolError where it has not, or has led to nothing."""
        if self._established is None:
            raise LocalProtocolError("the channel does not stand")
        return self._established

    def _settle(self) -> None:
        """The handshake is over, one way or the other."""
        if self._settled is not None:
            self._settled.open()
            self._settled = None

    def _all_ports(self) -> tuple[Port, ...]:
        return (*self._ports, *(self._unasked or {}).values())

    def _deliver(self, event: Event) -> None:
        match event:
            case Persist():
                self.pump.persist(event)
            case PortOpened():
                self._peer_opened(event)
            case PortShut():
                self._reading.pop(event.port).ended()
            case PortDenied():
                for port in self._ports:
                    if port.was_opened_as(event.port):
                        port.denied()
            case PortWithdrawn():
                self._reading.pop(event.port).withdrawn()
            case CreditGranted():
                for port in self._ports:
                    if port.writes(event.port):
                        port.room_again()
            case Established():
                self.is_open = True
                self.pump.rest_when_idle()
                self._established = event
                self._settle()
                self._owner.told(self, event)
            case Closed():
                self._undelivered = event.undelivered
                self._end(None, event)
            case Failed():
                self._end(event.error, event)
            case _:
                self._owner.told(self, event)

    def _peer_opened(self, event: PortOpened) -> None:
        service = self._services.get(event.name)
        is_asked_for = service is not None or self._asked(event.name) is not None or self._is_carried(event.name)
        port = self.port(event.name) if is_asked_for else self._unasked_port(event.name)
        port.opened(event.port)
        self._reading[event.port] = port
        if service is not None:
            task = asyncio.get_running_loop().create_task(self._serve(service, port), name=f"blechannel {port.name}")
            self._tasks += (task,)
            task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._tasks = tuple(other for other in self._tasks if other is not task)

    def _asked(self, name: str) -> Port | None:
        return next((port for port in self._ports if port.name == name), None)

    def _unasked_port(self, name: str) -> Port:
        """Kept until somebody asks for it, and while the peer has not made too many others."""
        port = self._unasked_or_new(name)
        unasked = self._unasked = self._unasked or {}
        unasked[name] = port
        if len(unasked) > UNASKED_PORTS:
            del unasked[next(name for name, port in unasked.items() if port.is_spent)]
        return port

    def _unasked_or_new(self, name: str) -> Port:
        if self._unasked and name in self._unasked:
            return self._unasked.pop(name)
        port = self._outbox.port(self, name) if self._outbox and self._is_carried(name) else Port(self, name)
        if self._finishing is not None:
            port.over(cleanly=self._error is None)
        return port

    def _is_carried(self, name: str) -> bool:
        return self._outbox is not None and name in self._outbox.ports

    async def _serve(self, service: Service, port: Port) -> None:
        try:
            async with port:
                await service(port)
        except Exception as error:  # a service that somebody else wrote; it must not end the channel
            self._owner.service_failed(self, port.name, error)

    def _end(self, error: BlechannelError | None, event: Event) -> None:
        self.is_open = False
        self._error = error
        self._settle()
        self._finishing = asyncio.get_running_loop().create_task(self._finish(), name="blechannel finish")
        for port in self._all_ports():
            port.over(cleanly=error is None)
        self._owner.told(self, event)

    async def _finish(self) -> None:
        try:
            await self.pump.finish(FINISH_S)
            if self._tasks:
                await self._dismiss(set(self._tasks))
        finally:
            self._is_over = True
            if self._over is not None:
                self._over.open()
            for callback in self._when_over:
                callback(self)

    async def _dismiss(self, services: set[asyncio.Task[None]]) -> None:
        """A service sees the end of its port; one that does not end by itself is cancelled."""
        _, running = await asyncio.wait(services, timeout=FINISH_S)
        for task in running:
            task.cancel()
        if running:
            _, running = await asyncio.wait(running, timeout=FINISH_S)
        for task in running:
            _log.error("%s does not end though it was cancelled", task.get_name())
