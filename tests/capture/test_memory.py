"""What a capture costs in memory does not grow with its length: here with the connections in it."""

from __future__ import annotations

import tracemalloc
from itertools import count

import pytest

from blechannel.roles import Role
from blechannel_capture import Findings
from blechannel_capture.analysis import MAX_PAST, MAX_PEERS, Analysis
from blechannel_capture.att import NOTIFICATION
from blechannel_capture.channel.events import ChannelEnded, Ending
from blechannel_capture.events import AttPdu, Connected, Connection, Disconnected, Event, Side
from blechannel_capture.ledger import Ledger
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import hear
from tests.capture.writing import HCI_FILES


def session() -> list[Event]:
    """The events of a decoder, of a pairing and a reconnect."""
    world = honest_life(world=CapturedWorld("memory"))
    heard = hear(HCI_FILES["btsnoop H4"](world.taps[Role.PHONE].said))
    return [each for each in heard.events if isinstance(each, Connected | AttPdu | Disconnected)]


def run(connections: int, *, ends: bool) -> int:
    """Peak bytes of an analysis and its findings; each session comes again under another number."""
    events, numbers = session(), count(1)
    analysis, ledger = Analysis({}), Ledger()
    findings = Findings(ledger, analysis.gatt)
    tracemalloc.start()
    while True:
        for event in events:
            if isinstance(event, Connected):
                if (number := next(numbers)) > connections:
                    _, peak = tracemalloc.get_traced_memory()
                    tracemalloc.stop()
                    return peak
                link = Connection(number, number, peripheral=f"{number:012x}")
            if isinstance(event, Disconnected) and not ends:
                continue
            event.connection = link  # type: ignore[attr-defined]
            for said in analysis.follow([event]):
                for _ in findings.look(said):
                    """Not kept: how many are found is another matter."""


def test_of_connections_that_are_over_the_latest_stay_known() -> None:
    analysis = Analysis({})
    links = [Connection(number, number, peripheral=f"{number:012x}") for number in range(1, 2 * MAX_PAST)]
    maps = []
    for link in links:
        analysis.follow(notified(link, link.number))
        maps.append(analysis.gatt(link))
        analysis.follow([Disconnected(link.number, 0, link, 0x13)])
        assert analysis.gatt(link) is maps[-1]
    assert analysis.gatt(links[-MAX_PAST]) is maps[-MAX_PAST]
    assert len(analysis._peers) == 0
    assert len(analysis._past) == len(analysis._cache) == MAX_PAST


@pytest.mark.long
@pytest.mark.parametrize("ends", [True, False])
def test_ten_thousand_connections(ends: bool) -> None:
    assert run(10_000, ends=ends) < 64_000_000


def notified(link: Connection, packet: int) -> list[Event]:
    return [AttPdu(packet, packet, link, Side.PERIPHERAL, NOTIFICATION, 0x24, b"value")]


def test_of_too_many_connections_the_quietest_is_given_up() -> None:
    analysis = Analysis({})
    links = [Connection(number, number) for number in range(1, MAX_PEERS + 2)]
    for packet, link in enumerate(links[:MAX_PEERS], 1):
        analysis.follow(notified(link, packet))
    first = analysis.gatt(links[0])
    analysis.follow(notified(links[0], MAX_PEERS + 1))
    quiet = analysis.gatt(links[1])
    assert analysis.follow(notified(links[-1], MAX_PEERS + 2))
    assert analysis.gatt(links[0]) is first
    assert analysis.gatt(links[1]) is quiet, "its attributes stay known for a while"


def test_a_session_that_is_given_up_is_told() -> None:
    analysis = Analysis({})
    told = [said for event in session()[:6] if not isinstance(event, Disconnected) for said in analysis.follow([event])]
    assert not [each for each in told if isinstance(each, ChannelEnded)]
    for number in range(100, 100 + MAX_PEERS):
        told += analysis.follow(notified(Connection(number, number), number))
    assert [each.ending for each in told if isinstance(each, ChannelEnded)] == [Ending.OPEN]
