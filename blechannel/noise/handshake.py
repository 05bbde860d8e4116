"""HandshakeState (specification, section 5.3): walks a pattern's tokens, one message at a time."""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame
from blechannel.noise.functions import KEY_BYTES, TAG_BYTES, Random
from blechannel.noise.keys import NO_KEYS, Keys
from blechannel.noise.protocol import MAX_MESSAGE_BYTES, Message, Protocol
from blechannel.noise.symmetric import MAX_NONCE, CipherState, SymmetricState
from blechannel.values import dataclass


class State(Enum):
    """Whose turn it is."""

    TO_WRITE = "to write"
    TO_READ = "to read"
    FINISHED = "finished"
    SPLIT = "split"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Transport:
    """What a handshake leaves: a CipherState a direction, the channel binding `handshake_hash` (public) and
    the secret `exporter` of the hash's length, the third output of HKDF(ck, "", 3).

    After a one-way pattern the direction that does not exist refuses every use with LocalProtocolError.
    """

    send: CipherState
    receive: CipherState
    handshake_hash: bytes
    exporter: bytes = field(repr=False)


class _Turn:
    """Work on one message: failed from the first step, `then` or finished only after the last."""

    __slots__ = ("_side", "_then")

    def __init__(self, side: HandshakeState, then: State) -> None:
        self._side = side
        self._then = then

    def __enter__(self) -> None:
        self._side._state = State.FAILED

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        side = self._side
        if kind is None:
            side._next += 1
            side._state = State.FINISHED if side._next == len(side._protocol.messages) else self._then
        else:
            side._fail()


