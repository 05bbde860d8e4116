"""``blechannel bonds``: what this machine remembers of its watches or phones."""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from blechannel.errors import BondNotFound, LocalProtocolError
from blechannel.limits import MAX_NAME_BYTES, is_name
from blechannel.pairing.bonds import KEY_BYTES, Bond
from blechannel.pairing.changes import Forget, Rename
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel_tools.commands import bonds_move
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_store, share_examples
from blechannel_tools.output import Event, Output, Table
from blechannel_tools.prompt import confirm
from blechannel_tools.selection import choose_bond, facts_of, label, moment, notes_on, short_id
from blechannel_tools.sides import open_store, store_path

EPILOG = """examples:
  blechannel bonds list
  blechannel bonds list --role watch --json
  blechannel bonds show "my watch"
  blechannel bonds rename 3f2a91c0 "old watch"
  blechannel bonds forget "old watch" --yes
  blechannel bonds export my.bonds
  blechannel bonds import my.bonds

A bond is named by its name or by the beginning of its id. Forgetting one is for this side only: the peer keeps its
own until it is forgotten there too. What is exported is gone here: a bond serves one phone at a time."""

Act = Callable[[argparse.Namespace, Output], Awaitable[None]]


def add(commands: Commands) -> None:
    """Declare the command and its six parts."""
    about = "list, show, rename, forget and move bonds"
    parser = commands.add_parser(
        "bonds",
        help=about,
        description=f"{about.capitalize()}.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    _part(parts, "list", _list, "all bonds in a table")
    _part(parts, "show", _show, "everything about one bond but its keys").add_argument("bond", help="name or id")
    forget = _part(parts, "forget", _forget, "remove a bond: to connect again, pair again")
    forget.add_argument("bond", help="name or id")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    rename = _part(parts, "rename", _rename, "call a bond something else on this side")
    rename.add_argument("bond", help="name or id")
    rename.add_argument("new_name", metavar="name", help="the new name")
    bonds_move.add(parts)
    share_examples(parts, "bonds", EPILOG)


def _part(parts: Commands, name: str, act: Act, about: str) -> argparse.ArgumentParser:
    def run(options: argparse.Namespace, output: Output) -> Exit:
        async def act_on() -> None:
            await act(options, output)

        asyncio.run(act_on())
        return Exit.DONE

    parser = add_command(parts, name, run, help=about)
    roles = [role.value for role in Role]
    parser.add_argument("--role", choices=roles, default=Role.PHONE.value, help="whose bonds (default: the phone's)")
    add_store(parser)
    return parser


@asynccontextmanager
async def _opened(options: argparse.Namespace) -> AsyncGenerator[SqliteStore, None]:
    """The store, unless there is none: looking makes no file."""
    role = Role(options.role)
    path = store_path(options, role)
    if not path.exists():
        raise BondNotFound(f"there is no bond store yet: {path}")
    async with await open_store(options, role) as store:
        yield store


async def _list(options: argparse.Namespace, output: Output) -> None:
    path = store_path(options, Role(options.role))
    bonds: list[Bond] = []
    if path.exists():
        async with _opened(options) as store:
            bonds = list(store.book.bonds.values())
    columns = ("name", "id", "paired by", "epoch", "last seen", "notes")
    rows = [
        (
            label(bond),
            short_id(bond),
            "pending" if bond.pending else bond.method.name.lower(),
            str(bond.epoch.number),
            moment(bond.last_seen_s),
            ", ".join(notes_on(bond)),
        )
        for bond in bonds
    ]
    shown = Table(f"Bonds of the {options.role}", columns, rows) if rows else f"no bonds in {path}"
    output.say(Event.BONDS, shown, store=str(path), bonds=[facts_of(bond) for bond in bonds])


async def _show(options: argparse.Namespace, output: Output) -> None:
    async with _opened(options) as store:
        bond = _chosen(store, options)
    rows = [(name.removesuffix("_s").replace("_", " "), _cell(name, value)) for name, value in facts_of(bond).items()]
    output.say(Event.BOND, Table(label(bond), ("", ""), rows), **facts_of(bond))


def _cell(name: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "none"
        case float() if name.endswith("_s"):
            return moment(value)
        case _:
            return str(value)


async def _forget(options: argparse.Namespace, output: Output) -> None:
    async with _opened(options) as store:
        bond = _chosen(store, options)
        if not options.yes:
            question = f"forget {label(bond)} ({short_id(bond)})? Connecting again needs a new pairing [y/N] "
            await confirm(question, "nothing was forgotten")
        await store.apply(Forget(bond.bond_id, secrets.token_bytes(KEY_BYTES)))
    output.say(Event.FORGOTTEN, f"forgot {label(bond)} ({short_id(bond)})", id=bond.bond_id.hex(), name=bond.peer_name)


async def _rename(options: argparse.Namespace, output: Output) -> None:
    name: str = options.new_name
    if not is_name(name, MAX_NAME_BYTES) or not name.isprintable():
        raise LocalProtocolError(f"a name has 1 to {MAX_NAME_BYTES} bytes of printable UTF-8")
    async with _opened(options) as store:
        bond = _chosen(store, options)
        await store.apply(Rename(bond.bond_id, name))
    text = f"{label(bond)} ({short_id(bond)}) is now called {name}"
    output.say(Event.RENAMED, text, id=bond.bond_id.hex(), name=name, old_name=bond.peer_name)


def _chosen(store: SqliteStore, options: argparse.Namespace) -> Bond:
    return choose_bond(list(store.book.bonds.values()), options.bond)
