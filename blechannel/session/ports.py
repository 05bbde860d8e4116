"""Ports: many services over one channel, each with its own bound (protocol, "Records").

A writer numbers its ports itself and may send what its credit allows: `PORT_WINDOW_BYTES` at first, then what the
reader gives back. So a service that does not read stops its own writer and nobody else's. A port that is shut counts
among `MAX_PORTS` until the reader has given back all of its credit, so that what is unread stays bounded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import astuple, fields
from itertools import chain
from typing import Any, NamedTuple

from blechannel.errors import LocalProtocolError, UnexpectedFrame
from blechannel.limits import MAX_PORT_NAME_BYTES, MAX_PORTS, PORT_WINDOW_BYTES, is_name
from blechannel.values import dataclass

MESSAGE_OVERHEAD_BYTES = 16
"""What each message costs of the credit beside its length, so that empty messages are bounded too."""
_MAX_NUMBER = 0xFFFF
GRANT_BYTES = PORT_WINDOW_BYTES // 2
"""Taken by the application: then the reader gives the credit back."""


@dataclass(slots=True)
class _Writing:
    """A port that messages are sent on, and what the peer still takes."""

    name: str
    credit_bytes: int = PORT_WINDOW_BYTES


@dataclass(slots=True)
class _Reading:
    """A port that messages arrive on."""

    name: str
    unread_bytes: int = 0
    """Sent by the peer and not yet granted again."""
    taken_bytes: int = 0
    """Of these, taken by the application."""
    shut: bool = False
    denied: bool = False
    """Its messages are dropped. They are granted again when the peer has shut it: till then it cannot send more."""


class PortTable(NamedTuple):
    """All that there is to know of a session's ports, in little memory: a row a port, without anything in between."""

    next_written: int
    next_read: int
    writing: tuple[object, ...]
    owed: tuple[int, ...]
    reading: tuple[object, ...]


def _rows(flat: tuple[Any, ...], width: int) -> Iterator[tuple[Any, ...]]:
    return (flat[at : at + width] for at in range(0, len(flat), width))


