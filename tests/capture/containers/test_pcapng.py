"""pcapng: sections, interfaces, options, comments, secrets, and blocks that contradict themselves."""

from __future__ import annotations

import io
import struct

import pytest

from blechannel_capture.containers.formats import Container, open_container
from blechannel_capture.containers.pcapng import MAX_INTERFACES, MAX_REMARKS
from blechannel_capture.errors import DamagedCapture
from blechannel_capture.ledger import Damage, Ledger
from blechannel_capture.packet import LinkType, Packet
from tests.capture.writing import block, enhanced, interface, option, section

DATA = b"\x04\x0e\x01\x00"


def read(content: bytes, *, strict: bool = False) -> tuple[list[Packet], Ledger, Container]:
    ledger = Ledger(strict=strict)
    container = open_container(io.BytesIO(content), ledger)
    return list(container.packets), ledger, container


def damage(content: bytes) -> dict[Damage, int]:
    return dict(read(content)[1].counts)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "units", "time_ns"),
    [
        (None, 5, 5_000),
        (b"\x06", 5, 5_000),
        (b"\x09", 5, 5),
        (b"\x03", 5, 5_000_000),
        (b"\x00", 5, 5_000_000_000),
        (b"\x8a", 1024, 1_000_000_000),
        (b"\x7f", 5, 0),
        (b"\xff", 5, 0),
    ],
)
def test_times(order: str, resolution: bytes | None, units: int, time_ns: int) -> None:
    options = option(9, resolution, order) if resolution else b""
    content = section(order) + interface(187, order, options) + enhanced(units, DATA, order)
    [packet], ledger, _ = read(content)
    assert packet.time_ns == time_ns
    assert packet.data == DATA
    assert ledger.entries == []


def test_a_time_offset_of_an_interface() -> None:
    shift = option(14, struct.pack("<q", -3)) + option(0, b"")
    [packet], _, _ = read(section() + interface(187, options=shift) + enhanced(4_000_000, DATA))
    assert packet.time_ns == 1_000_000_000


def test_several_interfaces_and_sections_of_both_byte_orders() -> None:
    first = section() + interface(187) + interface(251) + enhanced(1, DATA, on=1) + enhanced(2, DATA)
    second = section(">") + interface(254, ">") + enhanced(3, DATA, ">")
    found, ledger, _ = read(first + second)
    assert [(each.number, each.interface, each.link_type) for each in found] == [
        (1, 1, LinkType.LE_LINK_LAYER),
        (2, 0, LinkType.H4),
        (3, 0, LinkType.MONITOR),
    ]
    assert ledger.entries == []


def test_an_interface_that_is_not_bluetooth_le_is_entered_and_its_packets_are_counted() -> None:
    content = section() + interface(1) + interface(187) + enhanced(1, b"ethernet") + enhanced(2, DATA, on=1)
    content += block(3, struct.pack("<I", 4) + DATA)
    found, ledger, _ = read(content)
    assert [(each.number, each.data) for each in found] == [(2, DATA)]
    assert [str(each.detail) for each in ledger.entries] == ["interface 0 has link type 1"]


def test_comments_and_secrets_are_kept() -> None:
    remark = option(1, b"of the file")
    content = section(options=remark) + interface(187, options=option(1, "über".encode()))
    content += block(10, struct.pack("<II", 0x544C534B, 9) + b"key lines")
    content += enhanced(1, DATA, options=option(1, b"of the packet") + option(1, b"\xff"))
    _, ledger, container = read(content)
    assert container.remarks.comments == [(0, "of the file"), (0, "über"), (1, "of the packet"), (1, "\ufffd")]
    assert container.remarks.secrets == [(0x544C534B, b"key lines")]
    assert ledger.entries == []


def test_remarks_are_bounded() -> None:
    content = section() + interface(187) + block(10, struct.pack("<II", 1, 1) + b"x") * (MAX_REMARKS + 3)
    content += enhanced(1, DATA, options=option(1, b"x") * (MAX_REMARKS + 3))
    _, _, container = read(content)
    assert (len(container.remarks.comments), len(container.remarks.secrets)) == (MAX_REMARKS, MAX_REMARKS)


def test_interfaces_are_bounded() -> None:
    content = section() + interface(187) * (MAX_INTERFACES + 1)
    assert damage(content) == {Damage.BAD_BLOCK: 1}


