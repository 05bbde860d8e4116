"""One session: fragments and moments in; fragments, events and deadlines out. No clock, no radio, no store.

The owner calls `receive`, `persisted` and `expire`, acts on the events that these return, sends what
`fragments_to_send` gives, and calls `expire` again at `deadline`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import cast

from blechannel.errors import (
    BlechannelError,
    FragmentFault,
    FragmentRefused,
    LinkLost,
    LocalProtocolError,
    PairingRefused,
    PeerTimedOut,
    TransportError,
    without_frames,
)
from blechannel.limits import MAX_WINDOW, Patience
from blechannel.pairing.changes import Change, ConfirmBond, MarkCopied
from blechannel.session.conversation import Conversation, State
from blechannel.session.events import CodeWanted, CopyDetected, Established, Event, Failed, Persist, WordsShown
from blechannel.session.opening import open_conversation, refusal_for, refused
from blechannel.session.parking import ParkedSession
from blechannel.session.person import WORDS_DIFFER, Person
from blechannel.session.ports import Ports
from blechannel.session.script import AskCode, AskWhetherSame, Hear, Outcome, Script, ShowWords, Store, Wait
from blechannel.session.setup import PhoneSetup, Side, WatchSetup
from blechannel.session.stage import Stage
from blechannel.session.standing import Standing
from blechannel.session.traffic import Traffic
from blechannel.wire.fragments import FragmentStream
from blechannel.wire.frames import Body, Bonded, Copied, Frame, Refuse


class Session:
    """One connection's conversation, from INFO to CLOSE; one handshake, then it is over with the link.

    Methods that take what the peer did never raise: they return `Failed`. Methods that a caller may misuse raise
    LocalProtocolError and change nothing. `now` is in seconds of one monotonic clock.
    """

    __slots__ = (
        *("_after_store", "_books", "_due", "_failed", "_held", "_patience", "_person", "_read", "_script"),
        *("_stage", "_standing", "_token", "_traffic", "stream"),
    )
    _script: Script | None
    """The handshake; None once the channel stands."""

    def __init__(
        self,
        setup: PhoneSetup | WatchSetup,
        *,
        max_fragment_bytes: int,
        random: Callable[[int], bytes],
        now: float,
    ) -> None:
        """Begin on a link that carries `max_fragment_bytes` a value; `random` gives secret uniform bytes.

        Raises:
            FragmentRefused: the link carries less than any BLE link does.
        """
        config = setup.config
        stream = FragmentStream(max_fragment_bytes=max_fragment_bytes, receive=config.limits, patience=config.patience)
        self._take(Stage(Conversation(setup.role), config, stream, random=random, now=now), setup)
        self._script = open_conversation(self._stage, setup)
        self._attempt(self._run, None)

    def _take(self, stage: Stage, side: Side) -> None:
        self._patience = side.config.patience
        self._books = side.books
        self._stage = stage
        self.stream = stage.stream
        """The fragments under this session: what is queued for the peer's window."""
        self._standing = Standing(stage, side)
        self._person = Person()
        self._script = None
        self._traffic: Traffic | None = None
        self._read: Callable[[bytes], Frame | Body | None] = stage.read
        self._failed = False
        self._due: float | None = None
        self._token = 0
        self._after_store: Callable[[], None] | None = None
        self._held: list[bytes] = []

    # --- rest ---

    @property
    def patience(self) -> Patience:
        """How long this side waits."""
        return self._patience

    @property
    def records_moved(self) -> tuple[int, int]:
        """Records sealed and opened so far: they stand still while neither side says anything."""
        records = self._stage.records
        return (0, 0) if records is None else (records.sent, records.received)

    def park(self) -> ParkedSession | None:
        """What is left of this session, which is not to be used any more; None where it has something under way."""
        stage, traffic = self._stage, self._traffic
        is_busy = self._after_store is not None or stage.events or not self.stream.is_quiet()
        if is_busy or traffic is None or stage.belongs_to is None or self.state is not State.ESTABLISHED:
            return None
        bond = self._books.book.bonds.get(stage.belongs_to[0])
        if bond is None or not bond.knows(stage.belongs_to[1]):  # it ends as soon as it looks
            return None
        return ParkedSession(
            role=stage.conversation.role,
            config=stage.config,
            books=self._books,
            random=stage.source,
            stream=self.stream,
            peer_frame_bytes=stage.peer_frame_bytes,
            bond=bond,
            hint_key=stage.belongs_to[1],
            told_key=self._standing.told_key,
            told_copied=self._standing.told_copied,
            ports=traffic.ports(),
            keys=stage.park(),
        )

    @classmethod
    def wake(cls, parked: ParkedSession, now: float) -> Session:
        """The session that was parked.

        Raises:
            LocalProtocolError: it was woken before.
        """
        stage = Stage(
            Conversation(parked.role, State.ESTABLISHED), parked.config, parked.stream, random=parked.random, now=now
        )
        stage.resume(parked.take_keys(), parked.peer_frame_bytes)
        stage.belong(parked.bond.bond_id, parked.hint_key)
        session = cls.__new__(cls)
        session._take(stage, parked)
        session._standing.resume(parked.told_key, parked.told_copied)
        session._talk_on(Ports.of(parked.ports))
        return session

    def _talk_on(self, ports: Ports) -> None:
        self._traffic = traffic = Traffic(self._stage, self._stage.sealer(), ports, permits=self._standing.permits)
        self._read = traffic.read

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self._stage.conversation.state

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen any more but sending what is queued."""
        return self._stage.conversation.is_over

    @property
    def info(self) -> bytes:
        """This connection's INFO frame, exactly as on the air; empty until the phone has heard it, and once the channel
        stands."""
        return self._stage.info()

    # --- the link ---

    def receive(self, fragment: bytes, now: float) -> list[Event]:
        """One fragment has arrived."""
        return self.receive_all((fragment,), now)

    def receive_all(self, fragments: Iterable[bytes], now: float) -> list[Event]:
        """These have arrived, in this order and at once: the same as `receive` of one after the other."""
        self._stage.moment = now
        left = iter(fragments)
        try:
            self._look_at_book()
            self._receive(left, now)
        except BlechannelError as error:
            self._fail(error)
            self._receive(left, now)
        return self._told()

    def fragments_to_send(self, now: float) -> list[bytes]:
        """Everything that may go now; the caller gives all of it to the link, in order."""
        return self._stage.stream.fragments_to_send(now)

    def payload_changed(self, max_fragment_bytes: int) -> list[Event]:
        """The link carries more or less a value than before."""
        self._attempt(self._stage.stream.grow, max_fragment_bytes)
        return self._told()

    def link_lost(self, error: TransportError) -> list[Event]:
        """The link is gone; without an authenticated CLOSE the session counts as cut off."""
        self._fail(error)
        return self._told()

    # --- time ---

    def deadline(self) -> float | None:
        """When to call `expire` at the latest; None for never."""
        if self._stage.conversation.is_over or self._after_store is not None:
            return None
        due, stream_due = self._due, self.stream.deadline()
        if due is None or stream_due is None:
            return stream_due if due is None else due
        return min(due, stream_due)

    def expire(self, now: float) -> list[Event]:
        """A moment has come. Early calls are harmless."""
        if not self.is_over and self._after_store is None:
            self._stage.moment = now
            self._attempt(self._expire, now)
        return self._told()

    # --- the store ---

    def persisted(self, token: int, now: float) -> list[Event]:
        """The change of `Persist(token, …)` is durable and the new book is shown.

        Raises:
            LocalProtocolError: no such change is under way.
        """
        after = self._take_store(token)
        self._stage.moment = now
        if not self.is_over:
            self._attempt(self._continue, after)
        return self._told()

    def persist_failed(self, token: int, error: BlechannelError) -> list[Event]:
        """The change could not be made; the session ends with `error`.

        Raises:
            LocalProtocolError: no such change is under way.
        """
        self._take_store(token)
        self._fail(error)
        return self._told()

    def is_news(self) -> bool:
        """Whether the bonds that are stored now say anything that this session must act on by `book_changed`."""
        return self._standing.is_news()

    def book_changed(self) -> list[Event]:
        """The book is another one: end if this session's bond has moved on or is gone."""
        self._attempt(self._check_bond)
        return self._told()

    # --- the person ---

    def enter_code(self, code: str, now: float) -> list[Event]:
        """What a person typed, after `CodeWanted`: six digits, used for this one run.

        Raises:
            LocalProtocolError: no code is wanted, or this is none.
        """
        self._person.take_code(code)
        self._stage.moment = now
        self._attempt(self._run, code)
        return self._told()

    def answer_words(self, *, same: bool, now: float) -> list[Event]:
        """What a person said, after `WordsShown`: whether the other device shows the same words, in this order.

        Raises:
            LocalProtocolError: no words are shown, or the person has answered.
        """
        is_awaited = self._person.take_answer()
        self._stage.moment = now
        if not same:
            self._fail(PairingRefused("words-differ", WORDS_DIFFER))
        elif is_awaited:
            self._attempt(self._run, None)
        return self._told()

    def abandon(self, error: BlechannelError) -> list[Event]:
        """A person, or who asks for them, gives up: the session ends with `error`."""
        self._fail(error)
        return self._told()

    # --- the application ---

    @property
    def traffic(self) -> Traffic:
        """Ports and messages; raises LocalProtocolError before the channel stands."""
        if self._traffic is None:
            raise LocalProtocolError(f"the channel does not stand: {self.state.value}")
        return self._traffic

    def close(self, now: float) -> list[Event]:
        """End the session: with an authenticated CLOSE where there is a channel. Safe to call again."""
        self._stage.moment = now
        if self._traffic is None:  # also where the handshake is through and its change is not yet stored
            self._fail(LinkLost("closed before the channel stood"))
        elif self.state is State.ESTABLISHED:
            self._traffic.close()
            self._due = now + self._patience.close_s
        return self._told()

    # --- inside ---

    def _look_at_book(self) -> None:
        """With what arrives; nothing that does can change the book before it is read."""
        if self._books.book is self._standing.book or self._after_store is not None or self.is_over:
            return
        if self._standing.is_news():
            self._check_bond()

    def _receive(self, fragments: Iterator[bytes], now: float) -> None:
        conversation, join = self._stage.conversation, self.stream.receive
        for fragment in fragments:
            if conversation.is_over:
                self._let_drain(fragment, now)
            elif self._after_store is not None:
                self._hold(fragment)
            else:
                frame = join(fragment, now)
                if frame is not None:
                    said = self._read(frame)
                    if said is not None:
                        self._hear(said)

    def _let_drain(self, fragment: bytes, now: float) -> None:
        """After both CLOSEs only acknowledgements matter: what is queued goes out as the window opens."""
        if not self.stream.has_failed:  # a flood goes on after its refusal
            with suppress(BlechannelError):
                self.stream.receive(fragment, now)

    def _hear(self, said: Frame | Body) -> None:
        if isinstance(said, Refuse):
            raise refused(said.reason)
        if self._traffic is None:
            self._run(said)
        elif isinstance(said, Bonded):
            self._take_parameters(said)
        elif isinstance(said, Copied):
            self._take_evidence()
        else:
            self._traffic.hear(said)

    def _take_parameters(self, said: Bonded) -> None:
        self._persist(ConfirmBond(self._standing.bond_id, said.name, said.discovery_key), after=lambda: None)

    def _take_evidence(self) -> None:
        """The watch has proven who it is: what it says of a copy is kept, once, and told."""
        bond_id = self._standing.bond_id
        if self._books.book.bond(bond_id).copied_s is None:
            self._persist(MarkCopied(bond_id), after=lambda: self._stage.tell(CopyDetected(bond_id)))

    def _run(self, answer: object) -> None:
        """One step of the script."""
        try:
            self._wait(cast(Script, self._script).send(answer))  # there is one until the channel stands
        except StopIteration as done:
            self._establish(done.value)

    def _wait(self, wait: Wait) -> None:
        now, patience = self._stage.moment, self._patience
        if isinstance(wait, Hear):
            self._due = now + patience.handshake_s + (patience.person_s if wait.person else 0.0)
        elif isinstance(wait, AskCode):
            self._person.ask_code()
            self._due = now + patience.person_s
            self._stage.tell(CodeWanted())
        elif isinstance(wait, Store):
            self._persist(wait.change, after=lambda: self._run(None))
        else:
            self._compare(wait)

    def _compare(self, wait: ShowWords | AskWhetherSame) -> None:
        if isinstance(wait, ShowWords):
            self._person.show_words()
            self._stage.tell(WordsShown(wait.words))
            self._run(None)
        elif self._person.await_answer():
            self._run(None)
        else:
            self._due = self._stage.moment + self._patience.person_s

    def _persist(self, change: Change, *, after: Callable[[], None]) -> None:
        self._token += 1
        self._after_store = after
        self._stage.tell(Persist(self._token, change))

    def _take_store(self, token: int) -> Callable[[], None]:
        after = self._after_store
        if after is None or token != self._token:
            raise LocalProtocolError("no such change is under way")
        self._after_store = None
        return after

    def _continue(self, after: Callable[[], None]) -> None:
        after()
        held, self._held = self._held, []
        if held:
            self._look_at_book()
            self._receive(iter(held), self._stage.moment)

    def _hold(self, fragment: bytes) -> None:
        """Nothing is read before the store has answered; unacknowledged, the peer's window bounds what comes."""
        self._held.append(fragment)
        if len(self._held) > 2 * MAX_WINDOW:
            self._fail(FragmentRefused(FragmentFault.WINDOW_OVERRUN))

    def _establish(self, outcome: Outcome) -> None:
        self._stage.belong(outcome.bond_id, outcome.hint_key)
        self._script = None
        self._talk_on(Ports())
        self._due = None
        self._standing.begin()
        self._stage.tell(Established(outcome.bond_id, outcome.resumed, outcome.handshake_hash))
        self._check_bond()

    def _check_bond(self) -> None:
        self._standing.check(established=self._traffic is not None)
        if self._traffic is not None:
            self._traffic.access_changed()

    def _expire(self, now: float) -> None:
        self._stage.stream.expire(now)
        if self._due is None or now < self._due:
            return
        self._person.check_in_time()
        raise PeerTimedOut(f"the peer took too long: {self.state.value}")

    def _attempt(self, step: Callable[..., None], *arguments: object) -> None:
        try:
            step(*arguments)
        except BlechannelError as error:
            self._fail(error)

    def _fail(self, error: BlechannelError) -> None:
        if self.state is State.CLOSED or self._failed:
            return
        self._failed = True
        if self._script is not None:
            self._script.close()
        self._person.leave()
        if self._traffic is None and not isinstance(error, TransportError):
            with suppress(BlechannelError):
                self._stage.say(Refuse(refusal_for(error)))
        self._stage.conversation.fail()
        self._held.clear()
        self._stage.tell(Failed(without_frames(error)))

    def _told(self) -> list[Event]:
        events = self._stage.events
        if events:
            self._stage.events = []
        return events
