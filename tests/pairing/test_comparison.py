"""The words that two screens show: their list, their derivation, and why the commitment must be there."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections import Counter
from itertools import count

import pytest

from blechannel.errors import LocalProtocolError
from blechannel.pairing.comparison import SAS_BITS, sas, words
from blechannel.pairing.keys import commitment
from blechannel.pairing.word_list import WORD_BITS, WORDS

H, PHONE, WATCH = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32


def near(word: str) -> set[str]:
    """What the word shares with each word that is one changed, added or missing letter away."""
    cut = [(word[:i], word[i + 1 :]) for i in range(len(word))]
    return {word} | {a + b for a, b in cut} | {f"{a}?{b}" for a, b in cut}


def test_the_list_is_frozen() -> None:
    digest = hashlib.sha256(" ".join(WORDS).encode()).hexdigest()
    assert digest == "b034a7d0c7cba24194144fc36c4d5603c9d2d44cd64c20c3e0b7371971eb1fc7"


def test_the_list_has_as_many_words_as_its_bits_say_in_order() -> None:
    assert len(WORDS) == 1 << WORD_BITS
    assert list(WORDS) == sorted(set(WORDS))


def test_words_are_short_and_in_lower_case() -> None:
    assert all(4 <= len(word) <= 7 and word.isascii() and word.isalpha() and word.islower() for word in WORDS)


def test_no_two_words_begin_alike_or_differ_by_one_letter() -> None:
    assert len({word[:4] for word in WORDS}) == len(WORDS)
    shared = Counter(form for word in WORDS for form in near(word))
    # Two words may lack a different letter each and then be alike: that is two letters, not one.
    alike = {form for form, words_with_it in shared.items() if words_with_it > 1}
    assert {form for form in alike if "?" in form or form in WORDS} == set()


@pytest.mark.parametrize(("a", "b"), [("lamp", "camp"), ("lamp", "lamps"), ("lamp", "amp")])
def test_the_measure_of_nearness_finds_what_is_near(a: str, b: str) -> None:
    assert any("?" in form or form in (a, b) for form in near(a) & near(b))
    assert not any("?" in form or form in (a, "clams") for form in near(a) & near("clams"))


def test_three_words_fit_a_line_of_a_small_display() -> None:
    longest = sorted(WORDS, key=len)[-3:]
    assert len(" ".join(longest)) <= 24


def test_the_number_is_hkdf_of_both_nonces_under_the_handshake_hash() -> None:
    # HKDF by hand (RFC 5869): extract, then the first block of expand.
    prk = hmac.digest(H, PHONE + WATCH, "sha256")
    okm = hmac.digest(prk, b"blechannel/1 sas words\x01", "sha256")
    for bits in (1, 16, 30, 256):
        assert sas(H, PHONE, WATCH, bits=bits) == int.from_bytes(okm, "big") >> (256 - bits)


def test_words_are_the_number_in_tens_of_bits() -> None:
    first, second, third = (WORDS.index(word) for word in words(H, PHONE, WATCH))
    assert first << 20 | second << 10 | third == sas(H, PHONE, WATCH)
    assert words(H, PHONE, WATCH) == ("fancy", "proper", "face")


def test_every_input_changes_the_words() -> None:
    seen = {words(H, PHONE, WATCH), words(PHONE, H, WATCH), words(H, WATCH, PHONE), words(H, PHONE, H)}
    assert len(seen) == 4


@pytest.mark.parametrize("bits", [0, -10, 257, 260])
def test_a_string_of_no_possible_length_is_refused(bits: int) -> None:
    with pytest.raises(LocalProtocolError, match="1 to 256 bits"):
        sas(H, PHONE, WATCH, bits=bits)


def test_part_of_a_word_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="whole number of words"):
        words(H, PHONE, WATCH, bits=16)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_inputs_of_another_length_are_refused(index: int) -> None:
    inputs = [H, PHONE, WATCH]
    inputs[index] = inputs[index][:-1]
    with pytest.raises(LocalProtocolError, match="32 bytes"):
        sas(*inputs)


def test_without_a_commitment_a_match_is_ground_out() -> None:
    """The negative control, at 16 bits: who may choose a nonce last makes both screens show the same."""
    bits, other_h = 16, bytes([4]) * 32
    shown_on_the_phone = sas(H, PHONE, WATCH, bits=bits)
    tries = next(n for n in count(1) if sas(other_h, n.to_bytes(32), WATCH, bits=bits) == shown_on_the_phone)
    assert tries < 20 << bits


def test_with_the_commitment_the_nonce_is_fixed_before_the_other_is_known() -> None:
    """The watch may open its promise in one way only, so that one try is left."""
    promised = commitment(WATCH)
    source = random.Random(1)
    assert all(commitment(source.randbytes(32)) != promised for _ in range(1000))
    assert SAS_BITS == 30