class HandshakeState:
    """One side of one handshake.

    Messages are written and read in the pattern's order. Whatever fails while a message is worked on ends the
    handshake for good; a LocalProtocolError from a call that was not allowed leaves it as it was.
    """

    __slots__ = (
        "_initiator",
        "_next",
        "_own",
        "_protocol",
        "_psks",
        "_random",
        "_state",
        "_symmetric",
        "_their",
    )

    def __init__(
        self,
        protocol: Protocol,
        *,
        initiator: bool,
        random: Random,
        prologue: bytes = b"",
        keys: Keys = NO_KEYS,
    ) -> None:
        """Start a handshake; `random` makes the ephemeral key.

        Raises:
            LocalProtocolError: a key is missing, not asked for, of a wrong length, or given twice.
        """
        keys.check(protocol, initiator=initiator)
        self._protocol = protocol
        self._initiator = initiator
        self._random = random
        self._own = {name: pair for name, pair in (("e", keys.e), ("s", keys.s)) if pair}
        self._their = {"s": protocol.dh.load_public(keys.rs)} if keys.rs else {}
        self._psks: dict[str, bytes] = {}
        self._next = 0
        self._state = State.TO_WRITE if initiator else State.TO_READ
        self._symmetric = SymmetricState(protocol.h, protocol.cipher, protocol.hash)
        for number, psk in keys.psks.items():
            self.set_psk(number, psk)
        self._mix_what_is_known(prologue)

    def __repr__(self) -> str:
        return f"HandshakeState({self._protocol.name}, initiator={self._initiator}, {self._state.value})"

    def _mix_what_is_known(self, prologue: bytes) -> None:
        self._symmetric.mix_hash(prologue)
        pattern, own, their = self._protocol.pattern, self._own, self._their
        if pattern.initiator_pre_message:
            self._symmetric.mix_hash(own["s"].public if self._initiator else their["s"].public_bytes_raw())
        if pattern.responder_pre_message:
            self._symmetric.mix_hash(their["s"].public_bytes_raw() if self._initiator else own["s"].public)

    @property
    def handshake_hash(self) -> bytes:
        """`h` so far: what both sides have seen, not secret."""
        return self._symmetric.h

    @property
    def is_finished(self) -> bool:
        """Whether every message was written or read, and `split` is due or done."""
        return self._state in (State.FINISHED, State.SPLIT)

    @property
    def state(self) -> State:
        """Whose turn it is."""
        return self._state

    @property
    def remote_ephemeral(self) -> bytes | None:
        """The other side's ephemeral public key, once read; None again after a failure."""
        return self._their["e"].public_bytes_raw() if "e" in self._their else None

    @property
    def remote_static(self) -> bytes | None:
        """The other side's static public key, once known; None again after a failure.

        Proven only when the pattern's DH with it is done: see the pattern's own security properties (7.7).
        """
        return self._their["s"].public_bytes_raw() if "s" in self._their else None

    def ephemeral(self) -> bytes:
        """The own ephemeral public key, generated now if there is none, so that a payload may depend on it.

        Raises:
            LocalProtocolError: the handshake is over and its keys are gone.
        """
        if self._state in (State.SPLIT, State.FAILED):
            raise LocalProtocolError(f"no ephemeral key: the handshake is {self._state.value}")
        return self._ensure_ephemeral()

    def set_psk(self, number: int, psk: bytes) -> None:
        """Give the 32-byte key of the modifier psk`number`; possible until its token is reached.

        Raises:
            LocalProtocolError: another length, no such modifier, its token was passed, or it failed.
        """
        if len(psk) != KEY_BYTES:
            raise LocalProtocolError(f"a psk has {KEY_BYTES} bytes, not {len(psk)}")
        passed = self._state is State.FAILED or self._next > max(number - 1, 0)
        if passed or number not in self._protocol.psks:
            raise LocalProtocolError(f"no psk{number} is due")
        self._psks[f"psk{number}"] = psk

    def write_message(self, payload: bytes = b"") -> bytes:
        """The next message, with `payload` in it (sealed as soon as the pattern has a key).

        Raises:
            LocalProtocolError: not this side's turn, a psk is missing, or the message would be over 65535
                bytes; nothing changed.
            AuthenticationFailed: a DH with the other side's key gives nothing; the handshake failed.
        """
        message = self._due(State.TO_WRITE)
        if message.overhead_bytes + len(payload) > MAX_MESSAGE_BYTES:
            raise LocalProtocolError(f"the message would be over {MAX_MESSAGE_BYTES} bytes")
        with _Turn(self, State.TO_READ):
            parts = [self._write(token) for token in message.tokens]
            parts.append(self._symmetric.encrypt_and_hash(payload))
        return b"".join(parts)

    def read_message(self, message: bytes) -> bytes:
        """The payload of the other side's next message.

        Raises:
            MalformedFrame: too short or over 65535 bytes; the handshake failed.
            AuthenticationFailed: a tag or a point is wrong, or a key is this side's; the handshake failed.
            LocalProtocolError: not the other side's turn, or a psk is missing; nothing changed.
        """
        due = self._due(State.TO_READ)
        with _Turn(self, State.TO_WRITE):
            if not due.overhead_bytes <= len(message) <= MAX_MESSAGE_BYTES:
                raise MalformedFrame(f"a handshake message of {len(message)} bytes")
            for token in due.tokens:
                message = self._read(token, message)
            return self._symmetric.decrypt_and_hash(message)

    def split(self) -> Transport:
        """End the handshake: the transport keys by role; every other secret is dropped.

        Raises:
            LocalProtocolError: messages are missing, or it was split before.
        """
        if self._state is not State.FINISHED:
            raise LocalProtocolError(f"cannot split, the handshake is {self._state.value}")
        first, second, exporter = self._symmetric.split()
        if self._protocol.pattern.is_one_way:
            second = CipherState(self._protocol.cipher, n=MAX_NONCE)
        send, receive = (first, second) if self._initiator else (second, first)
        self._state = State.SPLIT
        self._forget()
        return Transport(send, receive, self._symmetric.h, exporter)

    def _due(self, turn: State) -> Message:
        """The message that is due, when it is `turn` and nothing for it is missing."""
        if self._state is not turn:
            raise LocalProtocolError(f"not the turn {turn.value}: the handshake is {self._state.value}")
        message = self._protocol.messages[self._next]
        if not message.psks <= self._psks.keys():
            raise LocalProtocolError(f"not every key is set: {', '.join(sorted(message.psks))}")
        return message

    def _fail(self) -> None:
        self._their.clear()
        self._forget()

    def _forget(self) -> None:
        self._own.clear()
        self._psks.clear()
        self._symmetric.forget()

    def _ensure_ephemeral(self) -> bytes:
        if "e" not in self._own:
            self._own["e"] = self._protocol.dh.generate(self._random)
        return self._own["e"].public

    def _write(self, token: str) -> bytes:
        match token:
            case "e":
                public = self._ensure_ephemeral()
                self._mix_ephemeral(public)
                return public
            case "s":
                return self._symmetric.encrypt_and_hash(self._own["s"].public)
            case _:
                self._mix(token)
                return b""

    def _read(self, token: str, message: bytes) -> bytes:
        """Take one token off the front of `message`; returns the rest."""
        size = self._protocol.dh.length_bytes
        match token:
            case "e":
                public = message[:size]
                self._mix_ephemeral(public)
            case "s":
                size += TAG_BYTES if self._symmetric.cipher_state.has_key() else 0
                public = self._symmetric.decrypt_and_hash(message[:size])
            case _:
                self._mix(token)
                return message
        if token in self._own and public == self._own[token].public:
            raise AuthenticationFailed  # this side's own words, reflected
        self._their[token] = self._protocol.dh.load_public(public)
        return message[size:]

    def _mix_ephemeral(self, public: bytes) -> None:
        self._symmetric.mix_hash(public)
        if self._protocol.psks:
            self._symmetric.mix_key(public)

    def _mix(self, token: str) -> None:
        """A psk, or a DH: its token names the initiator's key, then the responder's."""
        if token in self._psks:
            self._symmetric.mix_key_and_hash(self._psks.pop(token))
            return
        own, their = (token[0], token[1]) if self._initiator else (token[1], token[0])
        self._symmetric.mix_key(self._own[own].exchange(self._their[their]))
