"""Every target by its name. A target takes any bytes and returns, or raises what is a finding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fuzz import decoders, deliveries, files, sessions, streams

Target = Callable[[bytes], None]

TARGETS: dict[str, Target] = {
    "frame": decoders.frame,
    "declared": decoders.declared,
    "advert": decoders.advert,
    "ticket": decoders.ticket,
    "attestation": decoders.attestation,
    "certificate": decoders.certificate,
    "greeting": decoders.greeting,
    "profile": decoders.profile,
    "fragments": streams.fragments,
    "noise": streams.noise,
    "tcp": streams.tcp,
    "phone": sessions.phone,
    "watch": sessions.watch,
    "traffic": sessions.traffic,
    "store": files.store,
    "delivery": deliveries.delivery,
}

CORPUS = Path(__file__).parent / "corpus"


def inputs(name: str) -> list[bytes]:
    """The corpus of a target, in the order of its files' names."""
    return [each.read_bytes() for each in sorted((CORPUS / name).iterdir())]
