"""Board descriptions: those that are shipped are whole, and what is wrong in one is named with its file and key."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from blechannel.errors import LocalProtocolError
from blechannel_tools.board import Board, Daemon, Nfc, Phy, find_board, read_board, shipped
from blechannel_tools.exits import Exit
from tests.tools.programs import Run

BOARDS = ("nrf52-uart", "nrf52840-dk", "nrf52840-dongle", "raspberry-pi", "raspberry-pi-bluez", "virtual")
OWN = """
title = "mine"
transport = "usb:0"
bluetoothd = "either"
acl_bytes = 27
phys = ["1M", "coded"]
nfc = "reader"
quirks = []
tried = true
"""


def test_these_boards_are_shipped() -> None:
    assert tuple(shipped()) == BOARDS


@pytest.mark.parametrize("name", BOARDS)
def test_a_shipped_board(name: str) -> None:
    board = find_board(name)
    assert board.name == name
    assert board.tried == (name == "virtual"), "nobody has tried it on a radio"
    assert all(quirk.endswith(".") for quirk in board.quirks)
    assert (board.acl_bytes is None) == (board.phys == ()) == (name == "virtual")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    assert find_board(str(path)) == Board(
        name="mine",
        where=path,
        title="mine",
        transport="usb:0",
        bluetoothd=Daemon.EITHER,
        phys=(Phy.ONE_M, Phy.CODED),
        nfc=Nfc.READER,
        quirks=(),
        tried=True,
        acl_bytes=27,
    )


def test_a_name_that_no_board_has() -> None:
    with pytest.raises(LocalProtocolError, match=r"'watch9'.*\.toml.*raspberry-pi"):
        find_board("watch9")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "mine"', 'title = "mine"\ncolour = "red"', "unknown key 'colour'; there are title, transport"),
        ('title = "mine"', 'where = "/"', "unknown key 'where'"),
        ('title = "mine"', "", "the key 'title' is missing"),
        ('title = "mine"', 'title = ""', "title is empty"),
        ('title = "mine"', "title = 7", "title must be of type str, and is 7"),
        ('transport = "usb:0"', 'transport = " "', "transport is empty"),
        ('bluetoothd = "either"', 'bluetoothd = "off"', "bluetoothd must be stopped or running or either"),
        ("acl_bytes = 27", "acl_bytes = true", "acl_bytes must be of type int, and is True"),
        ("acl_bytes = 27", "acl_bytes = 26", "acl_bytes is outside 27 to 65535"),
        ("acl_bytes = 27", "acl_bytes = 65536", "acl_bytes is outside 27 to 65535"),
        ('["1M", "coded"]', '["3M"]', "phys must be 1M or 2M or coded, and is '3M'"),
        ('["1M", "coded"]', '"1M"', "phys must be a list"),
        ('["1M", "coded"]', "[[]]", r"phys must be 1M or 2M or coded, and is \[\]"),
        ("quirks = []", "quirks = [1]", "quirks must be of type str, and is 1"),
        ("tried = true", "tried = 1", "tried must be of type bool, and is 1"),
        ("tried = true", "tried = false", "reason says why"),
        ("tried = true", 'tried = true\nreason = "no time"', "reason says why"),
        ("tried = true", "tried =", "mine.toml: Invalid value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    assert old in OWN
    path.write_text(OWN.replace(old, new))
    with pytest.raises(LocalProtocolError, match=said) as caught:
        read_board(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LocalProtocolError, match=r"none\.toml: No such file"):
        find_board(str(tmp_path / "none.toml"))
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(LocalProtocolError, match=r"latin\.toml: 'utf-8'"):
        find_board(str(tmp_path / "latin.toml"))


def test_every_key_of_the_schema_is_used_by_a_shipped_board() -> None:
    text = "\n".join(path.read_text("utf-8") for path in shipped().values())
    for field in fields(Board):
        assert field.name in ("name", "where") or f"\n{field.name} = " in f"\n{text}"


def test_a_watch_on_a_board(tmp_path: Path, transport: str, programs: Run, people: Run) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace("usb:0", transport).replace("[]", '["Bites."]'))
    ran = programs("watch", "--board", str(path), "--seconds", "0.01")
    assert ran.code == Exit.DONE
    assert ran.only("board") == {
        "event": "board",
        "board": "mine",
        "title": "mine",
        "transport": transport,
        "acl_bytes": 27,
        "phys": ["1M", "coded"],
        "nfc": "reader",
        "tried": True,
        "quirks": ["Bites."],
    }
    assert ran.only("advertising")["address"] == transport
    told = people("watch", "--board", str(path), "--seconds", "0.01")
    assert told.out.startswith(f"mine: {transport}\n- Bites.\n")


def test_a_board_and_a_transport_are_one_too_many(programs: Run) -> None:
    ran = programs("watch", "--board", "virtual", "--transport", "usb:0")
    assert ran.code == Exit.USAGE
    assert "not allowed with argument" in ran.err


def test_a_board_that_is_not_there(programs: Run) -> None:
    ran = programs("watch", "--board", "watch9")
    assert ran.code == Exit.USAGE
    assert "no board is called 'watch9'" in ran.err


def test_a_board_that_was_not_tried_says_so(programs: Run, people: Run, tmp_path: Path, transport: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace("usb:0", transport).replace("tried = true", 'tried = false\nreason = "no time"'))
    assert programs("watch", "--board", str(path), "--seconds", "0.01").only("board")["tried"] is False
    assert "- Not tried by this project: no time." in people("watch", "--board", str(path), "--seconds", "0.01").out
