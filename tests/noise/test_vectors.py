"""The published vectors of every suite; a few are typed in, for machines without the whole set."""

from __future__ import annotations

import json
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from blechannel.noise import HandshakeState, KeyPair, Keys, Protocol
from tests.noise.published import TYPED_IN, Vector


def no_random(size: int) -> bytes:
    raise AssertionError(f"{size} random bytes were asked for, although every key is given")


def pair(protocol: Protocol, private: str | None) -> KeyPair | None:
    return protocol.dh.key_pair(bytes.fromhex(private)) if private else None


def psks(protocol: Protocol, texts: list[str]) -> dict[int, bytes]:
    return dict(zip(protocol.psks, map(bytes.fromhex, texts), strict=True))


def side(protocol: Protocol, keys: Keys, prologue: str, *, initiator: bool) -> HandshakeState:
    return HandshakeState(protocol, initiator=initiator, random=no_random, prologue=bytes.fromhex(prologue), keys=keys)


def sides(vector: Vector) -> tuple[HandshakeState, HandshakeState]:
    protocol = Protocol.parse(vector["protocol_name"])
    initiator_keys = Keys(
        s=pair(protocol, vector.get("init_static")),
        e=pair(protocol, vector["init_ephemeral"]),
        rs=bytes.fromhex(vector.get("init_remote_static", "")) or None,
        psks=psks(protocol, vector.get("init_psks", [])),
    )
    responder_keys = Keys(
        s=pair(protocol, vector.get("resp_static")),
        e=pair(protocol, vector.get("resp_ephemeral")),
        rs=bytes.fromhex(vector.get("resp_remote_static", "")) or None,
        psks=psks(protocol, vector.get("resp_psks", [])),
    )
    return (
        side(protocol, initiator_keys, vector["init_prologue"], initiator=True),
        side(protocol, responder_keys, vector["resp_prologue"], initiator=False),
    )


def check(vector: Vector) -> None:
    """Write and read every message of a vector, byte for byte, on two live sides."""
    initiator, responder = sides(vector)
    messages = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"])) for m in vector["messages"]]
    handshake = len(Protocol.parse(vector["protocol_name"]).messages)
    turns = cycle(((initiator, responder), (responder, initiator)))
    for (payload, ciphertext), (writer, reader) in zip(messages[:handshake], turns, strict=False):
        assert writer.write_message(payload) == ciphertext
        assert reader.read_message(ciphertext) == payload
    one, other = initiator.split(), responder.split()
    assert one.handshake_hash == other.handshake_hash == bytes.fromhex(vector["handshake_hash"])
    ways = ((one.send, other.receive), (other.send, one.receive))
    for index, (payload, ciphertext) in enumerate(messages[handshake:], start=handshake):
        send, receive = ways[0 if handshake == 1 else index % 2]
        assert send.encrypt_with_ad(b"", payload) == ciphertext
        assert receive.decrypt_with_ad(b"", ciphertext) == payload


def test_every_published_vector(vectors: Path) -> None:
    published: list[Vector] = json.loads((vectors / "cacophony.txt").read_text())["vectors"]
    ran: Counter[str] = Counter()
    for vector in published:
        check(vector)
        ran[vector["protocol_name"]] += 1
    assert ran.total() == 944
    assert set(ran.values()) == {1}
    assert len({name.split("_")[1].split("psk")[0] for name in ran}) == 38


@pytest.mark.parametrize("vector", TYPED_IN, ids=lambda vector: str(vector["protocol_name"]))
def test_typed_in_vectors(vector: Vector) -> None:
    check(vector)


def test_the_typed_in_vectors_are_the_published_ones(vectors: Path) -> None:
    published: list[Vector] = json.loads((vectors / "cacophony.txt").read_text())["vectors"]
    assert all(vector in published for vector in TYPED_IN)
