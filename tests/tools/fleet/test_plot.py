"""The picture of a run."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from blechannel_tools.fleet.load import Offer, Served
from blechannel_tools.fleet.plot import _in_ms, draw


def made(count: int) -> Served:
    latencies = array("d", (0.001 * (1 + number % 100) for number in range(count)))
    arrived = array("d", (10 * number / count for number in range(count)))
    offer = Offer(rate_hz=1.0, seconds=10.0, message_bytes=20)
    return Served(10, offer, latencies, arrived, of_each=[count // 10] * 10, wall_s=10.0, cpu_s=1.0)


@pytest.mark.parametrize("count", [1, 20_000])
def test_any_number_of_messages_can_be_drawn(count: int, tmp_path: Path) -> None:
    path = tmp_path / "load.svg"
    draw(made(count), path)
    assert path.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("value_ms", "words"), [(1446.9, "1,447 ms"), (100.4, "100 ms"), (99.94, "99.9 ms"), (0.0412, "0.0412 ms")]
)
def test_latencies_are_told_without_powers_of_ten(value_ms: float, words: str) -> None:
    assert _in_ms(value_ms) == words
