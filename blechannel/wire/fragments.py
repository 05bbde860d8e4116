"""Frames cut to what a link carries at a time, and joined again.

A fragment has two header bytes. `FRAGMENT` declares it; what runs is written by hand for speed, and a test
holds it to the declaration. Source: protocol, "Fragments".
"""

from __future__ import annotations

import struct
from math import inf

import construct as c

from blechannel.errors import FragmentFault, FragmentRefused, LocalProtocolError, RemoteProtocolError
from blechannel.limits import (
    MAX_FRAGMENT_BYTES,
    MAX_FRAME_BYTES,
    MIN_FRAGMENT_BYTES,
    MIN_FRAME_BYTES,
    Limits,
    Patience,
)
from blechannel.wire.flow import NUMBER_MASK, Flow
from blechannel.wire.header import FRAME_HEADER_BYTES

FRAGMENT_HEADER_BYTES = 2

FRAGMENT = c.Struct(
    "header"
    / c.BitStruct(
        "mark" / c.Flag * "data: a frame starts here; control: please acknowledge at once",
        "number" / c.BitsInteger(7) * "data: its own number; control: that of the next data fragment",
        "control" / c.Flag * "0: a data fragment; 1: a control fragment",
        "acknowledgement" / c.BitsInteger(7) * "the number expected next from the other side",
    ),
    "data" / c.GreedyBytes * "data: 1 to 510 bytes of one frame; control: nothing",
    c.Check(lambda this: bool(this.data) != this.header.control),
    c.Check(lambda this: len(this.data) <= MAX_FRAGMENT_BYTES - FRAGMENT_HEADER_BYTES),
)
"""A data fragment (1 to 510 bytes of one frame) or a control fragment (none)."""

_MARK = 0x80
_CONTROL = 0x80
_DATA = slice(FRAGMENT_HEADER_BYTES, None)
_header = struct.Struct("BB").pack


def is_control(fragment: bytes) -> bool:
    """Whether this is a fragment that carries nothing of a frame, such as an acknowledgement."""
    return len(fragment) == FRAGMENT_HEADER_BYTES and bool(fragment[1] & _CONTROL)


