"""The household on the watch's own face: its person sees the phones, and decides with keys what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from blechannel.aio.membership import Membership
from blechannel.errors import BlechannelError
from blechannel.pairing.access import OWNER_PORTS
from blechannel.pairing.bonds import Bond
from blechannel_tools.output import Event
from blechannel_tools.selection import label, notes_on, short_id, standing_of
from blechannel_tools.watch_state import Menu, Told
from blechannel_tools.ways import says_yes

CHOICES = "123456789abcdefg"
"""A key for each of the bonds that a watch can hold."""
BACK = "hH\x1b"
DEFAULT_NOTE = "as every guest"


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is to be done, and what is told when it is."""

    act: Callable[[], Awaitable[None]]
    told: Told


@dataclass(frozen=True, slots=True)
class _Question:
    """What the person is asked before a decision that cannot be taken back."""

    text: str
    decision: _Decision


class WatchHousehold:
    """A menu of the phones, open or not; `run` carries out what was decided."""

    def __init__(self, members: Membership, *, served: Sequence[str], guest_ports: frozenset[str]) -> None:
        """`served`: the ports that a guest can be permitted; `guest_ports`: those that every guest may use."""
        self._members = members
        self._served = tuple(sorted(set(served) - OWNER_PORTS))
        self._guest_ports = guest_ports
        self._chosen: bytes | None = None
        self._question: _Question | None = None
        self._decided: asyncio.Queue[_Decision] = asyncio.Queue()
        self.is_open = False

    async def run(self, tell: Callable[[Told], None]) -> None:
        """Do what the person decides, one after the other, and tell how it went; ends only when it is cancelled."""
        while True:
            decision = await self._decided.get()
            try:
                await decision.act()
            except BlechannelError as error:
                tell(Told(Event.ERROR, f"nothing was changed: {error}"))
            else:
                tell(decision.told)

    def open(self) -> None:
        """Show the phones."""
        self.is_open, self._chosen, self._question = True, None, None

    def pressed(self, key: str) -> None:
        """A key, while it is open."""
        bond = self._bond()
        if self._question is not None:
            self._answered(self._question, key)
        elif key in BACK:
            self.is_open, self._chosen = bond is not None, None
        elif bond is None:
            self._pressed_in_list(key)
        else:
            self._pressed_for(bond, key)

    def menu(self) -> Menu | None:
        """What is to be shown now; None while it is not open."""
        if not self.is_open:
            return None
        bond = self._bond()
        if self._question is not None:
            return Menu("are you sure?", ((self._question.text,),), "y: yes   n: no")
        return self._list() if bond is None else self._one(bond)

    def _bond(self) -> Bond | None:
        """The phone that was chosen, unless it is gone meanwhile."""
        return next((bond for bond in self._members.bonds if bond.bond_id == self._chosen), None)

    # --- all of them ---

    def _list(self) -> Menu:
        rows = [
            (f"{key}:", label(bond), short_id(bond), self._may_use(bond), ", ".join(notes_on(bond)))
            for key, bond in zip(CHOICES, self._members.bonds, strict=False)
        ]
        keys = f"1-{CHOICES[len(rows) - 1]}: choose a phone   x: forget all   h: back" if rows else "h: back"
        return Menu("the phones of this watch", tuple(rows or [("no phone is bonded yet",)]), keys)

    def _may_use(self, bond: Bond) -> str:
        if bond.access.is_owner:
            return "may use everything"
        note = f" ({DEFAULT_NOTE})" if bond.access.ports is None else ""
        return f"may use {', '.join(sorted(self._ports(bond))) or 'nothing'}{note}"

    def _pressed_in_list(self, key: str) -> None:
        bonds = self._members.bonds
        if key in CHOICES[: len(bonds)]:
            self._chosen = bonds[CHOICES.index(key)].bond_id
        elif key in "xX" and bonds:
            told = Told(Event.FORGOTTEN, "every phone and every wrong code is forgotten")
            self._ask("forget every phone, the owner's too? All need a new pairing", self._members.factory_reset, told)

    # --- one of them ---

    def _one(self, bond: Bond) -> Menu:
        title = f"{label(bond)} ({short_id(bond)}), {standing_of(bond)}"
        if bond.access.is_owner:
            return Menu(title, (("may use everything, and decides who else may do what",),), "f: forget   h: back")
        permitted = self._ports(bond)
        rows = [
            (f"{key}:", port, "permitted" if port in permitted else "not permitted")
            for key, port in zip(CHOICES, self._served, strict=False)
        ]
        default = ", ".join(sorted(self._guest_ports)) or "nothing"
        rows.append(("d:", DEFAULT_NOTE, f"{default}{' (so it is)' if bond.access.ports is None else ''}"))
        return Menu(title, tuple(rows), "o: make it the owner's   f: forget   h: back")

    def _ports(self, bond: Bond) -> frozenset[str]:
        return self._guest_ports if bond.access.ports is None else bond.access.ports

    def _pressed_for(self, bond: Bond, key: str) -> None:
        if key in "fF":
            told = Told(Event.FORGOTTEN, f"{label(bond)} is forgotten", _named(bond))
            question = f"forget {label(bond)}? It is cut off at once, and needs a new pairing to come back"
            self._ask(question, lambda: self._members.forget(bond.bond_id), told)
        elif bond.access.is_owner:
            return
        elif key in "oO":
            told = Told(Event.OWNER_CHANGED, f"{label(bond)} is the owner's phone now", _named(bond))
            question = f"make {label(bond)} the owner's? The owner's phone of now becomes a guest's"
            self._ask(question, lambda: self._members.make_owner(bond.bond_id), told)
        elif key in "dD":
            self._permit(bond, None)
        elif key in CHOICES[: len(self._served)]:
            self._permit(bond, self._ports(bond) ^ {self._served[CHOICES.index(key)]})

    def _permit(self, bond: Bond, ports: frozenset[str] | None) -> None:
        may = DEFAULT_NOTE if ports is None else ", ".join(sorted(ports)) or "nothing"
        facts = {**_named(bond), "ports": None if ports is None else sorted(ports)}
        told = Told(Event.PERMITTED, f"{label(bond)} may use {may} now", facts)
        self._decided.put_nowait(_Decision(lambda: self._members.permit(bond.bond_id, ports), told))

    # --- being sure ---

    def _ask(self, text: str, act: Callable[[], Awaitable[None]], told: Told) -> None:
        self._question = _Question(text, _Decision(act, told))

    def _answered(self, question: _Question, key: str) -> None:
        sure = says_yes("n" if key in BACK else key)
        if sure is None:
            return
        self._question = None
        if sure:
            self._chosen = None
            self._decided.put_nowait(question.decision)


def _named(bond: Bond) -> dict[str, object]:
    return {"id": bond.bond_id.hex(), "name": bond.peer_name}
