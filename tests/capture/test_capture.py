"""The entrance: comments, key logs inside the file, imported attributes, several controllers and sniffers, steps."""

from __future__ import annotations

import io
import struct

from blechannel.gatt import INBOX_UUID, OUTBOX_UUID
from blechannel.roles import Role
from blechannel_capture.capture import Capture
from blechannel_capture.channel.events import ChannelFrame, OddFragment
from blechannel_capture.channel.finding_handles import Handles, is_info, is_opening
from blechannel_capture.containers.formats import Format
from blechannel_capture.events import AttPdu, Connected, Side, Verdict
from blechannel_capture.gatt_map import Confidence, GattMap
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import LinkType, Packet
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import drain, hear
from tests.capture.traffic import INBOX, OUTBOX, HostTraffic, small_talk
from tests.capture.writing import HCI_FILES, block, btsnoop, enhanced, interface, option, section, snoop_flags


def life() -> CapturedWorld:
    return honest_life(world=CapturedWorld("entrance"))


def with_secrets(lines: bytes, kind: int = 0x544C534B) -> bytes:
    """The life's capture as pcapng, with those secrets in it."""
    secrets = block(10, kind.to_bytes(4, "little") + len(lines).to_bytes(4, "little") + lines)
    said = life().taps[Role.WATCH].said
    records = [enhanced(each.time_ns, (b"\0\0\0\0" if each.sent else b"\0\0\0\1") + each.h4) for each in said]
    return section() + interface(201, options=option(9, b"\x09")) + secrets + b"".join(records)


def test_a_key_log_in_the_file_is_used() -> None:
    lines = "\n".join(life().lines[Role.WATCH]).encode()
    heard = hear(with_secrets(lines))
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}


def test_secrets_that_are_damaged_or_somebody_else_s_are_passed_over() -> None:
    for lines in (b"CLIENT_RANDOM 00 11\n", b"BLECHANNEL1_PAIR_PHONE 00", b"\xff\xfe", b""):
        heard = hear(with_secrets(lines))
        assert Verdict.NO_KEY in {each.verdict for each in heard.all(ChannelFrame)}


def test_a_caller_s_key_log_is_not_changed() -> None:
    world = life()
    log = world.key_log(Role.WATCH)
    before = {nonce: list(secrets) for nonce, secrets in log.items()}
    hear(with_secrets("\n".join(world.lines[Role.PHONE]).encode()), key_log=log)
    assert log == before


def test_comments_are_kept() -> None:
    content = section() + interface(187) + enhanced(1, b"\x04", options=option(1, b"here"))
    capture = Capture(io.BytesIO(content))
    assert list(capture) == []
    assert capture.comments == [(1, "here")]
    assert (capture.format, capture.packets) == (Format.PCAPNG, 1)


def test_each_packet_with_what_it_says() -> None:
    seen: list[Packet] = []
    capture = Capture(io.BytesIO(HCI_FILES["btsnoop H4"](small_talk(HostTraffic(), [b"one"]).said)))
    capture.on_packet = seen.append
    steps = list(capture.steps())
    assert [packet.number for packet, _ in steps if packet is not None] == [1, 2, 3, 4]
    assert steps[-1] == (None, [])
    assert len(seen) == 4
    assert all(event.packet == packet.number for packet, events in steps if packet for event in events)


# --- attributes that are known from elsewhere ---


def test_imported_attributes_find_the_channel_in_the_middle_of_a_session() -> None:
    """Without INFO and without discovery, only the map knows which values are ours."""
    world = life()
    said = world.taps[Role.WATCH].said
    info = next(each.packet for each in world.heard_by(Role.WATCH).all(ChannelFrame) if each.name == "Ready")
    content = HCI_FILES["btsnoop H4"](said[info:])
    assert hear(content).all(ChannelFrame) == []
    known = GattMap()
    known.learn(INBOX, INBOX_UUID, Confidence.DISCOVERED)
    known.learn(OUTBOX, OUTBOX_UUID, Confidence.DISCOVERED)
    capture = Capture(io.BytesIO(content))
    capture.import_gatt(known)
    heard = drain(capture)
    found = heard.all(ChannelFrame)
    assert found
    assert {each.verdict for each in found} == {Verdict.CAPTURE_GAP}
    assert heard.attacks() == set()
    [connected] = heard.all(Connected)
    assert capture.gatt(connected.connection).attributes[INBOX].confidence is Confidence.IMPORTED


