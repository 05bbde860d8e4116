"""``blechannel phone household``: the owner's phone sees who belongs to the watch, and decides what they may do."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from blechannel.errors import BondNotFound, LocalProtocolError
from blechannel.limits import MAX_NAME_BYTES, is_name
from blechannel.pairing.access import Standing
from blechannel.services.household import PORT, Mark, Member, Owner
from blechannel_tools.exits import Exit
from blechannel_tools.options import (
    Commands,
    add_command,
    add_find,
    add_name,
    add_store,
    add_transport,
    add_watch,
    share_examples,
)
from blechannel_tools.output import Event, Output, Table
from blechannel_tools.prompt import confirm
from blechannel_tools.reaching import connected
from blechannel_tools.selection import SHORT_ID_DIGITS

EPILOG = """examples:
  blechannel phone household list --transport unix:/tmp/ble
  blechannel phone household permit "kid's phone" echo battery --transport unix:/tmp/ble
  blechannel phone household permit "kid's phone" --none --transport unix:/tmp/ble
  blechannel phone household rename 3f2a91c0 "old phone" --transport unix:/tmp/ble
  blechannel phone household remove "old phone" --yes --transport unix:/tmp/ble
  blechannel phone household transfer "new phone" --transport unix:/tmp/ble
  blechannel phone household unlock --transport unix:/tmp/ble

