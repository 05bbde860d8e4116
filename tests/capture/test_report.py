"""The HTML page: whole, escaped, self-contained, and showing what was found."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import pytest

from blechannel.roles import Role
from blechannel_capture.capture import Capture
from blechannel_capture.events import Connection, Disconnected, Side
from blechannel_capture.findings import Certainty, Finding, Kind, Level
from blechannel_capture.report import Gathered, gather, gathering, page
from blechannel_capture.report.drawing import traffic
from blechannel_capture.report.excerpts import MAX_ROWS, Excerpts
from blechannel_capture.report.gathering import SHOWN_STEPS, Session
from blechannel_capture.report.histogram import MIN_SAMPLES, histogram
from tests.capture.channel_traffic import CapturedWorld, honest_life, talk
from tests.capture.findings.test_attacks import bonded, double, of_records, talking
from tests.capture.traffic import HostTraffic, small_talk
from tests.capture.writing import HCI_FILES

VOID = {"br", "meta", "line", "polygon", "rect"}


class Checked(HTMLParser):
    """Every element is closed, and nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe")
        given = dict(attrs)
        assert not {"src", "onclick", "onload"} & set(given)
        if "id" in given:
            self.ids.add(given["id"] or "")
        if tag == "a":
            self.links.add((given["href"] or "").removeprefix("#"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID, attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def gathered(world: CapturedWorld, role: Role = Role.WATCH, name: str = "a capture") -> Gathered:
    content = HCI_FILES["btsnoop H4"](world.taps[role].said)
    return gather(Capture(io.BytesIO(content), key_log=world.key_log(role)), name)


def checked(shown: Gathered) -> tuple[Checked, str]:
    parser = Checked()
    html = page(shown)
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert parser.links <= parser.ids
    assert "http://" not in html
    assert "https://" not in html
    return parser, " ".join(parser.text)


def test_an_honest_life() -> None:
    _, text = checked(gathered(honest_life(world=CapturedWorld("report"))))
    for part in (
        "no attack found",
        "Connection 1",
        "Connection 2",
        "pairing by passkey verified",
        "reconnect verified",
    ):
        assert part in text
    assert "Nothing: the capture is whole." in text
    assert "2027-01-15" in text


def test_an_attack_is_linked_to_its_packet_and_its_connection() -> None:
    world = bonded()
    talking(world, of_records(double))
    shown = gathered(world)
    parser, text = checked(shown)
    assert "1 attack found" in text
    assert "replay" in text
    assert "connection-2" in parser.links
    [attack] = [each for each in shown.findings if each.level is Level.ATTACK]
    assert f"packet-{attack.packets[-1]}" in parser.links
    around = {row.packet: row for row in shown.rows}
    assert around[attack.packets[-1]].is_found
    assert not around[attack.packets[-1] - 1].is_found
    assert "sent before" in " ".join(around[attack.packets[-1]].words)
    assert len({row.packet for row in shown.rows}) == len(shown.rows)


def test_packets_far_before_are_linked_where_they_began_a_handshake() -> None:
    """A replay names the packet of the first time, too."""
    world = bonded()
    recorded = world.meet(*world.reconnecting()).seen[1][1]
    talk(world, [b"x"] * 30)
    world.meet(*world.reconnecting(), lambda sender, number, frame: [(sender.peer, recorded if number == 1 else frame)])
    shown = gathered(world)
    [replay] = [each for each in shown.findings if each.kind is Kind.REPLAY]
    parser, _ = checked(shown)
    assert {f"packet-{each}" for each in replay.packets} <= parser.links


def test_excerpts_are_bounded() -> None:
    excerpts = Excerpts()
    for packet in range(1, 3 * MAX_ROWS):
        excerpts.look(Disconnected(packet, packet, Connection(1, 1), 0x13))
        if packet % 9 == 0:
            excerpts.found(Finding(Kind.CUT_OFF, Level.NOTE, Certainty.CERTAIN, (packet,), 1, "again"))
    assert len(excerpts.rows()) == MAX_ROWS
    assert [row.packet for row in excerpts.rows()] == list(range(4, MAX_ROWS + 4))
    assert [row.packet for row in excerpts.rows() if row.is_found][:2] == [9, 18]


@pytest.mark.parametrize("expected_ns", [0, 30_000_000])
def test_a_histogram_counts_every_sample(expected_ns: int) -> None:
    samples = [30_000_000] * 7 + [60_000_000] * 2 + [10**12]
    drawn = histogram(samples, "a & b", expected_ns=expected_ns)
    assert "a &amp; b" in drawn
    assert drawn.count('class="bar"') == 3
    assert ('class="expected"' in drawn) is (expected_ns > 0)
    assert ">7</text>" in drawn
    assert histogram(samples[: MIN_SAMPLES - 1], "few") == ""
    assert 'class="bar"' in histogram([0] * MIN_SAMPLES, "none of them takes time")


def test_round_trips_and_intervals_are_plotted() -> None:
    world = CapturedWorld("plots")
    honest_life(world=world)
    talk(world, [b"x"] * 40)
    tap = world.taps[Role.WATCH]
    tap.connect()
    for _ in range(MIN_SAMPLES):
        tap.att(Side.CENTRAL, b"\x0a\x03\x00")
        tap.now_ns += 12_000_000
        tap.att(Side.PERIPHERAL, b"\x0bvalue")
    html = page(gathered(world))
    assert html.count("ATT round trips</text>") == 1
    assert "between the central's packets" in html.replace("&#x27;", "'")


def test_names_are_escaped() -> None:
    shown = gathered(honest_life(world=CapturedWorld("report")), name="<script>alert('x')</script>")
    _, text = checked(shown)
    assert "<script>alert('x')</script>" in text, "as text"


def test_damage_is_shown() -> None:
    world = honest_life(world=CapturedWorld("report"))
    world.taps[Role.WATCH].acl(b"\x09", sent=True, continues=True)
    del world.taps[Role.WATCH].said[4]
    _, text = checked(gathered(world))
    assert "a continuation whose beginning is missing" in text
    assert "Its beginning is not in the capture." in text


def test_what_is_much_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = honest_life(world=CapturedWorld("long"))
    talk(world, [b"x"] * (SHOWN_STEPS + 20))
    shown = gathered(world)
    assert all(len(each.steps) <= SHOWN_STEPS + 1 for each in shown.sessions)
    _, text = checked(shown)
    assert "further frames are not drawn" in text
    monkeypatch.setattr(gathering, "PLOTTED_POINTS", 20)
    busy = small_talk(HostTraffic(), [b"x"] * 15).said
    many = gather(Capture(io.BytesIO(HCI_FILES["btsnoop H4"](busy))), "busy")
    assert [len(each.points) for each in many.sessions] == [20]
    assert many.sessions[0].att_pdus == 30


@pytest.mark.parametrize("values", [[], [b""], [b"", b""]])
def test_a_capture_with_next_to_nothing(values: list[bytes]) -> None:
    checked(gather(Capture(io.BytesIO(HCI_FILES["btsnoop H4"](small_talk(HostTraffic(), values).said))), "little"))
    _, text = checked(gather(Capture(io.BytesIO(HCI_FILES["btsnoop H4"]([]))), "nothing"))
    assert "1970-01-01" in text or "None." in text


@pytest.mark.parametrize(("lasts_ns", "ticks"), [(50_000_000, ["0 ms", "10 ms", "50 ms"]), (5 * 10**9, ["0 s", "5 s"])])
def test_the_time_axis_has_the_unit_that_fits(lasts_ns: int, ticks: list[str]) -> None:
    session = Session(Connection(1, 0x40), beginning_seen=True, points=[(7, 20, True), (7 + lasts_ns, 9, False)])
    assert [tick for tick in ticks if f">{tick}</text>" not in traffic(session)] == []
