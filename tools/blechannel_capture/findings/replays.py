"""The same bytes again: fragments, first messages, records, nonces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from blechannel.wire.frames import Info, Pair1, Pair2, Reconnect1, Reconnect2
from blechannel_capture.channel.events import ChannelFrame, OddFragment
from blechannel_capture.channel.joining import Oddity
from blechannel_capture.events import Event, Verdict
from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level
from blechannel_capture.findings.gaps import Gaps
from blechannel_capture.recent import remember

REMEMBERED: Final = 1 << 16
"""First messages; the repetition of one before them is not noticed."""


class Replays:
    """What is fresh on every connection must not come twice, whatever the capture lacks."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._seen: dict[bytes, int] = {}

    def look(self, event: Event) -> Iterator[Finding]:
        """See Watcher."""
        if isinstance(event, OddFragment) and event.oddity is Oddity.REPEATED:
            # A link layer or a host that delivers a value twice does this, too: it is somebody's fault all the same.
            yield self._found(event.packet, event.connection.number, "a fragment came twice", (event.packet,))
        elif isinstance(event, ChannelFrame):
            yield from self._frame(event)

    def end(self) -> Iterator[Finding]:
        """See Watcher."""
        return iter(())

    def _frame(self, event: ChannelFrame) -> Iterator[Finding]:
        number = event.connection.number
        match event.frame:
            case Info(nonce=nonce):
                fresh, what = b"info" + nonce, "the nonce of an earlier INFO"
            case Pair1(noise=noise):
                fresh, what = b"pair" + noise[:32], "the first message of an earlier pairing"
            case Reconnect1(tag=tag, noise=noise):
                fresh, what = b"reconnect" + tag + noise, "the first message of an earlier reconnect"
            case Pair2(noise=noise) | Reconnect2(noise=noise):
                fresh, what = b"answer" + noise[:32], "the watch's answer in an earlier handshake"
            case _:
                fresh, what = b"", ""
        if fresh:
            digest = hashlib.sha256(fresh).digest()
            before = self._seen.get(digest)
            if before is None:
                remember(self._seen, digest, event.packet, REMEMBERED)
            else:
                yield self._found(event.packet, number, f"{what} (packet {before})", (before, event.packet))
        if event.verdict is Verdict.REPLAYED:
            yield self._found(event.packet, number, event.detail, (event.packet,))
        elif event.verdict is Verdict.NONCE_REUSED:
            detail = f"{event.sender.value}: {event.detail}"
            yield Finding(Kind.NONCE_REUSE, Level.ATTACK, Certainty.CERTAIN, (event.packet,), number, detail)

    def _found(self, _packet: int, connection: int, detail: str, packets: tuple[int, ...]) -> Finding:
        return Finding(Kind.REPLAY, Level.ATTACK, Certainty.CERTAIN, packets, connection, detail)
