"""``blechannel phone pair``: by the six digits that the watch shows."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from blechannel.aio.phone import FoundWatch
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
    asyncio.run(_pair(options, Code(options.code_file, output), output))
    return Exit.DONE


async def _pair(options: argparse.Namespace, code: Code, output: Output) -> None:
    address = (options.address or "").removeprefix("tcp:")

    def fits(found: FoundWatch) -> bool:
        return found.pairing_open and address in ("", found.address)

    async with open_phone(options) as phone:
        with output.waiting("looking for a watch with an open pairing window"):
            found = await find_watch(phone, fits, "with an open pairing window", options.timeout)
        try:
            channel = await phone.pair(found, code.ask)
        except PairingRefused as refused:
            raise code.missing or refused from None
        async with channel:
            bond = channel.bond
    shown = f"paired with {label(bond)} ({short_id(bond)}): {bond.assurance}"
    output.say(Event.PAIRED, shown, address=found.address, bond=facts_of(bond))


class Code:
    """Where the code comes from; `ask` raises where none comes, and `missing` says it in words for people."""

    def __init__(self, code_file: Path | None, output: Output) -> None:
        """Read the file, if there is one.

        Raises:
            LocalProtocolError: a file without a code in it, or nobody to ask.
            OSError: the file cannot be read.
        """
        self._output = output
        self._known = ""
        self._may_be_corrected = code_file is None
        self.missing: PairingRefused | None = None
        if code_file is None and not is_interactive():
            raise LocalProtocolError(
                "nobody can be asked for the code here: use --code-file FILE, - for standard input"
            )
        if code_file is not None and code_file != STANDARD_INPUT:
            self._known = _digits(code_file.read_text("utf-8", "replace"))
            if not is_code(self._known):
                raise LocalProtocolError(f"{code_file} does not hold six digits and nothing else")

    async def ask(self) -> str:
        """Six digits."""
        if self._known:
            return self._known
        self._output.say(Event.CODE_WANTED)
        code = await self._line("the six digits that the watch shows: ")
        while not is_code(code):
            if not self._may_be_corrected:
                raise self._none("what came from standard input is no code: six digits are")
            code = await self._line("six digits, please: ")
        return code

    async def _line(self, question: str) -> str:
        try:
            return _digits(await ask_line(question if self._may_be_corrected else ""))
        except EOFError:
            raise self._none("no code was typed: the input ended") from None

    def _none(self, why: str) -> PairingRefused:
        self.missing = PairingRefused("no-code", why)
        return self.missing


def _digits(text: str) -> str:
    """As people write codes: in groups."""
    return "".join(text.split())
