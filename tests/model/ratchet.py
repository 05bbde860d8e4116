"""The ratchet as a machine to explore: one bond, several links, and somebody who holds, drops and permutes messages.

What the two sides remember changes by the real `apply` alone. What stands around it, who sends and stores what
when, is abstract: `test_ratchet_is_real.py` walks real sessions along the same moves. A crash is no move of its own: it
is every link closed and every store under way either durable or not, in any order. Where both sides' stores are copied,
the copies may meet each other and live apart from the first pair for ever, which harms nobody: what must never be is
said of each watch by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.model.explore import Move
from tests.model.memory import Watch, add_candidate, advance, promote
from tests.model.ratchet_state import PHONE, WATCH, At, Link, State, canonical


@dataclass(frozen=True)
class Ratchet:
    """The protocol, or one that is worse by one thing."""

    links: int = 2
    candidates: int = 2
    one_at_a_time: bool = True
    stores_before_ready: bool = True
    can_be_copied: bool = False
    """Whether somebody may copy the phone's store."""
    watch_can_be_copied: bool = False
    restores: int = 0
    """How often an older book may be put back on the watch."""
    retired_since_info_is_evidence: bool = False
    accepts_retired: bool = False
    """Whether the watch lets in who comes with a key that it has left."""
    falls_back: bool = False
    """Whether a phone that is not recognised tries the epoch before its own, too."""

    def first(self) -> State:
        """Bonded, and no link yet."""
        return State((Watch(1),), (1,), (Link(),) * self.links)

    def moves(self, state: State) -> Iterator[tuple[Move, State]]:
        """See Machine."""
        for number, link in enumerate(state.links):
            for name, following in self._watch_moves(state, number, link):
                yield (name, number), following
            for name, following in self._phone_moves(state, number, link):
                yield (name, number), following
        for name, following in self._store_moves(state):
            yield (name, 0), following

    def canonical(self, state: State) -> State:
        """See Machine."""
        return canonical(state)

    def broken(self, state: State) -> str | None:
        """What must never be."""
        known = [any(self._knows(watch, key) for watch in state.watches) for key in state.holders]
        if not any(known) and state.holders[PHONE] not in state.lost:
            return "nobody who holds the bond is known"
        if len(known) == 1 and state.evidence:
            return "a copy was seen where there is none"
        if any(all(self._knows(state.watches[home], key) for key in state.holders) for home in state.used):
            return "a copy was used and nobody is shut out"
        if not state.forgotten and not all(_is_noticed(state, home) for home in state.used):
            return "a copy was used and who is shut out would leave no evidence"
        if len(state.served) > len({holder for holder, _ in state.served}):
            return "both the watch and its copy serve the phone"
        if state.served_again:
            return "a watch that was put back serves a phone that had moved on"
        for home, watch in enumerate(state.watches):
            ends = [link for link in state.links if link.watch is At.ESTABLISHED and link.home == home]
            if [link.candidate for link in ends] not in ([], [watch.epoch]):
                return "a session outlived its epoch, or a second one stands"
        return None

    def _knows(self, watch: Watch, key: int) -> bool:
        return watch.knows(key) or (self.accepts_retired and key in watch.retired)

    # --- who can reach the files ---

    def _store_moves(self, state: State) -> Iterator[tuple[str, State]]:
        if self.can_be_copied and len(state.holders) == 1:
            served = (*state.served, *((1, home) for _, home in state.served))
            yield "copy", state._replace(holders=state.holders * 2, served=served)
        if self.watch_can_be_copied and len(state.watches) == 1:
            used = (*state.used, *(1 for _ in state.used))
            yield "watch copied", state._replace(watches=state.watches * 2, used=used)
        if state.restores < self.restores:
            if state.saved != state.watches[WATCH]:
                yield "save", state._replace(saved=state.watches[WATCH])
            if state.saved is not None:
                yield "restore", _put_back(state, state.saved)

    # --- the watch, and the one that runs from a copy of its store ---

    def _watch_moves(self, state: State, number: int, link: Link) -> Iterator[tuple[str, State]]:
        if link.watch is At.NOWHERE:
            for home, watch in enumerate(state.watches):
                opened = link._replace(watch=At.INFO_SAID, home=home, retired_at_info=watch.retired, m1=0, ready=0)
                yield ("open", "copy opens")[home], state.put(number, opened)
            return
        closed, book = state.put(number, link.without_watch()), state.watches[link.home]
        yield "close", closed
        match link.watch:
            case At.INFO_SAID if link.m1:
                yield "m1", self._recognise(state, number, link)
            case At.ADDING:
                new = max(state.keys()) + 1
                answered = link._replace(watch=At.ANSWERED, candidate=new, under=0, m2=new)
                yield from _stored("candidate", state, number, (self._add(book, link.under, new), answered))
            case At.ANSWERED if link.ready == link.candidate:
                yield "ready", state.put(number, link._replace(watch=At.PROMOTING, ready=0))
            case At.PROMOTING:
                established = link._replace(watch=At.ESTABLISHED)
                yield from _stored("promotion", state, number, (promote(book, link.candidate), established))

    def _recognise(self, state: State, number: int, link: Link) -> State:
        watch = state.watches[link.home]
        if self._knows(watch, link.m1):
            return state.put(number, link._replace(watch=At.ADDING, under=link.m1, m1=0))
        seen = link.m1 in watch.retired
        seen &= self.retired_since_info_is_evidence or link.m1 in link.retired_at_info
        return state._replace(evidence=state.evidence or seen).put(number, link.without_watch())

    def _add(self, watch: Watch, under: int, key: int) -> Watch | None:
        if self.accepts_retired and under in watch.retired:
            under = watch.epoch
        return add_candidate(watch, under, key, self.candidates)

    # --- the phone, and who has a copy of its store ---

    def _phone_moves(self, state: State, number: int, link: Link) -> Iterator[tuple[str, State]]:
        gone = link.without_phone()
        match link.phone:
            case At.NOWHERE if link.watch is At.INFO_SAID and not link.m1:
                for name, owner, key in self._keys(state, link):
                    if not (self.one_at_a_time and state.is_busy(owner)):
                        begun = link._replace(phone=At.WAITING, owner=owner, m1=key, m2=0)
                        yield name, state.put(number, begun)
            case At.WAITING:
                yield "give up", state.put(number, gone)
                if link.m2:
                    moving = link._replace(phone=At.ADVANCING, moving_to=link.m2, m2=0)
                    early = 0 if self.stores_before_ready else moving.moving_to
                    yield "m2", state.put(number, moving._replace(ready=early))
            case At.ADVANCING:
                yield "advance refused", state.put(number, gone)
                if advance(link.stale):
                    moved = self._moved(state, link.owner, link.moving_to)
                    yield "advanced, link lost", moved.put(number, gone)
                    yield "advanced", moved.put(number, gone._replace(ready=link.moving_to))

    def _keys(self, state: State, link: Link) -> Iterator[tuple[str, int, int]]:
        for owner, key in enumerate(state.holders):
            yield ("begin", "copy begins")[owner], owner, key
        if state.left and not self._knows(state.watches[link.home], state.holders[PHONE]):
            yield "begin again", PHONE, state.left

    def _moved(self, state: State, owner: int, key: int) -> State:
        who = state.who_knows(key)
        alone = who if len(state.watches) > len(who) == 1 else ()
        return state._replace(
            holders=tuple(key if each == owner else old for each, old in enumerate(state.holders)),
            links=tuple(
                link._replace(stale=link.stale or (link.phone is not At.NOWHERE and link.owner == owner))
                for link in state.links
            ),
            left=state.holders[owner] if self.falls_back else 0,
            served=tuple(sorted({*state.served, *((owner, home) for home in alone)})),
            served_again=state.served_again or (state.holders[owner] in state.lost and who != ()),
        )


