"""The ratchet as a machine to explore: one bond, several links, and somebody who holds, drops and permutes messages.

What the two sides remember changes by the real `bonds.apply` alone. What stands around it, who sends and stores what
when, is abstract: `test_ratchet_is_real.py` walks real sessions along the same moves. A crash is no move of its own: it
is every link closed and every store under way either durable or not, in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from tests.model.explore import Move
from tests.model.memory import Watch, add_candidate, advance, promote

PHONE, COPY = 0, 1


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
    retired_at_info: tuple[int, ...] = ()
    under: int = 0
    candidate: int = 0
    m1: int = 0
    m2: int = 0
    ready: int = 0


class State(NamedTuple):
    """Everything that matters for what can happen next, and what has been noticed."""

    watch: Watch
    holders: tuple[int, ...]
    """The epoch that the phone holds and, once its store was copied, the one that the copy holds."""
    links: tuple[Link, ...]
    evidence: bool = False
    used: bool = False
    """Whether the watch has followed one of two holders who had parted."""
    forgotten: bool = False
    """Whether a key that somebody holds or may move to was pushed out, of the candidates or of the retired keys."""


@dataclass(frozen=True)
class Ratchet:
    """The protocol, or one that is worse by one thing."""

    links: int = 2
    candidates: int = 2
    one_at_a_time: bool = True
    stores_before_ready: bool = True
    can_be_copied: bool = False
    retired_since_info_is_evidence: bool = False

    def first(self) -> State:
        """Bonded, and no link yet."""
        return State(Watch(1), (1,), (Link(),) * self.links)

    def moves(self, state: State) -> Iterator[tuple[Move, State]]:
        """See Machine."""
        for number, link in enumerate(state.links):
            for name, following in self._watch_moves(state, number, link):
                yield (name, number), following
            for name, following in self._phone_moves(state, number, link):
                yield (name, number), following
        if self.can_be_copied and len(state.holders) == 1:
            yield ("copy", 0), state._replace(holders=state.holders * 2)

    def broken(self, state: State) -> str | None:
        """What must never be."""
        watch = state.watch
        known = [watch.knows(key) for key in state.holders]
        if not any(known):
            return "nobody who holds the bond is known"
        if len(known) == 1 and state.evidence:
            return "a copy was seen where there is none"
        if state.used and all(known):
            return "a copy was used and nobody is shut out"
        if state.used and not state.forgotten and not _is_noticed(state):
            return "a copy was used and who is shut out would leave no evidence"
        established = [link.candidate for link in state.links if link.watch is At.ESTABLISHED]
        if established not in ([], [watch.epoch]):
            return "a session outlived its epoch, or a second one stands"
        return None

    # --- the watch ---

    def _watch_moves(self, state: State, number: int, link: Link) -> Iterator[tuple[str, State]]:
        if link.watch is At.NOWHERE:
            opened = link._replace(watch=At.INFO_SAID, retired_at_info=state.watch.retired, m1=0, ready=0)
            yield "open", _put(state, number, opened)
            return
        closed = _put(state, number, _without_watch(link))
        yield "close", closed
        match link.watch:
            case At.INFO_SAID if link.m1:
                yield "m1", self._recognise(state, number, link)
            case At.ADDING:
                added, new = add_candidate(state.watch, link.under, _fresh(state), self.candidates), _fresh(state)
                answered = link._replace(watch=At.ANSWERED, candidate=new, under=0, m2=new)
                yield from _stored("candidate", state, closed, number, (added, answered))
            case At.ANSWERED if link.ready == link.candidate:
                yield "ready", _put(state, number, link._replace(watch=At.PROMOTING, ready=0))
            case At.PROMOTING:
                moved = promote(state.watch, link.candidate)
                established = link._replace(watch=At.ESTABLISHED)
                yield from _stored("promotion", state, closed, number, (moved, established))

    def _recognise(self, state: State, number: int, link: Link) -> State:
        if state.watch.knows(link.m1):
            return _put(state, number, link._replace(watch=At.ADDING, under=link.m1, m1=0))
        seen = link.m1 in state.watch.retired
        seen &= self.retired_since_info_is_evidence or link.m1 in link.retired_at_info
        return _put(state._replace(evidence=state.evidence or seen), number, _without_watch(link))

    # --- the phone, and who has a copy of its store ---

    def _phone_moves(self, state: State, number: int, link: Link) -> Iterator[tuple[str, State]]:
        gone = link._replace(phone=At.NOWHERE, owner=PHONE, stale=False, moving_to=0, m2=0)
        match link.phone:
            case At.NOWHERE if link.watch is At.INFO_SAID and not link.m1:
                for owner, key in enumerate(state.holders):
                    if not (self.one_at_a_time and _is_busy(state, owner)):
                        begun = link._replace(phone=At.WAITING, owner=owner, m1=key, m2=0)
                        yield ("begin", "copy begins")[owner], _put(state, number, begun)
            case At.WAITING:
                yield "give up", _put(state, number, gone)
                if link.m2:
                    moving = link._replace(phone=At.ADVANCING, moving_to=link.m2, m2=0)
                    early = 0 if self.stores_before_ready else moving.moving_to
                    yield "m2", _put(state, number, moving._replace(ready=early))
            case At.ADVANCING:
                yield "advance refused", _put(state, number, gone)
                if advance(link.stale):
                    moved = _moved(state, link.owner, link.moving_to)
                    yield "advanced, link lost", _put(moved, number, gone)
                    yield "advanced", _put(moved, number, gone._replace(ready=link.moving_to))

    # --- names ---

    def canonical(self, state: State) -> State:
        """Links have no order and keys no names but that of their first appearance."""
        names: dict[int, int] = {0: 0}

        def name(key: int) -> int:
            return names.setdefault(key, len(names))

        def all_named(keys: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(map(name, keys))

        epoch, candidates = name(state.watch.epoch), all_named(state.watch.candidates)
        holders = all_named(state.holders)
        ordered = sorted(state.links, key=lambda link: (link[:3], link.watch, bool(link.m1), bool(link.m2), link))
        named = [
            link._replace(
                moving_to=name(link.moving_to),
                retired_at_info=(),
                under=name(link.under),
                candidate=name(link.candidate),
                m1=name(link.m1),
                m2=name(link.m2),
                ready=name(link.ready),
            )
            for link in ordered
        ]
        retired = _named_retired(state.watch.retired, names)
        links = tuple(
            new._replace(retired_at_info=tuple(n for n in map(names.get, old.retired_at_info) if n and n in retired))
            for old, new in zip(ordered, named, strict=True)
        )
        watch = Watch(epoch, candidates, retired)
        return state._replace(watch=watch, holders=holders, links=tuple(sorted(links)))


def _put(state: State, number: int, link: Link) -> State:
    return state._replace(links=(*state.links[:number], link, *state.links[number + 1 :]))


def _without_watch(link: Link) -> Link:
    return link._replace(watch=At.NOWHERE, retired_at_info=(), under=0, candidate=0, m1=0, ready=0)


def _named_retired(keys: tuple[int, ...], names: dict[int, int]) -> tuple[int, ...]:
    """Only those that somebody may still use matter one by one, and nothing that was retired before them."""
    named = [names.get(key, -1) for key in keys]
    while named and named[0] == -1:
        del named[0]
    return tuple(named)


def _is_noticed(state: State) -> bool:
    return all(state.watch.knows(key) or key in state.watch.retired for key in state.holders)


def _held(state: State) -> set[int]:
    return {*state.holders, *(key for link in state.links for key in (link.m2, link.moving_to))}


def _is_busy(state: State, owner: int) -> bool:
    return any(link.phone is not At.NOWHERE and link.owner == owner for link in state.links)


def _fresh(state: State) -> int:
    """A key that is nobody's."""
    used = [*state.holders, state.watch.epoch, *state.watch.candidates, *state.watch.retired]
    for link in state.links:
        used += [link.moving_to, link.under, link.candidate, link.m1, link.m2, link.ready]
    return max(used) + 1


