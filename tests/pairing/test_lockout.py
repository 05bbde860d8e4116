"""The lock-out: how long, that no restart shortens it, and what opens it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.pairing.lockout import LockOut, guesses_left, lock_s
from blechannel.pairing.window import ATTEMPTS


@pytest.mark.parametrize(
    ("spent", "seconds"),
    [(0, 0), (2, 0), (3, 30), (5, 30), (6, 60), (9, 120), (12, 240), (15, 480), (18, 900), (21, 900), (2**63 - 1, 900)],
)
def test_each_set_of_three_doubles_the_wait_up_to_a_quarter_of_an_hour(spent: int, seconds: float) -> None:
    assert lock_s(spent) == seconds


@pytest.mark.parametrize(("spent", "left"), [(0, 3), (1, 2), (2, 1), (3, 3), (7, 2)])
def test_what_was_spent_before_is_missing_in_the_next_window(spent: int, left: int) -> None:
    assert guesses_left(spent) == left


def test_the_third_guess_locks_and_the_wait_runs_down() -> None:
    lock = LockOut(0, now=100.0)
    for spent in (1, 2):
        lock.noticed(spent, now=100.0)
        assert lock.left_s(100.0) == 0
    lock.noticed(3, now=110.0)
    assert lock.left_s(110.0) == 30
    assert lock.left_s(139.5) == 0.5
    assert lock.left_s(140.0) == lock.left_s(1e9) == 0


def test_looking_again_does_not_lock_again() -> None:
    lock = LockOut(2, now=0.0)
    lock.noticed(3, now=0.0)
    lock.noticed(3, now=20.0)
    assert lock.left_s(30.0) == 0
    lock.noticed(4, now=30.0)
    assert lock.left_s(30.0) == 0


@pytest.mark.parametrize("spent", [3, 6, 30])
def test_a_restart_begins_the_wait_again(spent: int) -> None:
    first = LockOut(spent, now=0.0)
    almost = lock_s(spent) - 1
    assert first.left_s(almost) == 1
    assert LockOut(spent, now=almost).left_s(almost) == lock_s(spent)


def test_a_set_that_was_waited_for_is_not_waited_for_again_by_a_restart() -> None:
    """The fourth guess was only possible after the wait for the first three."""
    assert LockOut(4, now=0.0).left_s(0.0) == 0


@pytest.mark.parametrize(("spent", "given_back"), [(3, 2), (6, 5), (6, 0)])
def test_a_guess_given_back_or_a_reset_opens_what_it_had_locked(spent: int, given_back: int) -> None:
    lock = LockOut(spent - 1, now=0.0)
    lock.noticed(spent, now=0.0)
    assert lock.left_s(0.0) > 0
    lock.noticed(given_back, now=0.0)
    assert lock.left_s(0.0) == 0


@given(steps=st.lists(st.sampled_from(["guess", "restart", "wait"]), max_size=60))
def test_nobody_guesses_faster_however_power_is_cycled(steps: list[str]) -> None:
    """Each guess that is allowed is counted; the waits between sets of three are served in powered-on time."""
    spent, now, waited_s = 0, 0.0, 0.0
    lock = LockOut(spent, now=now)
    for step in steps:
        if step == "restart":
            lock = LockOut(spent, now=now)
        elif step == "wait":
            waited_s += lock.left_s(now)
            now += lock.left_s(now)
        elif lock.left_s(now) == 0:
            spent += 1
            lock.noticed(spent, now=now)
    full_sets = max(0, spent - 1) // ATTEMPTS
    assert waited_s >= sum(lock_s(ATTEMPTS * (number + 1)) for number in range(full_sets))
