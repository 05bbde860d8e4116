"""The ratchet's model and real sessions, walked along the same random ways: what they store agrees."""

from __future__ import annotations

from random import Random

import pytest

from tests.model.explore import Move
from tests.model.ratchet import Ratchet
from tests.model.ratchet_state import State
from tests.model.real_links import RealLinks

STEPS = 100
MODELS = {
    "one link": Ratchet(links=1, candidates=4),
    "three links": Ratchet(links=3, candidates=4),
    "many at once": Ratchet(links=4, candidates=4, one_at_a_time=False),
    "a copied phone": Ratchet(links=3, candidates=4, can_be_copied=True),
    "both copied": Ratchet(links=3, candidates=4, can_be_copied=True, watch_can_be_copied=True),
    "a watch put back": Ratchet(links=2, candidates=4, restores=2),
    "a watch copied and put back": Ratchet(links=3, candidates=4, watch_can_be_copied=True, restores=2),
}
ENDS = ("close", "give up", "refused", "lost")
FILES = ("copy", "watch copied", "save", "restore")


class Names:
    """Which key of the model is which real one."""

    def __init__(self) -> None:
        self.real: dict[int, bytes] = {}

    def assert_alike(self, numbers: tuple[int, ...], keys: tuple[bytes, ...]) -> None:
        assert len(numbers) == len(keys)
        for number, key in zip(numbers, keys, strict=True):
            assert self.real.setdefault(number, key) == key
        assert len(set(self.real.values())) == len(self.real)

    def keep(self, numbers: set[int]) -> None:
        """The model uses the number of a key that is nowhere any more for another one."""
        self.real = {number: key for number, key in self.real.items() if number in numbers}


def likely(move: Move) -> int:
    """Ways that end early show less, and so do those on which the files are copied before much has happened."""
    return 1 if move[0].endswith((*ENDS, *FILES)) else 6


def assert_alike(names: Names, model: State, real: RealLinks) -> None:
    names.keep(model.keys())
    for watch, bond in zip(model.watches, real.watch_bonds(), strict=True):
        names.assert_alike((watch.epoch,), (bond.epoch.hint_key,))
        names.assert_alike(watch.candidates, tuple(each.hint_key for each in bond.candidates))
        names.assert_alike(watch.retired, bond.retired)
    names.assert_alike(model.holders, tuple(real.holder_keys()))
    assert model.evidence == real.evidence
    for number, link in enumerate(model.links):
        assert (link.phone, link.watch) == real.at(number)


def walk(ratchet: Ratchet, random: Random) -> set[str]:
    state, real, names = ratchet.first(), RealLinks(ratchet.links), Names()
    done = set()
    for _ in range(STEPS):
        following = dict(ratchet.moves(state))
        [move] = random.choices(list(following), [likely(move) for move in following])
        real.do(move, set(following))
        state = following[move]
        assert_alike(names, state, real)
        done.add(move[0])
    assert ratchet.broken(state) is None or not ratchet.one_at_a_time
    return done | real.refused


def expected(ratchet: Ratchet) -> set[str]:
    """Every move, and every refusal, that many walks must have come by."""
    stores = {f"{what}{how}" for what in ("candidate", "promotion") for how in ("", " refused", ", link lost")}
    stores |= {"advanced", "advanced, link lost", "advance refused"}
    moves = {"open", "close", "begin", "give up", "m1", "m2", "ready", "failed", *stores}
    if ratchet.can_be_copied:
        moves |= {"copy", "copy begins", "not-recognised"}
    if ratchet.watch_can_be_copied:
        moves |= {"watch copied", "copy opens", "not-recognised"}
    if ratchet.restores:
        moves |= {"save", "restore", "not-recognised"}
    return moves


@pytest.mark.parametrize("name", MODELS)
def test_the_model_and_real_sessions_agree(name: str) -> None:
    ratchet = MODELS[name]
    done: set[str] = set()
    for seed in range(30):
        done |= walk(ratchet, Random(seed))
    assert done == expected(ratchet)
