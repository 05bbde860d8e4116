"""How sessions went: altered records, a conversation out of order, an ending that is none, guesses that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from blechannel.methods import Method
from blechannel.roles import Role
from blechannel.wire.frames import Copied, Nonce, Pair1, Pair3, Record, Refusal, Refuse
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending
from blechannel_capture.events import Event, Verdict
from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level
from blechannel_capture.findings.gaps import Gaps

GUESSES = 3
"""What a window allows; from this many failed pairings on it is called guessing."""
SHOWN_GUESSES = 100
"""Whose packets are named."""
_WHY_REFUSED: Final = {
    Refusal.PAIRING_CLOSED: "the watch takes no pairing at this time, or not by this method",
    Refusal.BUSY: "the watch is busy with another phone",
    Refusal.UNSUPPORTED: "one side does not take what the other has chosen",
    Refusal.FAILED: "the handshake failed: a wrong code, keys that do not fit, or somebody in between",
    Refusal.NO_ROOM: "one side has no room for another bond",
}


class Sessions:
    """Judges each session of our channel."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._proofs: dict[int, tuple[int, int]] = {}
        """By connection: the packet of m3, and the method."""
        self._failed = 0
        self._guesses: tuple[int, ...] = ()

    def look(self, event: Event) -> Iterator[Finding]:
        """See Watcher."""
        if isinstance(event, ChannelFrame):
            yield from self._verdict(event)
            yield from self._said(event)
        elif isinstance(event, ChannelEnded):
            yield from self._ended(event)
            self._proofs.pop(event.connection.number, None)

    def end(self) -> Iterator[Finding]:
        """See Watcher."""
        if self._failed >= GUESSES:
            detail = f"{self._failed} pairings ended after the phone's proof: somebody may be guessing codes"
            yield Finding(Kind.GUESSING, Level.ATTACK, Certainty.CERTAIN, self._guesses, 0, detail)

    def _verdict(self, event: ChannelFrame) -> Iterator[Finding]:
        number, packets = event.connection.number, (event.packet,)
        certainty = self._gaps.certainty(number)
        if event.verdict is Verdict.TAG_FAILURE:
            detail = f"a record of the {event.sender.value} does not open: it was altered, injected or damaged"
            yield Finding(Kind.ALTERED, Level.ATTACK, certainty, packets, number, detail)
        elif event.verdict is Verdict.NOT_OURS:
            detail = f"from the {event.sender.value}: {event.detail}"
            yield Finding(Kind.MALFORMED, Level.ATTACK, certainty, packets, number, detail)
        elif event.verdict is Verdict.WRONG_KEY:
            detail = f"{event.name}: {event.detail}"
            yield Finding(Kind.UNKNOWN_KEY, Level.NOTE, certainty, packets, number, detail)
        if event.skipped and not self._gaps_explain(number):
            records = "1 record" if event.skipped == 1 else f"{event.skipped} records"
            detail = f"{records} of the {event.sender.value} before number {event.record} never came"
            yield Finding(Kind.RECORD_MISSING, Level.ATTACK, certainty, packets, number, detail)
        if event.is_late:
            detail = f"record {event.record} of the {event.sender.value} came after later ones"
            yield Finding(Kind.REORDERED, Level.ATTACK, Certainty.CERTAIN, packets, number, detail)
        if event.is_unexpected:
            yield Finding(Kind.CONVERSATION, Level.ATTACK, certainty, packets, number, event.detail)

    def _gaps_explain(self, connection: int) -> bool:
        return self._gaps.certainty(connection) is Certainty.INCONCLUSIVE

    def _said(self, event: ChannelFrame) -> Iterator[Finding]:
        number, packets = event.connection.number, (event.packet,)
        match event.body or event.frame:
            case Pair1() if event.hello is not None:
                self._proofs[number] = (0, event.hello.method)
            case Pair3() if number in self._proofs:
                self._proofs[number] = (event.packet, self._proofs[number][1])
            case Nonce() | Record() if event.sender is Role.WATCH:  # it has taken the proof
                self._proofs.pop(number, None)
            case Refuse(reason=reason):
                yield from self._refused(event, reason)
            case Copied():
                detail = "the watch has proven that this bond was copied or put back: forget it and pair again"
                yield Finding(Kind.COPIED_BOND, Level.ATTACK, Certainty.CERTAIN, packets, number, detail)

    def _refused(self, event: ChannelFrame, reason: Refusal) -> Iterator[Finding]:
        number = event.connection.number
        if reason is Refusal.NOT_RECOGNISED:
            detail = "the watch does not recognise the bond: removed there, used elsewhere, or somebody else's"
            certainty = self._gaps.certainty(number)
            yield Finding(Kind.NOT_RECOGNISED, Level.NOTE, certainty, (event.packet,), number, detail)
        proof, method = self._proofs.pop(number, (0, 0))
        if proof and method in (Method.PASSKEY, Method.WORDS):
            self._failed += 1
            self._guesses = (*self._guesses, proof)[:SHOWN_GUESSES]

    def _ended(self, event: ChannelEnded) -> Iterator[Finding]:
        if event.ending is Ending.CUT_OFF:
            kind, detail = Kind.CUT_OFF, event.ending.value
        elif event.refusal is not None and event.refusal is not Refusal.NOT_RECOGNISED:  # which has a kind of its own
            kind, detail = Kind.REFUSED, _WHY_REFUSED[event.refusal]
        else:
            return
        certainty = self._gaps.certainty(event.connection.number)
        yield Finding(kind, Level.NOTE, certainty, (event.packet,), event.connection.number, detail)
