"""The sending half of a lane on one channel: what waits goes out as far as the peer has room for it.

A message goes when the peer has stored it. Until then it is sent again on the next channel, from the last byte that
the peer has stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Final

from blechannel.delivery import changes as to
from blechannel.delivery.events import Action, Expired, Fetch, OutboxEvent, Refused, Say, Span, Stored, Tell, Write
from blechannel.delivery.frames import Begin, Fault, Part, Resume
from blechannel.delivery.frames import Refused as RefusedFrame
from blechannel.delivery.frames import Stored as StoredFrame
from blechannel.delivery.ledger import Entry, Lane
from blechannel.delivery.policies import MessageId
from blechannel.errors import UnexpectedFrame
from blechannel.values import dataclass

FETCH_BYTES: Final = 65536
"""Read ahead of what the link takes, at most."""
FETCH_MESSAGES: Final = 256
IGNORED: Final = 0
"""The token of a write whose end nothing waits for."""


class Phase(Enum):
    """What the peer was asked, and answered."""

    IDLE = "nothing was begun"
    BEGUN = "Begin was said"
    RUNNING = "the peer said where to go on"
    HELD = "the peer cannot store: to be tried again"
    UNREAD = "this side cannot read: to be tried again, while the peer goes on storing what went before"


@dataclass(slots=True)
class _Handed:
    """A message that was begun on this channel."""

    message_id: MessageId
    base: int
    """Where its first byte stands among all bytes that were handed over since Resume; it may be negative."""
    end: int


class Sender:
    """Made for one channel; forgotten with it."""

    def __init__(self, lane: Lane, *, max_part_bytes: int, at_most_once: bool) -> None:
        self._lane = lane
        self._max_part_bytes = max_part_bytes
        self._at_most_once = at_most_once
        self._actions: list[Action] = []
        self._stream: bytes | None = None
        """The stream that was begun."""
        self._phase = Phase.IDLE
        self._is_fetching = False
        self._stored = self._settled = 0
        """The last message that the peer has stored; up to where that was acted on."""
        self._refused: set[int] = set()
        """Rows that the peer will never take, until they are gone here."""
        self._last = 0
        """Sequence of the last message that was handed over whole, or is known to be stored."""
        self._open: Entry | None = None
        """The message that is being handed over, and how far it is."""
        self._offset = 0
        self._handed: deque[_Handed] = deque()
        self._handed_bytes = 0
        self._acknowledged_bytes = 0
        self._room_messages = 0
        self._room_bytes = 0

    @property
    def is_held(self) -> bool:
        """Whether a disk stands in the way, the peer's or this side's: call `retry` in a while."""
        return self._phase in (Phase.HELD, Phase.UNREAD)

    def retry(self) -> None:
        """Ask again."""
        if self.is_held:
            self._phase = Phase.IDLE
            self._begin()

    def _begin(self) -> None:
        """Say Begin where something waits."""
        entry = next(self._todo(), None)
        if entry is None:
            return
        self._phase = Phase.BEGUN
        if entry.message_id.stream != self._stream:
            self._stored = self._settled = 0
        self._stream = entry.message_id.stream
        self._say(Begin(self._stream))

    def drain(self) -> list[Action]:
        """What is to be done now."""
        actions, self._actions = self._actions, []
        return actions

    def pump(self) -> None:
        """Read what may go out next, once all that was said is on its way."""
        if self._phase is Phase.IDLE:
            self._begin()
        if self._phase is not Phase.RUNNING or self._is_fetching:
            return
        spans = self._plan()
        if spans:
            self._is_fetching = True
            self._actions.append(Fetch(tuple(spans)))

    def fetched(self, bodies: list[bytes | None], spans: tuple[Span, ...]) -> None:
        """What `Fetch` asked for."""
        self._is_fetching = False
        if self._phase is not Phase.RUNNING:
            return
        for span, body in zip(spans, bodies, strict=True):
            entry = self._lane.waiting.entries.get(span.row)
            if entry is None:
                continue
            if body is None:  # the store cannot be read: to skip the message would be to lose it
                self._phase, self._open = Phase.UNREAD, None
                return
            self._hand_over(entry, span, body)

    def resumed(self, said: Resume) -> None:
        """The peer says what it has of this stream.

        Raises:
            UnexpectedFrame: nobody asked.
        """
        if self._phase is not Phase.BEGUN:
            raise UnexpectedFrame("a Resume that answers no Begin")
        self._phase = Phase.RUNNING
        self._handed.clear()
        self._handed_bytes = self._acknowledged_bytes = 0
        self._stored = self._last = said.stored
        self._settle(said.stored)
        self._open, self._offset = self._partly_stored(said), said.partial_bytes
        if self._open is not None:
            self._handed.append(_Handed(self._open.message_id, -said.partial_bytes, 0))
        self._take_room(said)
        self._next_stream()

    def stored(self, said: StoredFrame) -> None:
        """The peer has stored more.

        Raises:
            UnexpectedFrame: what was never sent, or less than before.
        """
        if self._phase is Phase.BEGUN:
            return  # of the stream before: it crossed Begin
        if self._phase not in (Phase.RUNNING, Phase.UNREAD):
            raise UnexpectedFrame("a Stored before Begin")
        if not self._stored <= said.stored <= max(self._stored, self._last):
            raise UnexpectedFrame("a Stored of what was not sent, or less than before")
        self._stored = said.stored
        while self._handed and self._handed[0].message_id.sequence <= said.stored:
            handed = self._handed.popleft()
            self._acknowledged_bytes = handed.end
            if self._at_most_once:
                self._tell(Stored(self._lane.bond_id, self._lane.port, handed.message_id))
        if said.partial:
            self._acknowledge_part(said)
        self._settle(said.stored)
        self._take_room(said)
        self._next_stream()

    def refused(self, said: RefusedFrame) -> None:
        """The peer does not store a message, and throws away what follows.

        Raises:
            UnexpectedFrame: nothing was sent.
        """
        if self._phase not in (Phase.BEGUN, Phase.RUNNING, Phase.UNREAD):
            raise UnexpectedFrame("a Refused of what was not sent")
        lane = self._lane
        entry = next((each for each in self._todo() if each.message_id.sequence == said.sequence), None)
        self._tell(Refused(lane.bond_id, lane.port, entry.message_id if entry else None, said.fault))
        self._open, self._phase = None, Phase.HELD
        if said.fault is Fault.TOO_LARGE and entry is not None:
            self._refused.add(entry.row)
            self._drop([entry])
            self.retry()

    def broken_off(self) -> None:
        """The channel is over. Under best effort, what was begun and not said to be stored is lost with it."""
        if self._at_most_once:
            for each in self._handed:
                self._tell(Expired(self._lane.bond_id, self._lane.port, each.message_id))
            if self._open is not None:
                self._drop([self._open])

    # --- inside ---

    def _say(self, frame: Begin | Part) -> None:
        self._actions.append(Say(frame))

    def _tell(self, event: OutboxEvent) -> None:
        self._actions.append(Tell(event))

    def _drop(self, entries: list[Entry]) -> None:
        self._actions.append(Write((to.Drop(self._lane.number, tuple(each.row for each in entries)),), IGNORED))

    def _todo(self) -> Iterator[Entry]:
        """What the peer has not stored, in order."""
        for entry in self._lane.waiting.entries.values():
            done = entry.message_id.stream == self._stream and entry.message_id.sequence <= self._stored
            if not done and entry.row not in self._refused:
                yield entry

    def _partly_stored(self, said: Resume) -> Entry | None:
        """The message to go on with; another one than the first is not coming, and its piece is dropped there."""
        entry = next((each for each in self._todo() if each.message_id.stream == self._stream), None)
        fits = entry is not None and entry.message_id.sequence == said.partial and said.partial_bytes < entry.size
        return entry if fits else None

    def _plan(self) -> list[Span]:
        """The next bytes that the peer has room for."""
        spans: list[Span] = []
        room = min(FETCH_BYTES, self._acknowledged_bytes + self._room_bytes - self._handed_bytes)
        messages = self._room_messages - len(self._handed)
        for entry, offset in self._unsent():
            if not offset:
                messages -= 1
            if messages < 0:
                break
            while offset < entry.size and room > 0:
                length = min(entry.size - offset, self._max_part_bytes, room)
                spans.append(Span(self._lane.number, entry.row, offset, length))
                offset += length
                room -= length
            if not entry.size:
                spans.append(Span(self._lane.number, entry.row, 0, 0))
            if offset < entry.size or len(spans) >= FETCH_MESSAGES:
                break
        return spans

    def _unsent(self) -> Iterator[tuple[Entry, int]]:
        """What is not handed over yet: messages of the stream that was begun, and how far each is."""
        for entry in self._todo():
            if entry.message_id.stream != self._stream:
                return
            if entry.message_id.sequence > self._last:
                is_open = self._open is not None and self._open.row == entry.row
                yield entry, self._offset if is_open else 0

    def _hand_over(self, entry: Entry, span: Span, body: bytes) -> None:
        sequence = entry.message_id.sequence
        self._say(Part(sequence, sequence - 1 - self._last, entry.size, span.offset, body))
        if not span.offset:
            self._handed.append(_Handed(entry.message_id, self._handed_bytes, self._handed_bytes))
        self._handed_bytes += len(body)
        self._handed[-1].end = self._handed_bytes
        self._open, self._offset = entry, span.offset + len(body)
        if self._offset == entry.size:
            self._open, self._last = None, sequence
            if self._at_most_once:
                self._drop([entry])

    def _acknowledge_part(self, said: StoredFrame) -> None:
        part = next((each for each in self._handed if each.message_id.sequence == said.partial), None)
        if part is None or part.base + said.partial_bytes > part.end:
            raise UnexpectedFrame("a Stored of bytes that were not sent")
        self._acknowledged_bytes = max(self._acknowledged_bytes, part.base + said.partial_bytes)

    def _settle(self, stored: int) -> None:
        """What the peer has stored goes here, and whoever sent it is told."""
        lane = self._lane
        settled = []
        for entry in lane.waiting.entries.values():
            stream, sequence = entry.message_id.stream, entry.message_id.sequence
            if stream != self._stream or sequence > stored:
                break
            if sequence > self._settled:
                settled.append(entry)
        self._settled = stored
        for entry in settled:
            self._tell(Stored(lane.bond_id, lane.port, entry.message_id))
        if settled:
            self._drop(settled)

    def _take_room(self, said: Resume | StoredFrame) -> None:
        self._room_messages, self._room_bytes = said.room_messages, said.room_bytes

    def _next_stream(self) -> None:
        """Where all of this stream is stored, begin with the next one."""
        entry = next(self._todo(), None)
        if entry is not None and entry.message_id.stream != self._stream:
            self._begin()
