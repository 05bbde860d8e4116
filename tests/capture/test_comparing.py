"""Two captures of one session: what both have, what one lacks, and how their clocks differ."""

from __future__ import annotations

import time
from dataclasses import replace

from blechannel_capture.comparing import compare
from blechannel_capture.events import AttPdu, Connected, Connection, Event, Side

LINK = Connection(1, 0x40)


def pdu(number: int, sender: Side = Side.CENTRAL, value: bytes | None = None) -> AttPdu:
    return AttPdu(number, number * 1_000_000, LINK, sender, 0x52, 0x21, b"%d" % number if value is None else value)


SESSION: list[AttPdu] = [pdu(number, side) for number in range(1, 20) for side in (Side.CENTRAL, Side.PERIPHERAL)]


def later(events: list[AttPdu], by_ns: int) -> list[AttPdu]:
    return [replace(each, time_ns=each.time_ns + by_ns, packet=each.packet + 100) for each in events]


def test_the_same_session_by_another_clock() -> None:
    compared = compare([Connected(1, 0, LINK, True), *SESSION], later(SESSION, 2_500))
    assert (compared.common, compared.offset_ns, compared.spread_ns) == (38, 2_500, 0)
    assert compared.is_same


def test_how_two_senders_interleave_is_no_difference() -> None:
    by_sender = sorted(SESSION, key=lambda each: each.sender.value)
    assert compare(SESSION, by_sender).is_same


def test_what_one_has_and_the_other_lacks() -> None:
    second = later(SESSION, 0)
    lost, added = SESSION[6], replace(pdu(50, Side.PERIPHERAL, b"new"), packet=150)
    second = [each for each in second if each.packet != lost.packet + 100 or each.sender is not lost.sender] + [added]
    compared = compare(SESSION, second)
    assert not compared.is_same
    assert [packet for packet, _ in compared.only_first] == [lost.packet]
    assert [(packet, "6e6577" in words) for packet, words in compared.only_second] == [(150, True)]
    assert compared.common == 37


def test_captures_without_anything_in_common() -> None:
    compared = compare(SESSION[:1], [pdu(9, Side.UNKNOWN)])
    assert (compared.common, compared.offset_ns, compared.spread_ns) == (0, 0, 0)
    empty: list[Event] = []
    assert compare(empty, empty).is_same


def test_values_that_are_all_the_same_are_compared_in_reasonable_time() -> None:
    """A sensor that says the same for hours: each with each would take minutes."""
    first = [pdu(number, value=b"72") for number in range(8_000)]
    second = later(first[:4_000] + first[4_003:], 5)
    began = time.process_time()
    compared = compare(first, second)
    assert time.process_time() - began < 2
    assert (compared.common, len(compared.only_first), compared.only_second) == (7_997, 3, [])
