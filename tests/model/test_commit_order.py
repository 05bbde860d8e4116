"""Everything that can happen while a phone and a watch pair again and again, and what fails in a worse order.

As soon as there is a bond, there is one that both sides hold, whatever is lost and whoever crashes. The numbers of
states are printed (pytest -s).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.limits import MAX_PENDING
from tests.model.commit_order import CommitOrder, Order, State
from tests.model.explore import Explored, explore


def explored(order: CommitOrder, most_states: int = 1_000_000) -> Explored[State]:
    found = explore(order, most_states=most_states)
    print(f"\n{order}: {found}")
    return found


@pytest.mark.parametrize("bonded", [True, False], ids=["bonded", "strangers"])
@pytest.mark.parametrize(("links", "most_runs"), [(1, 3), (2, 2)])
def test_a_shared_bond_is_always_left(links: int, most_runs: int, bonded: bool) -> None:
    found = explored(CommitOrder(links=links, most_runs=most_runs, bonded=bonded))
    assert found.broken is None
    assert found.complete


@pytest.mark.parametrize(
    ("order", "bonded"),
    [
        (Order.BOTH_ON_M5, True),
        (Order.BOTH_ON_M5, False),
        (Order.ON_THE_REPLY, True),
        (Order.ON_THE_REPLY, False),
        (Order.M5_FIRST, False),
    ],
)
def test_a_worse_order_loses_every_bond(order: Order, bonded: bool) -> None:
    found = explored(CommitOrder(links=1, most_runs=1, order=order, bonded=bonded))
    assert found.broken is not None
    assert any(how.endswith("lost") for how, _ in found.way)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("bonded", [True, False], ids=["bonded", "strangers"])
@pytest.mark.parametrize("most_runs", [3, 4])
def test_a_shared_bond_is_left_after_more_runs_on_more_links(most_runs: int, bonded: bool) -> None:
    assert explored(CommitOrder(links=3, most_runs=most_runs, bonded=bonded)).broken is None


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_shared_bond_is_left_by_any_number_of_pairings_again() -> None:
    """More than the pending bonds that a phone keeps: those that go are the ones that replace what it has."""
    assert explored(CommitOrder(links=1, most_runs=MAX_PENDING + 2, bonded=True)).broken is None


@pytest.mark.long
@pytest.mark.timeout(600)
def test_where_the_bound_of_pending_bonds_begins_to_cost() -> None:
    """Strangers whose first pairing was cut off when the watch had stored, then as many more, and no reconnect."""
    strangers = CommitOrder(links=1, most_runs=MAX_PENDING, bonded=False)
    found = explored(strangers)
    assert found.complete
    assert found.broken is None
    assert explored(replace(strangers, most_runs=MAX_PENDING + 1)).broken is not None
