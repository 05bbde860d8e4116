"""The fuzz targets without atheris: every input of the corpus, and what a fixed seed makes of them."""

from __future__ import annotations

from random import Random

import pytest

from blechannel.errors import TransportError
from blechannel.session.conversation import State
from tests.fuzz import sessions, streams
from tests.fuzz.reading import Reader
from tests.fuzz.targets import CORPUS, TARGETS, inputs
from tests.session.sides import Side

MUTATIONS = 60
MAX_CORPUS_BYTES = 200 * 1024


def altered(data: bytes, random: Random) -> bytes:
    """`data` with a few bytes changed, a piece taken out, doubled, or put in."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        piece = slice(at, at + random.randrange(1, 40))
        match random.randrange(4):
            case 0:
                changed[at : at + 1] = random.randbytes(1)
            case 1:
                del changed[piece]
            case 2:
                changed[at:at] = changed[piece]
            case _:
                changed[at:at] = random.randbytes(random.randrange(1, 8))
    return bytes(changed)


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_of_the_corpus_keeps_the_rules(name: str) -> None:
    corpus = inputs(name)
    assert corpus
    for data in corpus:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_made_of_the_corpus_keep_the_rules(name: str) -> None:
    random, corpus = Random(name), [b"", *inputs(name)]
    for _ in range(MUTATIONS):
        TARGETS[name](altered(random.choice(corpus), random))


def test_the_corpus_is_small_and_has_no_strays() -> None:
    files = [each for each in CORPUS.rglob("*") if each.is_file()]
    assert {each.parent.name for each in files} == set(TARGETS)
    assert sum(each.stat().st_size for each in files) <= MAX_CORPUS_BYTES


@pytest.mark.parametrize("name", ["phone", "watch"])
def test_the_corpus_reaches_the_end_of_both_handshakes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else the targets would try nothing but the first frames."""
    reached: list[tuple[bool, State]] = []
    meet = sessions._meet

    def meet_and_note(side: Side, steps: Reader) -> None:
        bonded = bool(side.shelf.book.bonds)
        meet(side, steps)
        reached.append((bonded, side.session.state))

    monkeypatch.setattr(sessions, "_meet", meet_and_note)
    for data in inputs(name):
        TARGETS[name](data)
    assert {bonded for bonded, state in reached if state is State.ESTABLISHED} == {False, True}


def test_what_breaks_a_rule_leaves_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as another error, or a length that is believed."""

    def fail(*_: object) -> None:
        raise TransportError("not one of a decoder's own")

    monkeypatch.setattr("tests.fuzz.decoders.decode_frame", fail)
    with pytest.raises(TransportError):
        TARGETS["frame"](b"")
    monkeypatch.setattr(streams, "MAX_FRAME_BYTES", 0)
    with pytest.raises(AssertionError):
        list(map(TARGETS["fragments"], inputs("fragments")))
