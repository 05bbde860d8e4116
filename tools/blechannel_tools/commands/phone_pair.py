"""``blechannel phone pair``: by the six digits that the watch shows."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from blechannel.aio.phone import AskCode, FoundWatch
from blechannel.errors import LocalProtocolError, PairingRefused
from blechannel.pairing.window import is_code
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_find, add_name, add_store, add_transport
from blechannel_tools.output import Event, Output
from blechannel_tools.prompt import ask_line, is_interactive
from blechannel_tools.selection import facts_of, find_watch, label, short_id
from blechannel_tools.sides import open_phone

STANDARD_INPUT = Path("-")

EPILOG = """examples:
  blechannel phone pair --transport hci-socket:0
  blechannel phone pair C0:FF:EE:12:34:56 --transport usb:0
  blechannel phone pair --code-file code.txt --json --transport unix:/tmp/ble

Open a pairing window on the watch first. A code is good for one try: after a failure the watch shows a new one.
The code is never given on the command line, where other users could see it. With `--code-file -` it is read from
standard input once the watch waits for it; with --json the event "code-wanted" says when."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "pair", run, help="pair with a watch whose pairing window is open", epilog=EPILOG)
    parser.add_argument("address", nargs="?", help="which watch, where several are open (see `phone scan`)")
    parser.add_argument("--code-file", type=Path, metavar="FILE", help="read the code from here; - is standard input")
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_pair(options, _asking(options.code_file, output), output))
    return Exit.DONE


async def _pair(options: argparse.Namespace, ask_code: AskCode, output: Output) -> None:
    address = (options.address or "").removeprefix("tcp:")

    def fits(found: FoundWatch) -> bool:
        return found.pairing_open and address in ("", found.address)

    async with open_phone(options) as phone:
        with output.waiting("looking for a watch with an open pairing window"):
            found = await find_watch(phone, fits, "with an open pairing window", options.timeout)
        async with await phone.pair(found, ask_code) as channel:
            bond = channel.bond
    shown = f"paired with {label(bond)} ({short_id(bond)}): {bond.assurance}"
    output.say(Event.PAIRED, shown, address=found.address, bond=facts_of(bond))


def _asking(code_file: Path | None, output: Output) -> AskCode:
    """Where the code comes from.

    Raises:
        LocalProtocolError: a file without a code in it, or nobody to ask.
        OSError: the file cannot be read.
    """
    if code_file == STANDARD_INPUT:
        return lambda: _from_standard_input(output)
    if code_file is not None:
        code = _digits(code_file.read_text("utf-8", "replace"))
        if not is_code(code):
            raise LocalProtocolError(f"{code_file} does not hold six digits and nothing else")
        return lambda: _known(code)
    if not is_interactive():
        raise LocalProtocolError("nobody can be asked for the code here: say --code-file FILE, or - for standard input")
    return lambda: _from_person(output)


async def _known(code: str) -> str:
    return code


async def _from_standard_input(output: Output) -> str:
    output.say(Event.CODE_WANTED)
    code = _digits(await _line(""))
    if not is_code(code):
        raise PairingRefused("no-code", "what came from standard input is no code: six digits are")
    return code


async def _from_person(output: Output) -> str:
    output.say(Event.CODE_WANTED)
    code = _digits(await _line("the six digits that the watch shows: "))
    while not is_code(code):
        code = _digits(await _line("six digits, please: "))
    return code


async def _line(question: str) -> str:
    try:
        return await ask_line(question)
    except EOFError:
        raise PairingRefused("no-code", "no code was typed: the input ended") from None


def _digits(text: str) -> str:
    """As people write codes: in groups."""
    return "".join(text.split())