The first phone that is paired with a watch is its owner's; all others are guests, and only the owner's phone may do
any of this. To invite a guest, open a pairing window on the watch (p), pair the guest's phone, and permit it ports. A
phone is named by its name or by the beginning of its id, both as `list` shows them. What is decided holds at once: a
phone that is removed is cut off, and a port that is not permitted any more ends."""

NEVER_MIND = "nothing was changed"

Act = Callable[[Owner, argparse.Namespace, Output], Awaitable[None]]


def add(commands: Commands) -> None:
    """Declare the command and its six parts."""
    about = "see who belongs to the watch, and decide what they may do (owner's phone only)"
    parser = commands.add_parser(
        "household",
        help=about,
        description=f"{about.capitalize()}.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    _part(parts, "list", _list, "the phones that belong to the watch, in a table")
    _add_permit(parts)
    rename = _part(parts, "rename", _rename, "call a phone something else on the watch")
    _add_member(rename)
    rename.add_argument("new_name", metavar="name", help="the new name")
    for name, act, about in (
        ("remove", _remove, "remove a guest's phone: it is cut off at once, and needs a new pairing to come back"),
        ("transfer", _transfer, "make another phone the owner's; this one becomes a guest's"),
    ):
        part = _part(parts, name, act, about)
        _add_member(part)
        part.add_argument("--yes", action="store_true", help="do not ask")
    _part(parts, "unlock", _unlock, "forget the wrong codes that were tried on the watch, which lock its pairing")
    share_examples(parts, "phone household", EPILOG)


def _add_permit(parts: Commands) -> None:
    permit = _part(parts, "permit", _permit, "let a guest use these ports, and no others")
    _add_member(permit)
    permit.add_argument("port", nargs="*", help="a port's name, such as echo")
    whole = permit.add_mutually_exclusive_group()
    whole.add_argument("--none", action="store_true", help="no port at all")
    whole.add_argument("--default", action="store_true", help="what the watch allows every guest (--guest-port there)")


def _add_member(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("phone", help="its name, or the beginning of its id")


def _part(parts: Commands, name: str, act: Act, about: str) -> argparse.ArgumentParser:
    def run(options: argparse.Namespace, output: Output) -> Exit:
        _check(options)
        asyncio.run(_act(act, options, output))
        return Exit.DONE

    parser = add_command(parts, name, run, help=about)
    add_watch(parser)
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")
    return parser


def _check(options: argparse.Namespace) -> None:
    """Raises LocalProtocolError for what makes no sense, before any watch is looked for."""
    new_name: str | None = getattr(options, "new_name", None)
    if new_name is not None and not (is_name(new_name, MAX_NAME_BYTES) and new_name.isprintable()):
        raise LocalProtocolError(f"a name has 1 to {MAX_NAME_BYTES} bytes of printable UTF-8")
    if hasattr(options, "port") and bool(options.port) == (options.none or options.default):
        raise LocalProtocolError("say which ports, or --none, or --default")


async def _act(act: Act, options: argparse.Namespace, output: Output) -> None:
    async with connected(options, output) as channel, channel.port(PORT) as port:
        await act(Owner(port), options, output)


async def _list(owner: Owner, _options: argparse.Namespace, output: Output) -> None:
    members = await owner.members()
    rows = [(_label(each), _short_id(each), _standing(each), _may_use(each), _notes(each)) for each in members]
    table = Table("Phones of the watch", ("name", "id", "whose", "may use", "notes"), rows)
    output.say(Event.HOUSEHOLD, table, members=[_facts(each) for each in members])


async def _permit(owner: Owner, options: argparse.Namespace, output: Output) -> None:
    member = await _chosen(owner, options)
    if member.standing is Standing.OWNER:
        raise LocalProtocolError("that is this phone, the owner's: it may use every port")
    ports = None if options.default else frozenset(options.port)
    await owner.permit(member.bond_id, ports)
    may = "what the watch allows every guest" if ports is None else ", ".join(sorted(ports)) or "no port"
    output.say(
        Event.PERMITTED,
        f"{_label(member)} may use {may} now",
        id=member.bond_id.hex(),
        name=member.name,
        ports=None if ports is None else sorted(ports),
    )


async def _rename(owner: Owner, options: argparse.Namespace, output: Output) -> None:
    member, name = await _chosen(owner, options), options.new_name
    await owner.rename(member.bond_id, name)
    text = f"{_label(member)} ({_short_id(member)}) is called {name} on the watch now"
    output.say(Event.RENAMED, text, id=member.bond_id.hex(), name=name, old_name=member.name)


async def _remove(owner: Owner, options: argparse.Namespace, output: Output) -> None:
    member = await _chosen(owner, options)
    if member.standing is Standing.OWNER:
        raise LocalProtocolError("that is this phone, the owner's: first hand the watch over, with `transfer`")
    if not options.yes:
        await confirm(f"remove {_label(member)} ({_short_id(member)})? Its channel ends at once [y/N] ", NEVER_MIND)
    await owner.forget(member.bond_id)
    text = f"removed {_label(member)} ({_short_id(member)}): it needs a new pairing to come back"
    output.say(Event.FORGOTTEN, text, id=member.bond_id.hex(), name=member.name)


async def _transfer(owner: Owner, options: argparse.Namespace, output: Output) -> None:
    member = await _chosen(owner, options)
    if member.standing is Standing.OWNER:
        raise LocalProtocolError("that is this phone: it is the owner's already")
    if not options.yes:
        question = f"make {_label(member)} ({_short_id(member)}) the owner's? This phone becomes a guest's [y/N] "
        await confirm(question, NEVER_MIND)
    await owner.make_owner(member.bond_id)
    text = f"{_label(member)} is the owner's phone now, and this one a guest's"
    output.say(Event.OWNER_CHANGED, text, id=member.bond_id.hex(), name=member.name)


async def _unlock(owner: Owner, _options: argparse.Namespace, output: Output) -> None:
    await owner.reset_guesses()
    output.say(Event.UNLOCKED, "the wrong codes are forgotten: the watch opens pairing windows again")


async def _chosen(owner: Owner, options: argparse.Namespace) -> Member:
    """The phone that is meant. Raises BondNotFound where there is none, LocalProtocolError where several fit."""
    members, wanted = await owner.members(), options.phone
    by_name = [each for each in members if each.name == wanted]
    fitting = by_name or [each for each in members if wanted and each.bond_id.hex().startswith(wanted.lower())]
    if not fitting:
        raise BondNotFound(f"no phone of this watch is called {wanted!r}; see `blechannel phone household list`")
    if len(fitting) > 1:
        listed = ", ".join(f"{_short_id(each)} ({_label(each)})" for each in fitting)
        raise LocalProtocolError(f"several phones fit, say which by its id: {listed}")
    return fitting[0]


# --- a member, in words and for programs -------------------------------------------------------------------------


def _facts(member: Member) -> dict[str, object]:
    permitted = member.permitted
    return {
        "id": member.bond_id.hex(),
        "name": member.name,
        "standing": member.standing.name.lower(),
        "ports": None if permitted is None else sorted(permitted),
        "copied": member.mark is Mark.COPIED,
    }


def _short_id(member: Member) -> str:
    return member.bond_id.hex()[:SHORT_ID_DIGITS]


def _label(member: Member) -> str:
    return member.name or f"unnamed {_short_id(member)}"


def _standing(member: Member) -> str:
    return "owner (this phone)" if member.standing is Standing.OWNER else "guest"


def _may_use(member: Member) -> str:
    if member.standing is Standing.OWNER:
        return "everything"
    permitted = member.permitted
    return "the default" if permitted is None else ", ".join(sorted(permitted)) or "nothing"


def _notes(member: Member) -> str:
    return "copied: remove it" if member.mark is Mark.COPIED else ""
