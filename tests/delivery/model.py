"""Two sides of a lane without a loop: ledgers that survive, machines that do not, links that break between frames."""

from __future__ import annotations

from collections import deque
from itertools import count

from blechannel.delivery import changes as to
from blechannel.delivery.conversation import Conversation, Side
from blechannel.delivery.events import Fetch, OutboxEvent, Say, Span, Tell, Write
from blechannel.delivery.frames import decode_frame, encode_frame
from blechannel.delivery.ledger import Lane, Ledger
from blechannel.delivery.policies import MessageId, Ordered, Policy
from blechannel.errors import StoreError

PORT = "journal"
BOND = bytes(16)


class World:
    """One side: a store that survives crashes, and a machine while a link stands."""

    def __init__(self, name: int, policy: Policy) -> None:
        self.name = name
        self.policy = policy
        self.ledger = Ledger(keeps_bodies=True)
        self.ledger.apply(to.AddLane(1, BOND, PORT))
        self.events: list[OutboxEvent] = []
        self.unwritten: deque[Write] = deque()
        self.unread: deque[Fetch] = deque()
        self.said: deque[bytes] = deque()
        """On the way to the peer."""
        self.talk: Conversation | None = None
        self.full = False
        """Whether the disk takes nothing."""
        self.shown: list[tuple[MessageId, bytes]] = []
        self._rows = count(1)
        self._random = count(1)
        self.reopen()

    @property
    def lane(self) -> Lane:
        return next(iter(self.ledger.lanes.values()))

    def fresh(self) -> bytes:
        """16 bytes that nobody had before."""
        return bytes((self.name,)) + next(self._random).to_bytes(15)

    def reopen(self) -> None:
        """The process starts: a new stream and a new token, and what was being written is gone."""
        self.stream, self.token = self.fresh(), self.fresh()
        self._sequences = count(1)
        self.break_off()

    def break_off(self) -> None:
        """The link is gone; what a store was told still gets there."""
        if self.talk is not None:
            self.talk.sender.broken_off()
            self.perform()
            while self.unwritten:
                self.write_one()
        self.talk = None
        self.unread.clear()
        self.said.clear()

    def crash(self) -> None:
        """SIGKILL: nothing that was not written gets there."""
        self.talk = None
        self.unwritten.clear()
        self.unread.clear()
        self.said.clear()
        self.reopen()

    def connect(self, max_message_bytes: int) -> None:
        side = Side(
            ledger=self.ledger, policy=self.policy, new_row=lambda: next(self._rows), token=lambda _lane: self.token
        )
        self.talk = Conversation(self.lane, side, max_message_bytes=max_message_bytes)
        self.talk.open()
        self.perform()

    def queue(self, body: bytes) -> MessageId:
        message_id = MessageId(self.stream, next(self._sequences))
        self.ledger.apply(to.Put(self.lane.number, next(self._rows), message_id, None, body))
        self.pump()
        return message_id

    def pump(self) -> None:
        if self.talk is not None and not self.said:
            self.talk.pump()
            self.perform()

    def perform(self) -> None:
        assert self.talk is not None
        for action in self.talk.drain():
            match action:
                case Say(frame):
                    message = encode_frame(frame)
                    assert decode_frame(message) == frame
                    self.said.append(message)
                case Write():
                    self.unwritten.append(action)
                case Fetch():
                    self.unread.append(action)
                case Tell(event):
                    self.events.append(event)

    def write_one(self) -> None:
        """The store finishes its oldest write."""
        if not self.unwritten:
            return
        write = self.unwritten.popleft()
        error: str | None = "the disk is full" if self.full else None
        try:
            for change in () if self.full else write.changes:
                self.ledger.apply(change)
        except StoreError as fault:
            error = str(fault)
        if self.talk is not None:
            self.talk.written(write.token, error)
            self.perform()

    def read_one(self) -> None:
        if self.unread and self.talk is not None:
            fetch = self.unread.popleft()
            self.talk.fetched([self._body(span) for span in fetch.spans], fetch.spans)
            self.perform()

    def _body(self, span: Span) -> bytes | None:
        entry = self.lane.waiting.entries.get(span.row)
        if entry is None or entry.body is None:
            return None
        return bytes(entry.body[span.offset : span.offset + span.length])

    def hear(self, message: bytes) -> None:
        if self.talk is not None:
            self.talk.hear(message)
            self.perform()

    def take(self) -> None:
        """The application takes the oldest message, in one step with what it does."""
        for entry in list(self.lane.untaken.entries.values())[:1]:
            assert entry.body is not None
            self.shown.append((entry.message_id, bytes(entry.body)))
            self.ledger.apply(to.Take(self.lane.number, entry.row))
            if self.talk is not None:
                self.talk.taken()
                self.perform()


class Pair:
    """Both sides and the link between them."""

    def __init__(self, policy: Policy = Ordered(), *, peer: Policy | None = None) -> None:  # noqa: B008 - frozen
        self.left, self.right = World(1, policy), World(2, peer or policy)

    @property
    def both(self) -> tuple[World, World]:
        return self.left, self.right

    def connect(self, max_message_bytes: int = 64) -> None:
        for side in self.both:
            side.break_off()
        for side in self.both:
            side.connect(max_message_bytes)

    def carry(self, sender: World) -> None:
        """One message of the port arrives."""
        if sender.said:
            message = sender.said.popleft()
            (self.right if sender is self.left else self.left).hear(message)
        sender.pump()

    def cut(self) -> None:
        for side in self.both:
            side.break_off()

    def settle(self, *, takes: bool = True) -> None:
        """Until nothing happens any more."""
        for _ in range(100_000):
            for side in self.both:
                side.write_one()
                side.read_one()
                self.carry(side)
                if takes:
                    side.take()
            for side in self.both:
                side.pump()
            if not any(side.unwritten or side.unread or side.said for side in self.both):
                return
        raise AssertionError("the two sides do not come to rest")
