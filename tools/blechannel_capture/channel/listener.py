"""One session of our channel as somebody hears it who only listens, perhaps with a key log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from blechannel.codec import decode
from blechannel.errors import BlechannelError, MalformedFrame, UnexpectedFrame
from blechannel.methods import Method, Suite
from blechannel.noise.functions import TAG_BYTES
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
from blechannel_capture.channel.events import (
    ChannelEnded,
    ChannelFrame,
    Ending,
    HandshakeVerified,
    OddFragment,
    Payload,
)
from blechannel_capture.channel.joining import Joiner, Oddity
from blechannel_capture.channel.key_log import KeyLog, Kind
from blechannel_capture.channel.observer import Observer
from blechannel_capture.channel.opening import Opener
from blechannel_capture.events import Connection, Event, Verdict

_PAYLOADS: Final[dict[type[Frame], type[Payload]]] = {Pair1: PairShare, Pair2: PairAnswer, Pair3: PairProof}
_UNFIT: Final = "a tag or a key does not fit what the key log says of this session"
_NO_SECRETS: Final = "the key log has nothing for this session's nonce"
_NO_INFO: Final = "the beginning of the session is missing"

_CLEAR_NEXT: Final = (State.PAIR_KEYS_OFFERED, State.PAIR_KEYS_AGREED, State.BOND_NAMED)
"""A handshake whose next message anybody could see: without it there was none."""

REMEMBERED: Final = 4096
"""Records by whose tags a repetition is known."""


class Listener:
    """Feed both directions' GATT values in order; `end` when the connection or the capture ends."""

    def __init__(self, connection: Connection, key_log: KeyLog) -> None:
        self._connection = connection
        self._key_log = key_log
        self._joiners = {role: Joiner() for role in Role}
        self._openers: dict[Role, Opener] = {}
        self._observers: list[tuple[Role, Observer]] = []
        self._conversation = Conversation(Role.PHONE)
        self._info = b""
        self._info_said: Info | None = None
        self._hello: Hello | None = None
        self._has_gap = dict.fromkeys(Role, False)
        self._closed = dict.fromkeys(Role, 0)
        """Records since the last one that opened: they have numbers, too."""
        self._recent: dict[Role, dict[bytes, None]] = {role: {} for role in Role}
        self._why_closed = (Verdict.CAPTURE_GAP, _NO_INFO)
        self._refusal: Refuse | None = None
        self.frames = 0
        """Whole frames so far."""

    def hear(self, value: bytes, sender: Role, packet: int, time_ns: int) -> Iterator[Event]:
        """One GATT value."""
        joined = self._joiners[sender].take(value, packet)
        if Oddity.NOT_OURS not in joined.oddities and (unseen := self._joiners[sender.peer].acknowledged(value)):
            yield OddFragment(packet, time_ns, self._connection, sender.peer, Oddity.LOST, unseen)
            self._has_gap[sender.peer] = True
        for oddity in joined.oddities:
            yield OddFragment(packet, time_ns, self._connection, sender, oddity, joined.missing)
            if oddity is not Oddity.REPEATED:
                self._has_gap[sender] = True
        if joined.frame is not None:
            self.frames += 1
            heard = ChannelFrame(
                packet, time_ns, self._connection, sender, joined.began, len(joined.frame), None, Verdict.OK
            )
            following = self._frame(joined.frame, heard)
            yield heard
            yield from following

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
            is_mute = not self._joiners[Role.PHONE].data_fragments
            is_midway = state in _CLEAR_NEXT and not any(self._has_gap.values())
            ending = Ending.CUT_OFF if self._openers or is_mute or is_midway else Ending.UNKNOWN
        yield ChannelEnded(packet, time_ns, self._connection, ending, refusal)

    # --- inside ---

    def _frame(self, data: bytes, heard: ChannelFrame) -> Iterable[Event]:
        """Fill in what the frame says; what follows from it."""
        try:
            frame = heard.frame = frame_of(data)
            if type(frame) is Record:
                self._record(data, heard)
                return ()
            self._step(type(frame), heard)
            return list(self._clear(frame, data, heard))
        except MalformedFrame as error:
            heard.verdict, heard.detail = Verdict.NOT_OURS, str(error)
            return ()

    def _step(self, said: type[Frame | Body], heard: ChannelFrame) -> None:
        """Hold it to the conversation table; over a gap nothing can be held to it."""
        conversation, is_phone = self._conversation, heard.sender is Role.PHONE
        if said is Data and (conversation.says_data if is_phone else conversation.hears_data):
            return  # by far the most frequent, and changes no state
        try:
            if is_phone:
                conversation.say(said)
            else:
                conversation.hear(said)
        except (UnexpectedFrame, BlechannelError) as error:
            if not any(self._has_gap.values()) and self._info:
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
        self._observers, self._openers = [], {}
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
        self._openers = {Role.PHONE: Opener(phone), Role.WATCH: Opener(watch)}
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

    def _record(self, data: bytes, heard: ChannelFrame) -> None:
        if self._came_before(data, heard.sender):
            heard.verdict, heard.detail = Verdict.REPLAYED, Verdict.REPLAYED.value
            return
        opener = self._openers.get(heard.sender)
        if opener is None:
            heard.verdict, heard.detail = self._why_closed
            return
        opened = opener.open(data)
        if opened is None:
            self._closed[heard.sender] += 1
            heard.verdict = Verdict.CAPTURE_GAP if self._has_gap[heard.sender] else Verdict.TAG_FAILURE
            heard.detail = heard.verdict.value
            return
        heard.record, heard.is_late = opened.number, opened.is_late
        heard.skipped = max(opened.skipped - self._closed[heard.sender], 0)
        self._closed[heard.sender] = 0
        if opened.is_reused:
            heard.verdict, heard.detail = Verdict.NONCE_REUSED, f"another record has number {opened.number}, too"
        heard.body = body_of(opened.content)
        self._step(type(heard.body), heard)

    def _came_before(self, data: bytes, sender: Role) -> bool:
        """Whether the same sealed bytes came in the same direction, among the last `REMEMBERED`."""
        tag = data[-TAG_BYTES:] + len(data).to_bytes(4, "big")
        recent = self._recent[sender]
        if tag in recent:
            return True
        recent[tag] = None
        if len(recent) > REMEMBERED:
            del recent[next(iter(recent))]
        return False