class FragmentStream:
    """Both directions of one link: whole frames on one side, fragments on the other.

    What the peer does wrong is raised as it is found; from then on the stream is dead: `receive` raises the same
    error again, `send` refuses, nothing goes out and nothing falls due.

    Args:
        max_fragment_bytes: what the link carries in one value; over MAX_FRAGMENT_BYTES counts as that.
        receive: what this side has declared, or will in the first frame that it sends.
        patience: `frame_s`, `stall_s` and `keepalive_s` are used.

    Raises:
        FragmentRefused: PAYLOAD_TOO_SMALL.
    """

    __slots__ = (
        "_failure",
        "_flow",
        "_frame_bytes",
        "_frame_due_s",
        "_frame_s",
        "_introduced",
        "_max_receive_bytes",
        "_max_send_bytes",
        "_offset",
        "_partial",
        "_payload_bytes",
        "_queue",
        "queued_bytes",
    )

    def __init__(self, *, max_fragment_bytes: int, receive: Limits, patience: Patience) -> None:
        self._payload_bytes = _payload_bytes(max_fragment_bytes)
        self._flow = Flow(receive.window, patience)
        self._failure: RemoteProtocolError | None = None

        self._max_send_bytes = MIN_FRAME_BYTES
        self._queue: list[bytes] = []
        self.queued_bytes = 0
        """Bytes of frames that `send` took and that no fragment carries yet."""
        self._offset = 0
        self._introduced = False

        self._max_receive_bytes = receive.max_frame_bytes
        self._frame_s = patience.frame_s
        self._partial: bytes | bytearray | None = None
        self._frame_bytes = 0
        self._frame_due_s = inf

    def grow(self, max_fragment_bytes: int) -> None:
        """The link now carries `max_fragment_bytes` in one value, more or less than before.

        Raises:
            FragmentRefused: PAYLOAD_TOO_SMALL.
        """
        try:
            self._payload_bytes = _payload_bytes(max_fragment_bytes)
        except FragmentRefused as refused:
            self._fail(refused)
            raise

    def peer_limits(self, *, window: int, max_frame_bytes: int) -> None:
        """Take what the peer has declared; to be called before the next `fragments_to_send`.

        Until then INITIAL_WINDOW and MIN_FRAME_BYTES are assumed.

        Raises:
            FragmentRefused: WINDOW_INVALID or FRAME_TOO_LONG: a number that no peer may declare.
        """
        try:
            self._flow.set_peer_window(window)
            if not MIN_FRAME_BYTES <= max_frame_bytes <= MAX_FRAME_BYTES:
                raise FragmentRefused(FragmentFault.FRAME_TOO_LONG)
        except FragmentRefused as refused:
            self._fail(refused)
            raise
        self._max_send_bytes = max_frame_bytes

    def send(self, frame: bytes) -> None:
        """Queue one whole frame, header included.

        Raises:
            LocalProtocolError: too long for the peer, not as long as its header says, or the stream is dead.
        """
        size = len(frame)
        if self._failure is not None:
            raise LocalProtocolError("the link's fragments have failed")
        if size > self._max_send_bytes:
            raise LocalProtocolError(f"the peer takes frames of {self._max_send_bytes} bytes, not {size}")
        if size < FRAME_HEADER_BYTES or size - FRAME_HEADER_BYTES != frame[1] << 8 | frame[2]:
            raise LocalProtocolError("the frame's header does not tell its length")
        self._queue.append(frame)
        self.queued_bytes += size

    @property
    def has_failed(self) -> bool:
        """Whether the peer broke a rule: nothing more is taken from it, nor sent."""
        return self._failure is not None

    def receive(self, fragment: bytes, now: float) -> bytes | None:
        """Take one fragment; return the frame that it completes, header included, or None.

        Raises:
            FragmentRefused: the fragment breaks a rule.
            PeerTimedOut: again, after `expire` has raised it.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        try:
            if not FRAGMENT_HEADER_BYTES < len(fragment) <= MAX_FRAGMENT_BYTES or fragment[1] & _CONTROL:
                self._take_control(fragment, now)
                return None
            first = fragment[0]
            self._flow.data_arrived(first & NUMBER_MASK, fragment[1], now)
            data = fragment[_DATA]
            if not first & _MARK:
                return self._continue(data, now)
            size = len(data)
            if self._partial is not None:
                raise FragmentRefused(FragmentFault.SECOND_START)
            if size < FRAME_HEADER_BYTES:
                raise FragmentRefused(FragmentFault.LENGTH_LIES)
            frame_bytes = FRAME_HEADER_BYTES + (data[1] << 8 | data[2])
            if size != frame_bytes or size > self._max_receive_bytes:
                self._begin(data, frame_bytes, now)
                return None
            self._flow.frame_ended_s = now
            return data
        except FragmentRefused as refused:
            self._fail(refused)
            raise

    def fragments_to_send(self, now: float) -> list[bytes]:
        """Everything that may go now, in order: the caller gives all of it to the link."""
        if self._failure is not None:
            return []
        flow = self._flow
        fragments = self._cut(flow.room()) if self._queue else []
        if fragments:
            flow.data_sent(len(fragments), now)
        if flow.owes_control():
            mark = _MARK if flow.control_sent(now) else 0
            fragments.append(_header(mark | flow.sent & NUMBER_MASK, _CONTROL | flow.received & NUMBER_MASK))
        return fragments

    def has_unacknowledged(self) -> bool:
        """Whether fragments are out that the peer has not acknowledged."""
        return self._flow.in_flight() > 0

    def is_quiet(self) -> bool:
        """Whether no frame is on its way, in either direction; acknowledgements may still be owed."""
        is_sending = bool(self._queue) or self.has_unacknowledged()
        return self._failure is None and self._partial is None and not is_sending

    def deadline(self) -> float | None:
        """When to call `expire` at the latest, on the clock of `now`; None for never."""
        if self._failure is not None:
            return None
        due_s, frame_due_s = self._flow.deadline(), self._frame_due_s
        if frame_due_s < due_s:
            return frame_due_s
        return None if due_s == inf else due_s

    def expire(self, now: float) -> None:
        """Do what is due; `fragments_to_send` may have something new afterwards. Early calls are harmless.

        Raises:
            FragmentRefused: FRAME_TOO_SLOW.
            PeerTimedOut: no acknowledgement, or no answer to a probe.
        """
        if self._failure is not None:
            return
        try:
            if now >= self._frame_due_s:
                raise FragmentRefused(FragmentFault.FRAME_TOO_SLOW)
            self._flow.expire(now)
        except RemoteProtocolError as failure:
            self._fail(failure)
            raise

    def _cut(self, room: int) -> list[bytes]:
        queue, payload_bytes, offset = self._queue, self._payload_bytes, self._offset
        number, acknowledgement = self._flow.sent, self._flow.received & NUMBER_MASK
        fragments: list[bytes] = []
        cut_bytes = -offset
        while room > 0 and queue:
            frame = queue[0]
            size = len(frame)
            while room > 0 and offset < size:
                mark = 0 if offset else _MARK
                header = _header(mark | number & NUMBER_MASK, acknowledgement)
                fragments.append(header + frame[offset : offset + payload_bytes])
                number += 1
                room -= 1
                offset += payload_bytes
            if offset < size:
                break
            queue.pop(0)
            cut_bytes += size
            offset = 0
            if not self._introduced:
                self._introduced = True
                self._flow.introduced_by(number)
        self._offset = offset
        self.queued_bytes -= cut_bytes + offset
        return fragments

    def _take_control(self, fragment: bytes, now: float) -> None:
        size = len(fragment)
        if size < FRAGMENT_HEADER_BYTES:
            raise FragmentRefused(FragmentFault.TOO_SHORT)
        if size > MAX_FRAGMENT_BYTES:
            raise FragmentRefused(FragmentFault.TOO_LONG)
        first, second = fragment[0], fragment[1]
        if not second & _CONTROL:
            raise FragmentRefused(FragmentFault.EMPTY)
        if size > FRAGMENT_HEADER_BYTES:
            raise FragmentRefused(FragmentFault.CONTROL_WITH_DATA)
        self._flow.control_arrived(first & NUMBER_MASK, second & NUMBER_MASK, probe=bool(first & _MARK), now=now)

    def _begin(self, data: bytes, frame_bytes: int, now: float) -> None:
        """A frame of several fragments, if its length is true."""
        if frame_bytes > self._max_receive_bytes:
            raise FragmentRefused(FragmentFault.FRAME_TOO_LONG)
        if len(data) > frame_bytes:
            raise FragmentRefused(FragmentFault.LENGTH_LIES)
        self._partial = data
        self._frame_bytes = frame_bytes
        self._frame_due_s = now + self._frame_s

    def _continue(self, data: bytes, now: float) -> bytes | None:
        partial = self._partial
        if partial is None:
            raise FragmentRefused(FragmentFault.NO_START)
        if now >= self._frame_due_s:
            raise FragmentRefused(FragmentFault.FRAME_TOO_SLOW)
        size = len(partial) + len(data)
        if size < self._frame_bytes:
            if isinstance(partial, bytes):  # a frame of two fragments needs no bytearray
                self._partial = partial = bytearray(partial)
            partial += data
            return None
        if size > self._frame_bytes:
            raise FragmentRefused(FragmentFault.LENGTH_LIES)
        self._partial = None
        self._frame_due_s = inf
        self._flow.frame_ended_s = now
        return bytes(partial + data)

    def _fail(self, failure: RemoteProtocolError) -> None:
        self._failure = failure
        self._queue.clear()
        self.queued_bytes = 0
        self._partial = None


def _payload_bytes(max_fragment_bytes: int) -> int:
    if max_fragment_bytes < MIN_FRAGMENT_BYTES:
        raise FragmentRefused(FragmentFault.PAYLOAD_TOO_SMALL)
    return min(max_fragment_bytes, MAX_FRAGMENT_BYTES) - FRAGMENT_HEADER_BYTES
