"""`blechannel gateway simulate`, as people and programs see it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.exits import Exit
from tests.tools.programs import Run

QUICKLY = ("--watches", "3", "--seconds", "0.3", "--rate", "20")


def test_a_load_for_programs(programs: Run, tmp_path: Path) -> None:
    picture = tmp_path / "load.png"
    ran = programs("gateway", "simulate", *QUICKLY, "--plot", str(picture))
    assert ran.code == Exit.DONE
    told = ran.only("load")
    assert (told["watches"], told["rate_hz"], told["seconds"], told["message_bytes"]) == (3, 20, 0.3, 20)
    assert told["served"] == told["offered"] == 18
    assert list(told["latency_s"]) == ["p50", "p90", "p99", "p99.9", "max"]
    assert list(told["latency_s"].values()) == sorted(told["latency_s"].values())
    assert 0 < told["fairness"] <= 1
    assert told["cpu_share"] > 0
    assert told["plot"] == str(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert ran.events[0] == {"event": "progress", "done_runs": 1, "size_runs": 3}


def test_a_load_for_people(people: Run) -> None:
    ran = people("gateway", "simulate", *QUICKLY)
    assert ran.code == Exit.DONE
    words = " ".join(ran.out.split())
    assert "3 watches, 20 messages/s of 20 bytes from each, for 0.3 s" in words
    assert "18 of 18 messages" in words
    assert "latency p99.9" in words


def test_a_load_through_a_broker(programs: Run) -> None:
    ran = programs("gateway", "simulate", *QUICKLY, "--broker", "embedded")
    assert ran.code == Exit.DONE
    told = ran.only("load")
    assert told["served"] == told["offered"] == 18
    assert told["broker"].startswith("127.0.0.1:")


def test_watches_at_rest(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "run", run_virtual)
    ran = programs("gateway", "simulate", "--watches", "2", "--parked", "--seconds", "0.1")
    assert ran.code == Exit.DONE
    told = ran.only("parked")
    assert told["parked_bytes"] < told["hot_bytes"]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--watches", "20001"), "at most 20,000 watches"),
        (("--message", "4"), "at least 8 bytes"),
        (("--parked", "--plot", "x.png"), "--parked sends nothing"),
        (("--parked", "--watches", "1"), "two watches or more"),
        (("--parked", "--broker", "embedded"), "--parked sends nothing"),
        (("--watches", "201", "--broker", "embedded"), "give the URL of a real broker"),
        (("--watches", "4097", "--broker", "mqtt://127.0.0.1"), "at most 4,096 watches"),
    ],
)
def test_what_makes_no_sense_is_refused_with_advice(people: Run, arguments: tuple[str, ...], advice: str) -> None:
    ran = people("gateway", "simulate", *arguments)
    assert ran.code == Exit.USAGE
    assert advice in " ".join(ran.err.split())


def test_an_address_that_is_none_is_told_before_anything_is_set_up(people: Run) -> None:
    ran = people("gateway", "simulate", "--broker", "127.0.0.1:1883")
    assert ran.code == Exit.FAILED
    assert "is no mqtt://HOST:PORT" in ran.err
    assert "paired" not in ran.err
