"""``blechannel bonds export`` and ``bonds import``: a phone's bonds move to another phone in an encrypted file."""

from __future__ import annotations

import argparse
import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path

from blechannel.errors import BondNotFound, LocalProtocolError
from blechannel.roles import Role
from blechannel.stores.transfer_file import Moved, export_bonds, import_bonds
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_store
from blechannel_tools.output import Event, Output
from blechannel_tools.prompt import is_interactive
from blechannel_tools.selection import facts_of
from blechannel_tools.sides import open_store, store_path

QUESTION = "passphrase of the file: "
AGAIN = "the same once more: "

Act = Callable[[argparse.Namespace, str, Output], Awaitable[None]]


def add(parts: Commands) -> None:
    """Declare both."""
    _part(parts, "export", _export, "move all bonds of this phone into an encrypted file; they are gone here", asks=2)
    _part(parts, "import", _import, "take over the bonds of such a file, which is removed", asks=1)


def _part(parts: Commands, name: str, act: Act, about: str, *, asks: int) -> None:
    def run(options: argparse.Namespace, output: Output) -> Exit:
        passphrase = _passphrase(options, asks)

        async def act_on() -> None:
            await act(options, passphrase, output)

        asyncio.run(act_on())
        return Exit.DONE

    parser = add_command(parts, name, run, help=about)
    parser.add_argument("file", type=Path, help="the file that carries the bonds")
    parser.add_argument(
        "--transfer-passphrase-file",
        type=Path,
        metavar="FILE",
        help="its first line is the passphrase of the file (default: ask)",
    )
    add_store(parser)


def _passphrase(options: argparse.Namespace, asks: int) -> str:
    """Of the transfer file; asked for before there is an event loop, so that Ctrl-C ends the question.

    Raises:
        LocalProtocolError: there is nobody to ask, or what was typed twice is not the same.
        OSError: the file with it cannot be read.
    """
    chosen: Path | None = options.transfer_passphrase_file
    if chosen is not None:
        lines = chosen.read_text("utf-8").splitlines()
        return lines[0] if lines else ""
    if not is_interactive():
        raise LocalProtocolError("nobody can be asked here: use --transfer-passphrase-file")
    typed = [getpass.getpass(question) for question in (QUESTION, AGAIN)[:asks]]
    if len(set(typed)) > 1:
        raise LocalProtocolError("the two passphrases are not the same; nothing was done")
    return typed[0]


async def _export(options: argparse.Namespace, passphrase: str, output: Output) -> None:
    path = store_path(options, Role.PHONE)
    if not path.exists():
        raise BondNotFound(f"there is no bond store yet: {path}")
    async with await open_store(options, Role.PHONE) as store:
        moved = await export_bonds(store, options.file, passphrase=passphrase)
    text = f"{len(moved.bonds)} bond(s) are in {options.file} now, and not here any more; import it on the other phone"
    output.say(Event.EXPORTED, text, **_facts(options, moved))


async def _import(options: argparse.Namespace, passphrase: str, output: Output) -> None:
    async with await open_store(options, Role.PHONE) as store:
        moved = await import_bonds(store, options.file, passphrase=passphrase)
    left = f"; {options.file} could not be removed: remove it" if moved.file_remains else ""
    output.say(Event.IMPORTED, f"{len(moved.bonds)} bond(s) are here now{left}", **_facts(options, moved))


def _facts(options: argparse.Namespace, moved: Moved) -> dict[str, object]:
    bonds = [facts_of(bond) for bond in moved.bonds]
    return {"file": str(options.file), "file_remains": moved.file_remains, "bonds": bonds}
