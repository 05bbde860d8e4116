"""Handshakes in which somebody is given back what he said himself, or is shown another thing than was promised.

What is sealed in a handshake is seen with a key log only. Published: Bird, Gopal, Herzberg et al., 1991 (reflection);
Claverie and Lopes-Esteves, "BlueMirror", 2021; Vaudenay, 2005 (the commitment to what a person compares).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blechannel.methods import Method
from blechannel.noise import DH_25519
from blechannel.pairing.keys import commitment
from blechannel.wire.frames import Nonce, Pair1, Pair2, PairAnswer, PairShare, Reconnect1, Reconnect2
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame
from blechannel_capture.events import Event
from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level
from blechannel_capture.findings.weak_points import is_weak


@dataclass(slots=True)
class _Begun:
    """What was said in a handshake so far."""

    ephemeral: bytes
    uses_shares: bool
    share: bytes = b""
    commit: bytes = b""


class Handshakes:
    """Compares what the messages of one handshake say."""

    def __init__(self) -> None:
        self._begun: dict[int, _Begun] = {}

    def look(self, event: Event) -> Iterator[Finding]:
        """See Watcher."""
        if isinstance(event, ChannelEnded):
            self._begun.pop(event.connection.number, None)
        elif isinstance(event, ChannelFrame):
            for kind, detail in self._frame(event):
                number = event.connection.number
                yield Finding(kind, Level.ATTACK, Certainty.CERTAIN, (event.packet,), number, detail)

    def end(self) -> Iterator[Finding]:
        """See Watcher."""
        return iter(())

    def _frame(self, event: ChannelFrame) -> Iterator[tuple[Kind, str]]:
        number = event.connection.number
        match event.body or event.frame:
            case Pair1(noise=noise) | Reconnect1(noise=noise):
                uses_shares = event.hello is not None and event.hello.method == Method.PASSKEY
                self._begun[number] = _Begun(noise[: DH_25519.length_bytes], uses_shares)
            case Pair2(noise=noise) | Reconnect2(noise=noise):
                begun = self._begun.get(number)
                if begun is not None and begun.ephemeral == noise[: DH_25519.length_bytes]:
                    yield Kind.REFLECTION, "the phone is answered with its own ephemeral key"
            case Nonce(nonce=nonce):
                begun = self._begun.get(number)
                if begun is not None and begun.commit and commitment(nonce) != begun.commit:
                    yield Kind.COMMITMENT, "the watch's nonce is another than the one it has committed itself to"
        if number in self._begun:
            yield from self._payload(event, self._begun[number])

    @staticmethod
    def _payload(event: ChannelFrame, begun: _Begun) -> Iterator[tuple[Kind, str]]:
        match event.payload:
            case PairShare(share=share):
                begun.share = share
            case PairAnswer(share=share, commit=commit):
                begun.commit = commit
                if begun.uses_shares and share == begun.share:
                    yield Kind.REFLECTION, "the phone is answered with its own CPace share"
            case _:
                return
        if begun.uses_shares and is_weak(share):
            detail = f"the {event.sender.value}'s CPace share is a point of low order: the code would not matter"
            yield Kind.WEAK_POINT, detail
