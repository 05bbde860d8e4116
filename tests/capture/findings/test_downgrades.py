"""Weaker than both sides could do: the link layer's own pairing, its keys, and offers that nobody knows."""

from __future__ import annotations

import struct

import pytest

from blechannel.codec import encode
from blechannel.wire.frames import Hello, Info, Mode, Pair1, encode_frame
from blechannel_capture.events import Side
from blechannel_capture.findings import Certainty, Finding, Kind, Level
from tests.capture.reading import hear
from tests.capture.traffic import HANDLE, INBOX, OUTBOX, HostTraffic
from tests.capture.writing import HCI_FILES

SC, MITM, BOND = 0x08, 0x04, 0x01


def findings(traffic: HostTraffic) -> list[Finding]:
    return hear(HCI_FILES["btsnoop H4"](traffic.said)).findings


def paired(request: tuple[int, int], response: tuple[int, int]) -> dict[Kind, Level]:
    """What is found where both sides ask for that (AuthReq, key size)."""
    traffic = HostTraffic()
    traffic.connect()
    for sender, code, (auth, size) in ((Side.CENTRAL, 1, request), (Side.PERIPHERAL, 2, response)):
        traffic.smp(sender, bytes([code, 3, 0, auth, size, 0, 1]))
    return {each.kind: each.level for each in findings(traffic)}


def test_the_best_link_pairing_is_no_finding() -> None:
    assert paired((SC | MITM | BOND, 16), (SC | MITM | BOND, 16)) == {}


@pytest.mark.parametrize("strong", [0, 1])
def test_legacy_pairing_is_a_weakness_whoever_wants_it(strong: int) -> None:
    sides = [(MITM, 16), (MITM, 16)]
    sides[strong] = (MITM | SC, 16)
    assert paired(*sides) == {Kind.LEGACY_PAIRING: Level.WEAKNESS}
    assert paired((MITM, 16), (MITM, 16)) == {Kind.LEGACY_PAIRING: Level.WEAKNESS}


def test_just_works_is_a_weakness() -> None:
    assert paired((SC, 16), (SC, 16)) == {Kind.UNAUTHENTICATED_PAIRING: Level.WEAKNESS}
    assert paired((SC | MITM, 16), (SC, 16)) == {}


@pytest.mark.parametrize(("size", "level"), [(16, None), (15, Level.WEAKNESS), (7, Level.WEAKNESS), (6, Level.ATTACK)])
def test_short_keys(size: int, level: Level | None) -> None:
    for request, response in ((size, 16), (16, size)):
        kinds = paired((SC | MITM, request), (SC | MITM, response))
        assert kinds.get(Kind.SHORT_KEY) is level


def test_half_a_link_pairing_says_nothing() -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.smp(Side.PERIPHERAL, bytes([2, 3, 0, 0, 16, 0, 1]))
    traffic.smp(Side.CENTRAL, bytes([1, 3]))
    traffic.smp(Side.CENTRAL, bytes([1, 3, 0, 0, 16, 0, 1]))
    assert findings(traffic) == []


@pytest.mark.parametrize(("key", "found"), [(bytes(16), [Kind.ZERO_KEY]), (bytes(15) + b"\x01", [])])
def test_a_long_term_key_of_zeros(key: bytes, found: list[Kind]) -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.command(0x2019, struct.pack("<HQH", HANDLE, 0, 0) + key)
    traffic.command(0x201A, struct.pack("<H", HANDLE) + bytes([7] * 16))
    assert [each.kind for each in findings(traffic)] == found


# --- our own offers and choices ---


def offered(suites: int, suite: int) -> list[Finding]:
    traffic = HostTraffic()
    traffic.connect()
    info = Info(1, 1, 0x0F, suites, Mode(1), 8, 8192, 0, bytes(16))
    traffic.notify(OUTBOX, b"\x80\x00" + encode_frame(info))
    traffic.write(INBOX, b"\x80\x01" + encode_frame(Pair1(encode(Hello(1, suite, 1, 8, 8192)), bytes(range(80)))))
    return findings(traffic)


@pytest.mark.parametrize("suites", range(1, 256, 6))
def test_every_choice_of_every_offer_is_judged(suites: int) -> None:
    for suite in range(9):
        found = [(each.kind, each.level, each.certainty) for each in offered(suites, suite)]
        if not suite or not suites >> (suite - 1) & 1:
            assert found == [(Kind.DOWNGRADE, Level.ATTACK, Certainty.CERTAIN)]
        elif suite == 1 and suites & 2:
            assert found == [(Kind.DOWNGRADE, Level.WEAKNESS, Certainty.CERTAIN)]
        else:
            assert found == []
