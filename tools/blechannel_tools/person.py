"""What a command asks of its person: a code, a comparison, a ticket. From a terminal, a file or standard input."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Final

from blechannel.aio.person import AskCode, Compare
from blechannel.errors import LocalProtocolError, PairingRefused
from blechannel.pairing.out_of_band import Ticket
from blechannel.pairing.window import is_code
from blechannel_tools.output import Event, Lines, Output
from blechannel_tools.prompt import ask_line, is_interactive
from blechannel_tools.ways import says_yes

STANDARD_INPUT: Final = Path("-")


# --- a code -----------------------------------------------------------------------------------------------------


def ask_code_from(code_file: Path | None, output: Output) -> AskCode:
    """Where the code comes from.

    Raises:
        LocalProtocolError: a file without a code in it, or nobody to ask.
        OSError: the file cannot be read.
    """
    if code_file == STANDARD_INPUT:
        return lambda: _code_from_standard_input(output)
    if code_file is not None:
        code = _digits(code_file.read_text("utf-8", "replace"))
        if not is_code(code):
            raise LocalProtocolError(f"{code_file} does not hold six digits and nothing else")
        return lambda: _known(code)
    if not is_interactive():
        raise LocalProtocolError("nobody can be asked for the code here: say --code-file FILE, or - for standard input")
    return lambda: _code_from_person(output)


async def _known(code: str) -> str:
    return code


async def _code_from_standard_input(output: Output) -> str:
    output.say(Event.CODE_WANTED)
    code = _digits(await _line("", "no code was typed"))
    if not is_code(code):
        raise PairingRefused("no-code", "what came from standard input is no code: six digits are")
    return code


async def _code_from_person(output: Output) -> str:
    output.say(Event.CODE_WANTED)
    code = _digits(await _line("the six digits that the watch shows: ", "no code was typed"))
    while not is_code(code):
        code = _digits(await _line("six digits, please: ", "no code was typed"))
    return code


def _digits(text: str) -> str:
    """As people write codes: in groups."""
    return "".join(text.split())


# --- words ------------------------------------------------------------------------------------------------------


def compare_from(answer_file: Path | None, output: Output, what_to_do: str) -> Compare:
    """Who compares the words.

    Raises:
        LocalProtocolError: a file without an answer in it, or nobody to ask.
        OSError: the file cannot be read.
    """
    answer: bool | None = None
    if answer_file not in (None, STANDARD_INPUT):
        answer = says_yes(answer_file.read_text("utf-8", "replace"))
        if answer is None:
            raise LocalProtocolError(f"{answer_file} holds neither yes nor no")
    elif answer_file is None and not is_interactive():
        raise LocalProtocolError("nobody can compare words here: say --answer-file FILE, or - for standard input")

    async def compare(words: tuple[str, ...]) -> bool:
        output.say(Event.WORDS, Lines(f"{what_to_do}:", ("", f"    {'   '.join(words)}", "")), words=list(words))
        if answer is not None:
            return answer
        return await _answer("" if answer_file else "the same on the other device? [yes/no] ")

    return compare


async def _answer(question: str) -> bool:
    answer = says_yes(await _line(question, "nobody compared the words"))
    while answer is None:
        answer = says_yes(await _line(question and "yes or no, please: ", "nobody compared the words"))
    return answer


# --- a ticket ---------------------------------------------------------------------------------------------------


async def ticket_from(options: argparse.Namespace, output: Output) -> Ticket:
    """What a person carried here from the watch.

    Raises:
        LocalProtocolError: nothing says where it is.
        CarrierError, MalformedFrame: no ticket there.
        MissingExtra: a package for tags or readers.
        OSError: a file cannot be read.
    """
    from blechannel.oob.qr import from_text

    if options.reader is not None:
        from blechannel.oob.reader import read_tag

        with output.waiting("hold the watch's tag to the reader"):
            return await asyncio.to_thread(read_tag, options.reader)
    if options.tag is not None:
        from blechannel.oob.ndef import read_file

        return read_file(options.tag)
    if options.qr_text not in (None, STANDARD_INPUT):
        return from_text(options.qr_text.read_text("ascii", "replace"))
    if options.qr_text is None and not is_interactive():
        raise LocalProtocolError(
            "where is the ticket? say --qr-text FILE (- is standard input), --tag FILE or --reader"
        )
    output.say(Event.TICKET_WANTED)
    question = "" if options.qr_text else "what a scanner reads in the watch's code: "
    return from_text(await _line(question, "no ticket came"))


# --- inside -----------------------------------------------------------------------------------------------------


async def _line(question: str, otherwise: str) -> str:
    try:
        return await ask_line(question)
    except EOFError:
        reason = "no-code" if "code" in otherwise else "no-answer"
        raise PairingRefused(reason, f"{otherwise}: the input ended") from None