def test_the_way_and_the_losses_of_a_packet() -> None:
    options = option(2, struct.pack("<I", 1)) + option(4, struct.pack("<Q", 7)) + option(4, bytes(8))
    [packet], ledger, _ = read(section() + interface(187) + enhanced(1, DATA, options=options))
    assert packet.flags == 1
    assert [(each.damage, each.packet, each.detail) for each in ledger.entries] == [(Damage.DROPPED, 1, "7 packets")]


def test_losses_of_an_interface() -> None:
    statistics = struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", 2)) + option(7, struct.pack("<Q", 3))
    _, ledger, _ = read(section() + interface(187) + block(5, statistics + option(4, b"not that") + option(0, b"")))
    assert [each.detail for each in ledger.entries] == ["2 packets", "3 packets"]


def test_simple_packets_have_no_time_and_may_be_cut() -> None:
    content = section() + interface(187, snap_bytes=3) + block(3, struct.pack("<I", 4) + DATA)
    [packet], ledger, _ = read(content)
    assert (packet.data, packet.missing_bytes, packet.time_ns) == (DATA[:3], 1, 0)
    assert dict(ledger.counts) == {Damage.SNAPPED: 1}


def test_blocks_of_unknown_types_are_passed_over() -> None:
    content = section() + block(0x0BAD, b"custom") + interface(187) + block(4, b"names") + enhanced(1, DATA)
    found, ledger, _ = read(content)
    assert len(found) == 1
    assert ledger.entries == []


# --- what contradicts itself ---

GOOD = section() + interface(187)
BAD_BLOCKS = {
    "a packet on an interface that is not there": enhanced(1, DATA, on=1),
    "a packet block that is too short": block(6, bytes(16)),
    "a packet longer than its block": block(6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + DATA),
    "an option longer than its block": enhanced(1, DATA, options=struct.pack("<HH", 1, 9) + b"short"),
    "an interface that is too short": block(1, bytes(4)),
    "secrets that are too short": block(10, bytes(4)),
    "a simple packet that is too short": block(3, b""),
}


@pytest.mark.parametrize("name", BAD_BLOCKS)
def test_a_block_that_contradicts_itself_is_entered_and_the_next_one_read(name: str) -> None:
    content = GOOD + BAD_BLOCKS[name] + enhanced(2, DATA)
    found, ledger, _ = read(content)
    assert found[-1].time_ns == 2000
    assert dict(ledger.counts) == {Damage.BAD_BLOCK: 1}
    with pytest.raises(DamagedCapture):
        read(content, strict=True)


def test_a_simple_packet_before_any_interface() -> None:
    assert damage(section() + block(3, struct.pack("<I", 4) + DATA)) == {Damage.BAD_BLOCK: 1}


def test_two_lengths_that_differ() -> None:
    packet = bytearray(enhanced(1, DATA))
    packet[-4:] = struct.pack("<I", 20)
    found, ledger, _ = read(GOOD + bytes(packet) + enhanced(2, DATA))
    assert len(found) == 2
    assert [str(each.damage) for each in ledger.entries] == ["Damage.BAD_BLOCK"]


@pytest.mark.parametrize("length", [0, 8, 13, 1 << 20 | 4, 0xFFFFFFFC])
def test_a_length_that_no_block_has_ends_reading(length: int) -> None:
    content = GOOD + enhanced(1, DATA) + struct.pack("<II", 6, length) + bytes(64)
    found, ledger, _ = read(content)
    assert len(found) == 1
    [entry] = ledger.entries
    assert entry.damage is Damage.BAD_LENGTH
    assert entry.offset == len(GOOD + enhanced(1, DATA))


def test_a_section_without_a_byte_order() -> None:
    assert damage(GOOD + bytes.fromhex("0a0d0d0a1c000000") + bytes(20)) == {Damage.BAD_BLOCK: 1}


@pytest.mark.parametrize("cut", [1, 9, 20])
def test_a_file_that_ends_inside_a_block(cut: int) -> None:
    found, ledger, _ = read(GOOD + enhanced(1, DATA) + enhanced(2, DATA)[:-cut])
    assert len(found) == 1
    assert dict(ledger.counts) == {Damage.TRUNCATED: 1}
