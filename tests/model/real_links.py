"""Real sessions on several links, driven by the moves of the ratchet's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from blechannel.errors import LinkLost, ReplayDetected, StoreError
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import MarkCopied
from blechannel.session.conversation import State
from blechannel.session.events import Established
from blechannel.session.setup import PhoneSetup, Reconnect
from tests.model.explore import Move
from tests.model.ratchet import At
from tests.session.homes import assert_silent_while_storing
from tests.session.sides import Shelf, Side, World


class RealLinks:
    """One phone, perhaps a copy of its store, one watch, and what is held on its way on each link."""

    def __init__(self, links: int) -> None:
        self.world = World().bonded()
        self.shelves = [self.world.phone_shelf]
        self.watches: list[Side | None] = [None] * links
        self.phones: list[Side | None] = [None] * links
        self.info: list[list[bytes]] = [[]] * links
        self.m1: list[list[bytes]] = [[]] * links
        self.m2: list[list[bytes]] = [[]] * links
        self.ready: list[list[bytes]] = [[]] * links
        self.evidence = False

    def do(self, move: Move, possible: set[Move]) -> None:
        """Make it happen; `possible` is every move that the model allows now."""
        name, number = move
        kind, _, how = name.partition(", ")
        match kind:
            case "candidate" | "candidate refused":
                self._answer(
                    self._watch(number), how, refuse=name.endswith("refused") and ("candidate", number) in possible
                )
                self.m2[number] = self._said(self.watches[number])
            case "promotion" | "promotion refused":
                self._answer(
                    self._watch(number), how, refuse=name.endswith("refused") and ("promotion", number) in possible
                )
            case "advanced" | "advance refused":
                phone = self._phone(number)
                self._answer(phone, how, refuse=name.endswith("refused") and ("advanced", number) in possible)
                self.ready[number] = self._said(phone)
                self.phones[number] = None
            case _:
                self._steps[name](self, number)
        self._tell_of_the_book()
        for side in (*self.phones, *self.watches):
            if side is not None:
                assert_silent_while_storing(side, side.said() if side.held else [])

    # --- what is compared ---

    def watch_bond(self) -> Bond:
        """What the watch has stored."""
        [bond] = self.world.watch_shelf.book.bonds.values()
        return bond

    def holder_keys(self) -> list[bytes]:
        """The hint key that the phone holds, and the one that the copy holds."""
        return [bond.epoch.hint_key for shelf in self.shelves for bond in shelf.book.bonds.values()]

    def at(self, number: int) -> tuple[At, At]:
        """Where the phone's and the watch's session stand."""
        return _stands(self.phones[number]), _stands(self.watches[number])

    # --- moves ---

    def _open(self, number: int) -> None:
        watch = self.world.watch()
        watch.holds_stores = True
        watch.take([])
        self.watches[number] = watch
        self.info[number], self.m1[number], self.ready[number] = watch.said(), [], []

    def _begin(self, number: int, owner: int = 0) -> None:
        shelf = self.shelves[owner]
        [bond_id] = shelf.book.bonds
        setup = PhoneSetup(self.world.phone_config, shelf, Reconnect(bond_id))
        phone = Side(lambda: self.world.session(setup), shelf)
        phone.holds_stores = True
        phone.hear(self.info[number])
        self.phones[number], self.m1[number] = phone, phone.said()

    def _copy(self, _number: int) -> None:
        self.shelves.append(Shelf(self.world.phone_shelf.book))

    def _hear_m1(self, number: int) -> None:
        watch = self._watch(number)
        watch.hear(self.m1[number])
        if watch.held and isinstance(watch.held[0].change, MarkCopied):
            watch.answer()  # the model's watch notes evidence in the step in which it hears it
        self.evidence |= watch.session.is_over and isinstance(watch.error, ReplayDetected)

    def _hear_m2(self, number: int) -> None:
        self._phone(number).hear(self.m2[number])

    def _hear_ready(self, number: int) -> None:
        self._watch(number).hear(self.ready[number])

    def _close(self, number: int) -> None:
        watch = self._watch(number)
        watch.take(watch.session.link_lost(LinkLost("closed")))

    def _give_up(self, number: int) -> None:
        self.phones[number] = None

    _steps: ClassVar[dict[str, Callable[[RealLinks, int], None]]] = {
        "open": _open,
        "close": _close,
        "begin": _begin,
        "copy begins": lambda self, number: self._begin(number, 1),
        "copy": _copy,
        "m1": _hear_m1,
        "m2": _hear_m2,
        "ready": _hear_ready,
        "give up": _give_up,
    }

    # --- inside ---

    def _answer(self, side: Side, how: str, *, refuse: bool) -> None:
        if how == "link lost":
            side.take(side.session.link_lost(LinkLost("gone")))
        side.shelf.refuse = StoreError("full") if refuse else None
        side.answer()
        side.shelf.refuse = None

    def _tell_of_the_book(self) -> None:
        for watch in self.watches:
            if watch is not None:
                watch.take(watch.session.book_changed())

    def _watch(self, number: int) -> Side:
        watch = self.watches[number]
        assert watch is not None
        return watch

    def _phone(self, number: int) -> Side:
        phone = self.phones[number]
        assert phone is not None
        return phone

    @staticmethod
    def _said(side: Side | None) -> list[bytes]:
        return [] if side is None or side.session.is_over else side.said()


_HANDSHAKE = {
    (State.INFO_KNOWN, False): At.INFO_SAID,
    (State.BOND_NAMED, True): At.ADDING,
    (State.BOND_NAMED, False): At.WAITING,
    (State.WATCH_ANSWERED, False): At.ANSWERED,
    (State.WATCH_ANSWERED, True): At.ADVANCING,
    (State.ESTABLISHED, True): At.PROMOTING,
}


def _stands(side: Side | None) -> At:
    if side is None or side.session.is_over:
        return At.NOWHERE
    if side.told(Established):
        return At.ESTABLISHED
    return _HANDSHAKE[side.session.state, bool(side.held)]
