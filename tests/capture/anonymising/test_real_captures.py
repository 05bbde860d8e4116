"""Captures of real devices: no address and no name of theirs is in the copy, and all else that was said still is."""

from __future__ import annotations

from pathlib import Path

from blechannel_capture.events import Advertised, AttPdu, Connected, Event, LinkControl, SmpPdu
from blechannel_capture.findings.linkability import ad_structures
from tests.capture.anonymising.test_anonymiser import anonymous
from tests.capture.reading import Heard, hear

MIN_NAME_BYTES = 4


def identities(heard: Heard) -> set[bytes]:
    """Addresses as they stand in packets, and names."""
    shown = {each.address for each in heard.all(Advertised)}
    for each in heard.all(Connected):
        shown |= {each.connection.central, each.connection.peripheral}
    found = {bytes.fromhex(each.split(" ")[0].replace(":", ""))[::-1] for each in shown if each}
    for advert in heard.all(Advertised):
        found |= {value for kind, value in ad_structures(advert.data) if kind in (0x08, 0x09)}
    return {each for each in found if len(each) >= MIN_NAME_BYTES and any(each)}


def said(heard: Heard) -> list[tuple[type[Event], int]]:
    kinds = (Advertised, AttPdu, SmpPdu, LinkControl)
    return [(type(each), each.packet) for each in heard.events if isinstance(each, kinds)]


def test_nothing_that_points_to_somebody_stays(captures: Path) -> None:
    seen = 0
    for path in sorted(captures.iterdir()):
        if path.suffix in (".csv", ".md"):
            continue
        content = path.read_bytes()
        copy, replaced = anonymous(content)
        before, after = hear(content), hear(copy)
        who = identities(before)
        seen += len(who)
        assert not [each for each in who if each in copy], path.name
        assert bool(who) <= bool(replaced)
        assert said(after) == said(before), path.name
        assert after.damage() == before.damage(), path.name
    assert seen > 20
