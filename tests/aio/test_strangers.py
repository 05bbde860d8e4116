"""Which addresses refused which bonds: each is remembered for its bond alone, and not without bound."""

from __future__ import annotations

from blechannel.aio.strangers import MAX_ADDRESSES, Strangers


def test_a_refusal_is_remembered_for_its_address_and_bond() -> None:
    strangers = Strangers()
    strangers.refused("a", b"1")
    strangers.refused("a", b"2")
    assert strangers.has_refused("a", b"1")
    assert strangers.has_refused("a", b"2")
    assert not strangers.has_refused("a", b"3")
    assert not strangers.has_refused("b", b"1")


def test_the_oldest_address_is_forgotten_first() -> None:
    strangers = Strangers()
    for number in range(MAX_ADDRESSES):
        strangers.refused(str(number), b"1")
    strangers.refused("0", b"2")
    strangers.refused("new", b"1")
    assert not strangers.has_refused("1", b"1")
    assert all(strangers.has_refused(each, b"1") for each in ("0", "2", "new"))