def _put_back(state: State, saved: Watch) -> State:
    """The watch is stopped, its store replaced by an older one, and the watch started again."""
    links = tuple(
        link.without_watch() if link.watch is not At.NOWHERE and link.home == WATCH else link for link in state.links
    )
    after = state._replace(links=links, restores=state.restores + 1).with_book(WATCH, saved)
    lost = {key for key in state.held() if not after.who_knows(key) and (state.who_knows(key) or key in state.lost)}
    return after._replace(lost=tuple(sorted(lost)))


def _is_noticed(state: State, home: int) -> bool:
    """Whether every holder is known to this watch or would leave evidence there, if the other one has not moved it.

    The other one has moved whom it has served, and who has taken a key that only it has made: an m2 is enough.
    """
    watch, moved = state.watches[home], {holder for holder, by in state.served if by != home}
    others = [other for number, other in enumerate(state.watches) if number != home]
    made_elsewhere = {key for other in others for key in (other.epoch, *other.candidates, *other.retired)}
    shut_out = [key for holder, key in enumerate(state.holders) if holder not in moved and not watch.knows(key)]
    return all(key in watch.retired or key in made_elsewhere for key in shut_out)


def _stored(name: str, state: State, number: int, after: tuple[Watch | None, Link]) -> Iterator[tuple[str, State]]:
    """The watch's store answers: it could not, or it could and the link is there, or is not any more."""
    watch, link = after
    closed = state.put(number, state.links[number].without_watch())
    yield f"{name} refused", closed
    if watch is not None:
        yield f"{name}, link lost", _follow(closed, link.home, watch)
        yield name, _follow(state.put(number, link), link.home, watch)


def _follow(state: State, home: int, watch: Watch) -> State:
    """The watch's book is another one: what it has overtaken ends in the same step."""
    before = state.watches[home]
    links = tuple(link.without_watch() if _is_overtaken(link, home, watch) else link for link in state.links)
    parted = len(set(state.holders)) == 2 and watch.epoch in state.holders and watch.epoch != before.epoch
    kept = before.candidates if watch.epoch == before.epoch else before.retired
    fallen = {*kept} - {*watch.candidates, *watch.retired}
    forgotten = state.forgotten or not fallen.isdisjoint(state.held())
    used = {*state.used, home} if parted else state.used
    after = state._replace(links=links, used=tuple(sorted(used)), forgotten=forgotten)
    return after.with_book(home, watch)


def _is_overtaken(link: Link, home: int, watch: Watch) -> bool:
    if link.home != home or link.watch not in (At.ANSWERED, At.PROMOTING, At.ESTABLISHED):
        return False
    return link.candidate != watch.epoch and (link.watch is At.ESTABLISHED or link.candidate not in watch.candidates)
