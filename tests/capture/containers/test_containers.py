"""Each container's own: headers, times, losses, and every way in which a record may be wrong."""

from __future__ import annotations

import io
import struct

import pytest

from blechannel_capture.containers.btsnoop import EPOCH_US
from blechannel_capture.containers.checked import MAX_TIME_NS
from blechannel_capture.containers.formats import Format, format_of, open_container
from blechannel_capture.errors import DamagedCapture, NotACapture
from blechannel_capture.ledger import MAX_ENTRIES_A_KIND, Damage, Entry, Ledger
from blechannel_capture.packet import MAX_PACKET_BYTES, LinkType, Packet
from tests.capture.writing import START_NS, btsnoop, enhanced, interface, option, packet_logger, pcap, section

SNOOP_HEADER = b"btsnoop\0" + struct.pack(">II", 1, 1002)
RECORDS = [(START_NS, b"\x04\x0e\x00"), (START_NS + 1_000_000, b"\x04\x0f\x00")]


def packets(content: bytes, *, strict: bool = False) -> tuple[list[Packet], Ledger]:
    ledger = Ledger(strict=strict)
    return list(open_container(io.BytesIO(content), ledger).packets), ledger


def entry(content: bytes) -> Entry:
    """The one line that the ledger has."""
    _, ledger = packets(content)
    [line] = ledger.entries
    return line


# --- which format ---


def test_formats_are_told_by_their_first_bytes() -> None:
    assert format_of(b"btsnoop\0".ljust(16)) is Format.BTSNOOP
    assert format_of(bytes.fromhex("0a0d0d0a").ljust(16)) is Format.PCAPNG
    for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1"):
        assert format_of(bytes.fromhex(magic).ljust(16)) is Format.PCAP
    for order in "<>":
        assert format_of(packet_logger([(START_NS, 0xFE, b"note")], order=order)[:16]) is Format.PACKET_LOGGER


@pytest.mark.parametrize("content", [b"PK\x03\x04 zip", b"{}", bytes(16), b"\xff" * 16, b"btsnop\0\0 spelt wrong"])
def test_what_is_no_capture_is_named_by_its_first_bytes(content: bytes) -> None:
    with pytest.raises(NotACapture, match=content[:8].hex(" ")):
        packets(content)


def test_an_empty_file() -> None:
    with pytest.raises(NotACapture, match="the file is empty"):
        packets(b"")


@pytest.mark.parametrize(
    ("content", "header"), [(b"btsnoop\0\0\0", "btsnoop"), (bytes.fromhex("d4c3b2a1ffff"), "pcap")]
)
def test_a_header_that_is_cut(content: bytes, header: str) -> None:
    with pytest.raises(NotACapture, match=f"a {header} header has"):
        packets(content)


def test_links_that_are_not_bluetooth_le_are_named() -> None:
    with pytest.raises(NotACapture, match="data link 1003: known are 1001, 1002, 2001"):
        packets(b"btsnoop\0" + struct.pack(">II", 1, 1003))
    with pytest.raises(NotACapture, match="link type 1: Bluetooth LE comes as 187, 192, 201, 251, 254, 256, 272"):
        packets(pcap(LinkType.H4, []).replace(struct.pack("<I", 187), struct.pack("<I", 1)))


def test_the_upper_bits_of_pcap_s_link_type_are_something_else() -> None:
    content = pcap(LinkType.H4, RECORDS).replace(struct.pack("<I", 187), struct.pack("<I", 0x14000000 | 187))
    assert [each.link_type for each in packets(content)[0]] == [LinkType.H4] * 2


# --- records ---

WHOLE = {
    "btsnoop": btsnoop(LinkType.SNOOP_H4, [(when, 3, data) for when, data in RECORDS]),
    "pcap": pcap(LinkType.H4, RECORDS),
    "PacketLogger": packet_logger([(when, 1, data) for when, data in RECORDS]),
}
FILE_HEADER = {"btsnoop": 16, "pcap": 24, "PacketLogger": 0}
RECORD_HEADER = {"btsnoop": 24, "pcap": 16, "PacketLogger": 13}


@pytest.mark.parametrize("name", WHOLE)
def test_numbers_times_offsets_and_bytes(name: str) -> None:
    found, ledger = packets(WHOLE[name])
    assert [each.number for each in found] == [1, 2]
    assert [(each.time_ns, each.data) for each in found] == RECORDS
    assert [each.offset for each in found] == [FILE_HEADER[name], FILE_HEADER[name] + RECORD_HEADER[name] + 3]
    assert ledger.entries == []


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_ends_inside_a_record_is_read_up_to_there(name: str) -> None:
    second = FILE_HEADER[name] + RECORD_HEADER[name] + 3
    for length in range(max(second, 16), len(WHOLE[name])):
        found, ledger = packets(WHOLE[name][:length])
        assert len(found) == 1
        if length == second:
            assert ledger.entries == [], "the file just ends"
            continue
        [line] = ledger.entries
        assert line.damage is Damage.TRUNCATED
        assert line.packet == 2
        assert line.offset in (second, second + RECORD_HEADER[name])
        with pytest.raises(DamagedCapture, match="packet 2 at byte"):
            packets(WHOLE[name][:length], strict=True)


