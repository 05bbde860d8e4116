"""One lane on one channel: both sides greet, then messages go both ways.

Nothing here does anything: `drain` says what is to be said, written, read and told.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from blechannel.delivery import changes as to
from blechannel.delivery import events as told
from blechannel.delivery.changes import Change
from blechannel.delivery.events import Action, Say, Span, Tell, Write
from blechannel.delivery.frames import (
    NO_TOKEN,
    PART_OVERHEAD_BYTES,
    VERSION,
    Begin,
    Fault,
    Frame,
    Hello,
    Part,
    Recognition,
    Refused,
    Resume,
    Stored,
    Welcome,
    decode_frame,
)
from blechannel.delivery.ledger import Lane, Ledger
from blechannel.delivery.policies import Kind, Policy
from blechannel.delivery.receiver import Receiver
from blechannel.delivery.sender import IGNORED, Sender
from blechannel.errors import UnexpectedFrame, UnsupportedVersion
from blechannel.values import dataclass

MIN_PART_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a conversation needs of its own side."""

    ledger: Ledger
    policy: Policy
    new_row: Callable[[], int]
    token: Callable[[Lane], bytes]
    """The token that a lane's peer is told in this opening of the store, made when it is first asked for."""


_Step = tuple[tuple[Change, ...], Callable[[], None]]


