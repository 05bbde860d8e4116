"""Whatever a damaged capture says can be put into words, JSON, pcapng, a report and an anonymous copy."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from blechannel_capture.anonymising import Anonymiser
from blechannel_capture.capture import Capture
from blechannel_capture.containers.pcapng_writer import PcapngWriter
from blechannel_capture.errors import NotACapture
from blechannel_capture.exporting import exported
from blechannel_capture.json_lines import as_object
from blechannel_capture.report import gather, page
from blechannel_capture.selecting import Selection
from blechannel_capture.timing import Timing
from blechannel_capture.words import in_words
from tests.capture.mutating import mutated
from tests.capture.test_fuzz import CONTAINERS, keys, seeds


def show_all(content: bytes, secret: bytes) -> None:
    good = seeds()
    timing, selection = Timing(), Selection(1, 2, None)
    written = io.BytesIO()
    writer = PcapngWriter(written)
    capture = Capture(io.BytesIO(content), key_log=good.key_log, link_keys=keys())
    anonymiser = Anonymiser(secret, values=secret[0] < 128, gatt=capture.gatt)
    for packet, events in capture.steps():
        for event in events:
            assert "\n" not in in_words(event)
            json.dumps(as_object(event))
            timing.look(event)
            exported(event)
        if packet is not None:
            selection.has(packet, events)
            writer.packet(anonymiser.anonymised(packet, events))
    for link in timing.links.values():
        assert link.observed_interval_ms is None or link.observed_interval_ms > 0
    page(gather(Capture(io.BytesIO(content), key_log=good.key_log, link_keys=keys()), "damaged"))
    for _ in Capture(io.BytesIO(written.getvalue()), strict=False):
        """What was written can be read."""


@pytest.mark.parametrize("container", CONTAINERS)
def test_damaged_captures_can_be_shown(container: str) -> None:
    good, random = seeds(), Random(f"outputs {container}")
    for number in range(150):
        content = mutated(random.choice((good.small if number % 3 else good.rich)[container]), random)
        with suppress(NotACapture):
            show_all(content, random.randbytes(16))


@pytest.mark.long
@pytest.mark.parametrize("container", CONTAINERS)
def test_many_damaged_captures_can_be_shown(container: str) -> None:
    good, random = seeds(), Random(f"many outputs {container}")
    for _ in range(20_000):
        content = mutated(random.choice(good.rich[container]), random)
        with suppress(NotACapture):
            show_all(content, random.randbytes(16))


def test_real_captures_can_be_shown(captures: Path) -> None:
    for path in sorted(captures.iterdir()):
        if path.suffix not in (".csv", ".md") and path.stat().st_size < 20_000:
            show_all(path.read_bytes(), bytes(16))