def test_a_length_is_believed_up_to_the_limit() -> None:
    longest = bytes(MAX_PACKET_BYTES)
    assert [len(each.data) for each in packets(pcap(LinkType.H4, [(0, longest)]))[0]] == [MAX_PACKET_BYTES]
    found = entry(pcap(LinkType.H4, [(0, longest + b"!")]))
    assert (found.damage, found.packet) == (Damage.BAD_LENGTH, 1)
    assert "262,145 bytes, where 262,144 are the most" in found.detail


def test_a_packet_logger_record_that_is_shorter_than_its_own_header() -> None:
    content = packet_logger([(START_NS, 0xFE, b"note")]) + struct.pack(">IIIB", 8, 0, 0, 0)
    assert entry(content).damage is Damage.BAD_LENGTH


def test_packet_logger_s_notes_are_passed_over_and_unknown_types_entered() -> None:
    records = [(START_NS, kind, b"a note") for kind in (0xFC, 0x0A, 0x0B, 0x77)]
    found, ledger = packets(packet_logger(records))
    assert len(found) == 4
    assert [(each.damage, each.packet) for each in ledger.entries] == [(Damage.BAD_BLOCK, 4)]


# --- times and losses ---


def test_a_writer_without_a_calendar_counts_from_its_own_start() -> None:
    content = SNOOP_HEADER + b"".join(struct.pack(">IIIIQ", 1, 1, 3, 0, when) + b"\x04" for when in (0, 5_000))
    found, ledger = packets(content)
    assert [each.time_ns for each in found] == [0, 5_000_000]
    assert ledger.entries == []
    assert EPOCH_US == 0x00E03AB44A676000 - 946_684_800 * 1_000_000, "BlueZ's number, which is that of the year 2000"


def test_a_time_that_is_none_is_entered_and_brought_into_range() -> None:
    content = SNOOP_HEADER + struct.pack(">IIIIQ", 1, 1, 3, 0, (1 << 64) - 1) + b"\x04"
    [packet], ledger = packets(content, strict=True)
    assert packet.time_ns == MAX_TIME_NS
    assert ledger.counts == {Damage.TIME_JUMP: 1}
    early = option(14, struct.pack("<q", -9))
    [packet], ledger = packets(section() + interface(187, options=early) + enhanced(1, b"\x04"))
    assert packet.time_ns == 0
    assert "-9 s since 1970" in ledger.entries[0].detail


def test_btsnoop_s_losses_are_cumulative() -> None:
    records = [(START_NS, 3, b"\x04")] * 5
    _, ledger = packets(btsnoop(LinkType.SNOOP_H4, records, drops=[0, 2, 2, 5, 5]))
    assert [(each.packet, each.detail) for each in ledger.entries] == [(2, "2 packets"), (4, "3 packets")]
    assert ledger.counts == {Damage.DROPPED: 2}


@pytest.mark.parametrize("name", ["btsnoop", "pcap"])
def test_a_packet_that_was_cut_short_is_entered_and_not_fatal(name: str) -> None:
    content = bytearray(WHOLE[name])
    at = FILE_HEADER[name] + (0 if name == "btsnoop" else 12)
    content[at : at + 4] = struct.pack(">I" if name == "btsnoop" else "<I", 10)
    found, ledger = packets(bytes(content), strict=True)
    assert [each.missing_bytes for each in found] == [7, 0]
    assert [str(each) for each in ledger.entries] == [
        f"packet 1 at byte {FILE_HEADER[name]}: a packet of which only the beginning was kept: 7 bytes were not kept"
    ]


@pytest.mark.parametrize(("seconds", "jumps"), [(-2, 1), (-1, 0), (0, 0), (86_400, 0), (86_401, 1)])
def test_clocks_that_jump(seconds: int, jumps: int) -> None:
    later = START_NS + seconds * 1_000_000_000
    _, ledger = packets(pcap(LinkType.H4, [(START_NS, b"\x04"), (later, b"\x04"), (later, b"\x04")]), strict=True)
    assert ledger.counts[Damage.TIME_JUMP] == jumps
    if jumps:
        assert ("backward" if seconds < 0 else "forward") in ledger.entries[0].detail


# --- the ledger ---


def test_the_ledger_is_bounded_and_counts_on() -> None:
    ledger = Ledger()
    for number in range(MAX_ENTRIES_A_KIND + 5):
        ledger.note(Damage.BAD_CRC, "2 bytes", packet=number + 1)
    ledger.note(Damage.GAP, "one")
    assert len(ledger.entries) == MAX_ENTRIES_A_KIND + 1
    assert ledger.counts == {Damage.BAD_CRC: MAX_ENTRIES_A_KIND + 5, Damage.GAP: 1}


def test_lines_say_where() -> None:
    assert str(Entry(Damage.GAP, 3, 0, "x")).startswith("packet 3: ")
    assert str(Entry(Damage.GAP, 0, 0, "x")).startswith("byte 0: ")
    assert str(Entry(Damage.GAP, 3, 9, "x")).startswith("packet 3 at byte 9: ")


@pytest.mark.parametrize("damage", Damage)
def test_strict_reading_stops_at_what_no_clean_recording_has(damage: Damage) -> None:
    ledger = Ledger(strict=True)
    everyday = (Damage.STRAY, Damage.BAD_CRC, Damage.GAP, Damage.RETRANSMITTED, Damage.TIME_JUMP, Damage.SNAPPED)
    if damage in everyday:
        ledger.note(damage, "x")
        assert ledger.counts[damage] == 1
    else:
        with pytest.raises(DamagedCapture) as caught:
            ledger.note(damage, "x", packet=4)
        assert caught.value.entry == Entry(damage, 4, 0, "x")
