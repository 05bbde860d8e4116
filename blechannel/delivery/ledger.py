"""What a store of queues holds, without the messages' bytes: read by the machines, changed by what is durable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Final

from blechannel.delivery import changes as to
from blechannel.delivery.frames import NO_TOKEN
from blechannel.delivery.policies import MessageId
from blechannel.errors import StoreError
from blechannel.values import dataclass

STREAMS_KEPT: Final = 8
"""Of the peer's: a sender finishes one before it begins the next, so that two would do."""
TOKENS_KEPT: Final = 64
"""Of ours, for each lane: so many openings in a row may have ended before the peer heard of them."""
SUCCESSORS_KEPT: Final = 64


_LaneChange = (
    to.MoveLane
    | to.MergeLane
    | to.RemoveLane
    | to.AddToken
    | to.Remember
    | to.Know
    | to.Put
    | to.Drop
    | to.Keep
    | to.Take
)


@dataclass(slots=True)
class Entry:
    """One message in the store."""

    row: int
    """Numbers the messages of a store in the order in which they came."""
    message_id: MessageId
    size: int
    have: int
    """Bytes that are stored."""
    expires_s: float | None = None
    body: bytearray | None = field(default=None, repr=False)
    """Where the ledger is the store."""


@dataclass(slots=True)
class Queued:
    """Whole messages by their rows, in order, and what they come to."""

    entries: dict[int, Entry] = field(default_factory=dict)
    bytes: int = 0

    def add(self, entry: Entry) -> None:
        """Behind the others."""
        self.entries[entry.row] = entry
        self.bytes += entry.size

    def drop(self, rows: Iterable[int]) -> None:
        """Those that are there."""
        for row in rows:
            entry = self.entries.pop(row, None)
            if entry is not None:
                self.bytes -= entry.size

    def take_over(self, older: Queued) -> None:
        """What another lane held, by the rows' order."""
        self.entries = dict(sorted({**older.entries, **self.entries}.items()))
        self.bytes += older.bytes


@dataclass(slots=True)
class Lane:
    """Both directions of one port with one bond."""

    number: int
    bond_id: bytes
    port: str
    remembered: bytes = field(default=NO_TOKEN, repr=False)
    tokens: list[bytes] = field(default_factory=list, repr=False)
    marks: dict[bytes, int] = field(default_factory=dict)
    """The peer's streams, oldest first, and the last whole message of each."""
    waiting: Queued = field(default_factory=Queued)
    """Messages to be sent."""
    untaken: Queued = field(default_factory=Queued)
    """Messages that arrived."""
    partial: Entry | None = None

    @property
    def held_bytes(self) -> int:
        """Of what arrived."""
        return self.untaken.bytes + (self.partial.have if self.partial else 0)

    @property
    def all_bytes(self) -> int:
        """Of both directions."""
        return self.waiting.bytes + self.held_bytes

    def check(self, change: to.Keep) -> None:
        """Raises StoreError where the piece does not follow what is stored: one before it could not be written."""
        partial, message_id = self.partial, change.message_id
        follows = self.marks.get(message_id.stream) == change.after < message_id.sequence
        if follows and change.offset:
            follows = partial is not None and (partial.row, partial.have) == (change.row, change.offset)
        if not follows:
            raise StoreError("this piece does not follow what is stored")

    def keep(self, change: to.Keep, *, with_body: bool) -> None:
        """See `Keep`."""
        self.check(change)
        if self.partial is None or not change.offset:
            body = bytearray() if with_body else None
            self.partial = Entry(change.row, change.message_id, change.size, 0, body=body)
        self.partial.have += len(change.body)
        if self.partial.body is not None:
            self.partial.body += change.body
        if change.is_last:
            if change.replaces:
                self.untaken = Queued()
            self.untaken.add(self.partial)
            self.marks[change.message_id.stream] = change.message_id.sequence
            self.partial = None

    def know(self, stream: bytes) -> None:
        """See `Know`."""
        self.marks[stream] = 0
        self.partial = None
        for old in list(self.marks)[:-STREAMS_KEPT]:
            del self.marks[old]

    def add_token(self, token: bytes) -> None:
        """See `AddToken`."""
        self.tokens.append(token)
        del self.tokens[:-TOKENS_KEPT]


