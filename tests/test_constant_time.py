"""Secrets and what proves them are compared by `hmac.compare_digest`, wherever a peer's bytes come in."""

from __future__ import annotations

import hmac
import sys

import pytest

from blechannel.methods import Method
from blechannel.pairing.apply import apply
from blechannel.pairing.changes import AddCandidate, Promote
from blechannel.wire.adverts import make_advert, resolves
from tests.pairing.made_bonds import epoch
from tests.session.sides import World, join

COMPARED = {
    "pair_as_phone",  # the commitment
    "_made_with",  # the tag of a reconnect
    "_with_candidate",  # hint keys
    "_promote",
    "Bond.knows",
    "Ticket.matches",
    "resolves.<locals>.<genexpr>",  # the code of an advertisement
}


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The functions that compared something so; each comparison is still made."""
    seen: set[str] = set()
    compare = hmac.compare_digest

    def compare_and_note(one: bytes, other: bytes) -> bool:
        frame = sys._getframe(1)
        while frame.f_code.co_name == "<genexpr>" and not frame.f_code.co_qualname.startswith("resolves"):
            assert frame.f_back is not None
            frame = frame.f_back
        seen.add(frame.f_code.co_qualname)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare_and_note)
    return seen


def test_what_must_not_be_measured_is_compared_in_constant_time(callers: set[str]) -> None:
    carried = World("carried", method=Method.OUT_OF_BAND)
    join(*carried.pairing())
    world = World().bonded()
    join(*world.reconnecting())
    [bond] = world.watch_shelf.book.bonds.values()
    assert bond.knows(bond.epoch.hint_key)
    offered = apply(world.watch_shelf.book, AddCandidate(bond.bond_id, bond.epoch.hint_key, epoch(9, 9), 1), at_s=0.0)
    apply(offered, Promote(bond.bond_id, epoch(9, 9).hint_key), at_s=0.0)
    assert resolves(make_advert(bytes(32), pairing_open=False, random=bytes, unix_time_s=None), bytes(32), None)
    assert callers >= COMPARED
