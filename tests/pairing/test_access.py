"""What a phone may do: an owner everything, a guest what was chosen, and never what is the owner's alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import BondError
from blechannel.limits import MAX_PERMITTED_PORTS, MAX_PORT_NAME_BYTES
from blechannel.pairing.access import OWNER_PORTS, Access, Standing, pack_ports, unpack_ports

NOTHING: frozenset[str] = frozenset()
ECHO = frozenset({"echo"})


def test_an_owner_may_do_everything() -> None:
    owner = Access(Standing.OWNER)
    assert owner.is_owner
    assert all(owner.allows(port, guest_ports=NOTHING) for port in ("echo", "anything", *OWNER_PORTS))


def test_who_is_not_said_to_be_the_owner_is_a_guest_and_may_do_nothing() -> None:
    assert not Access().is_owner
    assert not Access().allows("echo", guest_ports=NOTHING)


@pytest.mark.parametrize(
    ("chosen", "of_the_watch", "allowed"),
    [(None, ECHO, True), (None, NOTHING, False), (NOTHING, ECHO, False), (ECHO, NOTHING, True)],
)
def test_what_was_chosen_for_a_guest_goes_before_the_watchs_choice(
    chosen: frozenset[str] | None, of_the_watch: frozenset[str], allowed: bool
) -> None:
    assert Access(ports=chosen).allows("echo", guest_ports=of_the_watch) is allowed


@pytest.mark.parametrize("port", sorted(OWNER_PORTS))
def test_no_choice_gives_a_guest_what_is_the_owners(port: str) -> None:
    assert not Access(ports=OWNER_PORTS).allows(port, guest_ports=OWNER_PORTS)
    assert not Access().allows(port, guest_ports=OWNER_PORTS)


@pytest.mark.parametrize(
    "ports",
    [
        frozenset({""}),
        frozenset({"x" * (MAX_PORT_NAME_BYTES + 1)}),
        frozenset({"\ud800"}),
        frozenset(map(str, range(MAX_PERMITTED_PORTS + 1))),
    ],
    ids=["empty", "long", "no text", "many"],
)
def test_a_choice_that_could_not_be_kept_is_refused(ports: frozenset[str]) -> None:
    with pytest.raises(BondError):
        Access(ports=ports)


def test_a_choice_at_its_bounds_is_kept() -> None:
    names = frozenset(f"{number:0{MAX_PORT_NAME_BYTES}d}" for number in range(MAX_PERMITTED_PORTS))
    assert Access(ports=names).ports == names


@given(ports=st.frozensets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), max_size=8))
def test_packed_names_are_the_same_again(ports: frozenset[str]) -> None:
    assert unpack_ports(pack_ports(ports)) == ports


@given(packed=st.binary(max_size=40))
def test_any_bytes_are_names_in_the_one_spelling_or_refused(packed: bytes) -> None:
    try:
        ports = unpack_ports(packed)
    except ValueError:
        return
    assert pack_ports(ports) == packed


@pytest.mark.parametrize("packed", [b"\x05echo", b"\x01b\x01a", b"\x01a\x01a", b"\x01\xff"])
def test_what_is_no_list_of_names_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"port names|utf-8"):
        unpack_ports(packed)
