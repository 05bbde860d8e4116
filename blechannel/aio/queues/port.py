"""The port of a channel that carries one lane of an outbox: no task, only callbacks."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from blechannel.aio.port import Port
from blechannel.delivery.conversation import Conversation, Side
from blechannel.delivery.events import Action, Broken, Fetch, Say, Span, Tell, Write
from blechannel.delivery.frames import encode_frame
from blechannel.delivery.sender import IGNORED
from blechannel.errors import BlechannelError
from blechannel.session.events import Message

if TYPE_CHECKING:
    from blechannel.aio.channel import Channel
    from blechannel.aio.outbox import Outbox
    from blechannel.aio.queues.queue import OutboxQueue

RETRY_S: Final = 5.0
"""After the peer, or this side's own store, had no room."""

_log = logging.getLogger(__name__)


class OutboxPort(Port):
    """Opened when something waits, or when the peer opens its half; both halves stay open with the channel."""

    def __init__(self, channel: Channel, name: str, outbox: Outbox) -> None:
        super().__init__(channel, name)
        self._outbox = outbox
        self._queue: OutboxQueue | None = None
        self._talk: Conversation | None = None
        self._unsent: deque[bytes] = deque()
        self._is_starting = self._is_stopped = False
        self._retry: asyncio.TimerHandle | None = None

    # --- called by the outbox ---

    def wake(self) -> None:
        """Something waits to be sent."""
        if self._talk is None:
            self._start()
        else:
            self._act()

    def taken(self) -> None:
        """The application took something."""
        if self._talk is not None:
            self._talk.taken()
            self._act()

    # --- called by the channel ---

    def opened(self, number: int) -> None:
        """See Port."""
        super().opened(number)
        self.wake()

    def arrived(self, message: Message) -> None:
        """See Port."""
        self._inbox.append(message)
        if self._talk is not None:
            self._hear()

    def withdrawn(self) -> None:
        """See Port."""
        super().withdrawn()
        self._stop()

    def denied(self) -> None:
        """See Port."""
        super().denied()
        self._stop()

    def room_again(self) -> None:
        """See Port."""
        if self._talk is not None:
            self._act()

    def over(self, *, cleanly: bool) -> None:
        """See Port."""
        super().over(cleanly=cleanly)
        self._stop()

    # --- inside ---

    def _start(self) -> None:
        """Open this side's half, once the store has a lane."""
        if self._is_starting or self._is_stopped or not self._channel.is_open:
            return
        self._is_starting = True
        queue = self._queue = self._outbox.queue(self._channel.bond.bond_id, self.name)
        if queue.lane is None:
            adding = queue.make_lane()
            adding.add_done_callback(self._started)
        else:
            self._started(None)

    def _started(self, adding: asyncio.Future[None] | None) -> None:
        self._is_starting = False
        queue = self._queue
        if self._is_stopped or queue is None:
            return
        lane = queue.lane
        if lane is None:
            error = adding.exception() if adding else None
            _log.warning("port %s delivers nothing for now: %s", self.name, error)
            self._try_again()
            return
        side = Side(ledger=queue.store.ledger, policy=queue.policy, new_row=queue.new_row, token=queue.token)
        try:
            self.open()
        except BlechannelError as error:
            _log.info("port %s delivers nothing: %s", self.name, error)
            self._stop()
            return
        self._talk = Conversation(lane, side, max_message_bytes=self._channel.max_message_bytes)
        self._talk.open()
        self._hear()

    def _stop(self) -> None:
        """This channel carries nothing more."""
        self._is_stopped = True
        self._unsent.clear()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.sender.broken_off()
            self._perform(talk.drain())

    def _hear(self) -> None:
        """What has arrived. Its credit is given back at once: the room for messages is the conversation's affair."""
        channel = self._channel
        while self._inbox and self._talk is not None:
            number, message = self._inbox.pop(0)
            if channel.is_open and channel.traffic.taken(number, len(message)):
                channel.pump.flush_soon()
            try:
                self._talk.hear(message)
            except BlechannelError as error:
                _log.warning("port %s delivers no more on this channel: %s", self.name, error)
                self._outbox.tell(Broken(self._talk.lane.bond_id, self.name, str(error)))
                self._stop()
                self.shut()
        self._act()

    def _act(self) -> None:
        """Do what is to be done, until nothing is."""
        talk = self._talk
        while talk is not None and self._talk is talk:
            self._perform(talk.drain())
            self._flush()
            if self._unsent:
                return
            talk.pump()
            actions = talk.drain()
            if not actions:
                break
            self._perform(actions)
        if talk is not None and talk.is_held:
            self._try_again()

    def _try_again(self) -> None:
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._again)

    def _again(self) -> None:
        self._retry = None
        if self._talk is not None:
            self._talk.retry()
            self._act()
        else:
            self._start()

    def _perform(self, actions: list[Action]) -> None:
        queue = self._queue
        assert queue is not None
        for action in actions:
            match action:
                case Say(frame):
                    self._unsent.append(encode_frame(frame))
                case Write(changes, token):
                    self._outbox.write(queue, changes).add_done_callback(partial(self._written, token))
                case Fetch(spans):
                    queue.store.read(spans).add_done_callback(partial(self._fetched, spans))
                case Tell(event):
                    self._outbox.tell(event)

    def _flush(self) -> None:
        """Send what the channel takes now; `room_again` goes on."""
        channel, number = self._channel, self._writing
        while self._unsent and number is not None and channel.is_open:
            if channel.pump.is_congested() or not channel.traffic.send(number, self._unsent[0]):
                return
            self._unsent.popleft()
            channel.pump.flush_soon()

    def _written(self, token: int, written: asyncio.Future[None]) -> None:
        error = written.exception()
        if self._queue is not None:
            self._outbox.changed(self._queue)
        if self._talk is not None and token != IGNORED:
            self._talk.written(token, None if error is None else str(error))
            self._act()

    def _fetched(self, spans: tuple[Span, ...], read: asyncio.Future[list[bytes | None]]) -> None:
        if self._talk is not None:
            bodies: list[bytes | None] = [None] * len(spans)
            if read.exception() is None:
                bodies = read.result()
            self._talk.fetched(bodies, spans)
            self._act()
