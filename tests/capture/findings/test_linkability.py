"""What strangers may recognise or read: advertisements that stay the same, names, values in the clear."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel.gatt import SERVICE_UUID
from blechannel.wire.adverts import make_advert
from blechannel_capture.events import Side
from blechannel_capture.findings import Finding, Kind, Level
from blechannel_capture.findings.linkability import ad_structures
from tests.capture.air_traffic import AirTraffic
from tests.capture.reading import hear
from tests.capture.traffic import HANDLE, HostTraffic
from tests.capture.writing import AIR_FILES, HCI_FILES
from tests.session.sides import Stream

OUR_UUID = bytes.fromhex(SERVICE_UUID.replace("-", ""))[::-1]
ADDRESSES = [bytes([number] * 5 + [0x40]) for number in range(1, 5)]


def structure(kind: int, value: bytes) -> bytes:
    return bytes([len(value) + 1, kind]) + value


def our_advert(service_data: bytes) -> bytes:
    return structure(0x01, b"\x06") + structure(0x21, OUR_UUID + service_data)


def found(air: AirTraffic) -> list[Finding]:
    return hear(AIR_FILES["pcap 256"](air.said)).findings


def test_fresh_advertisements_are_no_finding() -> None:
    air, random = AirTraffic(), Stream("fresh")
    for address in ADDRESSES:
        data = our_advert(make_advert(bytes(32), pairing_open=False, random=random, unix_time_s=1.8e9))
        air.advertise(data, address=address)
        air.advertise(data, address=address)
    assert found(air) == []


def test_the_same_service_data_under_another_address_links_them() -> None:
    air = AirTraffic()
    data = our_advert(make_advert(bytes(32), pairing_open=False, random=Stream("stale"), unix_time_s=1.8e9))
    for address in ADDRESSES:
        air.advertise(data, address=address)
    [finding] = found(air)
    assert (finding.kind, finding.level, finding.packets) == (Kind.LINKABLE, Level.ATTACK, (2,))
    assert "01:01:01:01:01" in finding.detail
    assert "02:02:02:02:02" in finding.detail


def test_other_services_data_is_not_ours_to_judge() -> None:
    air = AirTraffic()
    for address in ADDRESSES:
        air.advertise(structure(0x16, b"\xf1\xfeabc") + structure(0x09, b"Band"), address=address)
    assert found(air) == []


@pytest.mark.parametrize("kind", [0x08, 0x09])
def test_a_name_beside_our_service_is_a_weakness_once(kind: int) -> None:
    air = AirTraffic()
    for number in range(3):
        data = our_advert(make_advert(None, pairing_open=True, random=Stream(f"{number}"), unix_time_s=None))
        air.advertise(data + structure(kind, b"My Watch"))
    assert [(each.kind, each.level) for each in found(air)] == [(Kind.LINKABLE, Level.WEAKNESS)]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_ad_structures_of_any_bytes_end(data: bytes) -> None:
    structures = list(ad_structures(data))
    assert data.startswith(b"".join(structure(kind, value) for kind, value in structures))


# --- values in the clear ---


def measuring(*, encrypted: bool = False, uuid: int = 0x2A37) -> list[Finding]:
    traffic = HostTraffic()
    traffic.connect()
    traffic.att(Side.CENTRAL, struct.pack("<BHHH", 0x08, 1, 9, 0x2803))
    traffic.att(Side.PERIPHERAL, b"\x09\x07" + struct.pack("<HBHH", 2, 0x10, 3, uuid))
    if encrypted:
        traffic.event(0x08, struct.pack("<BHB", 0, HANDLE, 1))
    for _ in range(3):
        traffic.notify(3, b"\x00\x48")
    traffic.notify(9, b"unknown")
    traffic.write(3, b"x")
    traffic.att(Side.PERIPHERAL, b"\x1d\x03\x00\x00\x48")
    return hear(HCI_FILES["btsnoop H4"](traffic.said)).findings


def test_a_heart_rate_in_the_clear_is_a_weakness_once() -> None:
    [finding] = measuring()
    assert (finding.kind, finding.level, finding.connection) == (Kind.PLAINTEXT, Level.WEAKNESS, 1)
    assert "heart rate passes in the clear (0x2A37, handle 3)" in finding.detail


def test_on_an_encrypted_link_or_of_no_personal_kind_it_is_none() -> None:
    assert measuring(encrypted=True) == []
    assert measuring(uuid=0x2A19) == []
