"""Keys come from a terminal or not at all, and the terminal is put back."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import termios

import pytest

from blechannel_tools.keys import key_presses
from tests.tools.programs import Terminal


async def test_keys_come_at_once_and_without_echo(terminal: Terminal) -> None:
    pressed: list[str] = []
    both = asyncio.Event()

    def press(key: str) -> None:
        pressed.append(key)
        if len(pressed) == 2:
            both.set()

    before = termios.tcgetattr(terminal.program)
    with key_presses(press) as keys:
        assert keys
        terminal.type("pq")
        async with asyncio.timeout(10):
            await both.wait()
        assert not termios.tcgetattr(terminal.program)[3] & termios.ECHO
    assert pressed == ["p", "q"]
    assert termios.tcgetattr(terminal.program) == before


async def test_a_terminal_that_hangs_up_is_let_go(terminal: Terminal) -> None:
    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _loop, fault: faults.append(fault))
    with key_presses(lambda _key: None):
        terminal.hang_up()
        await asyncio.sleep(0.05)
        assert not loop.remove_reader(terminal.program.fileno())
    assert not faults


async def test_a_terminal_that_cannot_be_read_is_let_go(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _size: int) -> bytes:
        raise OSError(errno.EIO, "a background process may not read")

    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _loop, fault: faults.append(fault))
    monkeypatch.setattr("blechannel_tools.keys.os.read", refuse)
    with key_presses(lambda _key: None):
        terminal.type("p")
        await asyncio.sleep(0.05)
        assert not loop.remove_reader(terminal.program.fileno())
    assert not faults


async def test_a_pipe_gives_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, os.fdopen(writing, "w"):
        monkeypatch.setattr("sys.stdin", pipe)
        with key_presses(lambda _key: None) as keys:
            assert not keys


async def test_a_system_without_termios_gives_no_keys(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal.program.isatty()
    monkeypatch.setitem(sys.modules, "termios", None)
    with key_presses(lambda _key: None) as keys:
        assert not keys
