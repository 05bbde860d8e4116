"""The watch's face: digits that can be read, within 80x24 whatever peers call themselves."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from blechannel.limits import MAX_BONDS
from blechannel.methods import Method
from blechannel.oob.qr import terminal
from blechannel.pairing.out_of_band import Ticket
from blechannel_tools.digits import COLUMNS, ROWS, grouped, large
from blechannel_tools.watch_face import draw
from blechannel_tools.watch_household import CHOICES
from blechannel_tools.watch_state import NEWS_KEPT, Menu, Shown
from blechannel_tools.ways import METHODS, ON_WATCH


def drawn(shown: Shown, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=24, force_terminal=True, color_system=None)
    console.print(draw(shown))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_ten_digits_all_different() -> None:
    drawn_digits = {"\n".join(large(str(digit))) for digit in range(10)}
    assert len(drawn_digits) == 10
    for digit in range(10):
        rows = large(str(digit))
        assert len(rows) == ROWS
        assert {len(row) for row in rows} == {COLUMNS}


def test_a_digit_is_what_it_looks_like() -> None:
    assert large("4") == ["██  ██", "██  ██", "██████", "    ██", "    ██"]
    assert large("7") == ["██████", "    ██", "    ██", "    ██", "    ██"]


def test_a_code_is_read_in_two_groups() -> None:
    assert grouped("012345") == "012 345"
    assert {len(row) for row in large("012345")} == {6 * COLUMNS + 4 * 2 + 5}


def test_a_full_face_fits() -> None:
    shown = Shown(
        "x" * 48,
        "unix:/" + "y" * 100,
        code="000000",
        what_to_do=ON_WATCH[Method.PASSKEY],
        attempts_left=1,
        seconds_left=120,
        bonds=16,
        connected=["z" * 48] * 4,
        receiving_bytes=16 * 2**20,
        keys=True,
    )
    shown.news.extend([*(["n" * 200] * (NEWS_KEPT + 3)), "ü" * 200])
    lines = drawn(shown)
    assert len(lines) <= 24
    assert {len(line) for line in lines} == {80}
    text = "\n".join(lines)
    assert text.count("· n") == NEWS_KEPT - 1
    assert text.count("ü") == 200, "the newest is shown whole"
    for row in large("000000"):
        assert row.rstrip() in text
    assert "one attempt, 120 s left" in text
    assert "q: quit" in text


def test_a_narrow_terminal_shows_small_digits_rather_than_half_ones() -> None:
    text = "\n".join(drawn(Shown("wrist", "usb:0", code="012345", what_to_do="type it"), width=50))
    assert "012 345" in text
    assert "█" not in text


def test_an_idle_face() -> None:
    text = "\n".join(drawn(Shown("wrist", "usb:0")))
    assert "no pairing window is open" in text
    assert "nobody" in text
    assert "█" not in text
    assert "Ctrl-C: quit" in text


@pytest.mark.parametrize("word", ["\x1b[2J", "[red]", "\n"])
def test_peers_do_not_draw_on_it(word: str) -> None:
    shown = Shown(f"a{word}", f"b{word}", connected=[f"c{word}"])
    shown.news.append(f"d{word}")
    text = "\n".join(drawn(shown))
    assert "\x1b[2J" not in text
    assert len(drawn(shown)) == len(drawn(Shown("a", "b", connected=["c"]))) + 1


def test_a_code_is_not_in_the_repr() -> None:
    assert "123456" not in repr(Shown("a", "b", code="123456"))


def test_words_are_asked_about() -> None:
    text = "\n".join(drawn(Shown("wrist", "usb:0", words=("maple", "orbit", "velvet"), keys=True)))
    assert "maple   orbit   velvet" in text
    assert "the same words" in text
    assert "y: the same   n: not the same" in text


def test_each_method_has_its_key() -> None:
    text = "\n".join(drawn(Shown("wrist", "usb:0", methods=tuple(METHODS), keys=True)))
    assert "pair by  1: passkey  2: words  3: oob  4: certificate  h: phones  q: quit " in text


def test_a_method_without_anything_to_show_says_what_to_do() -> None:
    shown = Shown("wrist", "usb:0", what_to_do=ON_WATCH[Method.WORDS], attempts_left=3, seconds_left=99)
    assert "start pairing by words on the phone: 3 attempts, 99 s left" in " ".join(
        " ".join(drawn(shown, width=110)).split()
    )


def test_no_attempts_are_counted_where_none_is_a_guess() -> None:
    shown = Shown("wrist", "usb:0", what_to_do=ON_WATCH[Method.CERTIFICATE], seconds_left=59)
    assert "start pairing by certificate on the phone: 59 s left" in " ".join(" ".join(drawn(shown)).split())


def test_a_full_menu_fits() -> None:
    rows = tuple((f"{key}:", "n" * 48, "3f2a91c0", "may use nothing", "guest, copied") for key in CHOICES)
    lines = drawn(Shown("wrist", "usb:0", ticket="covered", menu=Menu("t" * 99, rows, "h: back")))
    assert len(lines) == MAX_BONDS + 2
    assert {len(line) for line in lines} == {80}
    assert "copied" in lines[-2]
    assert "h: back" in lines[-1]
    assert "covered" not in "".join(lines)


def test_words_that_wait_go_before_a_menu() -> None:
    shown = Shown("wrist", "usb:0", words=("maple", "orbit", "velvet"), keys=True, menu=Menu("phones", (), ""))
    assert "maple   orbit   velvet" in "\n".join(drawn(shown))


def test_a_long_question_is_shown_whole() -> None:
    menu = Menu("are you sure?", (("word " * 40 + "end?",),), "")
    text = " ".join(drawn(Shown("wrist", "usb:0", menu=menu)))
    assert "end?" in text


def test_a_qr_code_fits_whole() -> None:
    ticket = Ticket.of(bytes(32), secret=bytes(32))
    shown = Shown("wrist", "usb:0", ticket=terminal(ticket), what_to_do="scan this", seconds_left=59)
    lines = drawn(shown)
    assert len(lines) <= 24
    assert [line.strip() for line in terminal(ticket).splitlines()] == [line.strip() for line in lines[:-1]]
    assert lines[-1].strip() == "scan this: 59 s left"
