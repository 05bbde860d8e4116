"""Where a session's frames pass: cut, sealed and held to the conversation table. What scripts see as `Talk`."""

from __future__ import annotations

from collections.abc import Callable

from blechannel.codec import decode, encode
from blechannel.config import Config
from blechannel.errors import MalformedFrame, UnexpectedFrame
from blechannel.noise import Transport
from blechannel.session.conversation import Conversation
from blechannel.session.events import Event, KeysLogged
from blechannel.session.records import Records, RestingKeys
from blechannel.session.trace import key_log_line
from blechannel.wire.fragments import FragmentStream
from blechannel.wire.frames import (
    RECORD_KIND,
    RECORD_TYPE_OF,
    RECORD_TYPES,
    Body,
    Frame,
    Hello,
    Info,
    decode_frame,
    encode_frame,
)
from blechannel.wire.header import FRAME_HEADER_BYTES


class Stage:
    """One session's way to the peer and back. Single-threaded, pure, role-blind."""

    __slots__ = (
        *("_info", "_nonce", "_peer_frame_bytes", "_random"),
        *("belongs_to", "config", "conversation", "events", "moment", "records", "stream"),
    )

    def __init__(
        self,
        conversation: Conversation,
        config: Config,
        stream: FragmentStream,
        *,
        random: Callable[[int], bytes],
        now: float,
    ) -> None:
        self.config = config
        self.conversation = conversation
        self.stream = stream
        self.records: Records | None = None
        self.events: list[Event] = []
        self.moment = now
        self.belongs_to: tuple[bytes, bytes] | None = None
        self._random = random
        self._peer_frame_bytes = 0
        self._info = b""
        self._nonce = b""

    # --- what scripts may do ---

    def random(self, count: int) -> bytes:
        """That many secret uniform bytes."""
        return self._random(count)

    def now(self) -> float:
        """The moment of the step under way."""
        return self.moment

    def info(self) -> bytes:
        """This connection's INFO frame, exactly as on the air."""
        return self._info

    def say(self, said: Frame | Body) -> None:
        """Send a frame, or a record once keys are installed.

        Raises:
            LocalProtocolError: the table has no row for it, or it does not fit.
        """
        self.conversation.say(type(said))
        if isinstance(said, Body):
            self.stream.send(self.sealer().seal(RECORD_TYPE_OF[type(said)], encode(said)))
            return
        frame = encode_frame(said)
        self._remember(said, frame)
        self.stream.send(frame)

    def peer_takes(self, limits: Info | Hello) -> None:
        """What the peer's INFO or HELLO allows; raises FragmentRefused when that is out of range."""
        self.stream.peer_limits(window=limits.window, max_frame_bytes=limits.max_frame_bytes)
        self._peer_frame_bytes = limits.max_frame_bytes

    def install(self, transport: Transport) -> None:
        """Seal and open with these keys from now on."""
        self.records = Records(transport, padding=self.config.padding, max_body_bytes=self._body_bytes)

    def belong(self, bond_id: bytes, hint_key: bytes) -> None:
        """From now on the session ends as soon as the bond no longer knows this hint key."""
        self.belongs_to = bond_id, hint_key
        self._info = self._nonce = b""  # what the handshake was bound to

    def log_keys(self, kind: str, *keys: bytes) -> None:
        """Offer a handshake's secrets to the key log."""
        if self.config.key_log:
            self.tell(KeysLogged(key_log_line(kind, self.conversation.role, self._nonce, keys)))

    def tell(self, event: Event) -> None:
        """Tell the session's owner."""
        self.events.append(event)

    # --- what the session does ---

    @property
    def source(self) -> Callable[[int], bytes]:
        """Where `random` takes its bytes from."""
        return self._random

    @property
    def peer_frame_bytes(self) -> int:
        """The longest frame that the peer takes."""
        return self._peer_frame_bytes

    def park(self) -> RestingKeys:
        """The keys that `resume` takes; nothing is said or heard here from now on."""
        keys = self.sealer().rest()
        self.conversation.fail()
        return keys

    def resume(self, keys: RestingKeys, peer_frame_bytes: int) -> None:
        """Go on where a stage like this one was parked."""
        self._peer_frame_bytes = peer_frame_bytes
        self.records = Records.woken(keys, padding=self.config.padding, max_body_bytes=self._body_bytes)

    @property
    def _body_bytes(self) -> int:
        """The longest frame body that the peer takes."""
        return self._peer_frame_bytes - FRAME_HEADER_BYTES

    def sealer(self) -> Records:
        """The record layer, once keys are installed; raises UnexpectedFrame before."""
        if self.records is None:
            raise UnexpectedFrame("a record before any key was agreed")
        return self.records

    def read(self, frame: bytes) -> Frame | Body:
        """What the peer said in `frame`, allowed by the table.

        Raises:
            MalformedFrame, AuthenticationFailed, UnexpectedFrame
        """
        if frame[0] == RECORD_KIND:
            return self.read_record(*self.sealer().open(frame))
        said = decode_frame(frame)
        self.conversation.hear(type(said))
        self._remember(said, frame)
        return said

    def read_record(self, number: int, body: bytes) -> Body:
        """What the peer said in an opened record, allowed by the table.

        Raises:
            MalformedFrame, UnexpectedFrame
        """
        cls = RECORD_TYPES.get(number)
        if cls is None:
            raise MalformedFrame(f"no record: unknown type {number}")
        self.conversation.hear(cls)
        return decode(cls, body)

    def _remember(self, said: Frame | Body, frame: bytes) -> None:
        if isinstance(said, Info):
            self._info, self._nonce = frame, said.nonce
