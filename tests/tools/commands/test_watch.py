"""`blechannel watch` on a terminal and in a pipe, and what it serves."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel.aio.attributes import PlainService
from blechannel.aio.link import Link
from blechannel.errors import TransportError
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import SpendGuess, StoreBond
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel_tools.exits import Exit
from tests.pairing.made_bonds import bond
from tests.tools.programs import WAIT_S, Program, Ran, Run, Terminal, command


@contextmanager
def on_a_terminal(*arguments: str) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    """A watch whose person sits before a terminal of 80x24."""
    terminal = Terminal()
    environment = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        command(["watch", *arguments]),
        stdin=terminal.program,
        stdout=terminal.program,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        yield terminal, process
    finally:
        process.kill()
        process.wait(WAIT_S)
        assert process.stderr is not None
        process.stderr.close()
        terminal.close()


@pytest.mark.usefixtures("transport")
def test_keys_open_a_window_and_quit() -> None:
    with on_a_terminal("--name", "wrist") as (terminal, process):
        terminal.until("no pairing window is open")
        terminal.type("xp")
        terminal.until("██")
        terminal.until("3 attempts")
        terminal.type("p")  # it is open already
        terminal.type("q")
        assert process.wait(WAIT_S) == Exit.DONE
    assert b"wrist" in terminal.screen


@pytest.mark.usefixtures("transport")
def test_ctrl_c_on_a_terminal_puts_it_back() -> None:
    with on_a_terminal("--pair") as (terminal, process):
        before = termios.tcgetattr(terminal.program.fileno())
        terminal.until("3 attempts")
        assert not termios.tcgetattr(terminal.program.fileno())[3] & termios.ICANON
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == Exit.INTERRUPTED
        after = termios.tcgetattr(terminal.program.fileno())
        assert after[3] & termios.ICANON
        assert before[0] == after[0]
        assert process.stderr is not None
        assert process.stderr.read() == b"blechannel: interrupted\n"


@pytest.mark.usefixtures("transport")
def test_the_face_tells_who_is_there(programs: Run) -> None:
    with on_a_terminal() as (terminal, process):
        terminal.until("nobody")
        assert programs("phone", "connect", "--timeout", "0.1").code == Exit.STORE
        terminal.type("\n")
        terminal.until("a new code is shown")
        terminal.type("q")
        assert process.wait(WAIT_S) == Exit.DONE


@pytest.mark.usefixtures("transport")
def test_words_are_answered_with_keys_and_at_a_prompt(people: Run, terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "no").write_text("No\n")
    pair = ("phone", "pair", "--method", "words")
    with on_a_terminal("--methods", "words") as (face, process):
        face.until("h: phones")
        face.type("7p")  # there is no seventh method
        face.until("start pairing by words on the phone")
        assert people(*pair, "--answer-file", str(tmp_path / "no")).code == Exit.REFUSED
        face.until("2 attempts")
        face.screen = b""

        def answer() -> None:
            face.until("does the phone show the same words, in this order?")
            face.type("q?y")

        person = threading.Thread(target=answer)
        person.start()
        terminal.type("perhaps\nyes\n")
        ran = people(*pair)
        person.join(WAIT_S)
        assert ran.code == Exit.DONE, ran
        assert ran.err == "the same on the other device? [yes/no] yes or no, please: "
        words = re.findall(r"^    (\w+   \w+   \w+)$", ran.out, re.MULTILINE)
        assert words[-1].encode() in face.screen
        face.until("phone has paired")
        face.type("q")
        assert process.wait(WAIT_S) == Exit.DONE


@pytest.mark.usefixtures("transport")
def test_the_phones_are_shown_and_forgotten_with_keys(home: Path) -> None:
    keep_bonds(home, Role.WATCH, replace(bond(1, Role.WATCH), peer_name="mum"))
    with on_a_terminal("--guest-port", "echo") as (terminal, process):
        terminal.until("h: phones")
        terminal.type("h")
        terminal.until("the phones of this watch")
        terminal.type("1f")
        terminal.until("forget mum?")
        terminal.type("yh")
        terminal.until("mum is forgotten")
        terminal.type("q")
        assert process.wait(WAIT_S) == Exit.DONE
    assert bonds_of(home, Role.WATCH) == []


@pytest.mark.usefixtures("transport")
def test_the_face_tells_what_a_window_for_certificates_waits_for(programs: Run, tmp_path: Path) -> None:
    for role, peer in (("watch", "phone"), ("phone", "watch")):
        programs("identity", "create", "--role", role)
        programs("identity", "export", str(tmp_path / role), "--role", role)
        programs("identity", "trust", str(tmp_path / role), "--role", peer, "--yes")
    with on_a_terminal("--methods", "passkey,certificate") as (terminal, process):
        terminal.until("1: passkey  2: certificate")
        terminal.type("2")
        terminal.until("start pairing by certificate on the phone: ")
        assert programs("phone", "pair", "--method", "certificate").code == Exit.DONE
        terminal.until("phone has paired")
        terminal.type("q")
        assert process.wait(WAIT_S) == Exit.DONE


@pytest.mark.usefixtures("transport")
def test_a_copied_phone_is_told_to_the_watchs_person(home: Path, programs: Run, tmp_path: Path) -> None:
    with Program("watch", "--pair") as watch:
        (tmp_path / "code").write_text(watch.event("code")["code"])
        programs("phone", "pair", "--code-file", str(tmp_path / "code"))
        shutil.copy(home / "phone.db", tmp_path / "copy.db")
        assert programs("phone", "connect", "--seconds", "0.01").code == Exit.DONE
        copy = programs("phone", "connect", "--seconds", "0.01", "--store", str(tmp_path / "copy.db"))
        assert copy.code == Exit.REFUSED
        assert watch.event("copied")["name"] == "phone"
        [member] = programs("phone", "household", "list").only("household")["members"]
        assert member["copied"]
        assert programs("bonds", "list").only("bonds")["bonds"][0]["copied_s"]


@pytest.mark.usefixtures("transport")
def test_a_service_manager_ends_it_in_order() -> None:
    with Program("watch") as watch:
        watch.event("advertising")
        ran = watch.interrupt(signal.SIGTERM)
    assert ran == Ran(Exit.DONE, "", "")


def test_lines_in_a_pipe(transport: str, people: Run) -> None:
    ran = people("watch", "--pair", "--seconds", "0.1")
    assert ran.code == Exit.DONE
    first, second = ran.out.splitlines()
    assert first == f"watch advertises at {transport}; bonds: 0"
    assert re.fullmatch(r"the code is \d{3} \d{3} \(attempts left: 3, seconds left: 1[12]\d\)", second)


def keep_bonds(home: Path, role: Role, *bonds: Bond) -> None:
    """That side has these bonds."""

    async def keep() -> None:
        async with await SqliteStore.open(home / f"{role.value}.db", role=role) as store:
            for each in bonds:
                await store.apply(StoreBond(each, gives_back_guess=False))

    asyncio.run(keep())


def bonds_of(home: Path, role: Role) -> list[Bond]:
    """What that side has now."""

    async def read() -> list[Bond]:
        async with await SqliteStore.open(home / f"{role.value}.db", role=role) as store:
            return list(store.book.bonds.values())

    return asyncio.run(read())


def locked(home: Path, role: Role) -> None:
    """A set of guesses is spent on this side."""

    async def spend() -> None:
        async with await SqliteStore.open(home / f"{role.value}.db", role=role) as store:
            for _ in range(3):
                await store.apply(SpendGuess())

    asyncio.run(spend())


@pytest.mark.usefixtures("transport")
def test_a_locked_watch_says_so_and_goes_on(home: Path, programs: Run, people: Run) -> None:
    locked(home, Role.WATCH)
    ran = programs("watch", "--pair", "--seconds", "0.1")
    assert ran.code == Exit.DONE
    assert 29 < ran.only("pairing-locked")["wait_s"] <= 30
    assert not [event for event in ran.events if event["event"] == "code"]
    assert "pairing is locked for 30 s more" in people("watch", "--pair", "--seconds", "0.1").out


@pytest.mark.usefixtures("transport")
def test_a_locked_watch_still_opens_a_window_for_a_tag(home: Path, programs: Run) -> None:
    locked(home, Role.WATCH)
    ran = programs("watch", "--pair", "--methods", "oob", "--seconds", "0.1")
    assert ran.only("ticket")["ticket"]


@pytest.mark.usefixtures("transport")
def test_the_face_of_a_locked_watch(home: Path) -> None:
    locked(home, Role.WATCH)
    with on_a_terminal() as (terminal, process):
        terminal.until("is locked for")
        terminal.type("p")
        terminal.until("s more")
        terminal.type("q")
        assert process.wait(WAIT_S) == Exit.DONE


@pytest.mark.usefixtures("transport")
def test_a_locked_phone_waits_or_is_told_to_go_on(
    home: Path, tmp_path: Path, programs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blechannel.pairing.lockout.FIRST_LOCK_S", 0.2)
    for option in ((), ("--despite-failures",)):
        locked(home, Role.PHONE)
        with Program("watch", "--pair") as watch:
            (tmp_path / "code").write_text(watch.event("code")["code"])
            ran = programs("phone", "pair", "--code-file", str(tmp_path / "code"), *option)
        assert ran.code == Exit.DONE
        waited = [event["wait_s"] for event in ran.events if event["event"] == "pairing-locked"]
        assert waited == ([] if option else [pytest.approx(0.2, abs=0.15)])


@pytest.mark.usefixtures("transport")
def test_a_guest_may_use_what_the_watch_allows(home: Path, tmp_path: Path, programs: Run) -> None:
    code = tmp_path / "code"
    keep_bonds(home, Role.WATCH, replace(bond(1, Role.WATCH), peer_name="the owner's"))
    with Program("watch", "--pair", "--guest-port", "transfer") as watch:
        code.write_text(watch.event("code")["code"])
        assert programs("phone", "pair", "--code-file", str(code)).code == Exit.DONE
        sent = programs("phone", "send", "--transfer", str(code))
        stays = programs("phone", "connect", "--seconds", "0.05")
    assert sent.code == Exit.DONE
    assert stays.only("round-trip")["milliseconds"] is None


def test_an_address_that_is_taken(bonded_watch: str, programs: Run, tmp_path: Path) -> None:
    ran = programs("watch", "--store", str(tmp_path / "other.db"))
    assert ran.code == Exit.LINK
    assert "another process listens at" in ran.err
    assert bonded_watch.removeprefix("unix:") in ran.err


@pytest.mark.usefixtures("bonded_watch")
def test_a_store_that_is_taken(programs: Run) -> None:
    ran = programs("watch", "--transport", "tcp:127.0.0.1:0")
    assert ran.code == Exit.STORE


@pytest.mark.usefixtures("transport")
def test_a_file_that_cannot_be_kept(programs: Run, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    with Program("watch", "--pair", "--save", str(tmp_path / "in the way")) as other:
        (tmp_path / "code").write_text(other.event("code")["code"])
        programs("phone", "pair", "--code-file", str(tmp_path / "code"))
        assert programs("phone", "send", "--transfer", str(tmp_path / "code")).code == Exit.DONE
        received = other.event("received")
        assert received["saved"] is None
        assert "cannot be saved" in received["problem"]


class GoneAdapter:
    """A radio that is unplugged as soon as somebody waits for a phone."""

    async def advertise(self, service_data: bytes) -> None:
        assert service_data

    async def accept(self) -> Link:
        raise TransportError("the way to the controller was lost: is it still plugged in?")

    async def close(self) -> None:
        return


def test_an_adapter_that_is_unplugged_ends_the_watch(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(_spec: str, *, snoop: Path | None, plain_services: Sequence[PlainService]) -> GoneAdapter:
        assert (snoop, plain_services) == (None, [])
        return GoneAdapter()

    monkeypatch.setattr("blechannel_tools.sides.open_watch_radio", opened)
    ran = programs("watch", "--transport", "usb:0")
    assert ran.code == Exit.LINK
    assert ran.only("advertising")["address"] == "usb:0"
    assert ran.only("declined")["peer"] == "adapter"
    assert "still plugged in" in ran.err


@pytest.mark.usefixtures("transport")
def test_a_system_whose_loop_takes_no_signals(people: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler", refuse)
    assert people("watch", "--seconds", "0.1").code == Exit.DONE
