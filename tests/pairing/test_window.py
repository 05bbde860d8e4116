"""The pairing window: one run at a time, one bond, so many guesses, and a new code after every failure."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import LocalProtocolError
from blechannel.methods import Method
from blechannel.pairing.window import (
    ATTEMPTS,
    CODE_DIGITS,
    NO_SECRET,
    WINDOW_S,
    PairingWindow,
    is_code,
    new_code,
)

NOW_S = 1000.0


class Numbers:
    """Random bytes that give the codes 1, 2, 3 and so on."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, count: int) -> bytes:
        self.last += 1
        return self.last.to_bytes(count, "big")


def window(*, attempts: int = ATTEMPTS, duration_s: float = WINDOW_S[Method.PASSKEY]) -> PairingWindow:
    return PairingWindow(method=Method.PASSKEY, random=Numbers(), now=NOW_S, duration_s=duration_s, attempts=attempts)


def run(opened: PairingWindow, *, spends: bool, bonded: bool) -> bool:
    """One whole run; returns whether there is a new code."""
    one = object()
    assert opened.admit(one)
    if spends:
        opened.spend(one)
    return opened.end(one, bonded=bonded)


@pytest.mark.parametrize("method", Method)
def test_a_window_has_a_code_or_a_secret_or_neither(method: Method) -> None:
    opened = PairingWindow(method=method, random=Numbers(), now=NOW_S)
    assert (opened.code != "") == (method is Method.PASSKEY)
    assert (opened.secret != NO_SECRET) == (opened.static is not None) == (method is Method.OUT_OF_BAND)


# --- codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, "000000"), (7, "000007"), (999_999, "999999"), (1_000_000, "000000"), (1_000_042, "000042")],
)
def test_leading_zeros_are_kept(number: int, code: str) -> None:
    assert new_code(lambda count: number.to_bytes(count, "big")) == code


@given(raw=st.binary(min_size=8, max_size=8))
def test_every_code_can_be_typed(raw: bytes) -> None:
    assert is_code(new_code(lambda _: raw))


def test_eight_bytes_make_the_bias_negligible() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    new_code(random)
    assert asked == [8]
    # The likeliest code is this much likelier than the rarest.
    assert 1 / (2**64 // 10**CODE_DIGITS) < 1e-13


def test_every_digit_is_as_likely_as_another() -> None:
    codes = [new_code(os.urandom) for _ in range(20_000)]
    for place in range(CODE_DIGITS):
        counts = Counter(code[place] for code in codes)
        expected = len(codes) / 10
        # Nine degrees of freedom: beyond 60 once in a thousand million runs.
        assert sum((counts[digit] - expected) ** 2 / expected for digit in "0123456789") < 60


@pytest.mark.parametrize("typed", ["000000", "123456"])
def test_six_digits_are_a_code(typed: str) -> None:
    assert is_code(typed)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "12 456", "-12345", "٣٣٣٣٣٣", "12345²", "12345\n"])
def test_anything_else_is_none(typed: str) -> None:
    assert not is_code(typed)


# --- open and shut ----------------------------------------------------------------------------------------------


def test_it_closes_with_time() -> None:
    opened = window(duration_s=60)
    assert opened.is_open(NOW_S)
    assert opened.is_open(NOW_S + 59.9)
    assert not opened.is_open(NOW_S + 60)


def test_it_closes_with_its_last_attempt() -> None:
    opened = window()
    for left in (2, 1, 0):
        assert opened.is_open(NOW_S)
        run(opened, spends=True, bonded=False)
        assert opened.attempts_left == left
    assert not opened.is_open(NOW_S)


def test_it_closes_with_a_bond_and_burns_nothing() -> None:
    opened = window()
    code = opened.code
    assert not run(opened, spends=True, bonded=True)
    assert not opened.is_open(NOW_S)
    assert opened.code == code


def test_a_person_closes_it() -> None:
    opened = window()
    opened.close()
    assert not opened.is_open(NOW_S)


def test_a_run_under_way_goes_on_when_a_person_closes_it() -> None:
    opened, one = window(), object()
    opened.admit(one)
    opened.close()
    opened.spend(one)
    assert opened.attempts_left == 0
    assert not opened.end(one, bonded=True)


@pytest.mark.parametrize(("attempts", "duration_s"), [(0, 60), (-1, 60), (1, 0), (1, -1)])
def test_a_window_without_time_or_attempts_is_refused(attempts: int, duration_s: float) -> None:
    with pytest.raises(LocalProtocolError, match="time and at least one attempt"):
        window(attempts=attempts, duration_s=duration_s)


# --- runs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spends", [False, True])
def test_every_failure_burns_the_code(spends: bool) -> None:
    opened = window(attempts=5)
    codes = [opened.code]
    for _ in range(5):
        assert run(opened, spends=spends, bonded=False)
        codes.append(opened.code)
    assert codes == [f"{number:06d}" for number in range(1, 7)]
    assert opened.attempts_left == (0 if spends else 5)


def test_one_run_at_a_time() -> None:
    opened, one, other = window(), object(), object()
    assert opened.admit(one)
    assert not opened.admit(other)
    assert not opened.admit(one)
    opened.end(one, bonded=False)
    assert opened.admit(other)


def test_only_the_run_that_holds_it_spends_and_ends() -> None:
    opened, one, other = window(), object(), object()
    for holds in (False, True):
        with pytest.raises(LocalProtocolError, match="does not hold"):
            opened.spend(other)
        assert not opened.end(other, bonded=True)
        if not holds:
            opened.admit(one)
    assert opened.attempts_left == ATTEMPTS
    assert opened.code == "000001"
    assert not opened.admit(other)


def test_an_ended_run_holds_nothing() -> None:
    opened, one = window(), object()
    opened.admit(one)
    opened.end(one, bonded=False)
    with pytest.raises(LocalProtocolError, match="does not hold"):
        opened.spend(one)
    assert not opened.end(one, bonded=False)
    assert opened.code == "000002"


def test_the_code_is_not_shown() -> None:
    opened = PairingWindow(method=Method.PASSKEY, random=lambda count: (424242).to_bytes(count, "big"), now=NOW_S)
    assert opened.code == "424242"
    assert repr(opened) == "PairingWindow(PASSKEY, 3 attempts left)"
