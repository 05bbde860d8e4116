"""`blechannel simulate`, as people and programs see it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from blechannel_tools import simulate
from blechannel_tools.exits import Exit
from tests.tools.programs import Run


def test_a_reconnect_for_programs(programs: Run) -> None:
    ran = programs("simulate", "reconnect", "--runs", "2", "--known-handles", "--interval", "30", "50")
    assert ran.code == Exit.DONE
    told = ran.only("simulated")
    assert (told["what"], told["unit"], told["way"], told["runs"], told["plot"]) == ("reconnect", "s", None, 2, None)
    assert [row["interval_ms"] for row in told["rows"]] == [30, 50]
    for row in told["rows"]:
        assert row["limit"] == pytest.approx(6 * row["interval_ms"] / 1000)
        assert row["p50"] == pytest.approx(row["limit"], rel=0.01)
    assert ran.events[0]["event"] == "progress"
    assert ran.events[-2] == {"event": "progress", "done_runs": 4, "size_runs": 4}


def test_a_pairing_for_people(people: Run) -> None:
    ran = people("simulate", "pairing", "--runs", "1", "--phy", "1m", "coded-s2")
    assert ran.code == Exit.DONE
    assert "Pairing with unknown handles, without the person, ms: 30 ms, 0 % loss, MTU 247, one run" in " ".join(
        ran.out.split()
    )
    for phy in ("1M", "coded-S2"):
        assert f"\n  {phy} " in ran.out


def test_a_transfer_both_ways(people: Run) -> None:
    ran = people("simulate", "transfer", "--way", "both", "--runs", "1")
    assert ran.code == Exit.DONE
    assert "both ways together" in ran.out
    assert "195.2" in ran.out


def test_a_picture(programs: Run, tmp_path: Path) -> None:
    picture = tmp_path / "reconnect.png"
    ran = programs("simulate", "reconnect", "--runs", "1", "--plot", str(picture))
    assert ran.code == Exit.DONE
    assert ran.last["plot"] == str(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install_before_it_runs(
    people: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "blechannel_tools.simulate.plot", raising=False)
    monkeypatch.delattr(simulate, "plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = people("simulate", "transfer", "--plot", str(tmp_path / "goodput.png"))
    assert ran.code == Exit.FAILED
    assert "pip install 'blechannel[plot]'" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("--interval 7.4", "7.4 is no connection interval: 7.5 to 4000 ms"),
        ("--interval 4001.25", "4001.25 is no connection interval"),
        ("--interval 31", "in steps of 1.25"),
        ("--interval nan", "nan is no connection interval"),
        ("--interval fast", "fast is no connection interval"),
        ("--phy 3M", "there is no PHY 3M: choose from 1M, 2M, coded-S2, coded-S8"),
        ("--loss 90.5", "90.5 is no loss between 0 and 90 percent"),
        ("--loss=-1", "-1 is no loss"),
        ("--mtu 22", "22 is no MTU: 23 to 517 bytes"),
        ("--mtu 518", "518 is no MTU"),
        ("--mtu 100.5", "100.5 is no MTU"),
        ("--runs 0", "0 is no number above 0"),
        ("--plot figure.pdf", "figure.pdf does not end in .png or .svg"),
        ("--plot nowhere/figure.png", "there is no folder nowhere"),
        ("--way both", "--way and --message are a transfer's"),
        ("--message 10", "--way and --message are a transfer's"),
    ],
)
def test_what_makes_no_sense_is_named(people: Run, arguments: str, named: str) -> None:
    ran = people("simulate", "reconnect", *arguments.split())
    assert ran.code == Exit.USAGE
    assert named in ran.err


def test_a_row_without_a_run_that_ended_well_is_a_failure(people: Run) -> None:
    ran = people("simulate", "reconnect", "--runs", "1", "--interval", "4000")
    assert ran.code == Exit.FAILED
    assert "none" in ran.out
    assert "no run ended well with 2M, 4000 ms, 0 % loss, MTU 247: the watch did not answer" in ran.err
