"""What the ratchet's model knows at one moment: what is stored, what is on its way, what has been noticed."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from tests.model.memory import Watch

PHONE = 0
"""Among the holders of the phone's keys; 1 is who runs from a copy of its store."""
WATCH = 0
"""Among the watches; 1 is the one that runs from a copy of the store."""


class At(IntEnum):
    """Where one end of a link stands."""

    NOWHERE = 0
    INFO_SAID = 1
    ADDING = 2
    ANSWERED = 3
    PROMOTING = 4
    ESTABLISHED = 5
    WAITING = 6
    """Phone: for m2."""
    ADVANCING = 7


class Link(NamedTuple):
    """Both ends of one link and what is on its way; a key is a number, 0 is none."""

    phone: At = At.NOWHERE
    owner: int = PHONE
    stale: bool = False
    """Whether this phone has moved on since its m1."""
    moving_to: int = 0
    watch: At = At.NOWHERE
    home: int = WATCH
    """Which watch is at this end."""
    retired_at_info: tuple[int, ...] = ()
    under: int = 0
    candidate: int = 0
    m1: int = 0
    m2: int = 0
    ready: int = 0

    def without_phone(self) -> Link:
        """The phone's end is gone; what it has said may still arrive."""
        return self._replace(phone=At.NOWHERE, owner=PHONE, stale=False, moving_to=0, m2=0)

    def without_watch(self) -> Link:
        """The watch's end is gone; what it has said may still arrive."""
        return self._replace(watch=At.NOWHERE, home=WATCH, retired_at_info=(), under=0, candidate=0, m1=0, ready=0)


class State(NamedTuple):
    """Everything that matters for what can happen next, and what has been noticed."""

    watches: tuple[Watch, ...]
    """What the watch has stored and, once its store was copied, what the copy has."""
    holders: tuple[int, ...]
    """The epoch that the phone holds and, once its store was copied, the one that the copy holds."""
    links: tuple[Link, ...]
    saved: Watch | None = None
    """A book that the watch once had, and that can be put back in its place."""
    restores: int = 0
    left: int = 0
    """The epoch that the phone held before, where it remembers that."""
    lost: tuple[int, ...] = ()
    """Keys that the phone holds or may move to, and that no watch knows since an older book was put back."""
    served: tuple[tuple[int, int], ...] = ()
    """Holders, and watches that have moved them to a key that the other watch does not know."""
    served_again: bool = False
    """Whether a phone that had moved to a lost key was moved on from an older one."""
    evidence: bool = False
    used: tuple[int, ...] = ()
    """Watches that have followed one of two holders who had parted."""
    forgotten: bool = False
    """Whether a key that somebody holds or may move to was pushed out, of the candidates or of the retired keys."""

    def put(self, number: int, link: Link) -> State:
        """With this link in the place of that number."""
        return self._replace(links=(*self.links[:number], link, *self.links[number + 1 :]))

    def with_book(self, home: int, book: Watch) -> State:
        """With this book as what the watch of that number has stored."""
        return self._replace(watches=(*self.watches[:home], book, *self.watches[home + 1 :]))

    def held(self) -> set[int]:
        """The keys that a phone holds or may move to."""
        return {*self.holders, *(key for link in self.links for key in (link.m2, link.moving_to) if key)}

    def is_busy(self, owner: int) -> bool:
        """Whether this holder has a reconnect under way."""
        return any(link.phone is not At.NOWHERE and link.owner == owner for link in self.links)

    def who_knows(self, key: int) -> tuple[int, ...]:
        """The watches that an m1 under this key finds the bond at."""
        return tuple(home for home, watch in enumerate(self.watches) if watch.knows(key))

    def keys(self) -> set[int]:
        """Every key that is somewhere."""
        keys = {*self.holders, *self.lost, self.left}
        for watch in (*self.watches, *((self.saved,) if self.saved else ())):
            keys |= {watch.epoch, *watch.candidates, *watch.retired}
        for link in self.links:
            keys |= {link.moving_to, link.under, link.candidate, link.m1, link.m2, link.ready}
        return keys


def canonical(state: State) -> State:
    """Links have no order and keys no names but that of their first appearance."""
    names: dict[int, int] = {0: 0}

    def name(key: int) -> int:
        return names.setdefault(key, len(names))

    def named(watch: Watch) -> Watch:
        return watch._replace(epoch=name(watch.epoch), candidates=tuple(map(name, watch.candidates)))

    books = [named(watch) for watch in state.watches]
    holders = tuple(map(name, state.holders))
    ordered = sorted(state.links, key=lambda link: (link[:3], link[4:6], bool(link.m1), bool(link.m2), link))
    links = [
        link._replace(
            moving_to=name(link.moving_to),
            under=name(link.under),
            candidate=name(link.candidate),
            m1=name(link.m1),
            m2=name(link.m2),
            ready=name(link.ready),
        )
        for link in ordered
    ]
    left = name(state.left)
    saved = named(state.saved) if state.saved else None
    watches = tuple(_with_named_retired(watch, names) for watch in books)
    return state._replace(
        watches=watches,
        holders=holders,
        links=tuple(sorted(_with_named_info(link, watches, names) for link in links)),
        saved=_with_named_retired(saved, names) if saved else None,
        left=left,
        lost=tuple(sorted(names[key] for key in state.held().intersection(state.lost))),
    )


def _with_named_retired(watch: Watch, names: dict[int, int]) -> Watch:
    """Only those that somebody may still use matter one by one, and nothing that was retired before them."""
    named = [names.get(key, -1) for key in watch.retired]
    while named and named[0] == -1:
        del named[0]
    return watch._replace(retired=tuple(named))


def _with_named_info(link: Link, watches: tuple[Watch, ...], names: dict[int, int]) -> Link:
    if not link.retired_at_info:
        return link
    named = (names.get(key) for key in link.retired_at_info)
    retired = watches[link.home].retired
    return link._replace(retired_at_info=tuple(key for key in named if key and key in retired))
