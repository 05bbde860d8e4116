"""The commit order's model and real pairings, walked along the same random ways: what they store agrees."""

from __future__ import annotations

from random import Random

import pytest

from tests.model.commit_order import CommitOrder
from tests.model.explore import Move
from tests.model.real_runs import RealRuns

ENDS = ("close", "give up", "lost")
MOVES = {"m4", "m5", "m6", "bond", "bond, link lost", "pending", "pending, link lost", "confirmed", *ENDS[:2]}


def likely(move: Move) -> int:
    """Ways that end early show less."""
    return 1 if move[0].endswith(ENDS) else 4


def walk(order: CommitOrder, random: Random) -> set[str]:
    state, real = order.first(), RealRuns(order.links, bonded=order.bonded)
    done = set()
    while following := dict(order.moves(state)):
        [move] = random.choices(list(following), [likely(move) for move in following])
        real.do(move)
        state = following[move]
        assert real.phone_bonds() == set(state.phone)
        assert real.watch_bonds() == state.watch
        for number, run in enumerate(state.runs):
            assert real.at(number) == (run.phone, run.watch)
        done.add(move[0].partition(", replacing")[0])
    return done


@pytest.mark.parametrize("bonded", [True, False], ids=["bonded", "strangers"])
@pytest.mark.parametrize("links", [1, 3])
def test_the_model_and_real_pairings_agree(links: int, bonded: bool) -> None:
    order = CommitOrder(links=links, most_runs=5, bonded=bonded)
    done: set[str] = set()
    for seed in range(15):
        done |= walk(order, Random(seed))
    assert done == MOVES | {"pair", "reconnect"}
