"""Less than the two sides could have: our suite and method, and the link layer's own pairing.

Source: protocol, "Pairing"; Core Specification, Vol 3 Part H, 2.3.5 and 3.5. The attacks on the link layer: KNOB
(Antonioli et al., 2019/2020: short keys), method confusion (von Tschirschnitz et al., 2021).
"""

from __future__ import annotations

from collections.abc import Iterator

from blechannel.methods import Suite
from blechannel.wire.frames import Hello, Info, Pair1
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame
from blechannel_capture.events import Disconnected, Event, LongTermKey, SmpPdu
from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level
from blechannel_capture.findings.gaps import Gaps

_REQUEST, _RESPONSE, _SECURITY_REQUEST = 0x01, 0x02, 0x0B
_SECURE_CONNECTIONS, _MITM = 0x08, 0x04
FULL_KEY_BYTES = 16
MIN_KEY_BYTES = 7


class Downgrades:
    """Compares what was offered with what was chosen."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._infos: dict[int, Info] = {}
        self._requests: dict[int, SmpPdu] = {}

    def look(self, event: Event) -> Iterator[Finding]:
        """See Watcher."""
        if isinstance(event, ChannelFrame):
            if isinstance(event.frame, Info):
                self._infos[event.connection.number] = event.frame
            elif isinstance(event.frame, Pair1) and event.hello is not None:
                yield from self._pairing(event, event.hello)
        elif isinstance(event, Disconnected):
            self._requests.pop(event.connection.number, None)
        elif isinstance(event, ChannelEnded):
            self._infos.pop(event.connection.number, None)
        elif isinstance(event, SmpPdu) and len(event.value) >= 6:
            if event.code == _REQUEST:
                self._requests[event.connection.number] = event
            elif event.code == _RESPONSE:
                yield from self._link_pairing(event)
        elif isinstance(event, LongTermKey) and not any(event.key):
            detail = "a long term key of zeros: everybody has it"
            yield Finding(
                Kind.ZERO_KEY, Level.ATTACK, Certainty.CERTAIN, (event.packet,), event.connection.number, detail
            )

    def end(self) -> Iterator[Finding]:
        """See Watcher."""
        return iter(())

    def _pairing(self, event: ChannelFrame, hello: Hello) -> Iterator[Finding]:
        number, packets = event.connection.number, (event.packet,)
        info = self._infos.get(number)
        if info is None:
            return
        certainty = self._gaps.certainty(number)
        # Method 0 is a reconnect's, which is always offered; here it is no method at all.
        if not hello.method or not info.offers(hello.version, hello.suite, hello.method):
            detail = f"the phone chose version {hello.version}, suite {hello.suite}, method {hello.method}, which the "
            detail += "watch has not offered: somebody has changed one of the two on the way"
            yield Finding(Kind.DOWNGRADE, Level.ATTACK, certainty, packets, number, detail)
        elif hello.suite < max((each for each in Suite if info.suites >> (each - 1) & 1), default=0):
            detail = "the watch offers the hybrid suite, and the phone chose the classical one"
            yield Finding(Kind.DOWNGRADE, Level.WEAKNESS, certainty, packets, number, detail)

    def _link_pairing(self, response: SmpPdu) -> Iterator[Finding]:
        number = response.connection.number
        request = self._requests.pop(number, None)
        if request is None:
            return
        packets, theirs, ours = (request.packet, response.packet), request.value, response.value
        both, either = theirs[2] & ours[2], theirs[2] | ours[2]

        def weak(kind: Kind, detail: str) -> Finding:
            return Finding(kind, Level.WEAKNESS, Certainty.CERTAIN, packets, number, detail)

        if not both & _SECURE_CONNECTIONS:
            known = "only one side can do better" if either & _SECURE_CONNECTIONS else "neither side can do better"
            yield weak(Kind.LEGACY_PAIRING, f"the link pairs by the legacy way, which can be searched: {known}")
        if not either & _MITM:
            yield weak(Kind.UNAUTHENTICATED_PAIRING, "the link pairs without any protection against a third party")
        size = min(theirs[3], ours[3])
        if size < MIN_KEY_BYTES:
            detail = f"an encryption key of {size} bytes, where {MIN_KEY_BYTES} are the least"
            yield Finding(Kind.SHORT_KEY, Level.ATTACK, Certainty.CERTAIN, packets, number, detail)
        elif size < FULL_KEY_BYTES:
            yield weak(Kind.SHORT_KEY, f"an encryption key of {size} bytes, where {FULL_KEY_BYTES} are possible")
