"""The guard against slower hot paths is itself tried: what does more is caught, what does the same is not."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from blechannel.session.records import Records
from tests.bench import counts
from tests.bench.counting import count_calls, count_opcodes
from tests.bench.hot_paths import HOT_PATHS, sealed, session
from tests.bench.ratio import Work


def calls(work: Work) -> dict[str, int]:
    work()
    return {"calls": count_calls(work)}


@pytest.mark.parametrize("make", [lambda: sealed(244), lambda: session(5, 244)], ids=["records", "session"])
def test_the_same_work_counts_the_same(make: Callable[[], Work]) -> None:
    assert calls(make()) == calls(make())


def test_a_doubled_seal_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    before, whole_before = calls(sealed(244)), calls(session(5, 244))
    seal = Records.seal_content

    def twice(self: Records, content: bytes) -> bytes:
        n = self._send.n
        seal(self, content)
        self._send.n = n
        return seal(self, content)

    monkeypatch.setattr(Records, "seal_content", twice)
    assert counts.slower(calls(sealed(244)), before)
    assert calls(session(5, 244))["calls"] > whole_before["calls"]


def test_a_loop_that_calls_nothing_is_caught_by_its_opcodes() -> None:
    def work(rounds: int) -> Work:
        def run() -> None:
            number = 0
            while number < rounds:
                number += 1

        return run

    short, long = work(100), work(110)
    assert count_calls(short) == count_calls(long)
    assert counts.slower({"opcodes": count_opcodes(long)}, {"opcodes": count_opcodes(short)})


def test_what_is_within_the_tolerance_is_not_told() -> None:
    assert counts.slower({"calls": 105}, {"calls": 100}) == []
    assert counts.slower({"calls": 106}, {"calls": 100}) == ["106 calls instead of 100 (+6.0%)"]


def test_every_hot_path_is_kept_for_each_python() -> None:
    kept: counts.Kept = json.loads(counts.KEPT.read_text(encoding="utf-8"))
    assert kept
    for paths in kept.values():
        assert set(paths) == set(HOT_PATHS)


@pytest.mark.parametrize(("more", "code"), [(0, 0), (2, 1)])
def test_the_check_fails_where_one_path_does_more(
    more: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(counts, "HOT_PATHS", {"records": lambda: sealed(244)})
    [(_, now)] = counts.counted()
    kept = {"records": {"calls": now.calls // (1 + more), "opcodes": now.opcodes}}
    assert counts.check(kept) == code
    assert ("SLOWER" in capsys.readouterr().out) == bool(code)
