"""Every event in words and as JSON."""

from __future__ import annotations

import json
from functools import cache

import pytest

from blechannel.roles import Role
from blechannel_capture import events
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.channel import events as channel_events
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending, HandshakeVerified, OddFragment
from blechannel_capture.channel.joining import Oddity
from blechannel_capture.events import (
    AttPdu,
    Connection,
    Event,
    LinkControl,
    SealedPdu,
    Side,
    SmpPdu,
    StandardValue,
    Verdict,
)
from blechannel_capture.json_lines import SCHEMA, as_object
from blechannel_capture.words import MAX_VALUE_BYTES, in_words, value_in_words
from gatt_profiles.battery import BatteryLevel
from tests.capture.air.test_link import whole
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import Heard, hear
from tests.capture.test_fuzz import host_talk
from tests.capture.traffic import HostTraffic
from tests.capture.writing import AIR_FILES, HCI_FILES

LINK = Connection(3, 0x40)


@cache
def everything() -> list[Event]:
    """Of every kind of event at least one."""
    ends = HostTraffic()
    ends.connect()
    ends.event(0x3E, b"\x03\x00\x40\x00\x50\x00\x00\x00\xf4\x01")
    ends.event(0x08, b"\x00\x40\x00\x01")
    ends.pdu(Side.CENTRAL, 0x77, b"somebody's")
    ends.disconnect()
    opening = KeyRing()
    opening.add(bytes(16), "given")
    found: list[Heard] = [
        hear(HCI_FILES["btsnoop H4"](ends.said)),
        hear(HCI_FILES["btsnoop H4"](host_talk().said)),
        hear(AIR_FILES["pcap 256"](whole(bytes(16)).said)),
        hear(AIR_FILES["pcap 256"](whole(bytes(16)).said), link_keys=opening),
        honest_life(world=CapturedWorld("words")).heard_by(Role.PHONE),
    ]
    odd = OddFragment(1, 0, LINK, Role.WATCH, Oddity.LOST, 2)
    value = StandardValue(1, 0, LINK, Side.PERIPHERAL, 0x24, "Battery Level", BatteryLevel(87))
    return [event for heard in found for event in heard.events] + [odd, value]


def kinds() -> set[type[Event]]:
    declared = [*vars(events).values(), *vars(channel_events).values()]
    return {each for each in declared if isinstance(each, type) and issubclass(each, Event) and each is not Event}


def test_every_kind_of_event_has_words_and_an_object() -> None:
    assert {type(event) for event in everything()} == kinds()
    for event in everything():
        line = in_words(event)
        assert line
        assert "\n" not in line
        found = json.loads(json.dumps(as_object(event)))
        assert (found["schema"], found["type"]) == (SCHEMA, type(event).__name__)
        assert (found["packet"], found["time_ns"]) == (event.packet, event.time_ns)


def test_att_in_words_and_as_object() -> None:
    pdu = AttPdu(7, 5, LINK, Side.PERIPHERAL, 0x1B, 0x24, b"\x01\x02")
    assert in_words(pdu) == "#3 ← ATT Notification 0x0024 0102"
    assert as_object(pdu) == {
        "schema": 1,
        "type": "AttPdu",
        "packet": 7,
        "time_ns": 5,
        "connection": 3,
        "sender": "peripheral",
        "opcode": 0x1B,
        "name": "Notification",
        "handle": 0x24,
        "value": "0102",
    }
    assert in_words(AttPdu(7, 5, LINK, Side.UNKNOWN, 0x13, 0, b"")) == "#3 ? ATT Write Response "


def test_names_of_what_is_known_and_numbers_of_what_is_not() -> None:
    assert "SMP Pairing Request 0304" in in_words(SmpPdu(1, 0, LINK, Side.CENTRAL, 1, b"\x03\x04"))
    assert "SMP code 0x7f" in in_words(SmpPdu(1, 0, LINK, Side.CENTRAL, 0x7F, b""))
    assert "LL_TERMINATE_IND 13" in in_words(LinkControl(1, 0, LINK, Side.CENTRAL, 2, b"\x13"))
    assert "LL control 0x7f" in in_words(LinkControl(1, 0, LINK, Side.CENTRAL, 0x7F, b""))


def test_long_values_are_cut() -> None:
    assert value_in_words(bytes(MAX_VALUE_BYTES)) == "00" * MAX_VALUE_BYTES
    assert value_in_words(bytes(MAX_VALUE_BYTES + 1)) == "00" * MAX_VALUE_BYTES + f"… ({MAX_VALUE_BYTES + 1} bytes)"


def test_verdicts_and_endings_in_words() -> None:
    sealed = SealedPdu(1, 0, LINK, Side.CENTRAL, 9, Verdict.NO_KEY)
    assert in_words(sealed) == "#3 → sealed, 9 bytes: no key is known"
    assert as_object(sealed)["verdict"] == "no_key"
    assert "cut off" in in_words(ChannelEnded(1, 0, LINK, Ending.CUT_OFF))
    frame = ChannelFrame(1, 0, LINK, Role.PHONE, 1, 5, None, Verdict.NOT_OURS, "why")
    assert in_words(frame) == "#3 → no frame (5 bytes) [why]"


@pytest.mark.parametrize("kind", [ChannelFrame, HandshakeVerified])
def test_what_the_channel_says_has_its_parts(kind: type[Event]) -> None:
    objects = [as_object(event) for event in everything() if type(event) is kind]
    lines = [in_words(event) for event in everything() if type(event) is kind]
    if kind is HandshakeVerified:
        assert {each["logged_by"] for each in objects} == {"phone"}
        assert any("pairing by passkey" in line for line in lines)
        assert any("reconnect" in line for line in lines)
    else:
        assert any(each["body"] and each["body"]["type"] == "Data" for each in objects)
        assert any("Data record" in line and "message=" in line for line in lines)
