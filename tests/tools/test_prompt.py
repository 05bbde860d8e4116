"""A question to the person does not hold the loop, and ends with its reader."""

from __future__ import annotations

import asyncio

import pytest

from blechannel_tools.prompt import ask_line, is_interactive
from tests.tools.programs import Terminal


async def test_a_line_is_taken_and_the_next_left(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_interactive()
    terminal.type("  one \ntwo\n")
    assert await ask_line("first? ") == "one"
    assert await ask_line("second? ") == "two"
    assert capsys.readouterr() == ("", "first? second? ")


async def test_an_input_that_ends(terminal: Terminal) -> None:
    terminal.type("\x04")
    with pytest.raises(EOFError):
        await ask_line("")


async def test_the_loop_goes_on_while_a_person_thinks(terminal: Terminal) -> None:
    asking = asyncio.ensure_future(ask_line(""))
    await asyncio.sleep(0.01)
    assert not asking.done()
    terminal.type("late\n")
    assert await asking == "late"


async def test_a_question_can_be_called_off(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ask_line("well? ")
    assert capsys.readouterr().err == "well? \n"
    terminal.type("to nobody\n")
    await asyncio.sleep(0.05)


def test_an_answer_after_the_end_is_nobodys(terminal: Terminal) -> None:
    async def ask_in_vain() -> None:
        async with asyncio.timeout(0.01):
            await ask_line("")

    with pytest.raises(TimeoutError):
        asyncio.run(ask_in_vain())
    # A thread that raised would be a warning, and so a failure.
    terminal.type("to nobody\n")
