"""How long nobody may try another code: longer after each set of wrong ones, and never shorter by a restart.

The count of spent guesses is stored before each guess is checked. Every 3 of them lock pairing for 30 seconds times
2^(sets − 1), at most 15 minutes, in powered-on time: what is counted is the monotonic clock since the start, so a
restart begins the wait again. Source: protocol, "Guessing".
"""

from __future__ import annotations

from typing import Final

from blechannel.pairing.window import ATTEMPTS

FIRST_LOCK_S: Final = 30.0
MAX_LOCK_S: Final = 900.0
_DOUBLINGS: Final = 5
"""From the first lock to beyond the longest."""


def lock_s(guesses_spent: int) -> float:
    """Seconds of powered-on time to wait once so many guesses are spent; 0 before the first set is full."""
    sets = guesses_spent // ATTEMPTS
    return min(MAX_LOCK_S, FIRST_LOCK_S * 2 ** min(sets - 1, _DOUBLINGS)) if sets else 0.0


def guesses_left(guesses_spent: int) -> int:
    """Guesses until the next lock, 1 to 3: a window has no more, however many windows there were before."""
    return ATTEMPTS - guesses_spent % ATTEMPTS


class LockOut:
    """One side's lock since its start; `now` is in seconds of a monotonic clock that stands while there is no power.

    At its making, a set that was filled before counts as not waited for.
    """

    def __init__(self, guesses_spent: int, *, now: float) -> None:
        self._sets = guesses_spent // ATTEMPTS
        self._until = now + (0.0 if guesses_spent % ATTEMPTS else lock_s(guesses_spent))

    def noticed(self, guesses_spent: int, *, now: float) -> None:
        """So many guesses are spent now: a full set locks; a guess given back, or a reset, opens what it had locked."""
        sets = guesses_spent // ATTEMPTS
        if sets > self._sets:
            self._until = now + lock_s(guesses_spent)
        elif sets < self._sets:
            self._until = now
        self._sets = sets

    def left_s(self, now: float) -> float:
        """Seconds until pairing is allowed again, 0 where it is."""
        return max(0.0, self._until - now)
