"""What a report needs of a capture, gathered in one pass and bounded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from blechannel_capture.capture import Capture
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, HandshakeVerified, OddFragment
from blechannel_capture.events import AttPdu, Connected, Connection, Event
from blechannel_capture.findings import Finding, Findings, Kept
from blechannel_capture.ledger import Ledger
from blechannel_capture.report.excerpts import Excerpts, Row
from blechannel_capture.timing import Timing

SHOWN_STEPS = 60
"""Frames of a session in its chart."""
PLOTTED_POINTS = 4000
"""Values of a connection in its plot."""


@dataclass(slots=True)
class Session:
    """One connection, and what was said on our channel there."""

    connection: Connection
    beginning_seen: bool
    steps: list[ChannelFrame | HandshakeVerified | OddFragment | ChannelEnded] = field(default_factory=list)
    more_steps: int = 0
    points: list[tuple[int, int, bool]] = field(default_factory=list)
    """Time, bytes, whether the central has sent it."""
    att_pdus: int = 0


@dataclass(slots=True)
class Gathered:
    """Everything that the page shows."""

    name: str
    format: str
    packets: int
    first_ns: int
    last_ns: int
    kinds: Counter[str]
    sessions: list[Session]
    findings: list[Finding]
    left_out: int
    """Findings that are like those, and too many."""
    ledger: Ledger
    timing: Timing
    rows: list[Row]
    """The packets around what was found."""


def gather(capture: Capture, name: str) -> Gathered:
    """Read the capture to its end."""
    findings, timing, excerpts = Findings(capture.ledger, capture.gatt), Timing(), Excerpts()
    kept = Kept()
    sessions: dict[int, Session] = {}
    kinds: Counter[str] = Counter()
    first_ns = last_ns = 0
    for event in capture:
        if not kinds:
            first_ns = event.time_ns
        last_ns = event.time_ns
        kinds[type(event).__name__] += 1
        excerpts.look(event)
        for finding in findings.look(event):
            excerpts.found(finding)
            kept.add(finding)
        timing.look(event)
        _take(sessions, event)
    for finding in findings.end():
        excerpts.found(finding)
        kept.add(finding)
    found = findings.in_hindsight(kept.findings)
    return Gathered(
        name,
        capture.format.value,
        capture.packets,
        first_ns,
        last_ns,
        kinds,
        list(sessions.values()),
        found,
        kept.left_out,
        capture.ledger,
        timing,
        excerpts.rows(),
    )


def _take(sessions: dict[int, Session], event: Event) -> None:
    if isinstance(event, Connected):
        sessions[event.connection.number] = Session(event.connection, event.seen)
    elif isinstance(event, AttPdu):
        session = sessions[event.connection.number]
        session.att_pdus += 1
        if len(session.points) < PLOTTED_POINTS:
            session.points.append((event.time_ns, len(event.value), event.sender.value == "central"))
    elif isinstance(event, ChannelFrame | HandshakeVerified | OddFragment | ChannelEnded):
        session = sessions[event.connection.number]
        if len(session.steps) < SHOWN_STEPS or isinstance(event, ChannelEnded):
            session.steps.append(event)
        else:
            session.more_steps += 1
