"""What a phone or a watch has done since it began, in plain integers: for metrics, and for tests under load."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field
from typing import Final

from blechannel.errors import BlechannelError, FragmentFault, FragmentRefused, PairingRefused
from blechannel.values import dataclass

CLOSED: Final = "closed"
"""How a session ended that both sides closed."""

_WORD_START: Final = re.compile(r"(?<!^)(?=[A-Z])")


def kind_of(error: BlechannelError) -> str:
    """A word for programs, one of a few dozen: never what a peer made up."""
    if isinstance(error, PairingRefused):
        return error.reason
    if isinstance(error, FragmentRefused):
        return error.fault.name.lower().replace("_", "-")
    return _WORD_START.sub("-", type(error).__name__).lower()


@dataclass(slots=True)
class Volume:
    """What went through sessions. Bytes are those of fragments, as they are given to links."""

    records_sent: int = 0
    records_received: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0

    def add(self, other: Volume) -> None:
        """Count it in."""
        self.records_sent += other.records_sent
        self.records_received += other.records_received
        self.sent_bytes += other.sent_bytes
        self.received_bytes += other.received_bytes


@dataclass(slots=True)
class Counters:
    """All of it only grows. A handshake begins with its link, which is what a peer can have without any secret."""

    handshakes_begun: int = 0
    handshakes_failed: Counter[str] = field(default_factory=Counter)
    """By `kind_of` what they failed with."""
    paired: int = 0
    resumed: int = 0
    sessions_ended: Counter[str] = field(default_factory=Counter)
    """By `kind_of`, or `CLOSED`."""
    floods_refused: int = 0
    """Peers that sent more than the window allowed."""
    links_refused: int = 0
    """Links beyond `MAX_LINKS`, closed at once; on a watch."""
    over: Volume = field(default_factory=Volume)
    """What went through sessions that are over; those under way are not in it."""

    def established(self, *, resumed: bool) -> None:
        """A session stands."""
        if resumed:
            self.resumed += 1
        else:
            self.paired += 1

    def ended(self, error: BlechannelError | None, *, stood: bool) -> None:
        """A session is over, or, where it never stood, its handshake failed."""
        reasons = self.sessions_ended if stood else self.handshakes_failed
        reasons[CLOSED if error is None else kind_of(error)] += 1
        self.floods_refused += isinstance(error, FragmentRefused) and error.fault is FragmentFault.WINDOW_OVERRUN


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of a moment, with the counters, those of sessions under way included."""

    counters: Counters
    volume: Volume
    links: int
    """That are served now, standing or not."""
    sessions: int
    """That stand now."""
    queued_bytes: int
    """What is to be sent and waits for a link or for a peer's window."""
    events_waiting: int
    """A watch's events that nobody has taken."""
