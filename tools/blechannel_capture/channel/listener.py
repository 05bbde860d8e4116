"""One session of our channel as somebody hears it who only listens, perhaps with a key log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from blechannel.codec import decode
from blechannel.errors import BlechannelError, MalformedFrame, UnexpectedFrame
from blechannel.methods import Method, Suite
from blechannel.pairing import keys
from blechannel.roles import Role
from blechannel.session.conversation import Conversation, State
from blechannel.wire.frames import (
    Body,
    Data,
    Frame,
    Hello,
    Info,
    Pair1,
    Pair2,
    Pair3,
    PairAnswer,
    PairProof,
    PairShare,
    Reconnect1,
    Reconnect2,
    Record,
    Refuse,
)
from blechannel_capture.channel.decoding import body_of, frame_of
from blechannel_capture.channel.direction import Direction
from blechannel_capture.channel.events import (
    ChannelEnded,
    ChannelFrame,
    Ending,
    HandshakeVerified,
    OddFragment,
    Payload,
)
from blechannel_capture.channel.joining import Joined, Oddity
from blechannel_capture.channel.key_log import KeyLog, Kind
from blechannel_capture.channel.observer import Observer
from blechannel_capture.channel.opening import Opened, Opener
from blechannel_capture.events import Connection, Event, Verdict

_PAYLOADS: Final[dict[type[Frame], type[Payload]]] = {Pair1: PairShare, Pair2: PairAnswer, Pair3: PairProof}
_OK, _PHONE = Verdict.OK, Role.PHONE  # looked up once: that is slow of an enumeration, and these are for every frame
_UNFIT: Final = "a tag or a key does not fit what the key log says of this session"
_NO_SECRETS: Final = "the key log has nothing for this session's nonce"
_NO_INFO: Final = "the beginning of the session is missing"

_CLEAR_NEXT: Final = (State.PAIR_KEYS_OFFERED, State.PAIR_KEYS_AGREED, State.BOND_NAMED)
"""A handshake whose next message anybody could see: without it there was none."""


class Listener:
    """Feed both directions' GATT values in order; `end` when the connection or the capture ends."""

    def __init__(self, connection: Connection, key_log: KeyLog) -> None:
        self._connection = connection
        self._key_log = key_log
        self._directions = {role: Direction() for role in Role}
        self._sides = {role: (self._directions[role], self._directions[role.peer]) for role in Role}
        """What a role says, and what it answers."""
        self._observers: list[tuple[Role, Observer]] = []
        self._conversation = Conversation(Role.PHONE)
        self._info = b""
        self._info_said: Info | None = None
        self._hello: Hello | None = None
        self._why_closed = (Verdict.CAPTURE_GAP, _NO_INFO)
        self._refusal: Refuse | None = None
        self.frames = 0
        """Whole frames so far."""

    def hear(self, value: bytes, sender: Role, packet: int, time_ns: int) -> list[Event]:
        """One GATT value."""
        direction, other = self._sides[sender]
        frame, began, is_ours = direction.joiner.whole(value), packet, True
        told: list[Event] = []
        if frame is None:
            joined = direction.joiner.take(value, packet)
            frame, began, is_ours = joined.frame, joined.began, Oddity.NOT_OURS not in joined.oddities
            if joined.oddities:
                told = self._odd(joined, sender, packet, time_ns)
        if is_ours and (unseen := other.joiner.acknowledged(value)):
            told.insert(0, OddFragment(packet, time_ns, self._connection, sender.peer, Oddity.LOST, unseen))
            other.has_gap = True
        if frame is not None:
            self.frames += 1
            heard = ChannelFrame(packet, time_ns, self._connection, sender, began, len(frame), None, _OK)
            told.append(heard)
            told += self._frame(frame, heard, direction)
        return told

    def end(self, packet: int, time_ns: int, *, is_over: bool) -> Iterator[Event]:
        """The link has ended, or (`is_over` false) only the capture."""
        if not self.frames:
            return
        state, refusal = self._conversation.state, None
        if state is State.CLOSED:
            ending = Ending.CLOSED
        elif self._refusal is not None:
            ending, refusal = Ending.REFUSED, self._refusal.reason
        elif not is_over:
            ending = Ending.OPEN
        else:
            phone = self._directions[Role.PHONE]
            is_mute = not phone.joiner.data_fragments
            is_midway = state in _CLEAR_NEXT and not any(each.has_gap for each in self._directions.values())
            ending = Ending.CUT_OFF if phone.opener or is_mute or is_midway else Ending.UNKNOWN
        yield ChannelEnded(packet, time_ns, self._connection, ending, refusal)

    # --- inside ---

    def _odd(self, joined: Joined, sender: Role, packet: int, time_ns: int) -> list[Event]:
        if joined.oddities != (Oddity.REPEATED,):
            self._directions[sender].has_gap = True
        return [
            OddFragment(packet, time_ns, self._connection, sender, oddity, joined.missing) for oddity in joined.oddities
        ]

    def _frame(self, data: bytes, heard: ChannelFrame, direction: Direction) -> Iterable[Event]:
        """Fill in what the frame says; what follows from it."""
        try:
            frame = heard.frame = frame_of(data)
            if type(frame) is Record:
                self._record(data, heard, direction)
                return ()
            self._step(type(frame), heard)
            return list(self._clear(frame, data, heard))
        except MalformedFrame as error:
            heard.verdict, heard.detail = Verdict.NOT_OURS, str(error)
            return ()

    def _step(self, said: type[Frame | Body], heard: ChannelFrame) -> None:
        """Hold it to the conversation table; over a gap nothing can be held to it."""
        conversation, is_phone = self._conversation, heard.sender is _PHONE
        if said is Data and (conversation.says_data if is_phone else conversation.hears_data):
            return  # by far the most frequent, and changes no state
        try:
            if is_phone:
                conversation.say(said)
            else:
                conversation.hear(said)
        except (UnexpectedFrame, BlechannelError) as error:
            if not any(each.has_gap for each in self._directions.values()) and self._info:
                heard.detail, heard.is_unexpected = f"unexpected: {error}", True
            else:
                heard.detail = "over a gap in the capture"

    def _clear(self, frame: Frame, data: bytes, heard: ChannelFrame) -> Iterator[Event]:
        """A frame that is not sealed as a whole."""
        match frame:
            case Info():
                self._info, self._info_said = data, frame
            case Pair1(hello, noise):
                heard.hello = self._begin(Kind.PAIR, hello)
                self._noise(noise, heard)
            case Reconnect1(hello, _, noise):
                heard.hello = self._begin(Kind.RECONNECT, hello)
                self._noise(noise, heard)
            case Pair2(noise):
                self._noise(noise, heard)
            case Pair3(noise) | Reconnect2(noise):
                self._noise(noise, heard)
                yield from self._verified(heard)
            case Refuse():
                self._refusal = frame
            case _:
                pass

    def _begin(self, kind: Kind, hello: bytes) -> Hello:
        self._hello = chosen = decode(Hello, hello)
        self._observers = []
        for direction in self._directions.values():
            direction.opener = None
        if self._info_said is None:
            return chosen
        protocol = keys.PAIR_PROTOCOL if kind is Kind.PAIR else keys.RECONNECT_PROTOCOL
        prologue = keys.prologue(keys.PAIR_LABEL if kind is Kind.PAIR else keys.RECONNECT_LABEL, self._info, hello)
        secrets = [each for each in self._key_log.get(self._info_said.nonce, ()) if each.kind is kind]
        self._observers = [(each.role, Observer(protocol, each, prologue)) for each in secrets]
        self._why_closed = (Verdict.WRONG_KEY, _UNFIT) if secrets else (Verdict.NO_KEY, _NO_SECRETS)
        return chosen

    def _noise(self, message: bytes, heard: ChannelFrame) -> None:
        """Read a handshake message with every side's secrets that still fit."""
        fitting, payload = [], b""
        for role, observer in self._observers:
            try:
                payload = observer.read(message)
            except BlechannelError:
                continue
            fitting.append((role, observer))
        self._observers = fitting
        if not fitting:
            heard.verdict, why = self._why_closed
            heard.detail = "; ".join(filter(None, (heard.detail, why)))
            return
        declared = _PAYLOADS.get(type(heard.frame)) if heard.frame is not None else None
        if declared is not None:
            heard.payload = decode(declared, payload)

    def _verified(self, heard: ChannelFrame) -> Iterator[Event]:
        hello = self._hello
        if not self._observers or hello is None:
            return
        try:
            method, suite = Method(hello.method) if hello.method else None, Suite(hello.suite)
        except ValueError as error:
            raise MalformedFrame(f"a handshake after a choice that nobody knows: {error}") from error
        role, observer = self._observers[0]
        handshake_hash = observer.handshake_hash
        phone, watch = observer.split()
        self._directions[Role.PHONE].opener, self._directions[Role.WATCH].opener = Opener(phone), Opener(watch)
        yield HandshakeVerified(
            heard.packet,
            heard.time_ns,
            self._connection,
            resumed=method is None,
            method=method,
            suite=suite,
            handshake_hash=handshake_hash,
            logged_by=role,
        )

    def _record(self, data: bytes, heard: ChannelFrame, direction: Direction) -> None:
        if direction.came_before(data):
            heard.verdict, heard.detail = Verdict.REPLAYED, Verdict.REPLAYED.value
            return
        opener = direction.opener
        if opener is None:
            heard.verdict, heard.detail = self._why_closed
            return
        content = opener.open_next(data)
        if content is not None:
            heard.record, direction.closed = opener.next - 1, 0
        elif (opened := opener.open(data)) is not None:
            content = self._out_of_order(opened, heard, direction)
        else:
            direction.closed += 1
            heard.verdict = Verdict.CAPTURE_GAP if direction.has_gap else Verdict.TAG_FAILURE
            heard.detail = heard.verdict.value
            return
        heard.body = body = body_of(content)
        self._step(type(body), heard)

    def _out_of_order(self, opened: Opened, heard: ChannelFrame, direction: Direction) -> bytes:
        """Fill in what the record's number says; its content."""
        heard.record, heard.is_late = opened.number, opened.is_late
        heard.skipped, direction.closed = max(opened.skipped - direction.closed, 0), 0
        if opened.is_reused:
            heard.verdict, heard.detail = Verdict.NONCE_REUSED, f"another record has number {opened.number}, too"
        return opened.content
