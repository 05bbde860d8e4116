"""The receiving half of a lane on one channel: stores what arrives, then says so.

Whatever was stored is known by its stream and number, so that what comes again is not stored again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from blechannel.delivery import changes as to
from blechannel.delivery.events import Action, NotStored, Say, Tell, Write
from blechannel.delivery.frames import Begin, Fault, Frame, Part, Refused, Resume, Stored
from blechannel.delivery.ledger import Lane
from blechannel.delivery.policies import Kind, MessageId, Policy
from blechannel.errors import UnexpectedFrame
from blechannel.values import dataclass

WINDOW_BYTES: Final = 1 << 18
"""Of a lane, arrived and not stored yet, at most."""
WINDOW_MESSAGES: Final = 1024


@dataclass(slots=True)
class _Unfinished:
    """The message that is arriving."""

    sequence: int
    row: int
    size: int
    have: int


class Receiver:
    """Made for one channel; forgotten with it. `new_row` gives the next row of the store, `new_token` names a write."""

    def __init__(self, lane: Lane, policy: Policy, *, new_row: Callable[[], int], new_token: Callable[[], int]) -> None:
        self._lane = lane
        self._policy = policy
        self._new_row = new_row
        self._new_token = new_token
        self._actions: list[Action] = []
        self._stream: bytes | None = None
        self._begins: bytes | None = None
        """A stream that was begun while writes were under way."""
        self._is_resumed = False
        self._is_learning = False
        """Whether the stream, new here, is being written down."""
        self._last = 0
        """The last message that arrived whole."""
        self._open: _Unfinished | None = None
        self._pieces: list[to.Keep] = []
        """That arrived and are not being written yet."""
        self._writing: deque[tuple[int, int, int]] = deque()
        """Writes under way: token, and what will be stored then: whole messages and bytes since Resume."""
        self._heard_messages = self._heard_bytes = 0
        self._stored_messages = self._stored_bytes = 0
        self._granted_messages = self._granted_bytes = 0
        """What the peer may reach, counted since Resume."""
        self._owes_stored = False

    def drain(self) -> list[Action]:
        """What is to be done now: pieces that arrived together are written together."""
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            token = self._new_token()
            self._writing.append((token, self._heard_messages, self._heard_bytes))
            self._actions.append(Write(tuple(pieces), token))
        if self._owes_stored:
            self._owes_stored = False
            self._say(self._standing(Stored))
        actions, self._actions = self._actions, []
        return actions

    def begin(self, said: Begin) -> None:
        """The peer wants to send a stream."""
        self._is_resumed = False
        self._pieces.clear()
        self._begins = said.stream
        if not self._writing:
            self._start()

    def part(self, said: Part) -> None:
        """The peer sends a piece.

        Raises:
            UnexpectedFrame: before Resume, beyond its room, or out of order.
        """
        if not self._is_resumed:
            if self._stream is None:
                raise UnexpectedFrame("a Part before Begin")
            return  # on its way while this side refused
        if said.size > self._policy.max_bytes:
            self._refuse(Fault.TOO_LARGE, said.sequence)
            return
        piece = self._follow(said)
        self._heard_bytes += len(said.body)
        if self._heard_bytes > self._granted_bytes or self._heard_messages + (self._open is not None) > (
            self._granted_messages
        ):
            raise UnexpectedFrame("more than there was room for")
        self._pieces.append(piece)

    def written(self, token: int, error: str | None) -> bool:
        """A write has ended, with `error` where it failed. Whether it was one of this half's."""
        if not self._writing or self._writing[0][0] != token:
            return False
        _, messages, stored_bytes = self._writing.popleft()
        learned, self._is_learning = self._is_learning, False
        if error is not None and (self._is_resumed or learned):
            self._begins = None
            self._tell_not_stored(error)
            self._refuse(Fault.NO_ROOM, self._next_sequence())
        elif self._is_resumed:
            self._stored_messages, self._stored_bytes = messages, stored_bytes
            self._owes_stored = True
        elif self._begins is not None and not self._writing:
            self._start()
        return True

    def taken(self) -> None:
        """The application took something: the peer is told once that is worth a frame."""
        messages, room = self._room()
        told_bytes = self._granted_bytes - self._stored_bytes
        told_messages = self._granted_messages - self._stored_messages
        if self._is_resumed and (room >= 2 * told_bytes or messages >= 2 * told_messages) and not self._writing:
            self._owes_stored = True

    # --- inside ---

    def _say(self, frame: Frame) -> None:
        self._actions.append(Say(frame))

    def _start(self) -> None:
        """Nothing is under way any more: what is stored is what the ledger says."""
        stream, lane = self._begins, self._lane
        assert stream is not None
        if stream not in lane.marks:
            self._is_learning = True
            self._writing.append((token := self._new_token(), 0, 0))
            self._actions.append(Write((to.Know(lane.number, stream),), token))
            return
        self._begins, self._stream, self._is_resumed = None, stream, True
        self._last = lane.marks[stream]
        partial = lane.partial
        self._open = None
        if partial is not None and partial.message_id.stream == stream:
            self._open = _Unfinished(partial.message_id.sequence, partial.row, partial.size, partial.have)
        self._heard_messages = self._heard_bytes = self._stored_messages = self._stored_bytes = 0
        self._say(self._standing(Resume))

    def _follow(self, said: Part) -> to.Keep:
        """The piece as the store keeps it, if it follows what arrived before."""
        open_ = self._open
        if said.offset:
            if open_ is None or (open_.sequence, open_.have, open_.size) != (said.sequence, said.offset, said.size):
                raise UnexpectedFrame("a piece that does not follow the one before")
        else:
            if said.sequence - 1 - said.skipped != self._last:
                raise UnexpectedFrame("a message that does not follow the one before")
            open_ = self._open = _Unfinished(said.sequence, self._new_row(), said.size, 0)
        open_.have += len(said.body)
        if open_.have > open_.size or (open_.size and not said.body):
            raise UnexpectedFrame("a piece longer than its message, or empty")
        piece = self._piece(said, open_.row)
        if piece.is_last:
            self._last, self._open = said.sequence, None
            self._heard_messages += 1
        return piece

    def _piece(self, said: Part, row: int) -> to.Keep:
        assert self._stream is not None
        return to.Keep(
            self._lane.number,
            row,
            MessageId(self._stream, said.sequence),
            said.size,
            self._last,
            said.offset,
            said.body,
            replaces=self._policy.kind is Kind.LATEST,
        )

    def _next_sequence(self) -> int:
        """The message that could not be stored."""
        partial = self._lane.partial
        return partial.message_id.sequence if partial else self._lane.marks.get(self._stream or b"", 0) + 1

    def _refuse(self, fault: Fault, sequence: int) -> None:
        self._is_resumed = False
        self._owes_stored = False
        self._pieces.clear()
        self._say(Refused(fault, sequence))

    def _tell_not_stored(self, error: str) -> None:
        self._actions.append(Tell(NotStored(self._lane.bond_id, self._lane.port, error)))

    def _room(self) -> tuple[int, int]:
        """Messages and bytes that may follow what is stored."""
        policy, lane = self._policy, self._lane
        if policy.kind is not Kind.ORDERED:
            return WINDOW_MESSAGES, WINDOW_BYTES
        messages = policy.max_messages - len(lane.untaken.entries)
        return max(0, min(WINDOW_MESSAGES, messages)), max(0, min(WINDOW_BYTES, policy.max_bytes - lane.held_bytes))

    def _standing(self, cls: type[Resume] | type[Stored]) -> Resume | Stored:
        """What is stored, and the room behind it."""
        lane = self._lane
        assert self._stream is not None
        partial = lane.partial
        ours = partial is not None and partial.message_id.stream == self._stream
        sequence, have = (partial.message_id.sequence, partial.have) if partial and ours else (0, 0)
        messages, room = self._room()
        self._granted_messages = max(self._granted_messages, self._stored_messages + messages)
        self._granted_bytes = max(self._granted_bytes, self._stored_bytes + room)
        return cls(lane.marks[self._stream], sequence, have, messages, room)
