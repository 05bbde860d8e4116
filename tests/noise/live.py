"""Two live sides of one handshake, and what they need."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import cycle

from blechannel.noise import HandshakeState, KeyPair, Keys, Protocol, Transport

PROLOGUE = b"both sides have seen this"
PSKS = {number: bytes([number + 1]) * 32 for number in range(5)}


@dataclass(frozen=True)
class Pair:
    """Both sides' keys for a protocol, as its pattern asks for them."""

    protocol: Protocol
    initiator_static: KeyPair
    responder_static: KeyPair

    def keys(self, *, initiator: bool, e: KeyPair | None = None) -> Keys:
        """What one side holds, psks included."""
        own, other = self.initiator_static, self.responder_static
        if not initiator:
            own, other = other, own
        pattern = self.protocol.pattern
        return Keys(
            s=own if pattern.needs_static(initiator=initiator) else None,
            rs=other.public if pattern.knows_remote_static(initiator=initiator) else None,
            e=e,
            psks={number: PSKS[number] for number in self.protocol.psks},
        )

    def side(self, *, initiator: bool, e: KeyPair | None = None) -> HandshakeState:
        """One live side."""
        keys = self.keys(initiator=initiator, e=e)
        return HandshakeState(self.protocol, initiator=initiator, random=os.urandom, prologue=PROLOGUE, keys=keys)

    def sides(self) -> tuple[HandshakeState, HandshakeState]:
        """Initiator and responder."""
        return self.side(initiator=True), self.side(initiator=False)


def pair(name: str) -> Pair:
    """Fresh static keys for the protocol of this name."""
    protocol = Protocol.parse(name)
    return Pair(protocol, protocol.dh.generate(os.urandom), protocol.dh.generate(os.urandom))


def product(pattern: str) -> str:
    """The protocol's name with the functions that blechannel uses."""
    return f"Noise_{pattern}_25519_ChaChaPoly_SHA256"


def run(initiator: HandshakeState, responder: HandshakeState) -> list[bytes]:
    """Every message, each with a payload that must arrive; returns the messages."""
    messages: list[bytes] = []
    for writer, reader in cycle(((initiator, responder), (responder, initiator))):
        if initiator.is_finished and responder.is_finished:
            return messages
        payload = b"payload %d" % len(messages)
        messages.append(writer.write_message(payload))
        assert reader.read_message(messages[-1]) == payload
    raise AssertionError


def assert_joined(one: Transport, other: Transport, *, both_ways: bool = True) -> None:
    """Both sides know the same, and messages flow."""
    assert one.handshake_hash == other.handshake_hash
    assert one.exporter == other.exporter
    ways = [(one.send, other.receive)] + [(other.send, one.receive)] * both_ways
    for send, receive in ways:
        for text in (b"", b"first", b"second" * 100):
            assert receive.decrypt_with_ad(b"header", send.encrypt_with_ad(b"header", text)) == text
        send.rekey()
        receive.rekey()
        assert receive.decrypt_with_ad(b"", send.encrypt_with_ad(b"", b"third")) == b"third"
