"""Many runs, and what is told of them."""

from __future__ import annotations

import dataclasses

import pytest

from blechannel.errors import LocalProtocolError
from blechannel_tools.simulate.report import facts_of, row_names, table, title
from blechannel_tools.simulate.runs import Plan, Sample, What, percentile, sample
from blechannel_tools.simulate.terms import Terms

RECONNECTS = Plan(what=What.RECONNECT, runs=3, seed=7)
TERMS = Terms(handles_known=True)


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (1, 1), (10, 1), (11, 2), (50, 5), (90, 9), (99, 10), (100, 10)]
)
def test_a_percentile_is_a_value_that_occurred(percent: float, value: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == value


def test_the_same_seed_gives_the_same_figures_and_another_gives_others() -> None:
    lossy = dataclasses.replace(TERMS, loss_percent=30.0)
    pairings = Plan(what=What.PAIRING, runs=3, seed=7)
    first = sample(pairings, lossy)
    assert sample(pairings, lossy) == first
    assert len(set(first.values)) > 1
    assert sample(dataclasses.replace(pairings, seed=8), lossy).values != first.values


def test_each_run_is_told() -> None:
    told: list[int] = []
    assert len(sample(RECONNECTS, TERMS, ran=lambda: told.append(1)).values) == len(told) == 3


def test_loss_costs_time() -> None:
    lossy = dataclasses.replace(TERMS, loss_percent=80.0)
    clear = sample(RECONNECTS, TERMS)
    assert clear.values == pytest.approx([clear.limit] * 3, rel=0.01)
    assert min(sample(RECONNECTS, lossy).values) > clear.limit


def test_runs_that_fail_are_counted_and_the_first_reason_is_told() -> None:
    """The phone gives a reconnect 30 s, and the set-up alone takes 18 intervals of 4 s."""
    slow = sample(RECONNECTS, Terms(interval_ms=4000.0))
    assert slow.values == ()
    facts = facts_of(RECONNECTS, slow)
    assert facts["failed_runs"] == 3
    assert "did not answer" in facts["first_failure"]
    assert "p50" not in facts
    shown = table(RECONNECTS, [slow, sample(RECONNECTS, TERMS)])
    assert shown.columns[-1] == "failed"
    assert [row[-1] for row in shown.rows] == ["3", "0"]
    assert "none" in shown.rows[0]


def test_a_transfer_that_fails_has_a_row_without_figures() -> None:
    plan = Plan(what=What.TRANSFER, runs=1)
    failed = Sample(TERMS, 170_800.0, (), (), ("the link was lost",))
    [row] = table(plan, [failed]).rows
    assert row == ("170.8", *["none"] * 6, "1")


def test_a_plan_that_makes_no_sense_is_no_failed_run() -> None:
    with pytest.raises(LocalProtocolError):
        sample(Plan(what=What.TRANSFER, runs=1, message_bytes=1_000_000), TERMS)


def test_what_all_rows_share_is_in_the_title() -> None:
    samples = [Sample(dataclasses.replace(TERMS, loss_percent=loss), 1.0, (1.0,), (), ()) for loss in (0.0, 2.5)]
    assert title(RECONNECTS, samples) == "Reconnect with known handles, ms: 2M, 30 ms, MTU 247, 3 runs"
    assert row_names(samples) == ["0 % loss", "2.5 % loss"]
    [alone] = table(RECONNECTS, samples[:1]).rows
    assert len(alone) == len(table(RECONNECTS, samples).rows[0]) - 1
    assert title(dataclasses.replace(RECONNECTS, runs=1), samples[:1]).endswith("0 % loss, MTU 247, one run")


def test_a_rate_is_told_beside_the_limit_and_the_link() -> None:
    plan = Plan(what=What.TRANSFER, runs=2)
    two = Sample(TERMS, 200_000.0, (150_000.0, 160_000.0), (170_000.0, 180_000.0), ())
    [row] = table(plan, [two]).rows
    assert row == ("200.0", "170.0", "150.0", "150.0", "150.0", "75.0 %", "88.2 %")
    facts = facts_of(plan, two)
    assert (facts["limit"], facts["bare_link"], facts["p50"]) == (200_000, 170_000, 150_000)
