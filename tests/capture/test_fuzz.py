"""Damaged captures of every container: nothing leaves but our own errors, in tolerant reading not even those."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from random import Random

import pytest

from blechannel.roles import Role
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.errors import DamagedCapture, NotACapture
from blechannel_capture.events import Side
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import LinkType
from tests.capture.air_traffic import AirTraffic
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.mutating import meddled, mutated, read_all
from tests.capture.reading import hear
from tests.capture.traffic import HANDLE, HostTraffic, small_talk
from tests.capture.writing import AIR_FILES, HCI_FILES, AirSaid, HciSaid, interface, section

LINK_KEY = bytes(range(16))
CONTAINERS = {
    "btsnoop": ["btsnoop H1", "btsnoop H4", "btsnoop monitor"],
    "PacketLogger": ["PacketLogger big", "PacketLogger little"],
    "pcap": ["pcap 201 us big", "pcap 254 ns big", "pcap 251", "pcap 256", "pcap 192", "pcap 272 version 1"],
    "pcapng": ["pcapng 187 little", "pcapng 201 big", "pcapng 254 little", "pcapng 272 version 3", "pcapng 251 big"],
}


def host_talk() -> HostTraffic:
    """A little of everything: discovery, link pairing, a channel that is opened, advertisements."""
    traffic = HostTraffic()
    traffic.connect()
    traffic.discover()
    traffic.smp(Side.CENTRAL, bytes([1, 3, 0, 1, 16, 0, 1]))
    traffic.command(0x2019, struct.pack("<HQH", HANDLE, 0, 0) + LINK_KEY)
    traffic.event(0x3E, bytes([2, 1, 0, 1]) + bytes(6) + b"\x03\x02\x01\x06\xd0")
    traffic.pdu(Side.CENTRAL, 5, struct.pack("<BBHHHHHH", 0x14, 1, 10, 0x80, 0x40, 100, 23, 1))
    traffic.pdu(Side.PERIPHERAL, 5, struct.pack("<BBHHHHHH", 0x15, 1, 10, 0x41, 100, 23, 1, 0))
    traffic.pdu(Side.CENTRAL, 0x41, struct.pack("<H", 30) + bytes(30))
    return traffic


def air_talk() -> AirTraffic:
    air = AirTraffic()
    air.advertise(b"\x02\x01\x06")
    air.connect()
    air.smp(Side.CENTRAL, bytes([1, 3, 0, 1, 16, 0, 1]))
    air.encrypt(LINK_KEY)
    air.write(0x21, b"value")
    return air


def small_air() -> AirTraffic:
    air = AirTraffic()
    air.connect()
    air.write(0x21, b"value")
    return air


def written(container: str, talks: Sequence[Sequence[HciSaid]], air: Sequence[AirSaid]) -> list[bytes]:
    """Those talks in every envelope that the container has."""
    names = CONTAINERS[container]
    of_hosts = [HCI_FILES[name](said) for name in names if name in HCI_FILES for said in talks]
    return of_hosts + [AIR_FILES[name](air) for name in names if name in AIR_FILES]


@dataclass(frozen=True)
class Seeds:
    """Good files by container: small ones for their number's sake, rich ones for depth; and a key log for those."""

    small: dict[str, list[bytes]]
    rich: dict[str, list[bytes]]
    key_log: KeyLog


@cache
def seeds() -> Seeds:
    world = CapturedWorld("fuzz")
    phone, watch = world.pairing()
    with world.connection(phone, watch):
        for side, other in ((watch, phone), (phone, watch)) * 2:
            other.hear(side.said())
    small, air = [small_talk(HostTraffic(), [b"one"]).said], small_air().said
    talks, rich_air = [host_talk().said, world.taps[Role.PHONE].said], air_talk().said
    return Seeds(
        {each: written(each, small, air) for each in CONTAINERS},
        {each: written(each, talks, rich_air) for each in CONTAINERS},
        world.key_log(Role.PHONE),
    )


def keys() -> KeyRing:
    ring = KeyRing(search_passkeys=False)
    ring.add(LINK_KEY, "given")
    return ring


def fuzz(container: str, count: int) -> None:
    """Every tenth file is a rich one, and every tenth is read strictly, too: only then may damage raise."""
    good, random = seeds(), Random(container)
    for number in range(count):
        content = mutated(random.choice((good.small if number % 10 else good.rich)[container]), random)
        with suppress(NotACapture):
            read_all(content, strict=False, key_log=good.key_log, keys=keys())
        if number % 10 == 1:
            with suppress(NotACapture, DamagedCapture):
                read_all(content, strict=True, key_log=good.key_log, keys=keys())


@pytest.mark.parametrize("container", CONTAINERS)
def test_good_files_are_read_to_their_end(container: str) -> None:
    good = seeds()
    for content in good.small[container] + good.rich[container]:
        assert read_all(content, strict=True, key_log=good.key_log, keys=keys()) >= 2


@pytest.mark.parametrize("container", CONTAINERS)
def test_damaged_files_raise_nothing_foreign(container: str) -> None:
    fuzz(container, 5000)


@pytest.mark.long
@pytest.mark.parametrize("container", CONTAINERS)
def test_many_damaged_files_raise_nothing_foreign(container: str) -> None:
    fuzz(container, 100_000)


def fuzz_payloads(count: int) -> None:
    """Sound containers with unsound contents."""
    world = CapturedWorld("meddled")
    world.discovers = True
    honest_life(world=world)
    said, key_log, random = [*world.taps[Role.PHONE].said, *host_talk().said], world.key_log(Role.PHONE), Random(7)
    for number in range(count):
        content = HCI_FILES["btsnoop H4"](meddled(said, random))
        read_all(content, strict=False, key_log=key_log if number % 2 else None, keys=keys())


def test_damaged_packets_raise_nothing() -> None:
    fuzz_payloads(150)


@pytest.mark.long
def test_many_damaged_packets_raise_nothing() -> None:
    fuzz_payloads(50_000)


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_cut_is_read_as_far_as_it_goes(container: str) -> None:
    good = seeds()
    for content in good.rich[container]:
        for length in range(32, len(content), 23):
            heard = hear(content[:length], key_log=good.key_log)
            assert heard.attacks() == set()


# --- lengths that lie ---

PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, LinkType.H4.value)
SNOOP_HEADER = b"btsnoop\0" + struct.pack(">II", 1, 1002)
LYING: dict[str, Callable[[int], bytes]] = {
    "btsnoop": lambda length: SNOOP_HEADER + struct.pack(">IIIIQ", length, length, 0, 0, 0),
    "pcap": lambda length: PCAP_HEADER + struct.pack("<IIII", 0, 0, length, length),
    "pcapng": lambda length: section() + interface(187) + struct.pack("<II", 6, length),
    "PacketLogger": lambda length: struct.pack(">IIIB", 9, 0, 0, 0xFF) + struct.pack(">IIIB", length, 0, 0, 0),
}


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFC])
@pytest.mark.parametrize("container", LYING)
def test_a_length_of_gigabytes_is_refused_by_name_and_costs_no_memory(container: str, length: int) -> None:
    content = LYING[container](length) + bytes(1000)
    hear(content)
    tracemalloc.start()
    heard = hear(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert heard.damage() == {Damage.BAD_LENGTH: 1}
    [entry] = heard.ledger.entries
    assert f"{length:,}" in entry.detail or f"{length - 9:,}" in entry.detail
    assert peak < 2_000_000
    with pytest.raises(DamagedCapture, match="whose length cannot be") as caught:
        hear(content, strict=True)
    assert caught.value.entry.damage is Damage.BAD_LENGTH
