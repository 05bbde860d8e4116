"""Captures of live sessions, made once, and the files of a day on which something was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel.roles import Role
from tests.attacks.test_online_guessing import other
from tests.capture.air_traffic import AirTraffic
from tests.capture.channel_traffic import CapturedWorld, honest_life, new_window
from tests.capture.findings.test_attacks import bonded, double, of_records, talking
from tests.capture.writing import AIR_FILES, HCI_FILES
from tests.tools.commands.capture.recording import LINK_KEY, Recording


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A pairing, and a reconnect with messages, as both hosts have it."""
    world = CapturedWorld("recorded")
    world.discovers = True
    return Recording(tmp_path_factory.mktemp("recorded"), honest_life(world=world))


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A pairing, and a reconnect on which somebody sends a record twice."""
    world = bonded()
    talking(world, of_records(double))
    return Recording(tmp_path_factory.mktemp("attacked"), world)


@pytest.fixture(scope="session")
def guessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The watch's capture of three pairings with wrong codes."""
    world = CapturedWorld("guessed")
    for _ in range(3):
        window = world.window or new_window(world)
        phone, watch = world.pairing(code=other(window.code))
        world.meet(phone, watch)
    return Recording(tmp_path_factory.mktemp("guessed"), world).watch


@pytest.fixture(scope="session")
def sniffed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The air: an advertisement, a connection, and its encryption under LINK_KEY."""
    air = AirTraffic()
    air.advertise(b"\x02\x01\x06\x05\x09Bobs")
    air.connect()
    air.write(0x0021, b"in the clear")
    air.encrypt(LINK_KEY)
    air.write(0x0021, b"behind the key")
    path = tmp_path_factory.mktemp("sniffed") / "air.pcap"
    path.write_bytes(AIR_FILES["pcap 256"](air.said))
    return path


@pytest.fixture
def damaged(recorded: Recording, tmp_path: Path) -> Path:
    """The phone's capture, which ends in the middle of a packet."""
    path = tmp_path / "damaged.btsnoop"
    path.write_bytes(HCI_FILES["btsnoop H4"](recorded.world.taps[Role.PHONE].said)[:-3])
    return path
