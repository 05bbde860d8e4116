"""The window of one link: numbers, acknowledgements, and the moments at which something is due.

Both directions are counted here without end; on the air only the lowest seven bits travel. Source: protocol,
"Fragments".
"""

from __future__ import annotations

from math import inf

from blechannel.errors import FragmentFault, FragmentRefused, PeerTimedOut
from blechannel.limits import INITIAL_WINDOW, MAX_WINDOW, MIN_WINDOW, Patience

NUMBER_MASK = 0x7F

ACK_DELAY_S = 0.02
"""An answer that goes out within this time carries the acknowledgement, and none is sent for itself."""
MAX_ACK_DELAY_S = 0.64
"""Each delayed acknowledgement doubles the delay up to here, until this side sends data again: a one-way stream
is then acknowledged a quarter of a window at a time, even where it is sparse."""


def acknowledged_at_once(window: int) -> int:
    """After how many fragments an acknowledgement goes out even without data that carries it.

    An acknowledgement takes a connection interval. What one interval brought must not wait for more from the next, in
    which the peer would run out of window: with half of it an ATT_MTU of 185 would carry a seventh less at 30 ms.
    """
    return max(1, window // 4)


class Flow:
    """Who may send what and when, for one link.

    A window of W slots carries at most W − 1 data fragments: the last slot is kept for a control fragment, so
    that two sides with full windows can still acknowledge each other.
    """

    __slots__ = (
        "_ack_delay_s",
        "_ack_every",
        "_acknowledged",
        "_asked_s",
        "_grant",
        "_heard_s",
        "_introduced_by",
        "_owes_ack",
        "_owes_probe",
        "_patience",
        "_peer_window",
        "_progress_s",
        "_told",
        "_window",
        "frame_ended_s",
        "received",
        "sent",
    )

    def __init__(self, window: int, patience: Patience) -> None:
        self._patience = patience
        self._window = window
        # The peer assumes INITIAL_WINDOW until it has read this side's first frame, so until it has acknowledged
        # that frame this side takes as much, and acknowledges early enough for it.
        self._grant = max(window, INITIAL_WINDOW) - 1
        self._ack_every = min(window, INITIAL_WINDOW) // 2
        self._introduced_by: float = inf

        self._peer_window = INITIAL_WINDOW
        self.sent = 0
        """Data fragments so far, and the number of the next one before it is cut to seven bits."""
        self._acknowledged = 0
        self.received = 0
        """Data fragments so far; cut to seven bits, what every fragment that goes out now acknowledges."""
        self._told = 0

        self._owes_ack = False
        self._owes_probe = False
        self.frame_ended_s = inf
        """When the peer's last frame ended, for which the peer may now wait for its acknowledgement; infinity where
        it has that. Set by who puts frames together."""
        self._ack_delay_s = ACK_DELAY_S
        self._heard_s = inf
        self._progress_s = inf
        self._asked_s = -inf

    def in_flight(self) -> int:
        return self.sent - self._acknowledged

    def room(self) -> int:
        """How many data fragments may go now; zero or less when the window is full."""
        return self._peer_window - 1 - self.sent + self._acknowledged

    def set_peer_window(self, window: int) -> None:
        """Take the window that the peer has declared.

        Raises:
            FragmentRefused: WINDOW_INVALID.
        """
        if not MIN_WINDOW <= window <= MAX_WINDOW:
            raise FragmentRefused(FragmentFault.WINDOW_INVALID)
        self._peer_window = window

    def introduced_by(self, number: int) -> None:
        """This side's first frame, which declares its limits, ended before data fragment `number`."""
        self._introduced_by = number

    def data_arrived(self, number: int, acknowledgement: int, now: float) -> None:
        """Count one data fragment in.

        Raises:
            FragmentRefused: GAP, WINDOW_OVERRUN or ACK_OF_UNSENT.
        """
        received = self.received
        if number != received & NUMBER_MASK:
            raise FragmentRefused(FragmentFault.GAP)
        if received - self._told >= self._grant:
            raise FragmentRefused(FragmentFault.WINDOW_OVERRUN)
        progress = (acknowledgement - self._acknowledged) & NUMBER_MASK
        if progress:
            self._acknowledge(progress, now)
        self.received = received + 1
        self._heard_s = now

    def control_arrived(self, following: int, acknowledgement: int, probe: bool, now: float) -> None:
        """Take a control fragment: `following` is the number of the peer's next data fragment.

        Raises:
            FragmentRefused: GAP or ACK_OF_UNSENT.
        """
        if following != self.received & NUMBER_MASK:
            raise FragmentRefused(FragmentFault.GAP)
        progress = (acknowledgement - self._acknowledged) & NUMBER_MASK
        if progress:
            self._acknowledge(progress, now)
        if probe:
            self._owes_ack = True
        self._heard_s = now

    def data_sent(self, count: int, now: float) -> None:
        """Count `count` data fragments out, each with the acknowledgement of now."""
        if self.sent == self._acknowledged:
            self._progress_s = now
        self.sent += count
        self._told = self.received
        self._owes_ack = False
        self.frame_ended_s = inf
        self._ack_delay_s = ACK_DELAY_S

    def owes_control(self) -> bool:
        return self._owes_probe or self._owes_ack or self.received - self._told >= self._ack_every

    def control_sent(self, now: float) -> bool:
        """Count a control fragment out; return whether it is a probe."""
        self._told = self.received
        self._owes_ack = False
        self.frame_ended_s = inf
        probe = self._owes_probe
        if probe:
            self._owes_probe = False
            self._asked_s = now
        return probe

    def deadline(self) -> float:
        """When `expire` has something to do next; infinity for never."""
        patience = self._patience
        asked_s, heard_s = self._asked_s, self._heard_s
        due_s = asked_s + patience.stall_s if asked_s > heard_s else heard_s + patience.keepalive_s
        if self.sent != self._acknowledged:
            waited = 1.0 if asked_s > self._progress_s else 0.5
            due_s = min(due_s, self._progress_s + waited * patience.stall_s)
        return min(due_s, self.frame_ended_s + self._ack_delay_s)

    def expire(self, now: float) -> None:
        """Note what has fallen due.

        Raises:
            PeerTimedOut: nothing in flight was acknowledged, or a probe not answered, for `stall_s`.
        """
        if now >= self.frame_ended_s + self._ack_delay_s:
            self._owes_ack = True
            self.frame_ended_s = inf
            self._ack_delay_s = min(2 * self._ack_delay_s, MAX_ACK_DELAY_S)
        if self._is_stalled(now):
            raise PeerTimedOut(f"the peer acknowledged nothing for {self._patience.stall_s:g} s")
        if self._is_probe_due(now):
            self._owes_probe = True
            self._asked_s = now

    def _is_stalled(self, now: float) -> bool:
        stall_s = self._patience.stall_s
        if self.sent != self._acknowledged and now >= self._progress_s + stall_s:
            return True
        return self._asked_s > self._heard_s and now >= self._asked_s + stall_s

    def _is_probe_due(self, now: float) -> bool:
        """After silence, and halfway to a stall: a lost tail then shows as a gap instead of a time-out."""
        if self._asked_s <= self._heard_s and now >= self._heard_s + self._patience.keepalive_s:
            return True
        waits = self.sent != self._acknowledged and self._asked_s <= self._progress_s
        return waits and now >= self._progress_s + self._patience.stall_s / 2

    def _acknowledge(self, progress: int, now: float) -> None:
        acknowledged = self._acknowledged + progress
        if acknowledged > self.sent:
            raise FragmentRefused(FragmentFault.ACK_OF_UNSENT)
        self._acknowledged = acknowledged
        self._progress_s = now
        if acknowledged >= self._introduced_by:
            self._introduced_by = inf
            self._grant = self._window - 1
            self._ack_every = acknowledged_at_once(self._window)
