"""A listener at two meetings wants to know whether it was the same watch, from every byte in the clear.

Published: Becker, Li and Starobinski, "Tracking Anonymized Bluetooth Devices", 2019; Celosia and Cunche,
"Fingerprinting Bluetooth-Low-Energy Devices Based on the Generic Attribute Profile", 2019.
Stopped by: no stable value is sent in the clear; what does not change is the same for all watches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from blechannel.roles import Role
from blechannel.session.greeting import NONCE_BYTES
from blechannel.wire.adverts import make_advert
from tests.session.middle import Middle
from tests.session.sides import Stream, World

SESSIONS = 40
Position = tuple[str, int, int]
"""Which conversation, which message, which byte."""


def seen(world: World, sessions: int) -> Iterator[dict[Position, int]]:
    """Every byte on the air of each reconnect, and of an advertisement before it."""
    for _ in range(sessions):
        middle = Middle(*world.reconnecting())
        middle.run()
        key = world.watch_shelf.book.discovery_key
        advert = make_advert(key, pairing_open=False, random=world.random, unix_time_s=1.8e9)
        yield {
            ("session", number, at): byte
            for number, (_, frame) in enumerate(middle.seen)
            for at, byte in enumerate(frame)
        } | {("advert", 0, at): byte for at, byte in enumerate(advert)}


def is_telling(bytes_seen: list[int]) -> bool:
    """Neither constant for everybody nor as many values as 120 random draws give, 95 on average."""
    return not (len(set(bytes_seen)) == 1 or len(set(bytes_seen)) > 70)


def test_bytes_are_the_same_for_all_watches_or_change_each_time() -> None:
    values: dict[Position, list[int]] = defaultdict(list)
    for name in ("one", "two", "three"):
        world = World(name).bonded()
        for session in seen(world, SESSIONS):
            for position, byte in session.items():
                values[position].append(byte)
    assert [position for position, bytes_seen in values.items() if is_telling(bytes_seen)] == []
    # Control: a byte that belongs to the watch would be found.
    assert is_telling([7] * SESSIONS + [9] * SESSIONS + [11] * SESSIONS)


def test_a_guesser_who_compares_two_sessions_is_at_chance() -> None:
    """For every byte: that two sessions of one watch agree in it is as frequent as for sessions of two watches."""
    worlds = [World("left").bonded(), World("right").bonded()]
    sessions = [list(seen(world, SESSIONS)) for world in worlds]
    same = differ = same_agree = differ_agree = 0
    for left in range(SESSIONS):
        for right in range(left + 1, SESSIONS):
            for position, byte in sessions[0][left].items():
                same += 1
                same_agree += sessions[0][right].get(position) == byte
                differ += 1
                differ_agree += sessions[1][right].get(position) == byte
    assert abs(same_agree / same - differ_agree / differ) < 0.01


def test_a_pairing_shows_nothing_of_the_watch_before_it_is_proven() -> None:
    """Two pairings with one watch share no eight bytes in a row but what every watch says."""
    random = Stream("prober")
    runs = []
    for _ in range(2):
        world = World("the watch")
        world.random = random
        phone, watch = world.pairing()
        middle = Middle(phone, watch)
        middle.run()
        runs.append([frame for role, frame in middle.seen if role is Role.WATCH])
    one, two = ({frame[at : at + 8] for frame in run for at in range(len(frame) - 7)} for run in runs)
    info = runs[0][0]
    said_by_every_watch = {info[at : at + 8] for at in range(len(info) - NONCE_BYTES - 7)}
    assert one & two == said_by_every_watch
