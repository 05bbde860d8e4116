"""Real pairings on several links, driven by the moves of the commit order's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from blechannel.errors import LinkLost, PairingRefused
from blechannel.noise import DH_25519
from blechannel.pairing.bonds import Bond
from blechannel.session.conversation import State
from blechannel.session.events import Established
from blechannel.session.setup import Reconnect
from tests.model.commit_order import At, Kept
from tests.model.explore import Move
from tests.session.homes import assert_silent_while_storing
from tests.session.sides import Side, World, join


class RealRuns:
    """One phone, one watch, and what is held on its way on each link."""

    def __init__(self, links: int, *, bonded: bool) -> None:
        self.world = World().bonded() if bonded else World()
        self.phones: list[Side | None] = [None] * links
        self.watches: list[Side | None] = [None] * links
        self.on_its_way: dict[tuple[str, int], list[bytes]] = {}
        self.made = 0
        self.making: dict[int, int] = {}
        """Which bond of the model each link's run makes."""
        self.bonds: dict[int, Bond] = {}
        """Each bond of the model as the phone first stored it."""
        if bonded:
            [self.bonds[1]] = self.world.phone_shelf.book.bonds.values()
            self.made = 1

    def do(self, move: Move) -> None:
        """Make it happen."""
        name, number = move
        kind, _, how = name.partition(", ")
        match kind:
            case "pair":
                replaced = self.bonds.get(int(how.removeprefix("replacing ")))
                self._pair(number, replaced.bond_id if replaced else None)
            case "reconnect":
                phone, watch = self.world.phone(Reconnect(self.bonds[number].bond_id)), self.world.watch()
                join(phone, watch)
                assert phone.told(Established)
                assert watch.told(Established)
            case "pending" | "bond" | "confirmed":
                self._store(kind, number, how)
            case _:
                self._steps[name](self, number)
        for side in (*self.phones, *self.watches):
            if side is not None:
                assert_silent_while_storing(side, side.said() if side.held else [])

    def at(self, number: int) -> tuple[At, At]:
        """Where the phone's and the watch's session stand."""
        return _stands(self.phones[number]), _stands(self.watches[number])

    def phone_bonds(self) -> set[Kept]:
        """What the phone has stored, in the numbers of the model."""
        numbers = {bond.bond_id: number for number, bond in self.bonds.items()}
        kept = self.world.phone_shelf.book.bonds.values()
        return {Kept(numbers[b.bond_id], b.pending, numbers[b.replaces] if b.replaces else 0) for b in kept}

    def watch_bonds(self) -> set[int]:
        """What the watch has stored: it knows a bond by the phone's static key."""
        numbers = {DH_25519.key_pair(bond.own_static).public: number for number, bond in self.bonds.items()}
        return {numbers[bond.peer_static] for bond in self.world.watch_shelf.book.bonds.values()}

    # --- moves ---

    def _pair(self, number: int, replaces: bytes | None) -> None:
        """From INFO to an m3 that has verified."""
        window = self.world.window
        if window is None or not window.is_open(0.0):
            self.world.window = self.world.new_window()
        self.made += 1
        self.making[number] = self.made
        phone, watch = self.world.pairing(replaces=replaces)
        for _ in range(2):
            phone.hear(watch.said())
            watch.hear(phone.said())
        phone.holds_stores = watch.holds_stores = True
        self.phones[number], self.watches[number] = phone, watch
        self.on_its_way["m4", number] = watch.said()

    def _store(self, kind: str, number: int, how: str) -> None:
        side = _there(self.watches[number] if kind == "bond" else self.phones[number])
        if how:
            side.take(side.session.link_lost(LinkLost("gone")))
        side.answer()
        said = {"pending": "m5", "bond": "m6", "confirmed": ""}[kind]
        if said and not how:
            self.on_its_way[said, number] = side.said()
        if kind == "pending":
            [*_, self.bonds[self.making[number]]] = side.shelf.book.bonds.values()

    def _phone_hears(self, said: str, number: int) -> None:
        _there(self.phones[number]).hear(self.on_its_way.pop((said, number)))

    def _watch_hears(self, number: int) -> None:
        _there(self.watches[number]).hear(self.on_its_way.pop(("m5", number)))

    def _close(self, number: int) -> None:
        watch = _there(self.watches[number])
        watch.take(watch.session.link_lost(LinkLost("closed")))

    def _give_up(self, number: int) -> None:
        phone = _there(self.phones[number])
        phone.take(phone.session.abandon(PairingRefused("no-code", "the person has left")))

    _steps: ClassVar[dict[str, Callable[[RealRuns, int], None]]] = {
        "m4": lambda self, number: self._phone_hears("m4", number),
        "m5": _watch_hears,
        "m6": lambda self, number: self._phone_hears("m6", number),
        "close": _close,
        "give up": _give_up,
    }


def _there(side: Side | None) -> Side:
    assert side is not None
    return side


_RUN = {
    (State.PHONE_PROVEN, False): At.PROVING,
    (State.WATCH_PROVEN, False): At.PROVING,
    (State.WATCH_PROVEN, True): At.STORING,
    (State.PHONE_STORED, True): At.STORING,
    (State.PHONE_STORED, False): At.CONFIRMED_AWAITED,
    (State.ESTABLISHED, True): At.CONFIRMING,
}


def _stands(side: Side | None) -> At:
    if side is None or side.session.is_over or side.told(Established):
        return At.NOWHERE
    return _RUN[side.session.state, bool(side.held)]
