"""Which bond, and which watch: by name, by the beginning of its identity, or by address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime

from blechannel.aio.phone import FoundWatch, Phone
from blechannel.errors import BondNotFound, LocalProtocolError, WatchNotFound
from blechannel.pairing.bonds import Bond, BondBook

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
        "replaces": bond.replaces.hex() if bond.replaces else None,
    }


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
        WatchNotFound: it was not seen within `timeout_s`.
    """
    bonds = current_bonds(phone.store.book)
    if wanted is not None and ":" in wanted and not any(bond.peer_name == wanted for bond in bonds):
        address = wanted.removeprefix("tcp:")
        return await find_watch(phone, lambda found: found.address == address, f"at {wanted}", timeout_s)
    if wanted is None:
        bond = _only(bonds, "this phone has no bond yet: pair first, with `blechannel phone pair`")
    else:
        bond = choose_bond(bonds, wanted)
    return await find_watch(phone, lambda found: _belongs(bond, found), f"called {label(bond)!r}", timeout_s)


def _belongs(bond: Bond, found: FoundWatch) -> bool:
    """A pending bond resolves no advertisement: the one that it replaces does, or any watch may be the one."""
    if bond.pending:
        return (found.bond.bond_id if found.bond else None) == bond.replaces
    return found.bond is not None and found.bond.bond_id == bond.bond_id


async def find_watch(phone: Phone, fits: Callable[[FoundWatch], bool], described: str, timeout_s: float) -> FoundWatch:
    """The first watch that fits.

    Raises:
        WatchNotFound: none within `timeout_s`; the text tells how many others were seen.
    """
    others: set[str] = set()
    try:
        async with asyncio.timeout(timeout_s), aclosing(phone.scan()) as watches:
            async for found in watches:
                if fits(found):
                    return found
                others.add(found.address)
    except TimeoutError:
        pass
    seen = f"{len(others)} other(s) seen" if others else "nothing seen at all: is it switched on and near?"
    raise WatchNotFound(f"no watch {described} within {timeout_s:g} s; {seen}")
