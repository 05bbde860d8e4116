"""The work that everything else stands on, each piece with the same inputs whenever it is run."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

from blechannel.config import Policy
from blechannel.methods import Method
from blechannel.roles import Role
from blechannel_capture import read_key_log
from blechannel_capture.capture import Capture
from tests.bench.capture_files import att_traffic, of_said
from tests.bench.ratio import Work
from tests.bench.test_bench_channel import records
from tests.bench.test_bench_noise import blechannel as handshake
from tests.bench.test_bench_pairing import pairing
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.noise.live import pair, product
from tests.session.sides import World, join

MESSAGES: Final = 50
CAPTURED: Final = 200


def sealed(length_bytes: int) -> Work:
    """Records sealed and opened."""
    one = records(length_bytes)

    def run() -> None:
        for _ in range(MESSAGES):
            one()

    return run


def session(messages: int, length_bytes: int = 0) -> Work:
    """A reconnect, and messages that fill values of 244 bytes: frames, fragments, credit, both sides."""
    world = World().bonded()

    def run() -> None:
        phone, watch = world.reconnecting()
        join(phone, watch)
        port = phone.session.traffic.open("talk")
        for _ in range(messages):
            phone.session.traffic.send(port, bytes(length_bytes))
            join(phone, watch)

    return run


def opened() -> Work:
    """A capture of our channel, opened with its key log."""
    world = honest_life(world=CapturedWorld("hot path"))
    phone, watch = world.reconnecting()
    with world.connection(phone, watch):
        join(phone, watch)
        port = phone.session.traffic.open("talk")
        for _ in range(CAPTURED):
            phone.session.traffic.send(port, bytes(100))
            join(phone, watch)
    content = b"".join(of_said(world.taps[Role.PHONE].said))
    keys = read_key_log(world.lines[Role.PHONE])

    def run() -> None:
        with Capture(io.BytesIO(content), key_log=keys) as capture:
            for _ in capture:
                pass

    return run


def decoded() -> Work:
    """A capture of others."""
    content = b"".join(att_traffic(CAPTURED))

    def run() -> None:
        with Capture(io.BytesIO(content)) as capture:
            for _ in capture:
                pass

    return run


HOT_PATHS: Final[dict[str, Callable[[], Work]]] = {
    "Noise XXpsk3": lambda: handshake(pair(product("XXpsk3"))),
    "Noise KKpsk0": lambda: handshake(pair(product("KKpsk0"))),
    "pairing by passkey": pairing,
    "pairing with ML-KEM": lambda: pairing(policy=Policy(hybrid=True)),
    "pairing by words": lambda: pairing(Method.WORDS),
    "reconnect": lambda: session(0),
    f"reconnect, {MESSAGES} messages of 244 bytes": lambda: session(MESSAGES, 244),
    "reconnect, 10 messages of 4096 bytes": lambda: session(10, 4096),
    f"{MESSAGES} records of 244 bytes": lambda: sealed(244),
    f"{MESSAGES} records of 4096 bytes": lambda: sealed(4096),
    f"capture of {CAPTURED} ATT PDUs": decoded,
    f"capture of {CAPTURED} records, opened": opened,
}
"""Each makes its work ready; what that costs is not counted."""