class Ledger:
    """All lanes of a store."""

    def __init__(self, *, keeps_bodies: bool = False) -> None:
        self._keeps_bodies = keeps_bodies
        self.lanes: dict[int, Lane] = {}
        self.successors: dict[bytes, bytes] = {}
        self.held_bytes = 0
        """Of all messages, both directions."""
        self.next_row = 1
        self.next_lane = 1
        self._by_name: dict[tuple[bytes, str], Lane] = {}

    def find(self, bond_id: bytes, port: str) -> Lane | None:
        """The lane of a port with a bond."""
        return self._by_name.get((bond_id, port))

    def told(self, token: bytes, port: str) -> Lane | None:
        """The lane whose peer was told this token of ours."""
        return next((each for each in self.lanes.values() if each.port == port and token in each.tokens), None)

    def add(self, lane: Lane) -> Lane:
        """One more."""
        self.held_bytes += lane.all_bytes
        self.lanes[lane.number] = self._by_name[lane.bond_id, lane.port] = lane
        self.next_lane = max(self.next_lane, lane.number + 1)
        return lane

    def apply(self, change: to.Change) -> None:
        """Note what is durable.

        Raises:
            StoreError: its lane is gone, or a piece does not follow what is stored; nothing changed.
        """
        match change:
            case to.AddLane():
                self.add(Lane(change.lane, change.bond_id, change.port))
            case to.Succeed():
                self.successors[change.old] = change.new
                for old in list(self.successors)[:-SUCCESSORS_KEPT]:
                    del self.successors[old]
            case _:
                lane = self.lanes.get(change.lane)
                if lane is None:
                    raise StoreError("the bond was removed, and its messages with it")
                before_bytes = lane.all_bytes
                self._change(lane, change)
                self.held_bytes += lane.all_bytes - before_bytes

    def _change(self, lane: Lane, change: _LaneChange) -> None:
        match change:
            case to.MoveLane():
                del self._by_name[lane.bond_id, lane.port]
                lane.bond_id = change.bond_id
                self._by_name[lane.bond_id, lane.port] = lane
            case to.MergeLane():
                self._remove(lane)
                into = self.lanes[change.into]
                self.held_bytes -= lane.all_bytes + into.all_bytes
                _merge(lane, into)
                self.held_bytes += into.all_bytes
            case to.RemoveLane():
                self._remove(lane)
                self.held_bytes -= lane.all_bytes
            case to.AddToken():
                lane.add_token(change.token)
            case to.Remember():
                lane.remembered = change.token
            case to.Know():
                lane.know(change.stream)
            case to.Put():
                lane.waiting.drop(change.replaces)
                lane.waiting.add(self._entry(change))
            case to.Drop():
                lane.waiting.drop(change.rows)
            case to.Keep():
                lane.keep(change, with_body=self._keeps_bodies)
            case _:  # Take; the type checker holds that nothing else is left
                lane.untaken.drop((change.row,))

    def _entry(self, change: to.Put) -> Entry:
        size = len(change.body)
        body = bytearray(change.body) if self._keeps_bodies else None
        return Entry(change.row, change.message_id, size, size, change.expires_s, body)

    def _remove(self, lane: Lane) -> None:
        del self.lanes[lane.number], self._by_name[lane.bond_id, lane.port]


def _merge(old: Lane, into: Lane) -> None:
    into.waiting.take_over(old.waiting)
    into.untaken.take_over(old.untaken)
    into.marks = {**old.marks, **into.marks}
    into.tokens = [*old.tokens, *into.tokens][-TOKENS_KEPT:]
    into.partial = into.partial or old.partial
    if into.remembered == NO_TOKEN:
        into.remembered = old.remembered