class Conversation:
    """Made when a channel stands, over with it."""

    def __init__(self, lane: Lane, side: Side, *, max_message_bytes: int) -> None:
        self.lane = lane
        self._side = side
        self._numbers = count(IGNORED + 1)
        self.is_open = False
        """Whether this side greets."""
        self.error: str | None = None
        """Why it cannot go on: the greeting could not be written down."""
        self._said_hello = self._heard_hello = self._said_welcome = self._heard_welcome = False
        self._is_stopped = False
        self._actions: list[Action] = []
        self._waits: dict[int, _Step] = {}
        self._failed: list[_Step] = []
        best_effort = side.policy.kind is Kind.BEST_EFFORT
        part_bytes = max(MIN_PART_BYTES, max_message_bytes - PART_OVERHEAD_BYTES)
        self.sender = Sender(lane, max_part_bytes=part_bytes, at_most_once=best_effort)
        self._receiver = Receiver(lane, side.policy, new_row=side.new_row, new_token=lambda: next(self._numbers))

    @property
    def stands(self) -> bool:
        """Whether messages can go."""
        greeted = self._said_hello and self._heard_hello and self._said_welcome and self._heard_welcome
        return greeted and not self._is_stopped

    def open(self) -> None:
        """Something waits, or the peer has opened the port: greet."""
        if self.is_open:
            return
        self.is_open = True
        token = self._side.token(self.lane)
        if token in self.lane.tokens:
            self._greet(token)
        else:
            self._write((to.AddToken(self.lane.number, token),), lambda: self._greet(token))

    def hear(self, message: bytes) -> None:
        """A message of the port.

        Raises:
            MalformedFrame, UnexpectedFrame, UnsupportedVersion: the peer broke the rules; close the port.
        """
        frame = decode_frame(message)
        if self._is_stopped:
            return
        if isinstance(frame, Hello):
            self._hear_hello(frame)
        elif isinstance(frame, Welcome):
            self._hear_welcome(frame)
        elif isinstance(frame, Refused) and frame.fault is Fault.POLICY:
            self._stop()
        elif not self.stands:
            raise UnexpectedFrame("a delivery frame before the greeting")
        else:
            self._hear(frame)

    def written(self, token: int, error: str | None) -> None:
        """A write has ended, with `error` where it failed."""
        step = self._waits.pop(token, None)
        if step is not None:
            changes, then = step
            if error is None:
                then()
            else:
                self.error = error
                self._failed.append((changes, then))
        else:
            self._receiver.written(token, error)

    @property
    def is_held(self) -> bool:
        """Whether a disk stands in the way: call `retry` in a while."""
        return self.sender.is_held or self.error is not None

    def retry(self) -> None:
        """Try again what a disk did not allow."""
        self.error = None
        failed, self._failed = self._failed, []
        for changes, then in failed:
            self._write(changes, then)
        self.sender.retry()

    def fetched(self, bodies: list[bytes | None], spans: tuple[Span, ...]) -> None:
        """What `Fetch` asked for."""
        self.sender.fetched(bodies, spans)

    def pump(self) -> None:
        """All that was said is on its way: read what goes next. Call it whenever that is so."""
        if self.stands:
            self.sender.pump()

    def taken(self) -> None:
        """The application took something."""
        self._receiver.taken()

    def drain(self) -> list[Action]:
        """What is to be done now, in this order."""
        actions = [*self._actions, *self._receiver.drain(), *self.sender.drain()]
        self._actions = []
        return actions

    # --- inside ---

    def _say(self, frame: Frame) -> None:
        self._actions.append(Say(frame))

    def _write(self, changes: tuple[Change, ...], then: Callable[[], None]) -> None:
        token = next(self._numbers)
        self._waits[token] = changes, then
        self._actions.append(Write(changes, token))

    def _greet(self, token: bytes) -> None:
        self._said_hello = True
        self._say(Hello(VERSION, self._side.policy.kind, token, self.lane.remembered))

    def _hear_hello(self, said: Hello) -> None:
        if self._heard_hello:
            raise UnexpectedFrame("a second Hello")
        if said.version != VERSION:
            raise UnsupportedVersion(f"the peer delivers by version {said.version}, this side by {VERSION}")
        self._heard_hello = True
        self.open()
        if said.kind is not self._side.policy.kind:
            self._say(Refused(Fault.POLICY, 0))
            self._stop()
            return
        recognition = self._recognise(said)
        if said.token != self.lane.remembered:
            self._write((to.Remember(self.lane.number, said.token),), lambda: self._welcome(recognition))
        else:
            self._welcome(recognition)

    def _recognise(self, said: Hello) -> Recognition:
        """Whether the peer knows this store; a token that another bond's peer was told shows that it is that peer."""
        lane = self.lane
        if said.remembered == NO_TOKEN:
            return Recognition.NEW
        if said.remembered in lane.tokens:
            return Recognition.KNOWN
        former = self._side.ledger.told(said.remembered, lane.port)
        if former is None:
            self._tell(told.StoreReset(lane.bond_id, lane.port))
            return Recognition.RESET
        carried = told.CarriedOver(lane.bond_id, lane.port, former.bond_id)
        self._write((to.MergeLane(former.number, lane.number),), lambda: self._tell(carried))
        return Recognition.KNOWN

    def _welcome(self, recognition: Recognition) -> None:
        self._said_welcome = True
        self._say(Welcome(recognition))

    def _hear_welcome(self, said: Welcome) -> None:
        if self._heard_welcome or not self._said_hello:
            raise UnexpectedFrame("a Welcome that answers no Hello")
        self._heard_welcome = True
        if said.recognition is Recognition.RESET:
            self._tell(told.PeerStoreReset(self.lane.bond_id, self.lane.port))

    def _stop(self) -> None:
        self._is_stopped = True
        self._tell(told.Refused(self.lane.bond_id, self.lane.port, None, Fault.POLICY))

    def _tell(self, event: told.OutboxEvent) -> None:
        self._actions.append(Tell(event))

    def _hear(self, frame: Begin | Part | Resume | Stored | Refused) -> None:
        if isinstance(frame, Begin):
            self._receiver.begin(frame)
        elif isinstance(frame, Part):
            self._receiver.part(frame)
        elif isinstance(frame, Resume):
            self.sender.resumed(frame)
        elif isinstance(frame, Stored):
            self.sender.stored(frame)
        else:
            self.sender.refused(frame)
