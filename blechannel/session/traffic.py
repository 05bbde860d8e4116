"""What an established session says and hears: messages on ports, credit, and the authenticated end."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from blechannel.errors import AccessDenied, LocalProtocolError, UnexpectedFrame
from blechannel.session.events import (
    Closed,
    CreditGranted,
    Message,
    PortDenied,
    PortOpened,
    PortShut,
    PortWithdrawn,
)
from blechannel.session.ports import MESSAGE_OVERHEAD_BYTES, Ports, PortTable
from blechannel.session.records import Records
from blechannel.session.stage import Stage
from blechannel.wire.frames import (
    DATA_TYPE,
    PORT_BYTES,
    RECORD_KIND,
    Body,
    Close,
    Credit,
    Data,
    Deny,
    Frame,
    Open,
    Shut,
    pack_port,
    unpack_port,
)

_DATA = bytes((DATA_TYPE,))
_message = tuple.__new__
"""`Message(…)` is a function in Python, and one is made for each message."""


class Traffic:
    """The established part of one session, on a stage whose keys are installed."""

    __slots__ = (
        *("_arrived", "_charge", "_conversation", "_give_back", "_open", "_permits", "_ports", "_records"),
        *("_said_close_at", "_seal", "_send_frame", "_stage"),
        "max_message_bytes",
    )

    def __init__(self, stage: Stage, records: Records, ports: Ports, *, permits: Callable[[str], bool]) -> None:
        """`permits` says of a port's name, at any moment, whether it may be used with this peer."""
        self._stage = stage
        self._permits = permits
        self._conversation = stage.conversation
        self._records = records
        self._ports = ports
        self._charge, self._arrived, self._give_back = ports.charge, ports.arrived, ports.give_back
        self._seal, self._open = records.seal_content, records.open_content
        self._send_frame = stage.stream.send
        self._said_close_at: int | None = None
        self.max_message_bytes = records.max_body_bytes - PORT_BYTES
        """The longest message that the peer takes."""

    def ports(self) -> PortTable:
        """The ports as they are now."""
        return self._ports.table()

    # --- this side ---

    def open(self, name: str) -> int:
        """Open a port of ours.

        Raises:
            LocalProtocolError: a bad name, one that is open already, or no port left.
            AccessDenied: this peer may not use it.
        """
        if not self._permits(name):
            raise AccessDenied(name)
        port = self._ports.open(name)
        self._stage.say(Open(port, name))
        return port

    def send(self, port: int, message: bytes) -> bool:
        """Send one message; False, and nothing is sent, while the port's credit does not cover it.

        Raises:
            LocalProtocolError: not now, not open, or too long; nothing changed.
        """
        length_bytes = len(message)
        if not self._conversation.says_data:
            self._conversation.say(Data)
        if length_bytes > self.max_message_bytes:
            raise LocalProtocolError(f"a message of {length_bytes} bytes: the peer takes {self.max_message_bytes}")
        if not self._charge(port, length_bytes):
            return False
        self._send_frame(self._seal(pack_port(port) + message + _DATA))
        return True

    def shut(self, port: int) -> None:
        """Say that this port of ours has ended; raises LocalProtocolError."""
        self._ports.shut(port)
        self._stage.say(Shut(port))

    def taken(self, port: int, message_bytes: int) -> bool:
        """The application has taken a message: as `give_back` of what it cost."""
        return self.give_back(port, message_bytes + MESSAGE_OVERHEAD_BYTES)

    def give_back(self, port: int, taken_bytes: int) -> bool:
        """The application has taken messages that cost so much credit: grant it again, in large portions. Whether it
        did so now.

        Raises:
            LocalProtocolError: so much is not unread; nothing changed.
        """
        credit_bytes = self._give_back(port, taken_bytes)
        if not credit_bytes:
            return False
        self._grant(port, credit_bytes)
        return True

    def _grant(self, port: int, credit_bytes: int) -> None:
        if credit_bytes and self._conversation.says_data:
            self._stage.say(Credit(port, credit_bytes))

    def access_changed(self) -> None:
        """What the peer may use has changed: withdraw what is open and no longer permitted, both ways."""
        # The denial first: the peer is to see why, and not only that our half has ended.
        for number, name in self._ports.read().items():
            if not self._permits(name):
                self._deny(number)
                self._stage.tell(PortWithdrawn(number))
        for number, name in self._ports.written().items():
            if not self._permits(name):
                self._drop(number)

    def _drop(self, number: int) -> None:
        self._ports.shut(number)
        if self._conversation.says_data:
            self._stage.say(Shut(number))
        self._stage.tell(PortDenied(number))

    def _deny(self, number: int) -> None:
        self._ports.deny(number)
        if self._conversation.says_data:
            self._stage.say(Deny(number))

    def close(self) -> int:
        """Say CLOSE with both counters; returns how many records went before it."""
        self._said_close_at = sent = self._records.sent
        self._stage.say(Close(sent, self._records.received))
        return sent

    # --- the peer ---

    def read(self, frame: bytes) -> Frame | Body | None:
        """What the peer said, as `Stage.read`; but a message is told at once, and None returned.

        Raises:
            AuthenticationFailed, MalformedFrame, UnexpectedFrame
        """
        if frame[0] != RECORD_KIND:
            return self._stage.read(frame)
        content = self._open(frame)
        if content[-1] != DATA_TYPE or not self._conversation.hears_data:
            return self._stage.read_record(content[-1], content[:-1])
        port = unpack_port(content)
        message = content[PORT_BYTES:-1]
        if self._arrived(port, len(message)):
            self._stage.events.append(_message(Message, (port, message)))
        return None

    def hear(self, said: Frame | Body) -> None:
        """Act on a record that the table allows and that is neither a message nor Bonded.

        Raises:
            UnexpectedFrame: it does not fit what was said before.
        """
        if isinstance(said, Open):
            self._hear_open(said)
        elif isinstance(said, Credit):
            if self._ports.granted(said.port, said.credit_bytes):
                self._stage.tell(CreditGranted(said.port))
        elif isinstance(said, Shut):
            self._hear_shut(said.port)
        elif isinstance(said, Deny):
            self._hear_deny(said.port)
        else:
            self._hear_close(cast(Close, said))  # the table leaves nothing else

    def _hear_open(self, said: Open) -> None:
        self._ports.opened(said.port, said.name)
        if self._permits(said.name):
            self._stage.tell(PortOpened(said.port, said.name))
        else:
            self._deny(said.port)

    def _hear_shut(self, number: int) -> None:
        was_open = number in self._ports.read()
        self._grant(number, self._ports.ended(number))
        if was_open:
            self._stage.tell(PortShut(number))

    def _hear_deny(self, number: int) -> None:
        if self._ports.denied(number):
            self._drop(number)
        else:
            self._stage.tell(PortDenied(number))

    def _hear_close(self, said: Close) -> None:
        heard_before = self._records.received - 1
        if said.sent != heard_before or said.received > self._records.sent:
            raise UnexpectedFrame("a CLOSE whose counters are not true")
        sent = self.close() if self._said_close_at is None else self._said_close_at
        self._stage.tell(Closed(max(0, sent - said.received)))
