"""QR codes: the text, and pictures read back by a decoder that shares nothing with what drew them."""

from __future__ import annotations

import io
import random
import stat
import sys
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from blechannel.errors import MalformedFrame, MissingExtra
from blechannel.oob import qr
from blechannel.pairing.out_of_band import Ticket
from tests.oob.made_tickets import ALL, HERE

TEXT = "BLECHANNEL:1:AFSGKZTHNBUWU23MNVXG64DROJZXI5LWO54HS6T3PR6X474AQGBIGYYNZUUWNRBTM2IREVCIXOZFWTYCYD764AABAKZ2FSWM"


def scan(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture)]


def test_the_text_is_frozen_and_alphanumeric() -> None:
    assert qr.to_text(HERE) == TEXT
    assert len(TEXT) == qr.TEXT_CHARACTERS
    assert set(TEXT) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@pytest.mark.parametrize("ticket", ALL)
def test_every_ticket_comes_back_from_its_text_and_its_picture(ticket: Ticket) -> None:
    assert qr.from_text(qr.to_text(ticket)) == ticket
    (text,) = scan(Image.open(io.BytesIO(qr.png(ticket))))
    assert qr.from_text(text) == ticket


def test_the_terminal_shows_the_same_code() -> None:
    """Half blocks, two modules high each, as a camera would see them."""
    upper, lower = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}, 8
    lines = qr.terminal(HERE).splitlines()
    picture = Image.new("L", (len(lines[0]), 2 * len(lines)))
    for y, line in enumerate(lines):
        for x, block in enumerate(line):
            for half in (0, 1):
                picture.putpixel((x, 2 * y + half), upper[block][half])
    large = picture.resize((picture.width * lower, picture.height * lower), Image.Resampling.NEAREST)
    assert scan(large) == [TEXT]


def test_the_code_is_small_enough_for_a_watch() -> None:
    """Version 5: 37 modules a side, and four of quiet on each."""
    assert len(qr.terminal(HERE).splitlines()[0]) == 37 + 2 * 4


def test_a_code_with_a_stain_is_still_read() -> None:
    picture = Image.open(io.BytesIO(qr.png(HERE))).convert("L")
    picture.paste(0, (190, 190, 214, 214))
    assert scan(picture) == [TEXT]


def test_spaces_around_it_and_lower_case_are_forgiven() -> None:
    assert qr.from_text(f" {TEXT.lower()}\n") == HERE


def test_every_mistyped_character_is_refused() -> None:
    source = random.Random(5)
    for index in range(len(TEXT)):
        wrong = source.choice(sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZ01234567:=") - {TEXT[index]}))
        with pytest.raises(MalformedFrame):
            qr.from_text(TEXT[:index] + wrong + TEXT[index + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/",
        "BLECHANNEL:2:" + TEXT[13:],
        "é" + TEXT,
        TEXT + "²",
        TEXT[:-1] + "é",
    ],
)
def test_the_text_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(MalformedFrame, match="not the code of a watch"):
        qr.from_text(text)


@pytest.mark.parametrize("text", [TEXT[:-1], TEXT + "A", TEXT * 100])
def test_a_code_of_another_length_says_how_long_it_is(text: str) -> None:
    with pytest.raises(MalformedFrame, match=f"the code has {len(text)} characters"):
        qr.from_text(text)


@pytest.mark.parametrize(
    ("letter", "other"), [("S", "\N{LATIN SMALL LETTER LONG S}"), ("I", "\N{LATIN SMALL LETTER DOTLESS I}")]
)
def test_letters_that_only_become_those_of_a_code_are_none(letter: str, other: str) -> None:
    assert other.upper() == letter
    assert letter in TEXT[13:]
    with pytest.raises(MalformedFrame):
        qr.from_text(TEXT[:13] + TEXT[13:].replace(letter, other))


def test_a_picture_is_its_owners_alone(tmp_path: Path) -> None:
    qr.write_png(tmp_path / "watch.png", HERE)
    assert stat.S_IMODE((tmp_path / "watch.png").stat().st_mode) == 0o600
    with Image.open(tmp_path / "watch.png") as picture:
        assert scan(picture) == [TEXT]


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(MissingExtra, match=r"blechannel\[qr\]"):
        qr.png(HERE)