class Ports:
    """The ports of one session, both directions. Pure bookkeeping: says what is allowed and what is owed."""

    __slots__ = ("_next_read", "_next_written", "_owed", "_reading", "_writing")

    def __init__(self) -> None:
        self._writing: dict[int, _Writing] = {}
        self._owed: dict[int, int] = {}
        """Bytes on ports of ours that are shut, which the peer has not granted again."""
        self._reading: dict[int, _Reading] = {}
        self._next_written = 0
        self._next_read = 0

    @classmethod
    def of(cls, table: PortTable) -> Ports:
        """The ports that `table` tells of."""
        ports = cls()
        ports._next_written, ports._next_read = table.next_written, table.next_read
        ports._writing = {row[0]: _Writing(*row[1:]) for row in _rows(table.writing, 1 + len(fields(_Writing)))}
        ports._owed = {row[0]: row[1] for row in _rows(table.owed, 2)}
        ports._reading = {row[0]: _Reading(*row[1:]) for row in _rows(table.reading, 1 + len(fields(_Reading)))}
        return ports

    def table(self) -> PortTable:
        """What `of` makes these ports from."""
        return PortTable(
            self._next_written,
            self._next_read,
            tuple(chain.from_iterable((number, *astuple(port)) for number, port in self._writing.items())),
            tuple(chain.from_iterable(self._owed.items())),
            tuple(chain.from_iterable((number, *astuple(port)) for number, port in self._reading.items())),
        )

    # --- this side writes ---

    def open(self, name: str) -> int:
        """A number for a new port of ours.

        Raises:
            LocalProtocolError: a bad name, one that is open already, or no port left.
        """
        if not is_name(name, MAX_PORT_NAME_BYTES):
            raise LocalProtocolError(f"a port name has 1 to {MAX_PORT_NAME_BYTES} bytes of UTF-8")
        if any(port.name == name for port in self._writing.values()):
            raise LocalProtocolError(f"port {name} is open already")
        if len(self._writing) + len(self._owed) >= MAX_PORTS or self._next_written > _MAX_NUMBER:
            raise LocalProtocolError("no port is left")
        number = self._next_written
        self._writing[number] = _Writing(name)
        self._next_written += 1
        return number

    def charge(self, number: int, message_bytes: int) -> bool:
        """A message goes out; False, and nothing changed, where the port's credit does not cover it.

        Raises:
            LocalProtocolError: the port is not open.
        """
        port = self._writing.get(number) or self._written(number)
        cost = message_bytes + MESSAGE_OVERHEAD_BYTES
        if port.credit_bytes < cost:
            return False
        port.credit_bytes -= cost
        return True

    def granted(self, number: int, credit_bytes: int) -> bool:
        """The peer gives credit; False when there is nothing to send on it, because that port is shut by now.

        Raises:
            UnexpectedFrame: a port that never was, or more credit than a port can have.
        """
        if number >= self._next_written:
            raise UnexpectedFrame("credit for a port that was never opened")
        port = self._writing.get(number)
        if port is None:
            self._credit_owed(number, credit_bytes)
            return False
        port.credit_bytes += credit_bytes
        if port.credit_bytes > PORT_WINDOW_BYTES:
            raise UnexpectedFrame("more credit than was used")
        return True

    def shut(self, number: int) -> None:
        """No more messages of ours; raises LocalProtocolError when the port is not open."""
        owed_bytes = PORT_WINDOW_BYTES - self._written(number).credit_bytes
        del self._writing[number]
        if owed_bytes:
            self._owed[number] = owed_bytes

    def denied(self, number: int) -> bool:
        """The peer does not let us use a port of ours; True where that port is still open, and is to be shut.

        Raises:
            UnexpectedFrame: a port that never was.
        """
        if number >= self._next_written:
            raise UnexpectedFrame("a port denied that was never opened")
        return number in self._writing

    def written(self) -> dict[int, str]:
        """The ports of ours that are open: number and name."""
        return {number: port.name for number, port in self._writing.items()}

    def _credit_owed(self, number: int, credit_bytes: int) -> None:
        owed_bytes = self._owed.pop(number, 0) - credit_bytes
        if owed_bytes < 0:
            raise UnexpectedFrame("more credit than was used")
        if owed_bytes:
            self._owed[number] = owed_bytes

    def _written(self, number: int) -> _Writing:
        port = self._writing.get(number)
        if port is None:
            raise LocalProtocolError("this port is not open")
        return port

    # --- the peer writes ---

    def opened(self, number: int, name: str) -> None:
        """The peer opens a port.

        Raises:
            UnexpectedFrame: a number out of turn, a name that it has open already, no name, or too many ports.
        """
        if number != self._next_read or not name:
            raise UnexpectedFrame("a port opened out of turn or without a name")
        if any(port.name == name and not port.shut for port in self._reading.values()):
            raise UnexpectedFrame("a port opened twice")
        if len(self._reading) >= MAX_PORTS:
            raise UnexpectedFrame("too many ports")
        self._reading[number] = _Reading(sys.intern(name))  # one name for the ports of thousands of channels
        self._next_read += 1

    def deny(self, number: int) -> None:
        """From now on the peer's messages on this open port are dropped; what is unread counts as taken."""
        port = self._reading[number]
        port.denied = True
        port.taken_bytes = port.unread_bytes

    def read(self) -> dict[int, str]:
        """The ports of the peer that are open and not denied: number and name."""
        return {number: port.name for number, port in self._reading.items() if not port.shut and not port.denied}

    def arrived(self, number: int, message_bytes: int) -> bool:
        """The peer sent a message; False where the port is denied, and the message is to be dropped.

        Raises:
            UnexpectedFrame: the port is not open, or the message is not covered by credit.
        """
        port = self._reading.get(number)
        if port is None or port.shut:
            raise UnexpectedFrame("a message to a port that is not open")
        port.unread_bytes += message_bytes + MESSAGE_OVERHEAD_BYTES
        if port.unread_bytes > PORT_WINDOW_BYTES:
            raise UnexpectedFrame("more than the port's credit")
        if port.denied:
            port.taken_bytes = port.unread_bytes
        return not port.denied

    def give_back(self, number: int, taken_bytes: int) -> int:
        """The application took messages that cost so much; returns the credit to grant now, mostly 0.

        Raises:
            LocalProtocolError: so much is not unread; nothing changed.
        """
        port = self._reading.get(number)
        if port is None or port.taken_bytes + taken_bytes > port.unread_bytes:
            raise LocalProtocolError("no such message is unread on this port")
        port.taken_bytes += taken_bytes
        if port.taken_bytes < GRANT_BYTES and not port.shut:
            return 0
        return self._grant(number, port)

    def ended(self, number: int) -> int:
        """The peer shuts a port; what it sent before stays to be read. Returns the credit to grant now.

        Raises:
            UnexpectedFrame: the port is not open.
        """
        port = self._reading.get(number)
        if port is None or port.shut:
            raise UnexpectedFrame("a port shut that is not open")
        port.shut = True
        return self._grant(number, port)

    def _grant(self, number: int, port: _Reading) -> int:
        """Everything taken, once it is much or the last: then the port is forgotten."""
        if port.shut and port.taken_bytes == port.unread_bytes:
            del self._reading[number]
        elif port.taken_bytes < GRANT_BYTES:
            return 0
        grant, port.taken_bytes = port.taken_bytes, 0
        port.unread_bytes -= grant
        return grant
