"""The demo's last step: its own capture, read back with its own key log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blechannel_capture import ChannelFrame, HandshakeVerified, Level, load_key_log, open_capture
from blechannel_capture.report import Gathered, gather, page


@dataclass(frozen=True, slots=True)
class Analysed:
    """What the capture shows of the run."""

    sessions: int
    handshakes: int
    verified: int
    """Handshakes that were recomputed from the key log, and whose every tag fits."""
    attacks: int
    findings: tuple[str, ...]
    report: str
    """The name of the page, in the folder of the run."""

    def __str__(self) -> str:
        verified = "all handshakes" if self.verified == self.handshakes else f"{self.verified} of {self.handshakes}"
        attacks = f"{self.attacks} attack{'s' * (self.attacks > 1)}" if self.attacks else "no attack"
        return f"{self.sessions} sessions, {verified} verified, {attacks}"


def analyse(capture: Path, keys: Path, report: Path) -> Analysed:
    """Read the capture to its end, and write the page about it.

    Raises:
        CaptureError: the capture or the key log cannot be used.
        OSError: a file cannot be read or written.
    """
    with open_capture(capture, key_log=load_key_log(keys)) as opened:
        gathered = gather(opened, capture.name)
    report.write_text(page(gathered), encoding="utf-8")
    return Analysed(
        sessions=gathered.kinds["ChannelEnded"],
        handshakes=_handshakes(gathered),
        verified=gathered.kinds[HandshakeVerified.__name__],
        attacks=sum(finding.level is Level.ATTACK for finding in gathered.findings),
        findings=tuple(map(str, gathered.findings)),
        report=report.name,
    )


def _handshakes(gathered: Gathered) -> int:
    """The message that opens a handshake says what the phone chose."""
    steps = (step for session in gathered.sessions for step in session.steps)
    return sum(isinstance(step, ChannelFrame) and step.hello is not None for step in steps)
