"""Attributes behind handles: from every kind of discovery, from elsewhere, and how well they are known."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel_capture import att
from blechannel_capture.errors import CaptureError
from blechannel_capture.events import AttPdu, Connection, Side
from blechannel_capture.gatt_map import (
    MAX_SERVICES,
    Confidence,
    GattMap,
    dump_map,
    full_uuid,
    load_map,
    short_uuid,
)

HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"


def pdu(opcode: int, value: bytes) -> AttPdu:
    return AttPdu(1, 0, Connection(1, 0x40), Side.UNKNOWN, opcode, 0, value)


def on_air(uuid: str) -> bytes:
    return bytes.fromhex(uuid.replace("-", ""))[::-1]


def asked(gatt: GattMap, opcode: int, kind: int, *, value: bytes) -> None:
    """A question of that attribute type, and its answer."""
    gatt.hear(pdu(opcode, struct.pack("<HHH", 1, 0xFFFF, kind)))
    gatt.hear(pdu(opcode + 1, value))


def discovered() -> GattMap:
    gatt = GattMap()
    asked(gatt, att.READ_BY_GROUP_TYPE_REQUEST, 0x2800, value=b"\x06" + struct.pack("<HHH", 1, 9, 0x180D))
    asked(
        gatt, att.READ_BY_GROUP_TYPE_REQUEST, 0x2800, value=b"\x14" + struct.pack("<HH", 10, 99) + on_air(SERVICE_UUID)
    )
    asked(
        gatt,
        att.READ_BY_TYPE_REQUEST,
        0x2803,
        value=b"\x07" + struct.pack("<HBHH", 2, 0x10, 3, 0x2A37) + struct.pack("<HBHH", 5, 2, 6, 0x2A38),
    )
    asked(gatt, att.READ_BY_TYPE_REQUEST, 0x2803, value=b"\x15" + struct.pack("<HBH", 11, 12, 12) + on_air(INBOX_UUID))
    return gatt


def test_discovery() -> None:
    gatt = discovered()
    assert gatt.services == [(1, 9, full_uuid(b"\x0d\x18")), (10, 99, SERVICE_UUID)]
    known = {handle: (short_uuid(each.uuid), short_uuid(each.service)) for handle, each in gatt.attributes.items()}
    assert known == {3: ("0x2A37", "0x180D"), 6: ("0x2A38", "0x180D"), 12: (INBOX_UUID, SERVICE_UUID)}
    assert {each.confidence for each in gatt.attributes.values()} == {Confidence.DISCOVERED}


@pytest.mark.parametrize("uuid", [b"\x0d\x18", on_air(SERVICE_UUID)])
def test_a_service_that_is_sought_by_its_uuid(uuid: bytes) -> None:
    gatt = GattMap()
    gatt.hear(pdu(att.FIND_BY_TYPE_VALUE_REQUEST, struct.pack("<HHH", 1, 0xFFFF, 0x2800) + uuid))
    gatt.hear(pdu(att.FIND_BY_TYPE_VALUE_RESPONSE, struct.pack("<HHHH", 3, 9, 12, 15)))
    assert gatt.services == [(3, 9, full_uuid(uuid)), (12, 15, full_uuid(uuid))]


@pytest.mark.parametrize("asked_for", [b"", b"\x01\x00\xff\xff\x00\x28", b"\x01\x00\xff\xff\x00\x28abc", bytes(8)])
def test_what_is_no_search_for_a_service_finds_none(asked_for: bytes) -> None:
    gatt = GattMap()
    gatt.hear(pdu(att.FIND_BY_TYPE_VALUE_REQUEST, asked_for))
    gatt.hear(pdu(att.FIND_BY_TYPE_VALUE_RESPONSE, struct.pack("<HHHH", 3, 9, 12, 15)))
    assert gatt.services == []


def test_services_once() -> None:
    gatt = discovered()
    again = b"\x06" + struct.pack("<HHH", 1, 9, 0x180D)
    asked(gatt, att.READ_BY_GROUP_TYPE_REQUEST, 0x2800, value=again)
    asked(gatt, att.READ_BY_GROUP_TYPE_REQUEST, 0x2801, value=again)
    assert len(gatt.services) == 2


def test_services_are_bounded() -> None:
    gatt = GattMap()
    for number in range(MAX_SERVICES + 3):
        asked(gatt, att.READ_BY_GROUP_TYPE_REQUEST, 0x2800, value=b"\x06" + struct.pack("<HHH", number, number, 0x180D))
    assert len(gatt.services) == MAX_SERVICES


def test_descriptors() -> None:
    gatt = GattMap()
    gatt.hear(pdu(att.FIND_INFORMATION_RESPONSE, b"\x01" + struct.pack("<HHHH", 4, 0x2902, 5, 0x2901)))
    gatt.hear(pdu(att.FIND_INFORMATION_RESPONSE, b"\x02" + struct.pack("<H", 6) + on_air(OUTBOX_UUID)))
    assert {handle: short_uuid(each.uuid) for handle, each in gatt.attributes.items()} == {
        4: "0x2902",
        5: "0x2901",
        6: OUTBOX_UUID,
    }


@pytest.mark.parametrize(
    ("opcode", "value"),
    [
        (att.READ_BY_TYPE_REQUEST, b"\x07" + bytes(7)),
        (att.READ_BY_GROUP_TYPE_REQUEST, b"\x06" + bytes(6)),
    ],
)
def test_answers_to_other_questions_teach_nothing(opcode: int, value: bytes) -> None:
    gatt = GattMap()
    gatt.hear(pdu(opcode + 1, value))
    asked(gatt, opcode, 0x2A00, value=value)
    gatt.hear(pdu(opcode, b"\x01\x00\xff\xff" + on_air(SERVICE_UUID)))
    gatt.hear(pdu(opcode + 1, value))
    assert (gatt.attributes, gatt.services) == ({}, [])


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x03abc", b"\x01", b"\x01\x04", b"\x07\x02\x00\x10", b"\xff" * 30])
def test_what_contradicts_itself_teaches_nothing(value: bytes) -> None:
    gatt = GattMap()
    asked(gatt, att.READ_BY_TYPE_REQUEST, 0x2803, value=value)
    asked(gatt, att.READ_BY_GROUP_TYPE_REQUEST, 0x2800, value=value)
    gatt.hear(pdu(att.FIND_INFORMATION_RESPONSE, value))
    assert (gatt.attributes, gatt.services) == ({}, [])


def test_the_better_knowledge_stays() -> None:
    gatt = GattMap()
    order = sorted(Confidence)
    for confidence in order:
        gatt.learn(3, f"uuid {confidence}", confidence)
    assert gatt.attributes[3].confidence is Confidence.DISCOVERED
    for confidence in order[:-1]:
        gatt.learn(3, "worse", confidence)
        assert gatt.attributes[3].uuid == f"uuid {Confidence.DISCOVERED}"
    gatt.learn(3, HEART_RATE, Confidence.DISCOVERED)
    assert gatt.attributes[3].uuid == HEART_RATE, "what was discovered last is what is there now"


@pytest.mark.parametrize("size", [0, 1, 3, 4, 15, 17])
def test_a_uuid_has_two_or_sixteen_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes"):
        full_uuid(bytes(size))


@settings(max_examples=50)
@given(st.binary(min_size=16, max_size=16), st.integers(0, 0xFFFF))
def test_uuids_there_and_back(raw: bytes, number: int) -> None:
    assert on_air(full_uuid(raw)) == raw
    assert short_uuid(full_uuid(struct.pack("<H", number))) == f"0x{number:04X}"


@settings(max_examples=100)
@given(st.integers(0, 255), st.binary(max_size=40))
def test_any_pdu_is_survived(opcode: int, value: bytes) -> None:
    gatt = discovered()
    gatt.hear(pdu(opcode, value))
    assert set(gatt.attributes) >= {3, 6, 12}


# --- from elsewhere ---


def test_what_another_connection_knows_is_taken_over_with_less_confidence() -> None:
    gatt = GattMap()
    gatt.learn(3, "inferred here", Confidence.INFERRED)
    gatt.take_over(discovered(), Confidence.CACHED)
    assert gatt.services == discovered().services
    assert {handle: each.confidence for handle, each in gatt.attributes.items()} == dict.fromkeys(
        (3, 6, 12), Confidence.CACHED
    )
    gatt.take_over(discovered(), Confidence.CACHED)
    assert len(gatt.services) == 2


def test_a_map_is_written_and_read(tmp_path: Path) -> None:
    other = GattMap()
    other.learn(200, HEART_RATE, Confidence.INFERRED)
    path = tmp_path / "map.json"
    dump_map([discovered(), other], path)
    loaded = load_map(path)
    assert loaded.services == discovered().services
    assert {handle: each.uuid for handle, each in loaded.attributes.items()} == {
        **{handle: each.uuid for handle, each in discovered().attributes.items()},
        200: HEART_RATE,
    }
    assert loaded.attributes[200].confidence is Confidence.INFERRED
    assert loaded.attributes[3].service == full_uuid(b"\x0d\x18")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "3", '{"version": 1}', '{"version": 1, "services": 3, "attributes": []}'),
        '{"version": 1, "services": [], "attributes": [{"handle": 1, "uuid": "x", "known": "well"}]}',
        '{"version": 1, "services": [], "attributes": [{"handle": "x", "uuid": "x", "known": "cached"}]}',
    ],
)
def test_what_is_no_map_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(CaptureError, match="holds no attributes"):
        load_map(path)


def test_a_map_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text('{"version": 99, "services": [], "attributes": []}')
    with pytest.raises(CaptureError, match="version 99"):
        load_map(path)
