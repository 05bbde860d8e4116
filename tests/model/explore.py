"""Breadth-first exploration of everything that can happen: the shortest way to each broken state, or none."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

State = TypeVar("State", bound=Hashable)
Move = tuple[str, int]
"""What happens, and on which link."""


class Machine(Protocol[State]):
    """What can be explored."""

    def first(self) -> State:
        """Where everything begins."""

    def moves(self, state: State) -> Iterator[tuple[Move, State]]:
        """Everything that can happen next."""

    def canonical(self, state: State) -> State:
        """The one state that stands for all that differ in names alone."""

    def broken(self, state: State) -> str | None:
        """What must never be, if it is."""


@dataclass(frozen=True)
class Explored(Generic[State]):
    """What an exploration found."""

    states: int
    complete: bool
    """Whether there was nothing left to explore."""
    broken: str | None = None
    way: tuple[Move, ...] = ()
    """The shortest way to what is broken."""
    last: State | None = None

    def __str__(self) -> str:
        verdict = f"{self.broken}: {self.way}" if self.broken else "all hold"
        return f"{self.states:,} states{'' if self.complete else ', not all'}: {verdict}"


def explore(machine: Machine[State], *, most_states: int) -> Explored[State]:
    """All states that `machine` can reach, nearest first, until one is broken or `most_states` were seen."""
    first = machine.canonical(machine.first())
    came_from: dict[State, tuple[Move, State] | None] = {first: None}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        why = machine.broken(state)
        if why is not None:
            return Explored(len(came_from), False, why, _way(came_from, state), state)
        for move, following in machine.moves(state):
            reached = machine.canonical(following)
            if reached not in came_from:
                came_from[reached] = move, state
                waiting.append(reached)
        if len(came_from) >= most_states:
            return Explored(len(came_from), False)
    return Explored(len(came_from), True)


def _way(came_from: dict[State, tuple[Move, State] | None], state: State) -> tuple[Move, ...]:
    way = []
    step = came_from[state]
    while step is not None:
        move, state = step
        way.append(move)
        step = came_from[state]
    return tuple(reversed(way))
