"""Which bond, and which watch: by name, by the beginning of its identity, or by address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime

from blechannel.aio.phone import FoundWatch, Phone
from blechannel.errors import BondNotFound, LocalProtocolError, WatchNotFound
from blechannel.pairing.bonds import Bond, BondBook
from blechannel.roles import Role

SHORT_ID_DIGITS = 8


def short_id(bond: Bond) -> str:
    """Enough of a bond's identity to choose it by."""
    return bond.bond_id.hex()[:SHORT_ID_DIGITS]


def label(bond: Bond) -> str:
    """What a bond is called; a pending one has not been told its peer's name yet."""
    return bond.peer_name or f"unnamed {short_id(bond)}"


def facts_of(bond: Bond) -> dict[str, object]:
    """A bond for programs; no key in it."""
    return {
        "id": bond.bond_id.hex(),
        "name": bond.peer_name,
        "role": bond.role.value,
        "method": bond.method.name.lower(),
        "suite": bond.suite.name.lower(),
        "assurance": bond.assurance,
        "version": bond.version,
        "epoch": bond.epoch.number,
        "created_s": bond.created_s,
        "last_seen_s": bond.last_seen_s,
        "pending": bond.pending,
        "certificate": bond.peer_certificate.hex() or None,
        "replaces": bond.replaces.hex() if bond.replaces else None,
        "standing": standing_of(bond),
        "ports": None if bond.access.ports is None else sorted(bond.access.ports),
        "copied_s": bond.copied_s,
        "not_recognised_s": bond.not_recognised_s,
    }


def standing_of(bond: Bond) -> str | None:
    """On a watch, whose phone it is: the owner's or a guest's."""
    return bond.access.standing.name.lower() if bond.role is Role.WATCH else None


def notes_on(bond: Bond) -> list[str]:
    """What a person has to know of a bond beside its name."""
    marks = {"copied": bond.copied_s, "not recognised": bond.not_recognised_s}
    standing = standing_of(bond)
    return [*([standing] if standing else []), *(mark for mark, since in marks.items() if since is not None)]


def moment(seconds_since_1970: float) -> str:
    """A time for people, in their time zone."""
    if not seconds_since_1970:
        return "unknown"
    try:
        return datetime.fromtimestamp(seconds_since_1970).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "unknown"


def current_bonds(book: BondBook) -> list[Bond]:
    """One bond a peer: those that a pending one is about to replace are left out."""
    replaced = {bond.replaces for bond in book.bonds.values()}
    return [bond for bond in book.bonds.values() if bond.bond_id not in replaced]


def choose_bond(bonds: list[Bond], wanted: str) -> Bond:
    """The bond that `wanted` names, or whose identity begins with it.

    Raises:
        BondNotFound: there is none.
        LocalProtocolError: there are several.
    """
    by_name = [bond for bond in bonds if bond.peer_name == wanted]
    by_id = [bond for bond in bonds if wanted and bond.bond_id.hex().startswith(wanted.lower())]
    return _only(by_name or by_id, f"no bond is called {wanted!r}; see `blechannel bonds list`")


def _only(bonds: list[Bond], missing: str) -> Bond:
    if not bonds:
        raise BondNotFound(missing)
    if len(bonds) > 1:
        listed = ", ".join(f"{short_id(bond)} ({label(bond)})" for bond in bonds)
        raise LocalProtocolError(f"several bonds fit, say which by its id: {listed}")
    return bonds[0]


async def find_bonded(phone: Phone, wanted: str | None, *, timeout_s: float) -> FoundWatch:
    """The watch of the bond that is meant, or the one at an address; without a word the only bonded one.

    Raises:
        BondNotFound: this phone has no such bond.
        LocalProtocolError: several bonds fit.
        WatchNotFound: it was not seen within `timeout_s`, nor, where there is one bond, any watch that may be it.
    """
    bonds = current_bonds(phone.store.book)
    if wanted is not None and ":" in wanted and not any(bond.peer_name == wanted for bond in bonds):
        address = wanted.removeprefix("tcp:")
        return await find_watch(phone, lambda found: found.address == address, f"at {wanted}", timeout_s)
    if wanted is None:
        # One that no watch has confirmed is meant by name, or where there is no other: a refused pairing leaves such.
        bonds = [bond for bond in bonds if not bond.pending] or bonds
        bond = _only(bonds, "this phone has no bond yet: pair first, with `blechannel phone pair`")
    else:
        bond = choose_bond(bonds, wanted)
    described, is_only_bond = f"called {label(bond)!r}", bonds == [bond] and not bond.pending
    or_else = _may_know_us if is_only_bond else None
    return await find_watch(phone, lambda found: _belongs(bond, found), described, timeout_s, or_else=or_else)


def _belongs(bond: Bond, found: FoundWatch) -> bool:
    """A pending bond resolves no advertisement: the one that it replaces does, or any watch may be the one."""
    if bond.pending:
        return (found.bond.bond_id if found.bond else None) == bond.replaces
    return found.bond is not None and found.bond.bond_id == bond.bond_id


def _may_know_us(found: FoundWatch) -> bool:
    """A watch that has forgotten another phone advertises under a key that this phone lacks till it has connected."""
    return found.bond is None


async def find_watch(
    phone: Phone,
    fits: Callable[[FoundWatch], bool],
    described: str,
    timeout_s: float,
    *,
    or_else: Callable[[FoundWatch], bool] | None = None,
) -> FoundWatch:
    """The first watch that fits; when the time is over, the last one seen that fits `or_else`.

    Raises:
        WatchNotFound: none within `timeout_s`; the text tells how many others were seen.
    """
    others: dict[str, FoundWatch] = {}
    try:
        async with asyncio.timeout(timeout_s), aclosing(phone.scan()) as watches:
            async for found in watches:
                if fits(found):
                    return found
                others[found.address] = found
    except TimeoutError:
        pass
    possible = [found for found in others.values() if or_else is not None and or_else(found)]
    if possible:
        return possible[-1]
    seen = f"{len(others)} other(s) seen" if others else "nothing seen at all: is it switched on and near?"
    raise WatchNotFound(f"no watch {described} within {timeout_s:g} s; {seen}")
