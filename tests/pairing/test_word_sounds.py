"""That no two of the words that are compared sound the same, to people who say their r's and to people who do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from blechannel.pairing.word_list import WORDS

Sounds = tuple[str, ...]

VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})
LINES = (Path(__file__).parent / "word_sounds.txt").read_text(encoding="ascii").splitlines()
SAID = [line.split() for line in LINES if not line.startswith("#")]


def american(sounds: Sounds) -> Sounds:
    """Without the stress, which nobody hears through a bad line."""
    return tuple(sound.rstrip("012") for sound in sounds)


def american_of_the_west(sounds: Sounds) -> Sounds:
    """Where *cot* and *caught* are the same."""
    return tuple("AA" if sound == "AO" else sound for sound in american(sounds))


def english(sounds: Sounds) -> Sounds:
    """No r but before a vowel. What is left of *are* is longer than the o of *hot*; the dictionary writes one vowel."""
    said: list[str] = []
    for sound, following in zip(sounds, (*american(sounds[1:]), ""), strict=True):
        if sound != "R" or following in VOWELS:
            said.append("AH" if sound == "ER0" else sound.rstrip("012"))
        elif said[-1] == "AA":
            said[-1] = "AA long"
    return tuple(said)


ACCENTS: list[Callable[[Sounds], Sounds]] = [american, american_of_the_west, english]


def test_it_is_known_of_each_word_how_it_is_said() -> None:
    assert {word for word, *_ in SAID} == set(WORDS)
    assert all(len(sounds) > 1 for _, *sounds in SAID)


@pytest.mark.parametrize("accent", ACCENTS)
def test_no_two_words_sound_the_same(accent: Callable[[Sounds], Sounds]) -> None:
    heard = defaultdict(set)
    for word, *sounds in SAID:
        heard[accent(tuple(sounds))].add(word)
    assert [alike for alike in heard.values() if len(alike) > 1] == []


@pytest.mark.parametrize(
    ("accent", "one", "other"),
    [
        (american, "W IY1 K", "W IY1 K"),  # weak, week
        (american_of_the_west, "K AA1 T", "K AO1 T"),  # cot, caught
        (english, "S AO1 S", "S AO1 R S"),  # sauce, source
        (english, "T UW1 N AH0", "T UW1 N ER0"),  # tuna, tuner
    ],
)
def test_words_that_sound_the_same_are_found(accent: Callable[[Sounds], Sounds], one: str, other: str) -> None:
    assert accent(tuple(one.split())) == accent(tuple(other.split()))