def _moved(state: State, owner: int, key: int) -> State:
    holders = tuple(key if each == owner else old for each, old in enumerate(state.holders))
    links = tuple(
        link._replace(stale=link.stale or (link.phone is not At.NOWHERE and link.owner == owner))
        for link in state.links
    )
    return state._replace(holders=holders, links=links)


def _stored(
    name: str, state: State, closed: State, number: int, after: tuple[Watch | None, Link]
) -> Iterator[tuple[str, State]]:
    """The watch's store answers: it could not, or it could and the link is there, or is not any more."""
    watch, link = after
    yield f"{name} refused", closed
    if watch is not None:
        yield f"{name}, link lost", _follow(closed, watch)
        yield name, _follow(_put(state, number, link), watch)


def _follow(state: State, watch: Watch) -> State:
    """The watch's book is another one: what it has overtaken ends in the same step."""
    links = tuple(_without_watch(link) if _is_overtaken(link, watch) else link for link in state.links)
    parted = len(set(state.holders)) == 2 and watch.epoch in state.holders and watch.epoch != state.watch.epoch
    kept = state.watch.candidates if watch.epoch == state.watch.epoch else state.watch.retired
    fallen = {*kept} - {*watch.candidates, *watch.retired}
    forgotten = state.forgotten or not fallen.isdisjoint(_held(state))
    return state._replace(watch=watch, links=links, used=state.used or parted, forgotten=forgotten)


def _is_overtaken(link: Link, watch: Watch) -> bool:
    if link.watch not in (At.ANSWERED, At.PROMOTING, At.ESTABLISHED) or link.candidate == watch.epoch:
        return False
    return link.watch is At.ESTABLISHED or link.candidate not in watch.candidates
