"""Ephemeral keys that are no keys: points of low order, with which every secret is zeros.

Published: Biham and Neumann, "Breaking the Bluetooth Pairing: the Fixed Coordinate Invalid Curve Attack", 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from blechannel.errors import BlechannelError
from blechannel.noise import DH_25519
from blechannel.wire.frames import Pair1, Pair2, Reconnect1, Reconnect2
from blechannel_capture.channel.events import ChannelFrame
from blechannel_capture.events import Event
from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level

_ANY_KEY: Final = DH_25519.key_pair(b"\x01" * 32)


def is_weak(public: bytes) -> bool:
    """Whether a Diffie-Hellman with that key gives zeros, whoever does it; 32 bytes."""
    try:
        _ANY_KEY.exchange(DH_25519.load_public(public))
    except BlechannelError:
        return True
    return False


class WeakPoints:
    """Looks at the first bytes of each handshake message, which are in the clear."""

    def look(self, event: Event) -> Iterator[Finding]:
        """See Watcher."""
        if not isinstance(event, ChannelFrame):
            return
        match event.frame:
            case Pair1(noise=noise) | Pair2(noise=noise) | Reconnect1(noise=noise) | Reconnect2(noise=noise):
                ephemeral = noise[: DH_25519.length_bytes]
            case _:
                return
        if len(ephemeral) == DH_25519.length_bytes and is_weak(ephemeral):
            detail = f"the {event.sender.value}'s ephemeral key is a point of low order: every secret with it is known"
            number = event.connection.number
            yield Finding(Kind.WEAK_POINT, Level.ATTACK, Certainty.CERTAIN, (event.packet,), number, detail)

    def end(self) -> Iterator[Finding]:
        """See Watcher."""
        return iter(())