def test_what_was_discovered_is_remembered_of_the_same_address() -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.discover()
    traffic.disconnect()
    traffic.connect()
    traffic.notify(OUTBOX, b"\x00\x80")
    heard = hear(HCI_FILES["btsnoop H4"](traffic.said))
    first, second = (heard.capture.gatt(each.connection).attributes for each in heard.all(Connected))
    assert {each.confidence for each in first.values()} == {Confidence.DISCOVERED}
    assert {each.confidence for each in second.values()} == {Confidence.CACHED}
    assert second[OUTBOX].uuid == OUTBOX_UUID


def test_handles_are_inferred_from_the_first_frames_only() -> None:
    said = [each.data for each in life().taps[Role.WATCH].said if each.kind == 2]
    info, opening = said[0][11:], said[1][11:]
    assert is_info(info)
    assert is_opening(opening)
    for value in (b"", info[:4], b"\x81" + info[1:], info[:1] + b"\x01" + info[2:], info[:4] + b"\x01" + info[5:]):
        assert not is_info(value)
    for value in (b"", opening[:4], b"\x00" + opening[1:], opening[:2] + b"\x17" + opening[3:]):
        assert not is_opening(value)
    handles = Handles(GattMap())
    assert not handles.is_inbox(INBOX, opening), "nobody opens before INFO"
    assert handles.is_outbox(OUTBOX, info)
    assert not handles.is_outbox(OUTBOX + 1, info)
    assert handles.is_inbox(INBOX, opening)


def test_a_value_without_a_handle_is_no_fragment_while_our_handles_are_unknown() -> None:
    traffic = HostTraffic()
    traffic.connect()
    for sender, opcode in ((Side.PERIPHERAL, 0x1B), (Side.CENTRAL, 0x52)):
        for cut_off in (b"", b"\x05", b"\x00\x00"):
            traffic.att(sender, bytes([opcode]) + cut_off)
    heard = hear(HCI_FILES["btsnoop H4"](traffic.said))
    assert len(heard.all(AttPdu)) == 6
    assert heard.all(OddFragment) == []


# --- several at once ---


def test_several_controllers_are_kept_apart() -> None:
    """BlueZ's monitor shows all adapters in one file; handles are each adapter's own."""
    one, two = (
        small_talk(HostTraffic(Side.CENTRAL), [b"one"]).said,
        small_talk(HostTraffic(Side.PERIPHERAL), [b"2"]).said,
    )
    opcodes = {(4, False): 3, (2, True): 4, (2, False): 5}
    records = []
    for pair in zip(one, two, strict=True):
        for adapter, said in enumerate(pair):
            records.append((said.time_ns, adapter << 16 | opcodes[said.kind, said.sent], said.data))
    records.append((one[0].time_ns, 0xFFFF << 16 | 12, b"a system note\0"))
    heard = hear(btsnoop(LinkType.SNOOP_MONITOR, records))
    assert [each.connection.local for each in heard.all(Connected)] == [Side.CENTRAL, Side.PERIPHERAL]
    assert [(each.connection.number, each.value) for each in heard.all(AttPdu)] == [
        (1, b"one"),
        (2, b"2"),
        (1, b"one"),
        (2, b"2"),
    ]
    assert heard.damage() == {}
    assert snoop_flags(one[0]) == 3


def test_half_a_packet_says_nothing_and_does_not_stop_strict_reading() -> None:
    said = small_talk(HostTraffic(), [b"a value of which only the beginning is kept"]).said
    whole = btsnoop(LinkType.SNOOP_H4, [(each.time_ns, snoop_flags(each), each.h4) for each in said])
    at = whole.index(said[1].h4)
    kept = struct.pack(">II", len(said[1].h4), 20)
    cut = whole[: at - 24] + kept + whole[at - 16 : at] + said[1].h4[:20] + whole[at + len(said[1].h4) :]
    heard = hear(cut, strict=True)
    assert heard.damage() == {Damage.SNAPPED: 1}
    assert [each.opcode for each in heard.all(AttPdu)] == [0x1B]
