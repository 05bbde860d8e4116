"""``blechannel identity trust``, ``untrust`` and ``list``: whose certificates this side believes."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from blechannel.errors import IdentityError, LocalProtocolError
from blechannel.roles import Role
from blechannel.stores.certificate_file import Leaf, read_leaf
from blechannel_tools.certificates import beginning, facts_of_leaf, in_lines, why_not_now
from blechannel_tools.identities import (
    add_identity,
    add_part,
    add_trusted,
    advice,
    identity_path,
    own_identity,
    trusted_folder,
)
from blechannel_tools.options import Commands
from blechannel_tools.output import Event, Lines, Output, Table
from blechannel_tools.prompt import confirm
from blechannel_tools.selection import moment

NEVER_MIND = "nothing was trusted"


def add(parts: Commands) -> None:
    """Declare the three."""
    trust = add_part(parts, "trust", _trust, "believe a peer's certificate that was carried here")
    trust.add_argument("file", type=Path, help="what `identity export` wrote on the peer")
    trust.add_argument("--yes", action="store_true", help="do not ask whether the fingerprints are the same")
    add_identity(trust)
    untrust = add_part(parts, "untrust", _untrust, "believe a certificate no longer, in pairings to come")
    untrust.add_argument("fingerprint", help="its beginning, as `identity list` shows it, or the name")
    for part in (trust, untrust, add_part(parts, "list", _list, "the certificates that are trusted")):
        add_trusted(part)


def _trust(options: argparse.Namespace, role: Role, output: Output) -> None:
    leaf = read_leaf(options.file)
    peer = role.peer.value
    if identity_path(options, role).exists() and own_identity(options, role).certificate == leaf.der:
        raise IdentityError(f"this is this {role.value}'s own certificate: carry the {peer}'s here", str(options.file))
    if why := why_not_now(leaf, time.time()):
        raise IdentityError(f"this certificate {why}: make another on the {peer}", str(options.file))
    if not options.yes:
        shown = Lines(f"{options.file} holds this certificate:", in_lines(leaf))
        output.say(Event.CERTIFICATE, shown, file=str(options.file), **facts_of_leaf(leaf))
        question = f"does {advice('show', role.peer)} tell this fingerprint on the {peer}? [y/N] "
        asyncio.run(confirm(question, NEVER_MIND))
    is_new = trusted_folder(options, role).add(leaf)
    text = f"this {role.value} {'trusts' if is_new else 'trusted'} {leaf.name or 'it'} {'now' if is_new else 'already'}"
    output.say(Event.TRUSTED, text, **facts_of_leaf(leaf))


def _untrust(options: argparse.Namespace, role: Role, output: Output) -> None:
    folder = trusted_folder(options, role)
    leaf = _chosen(folder.leaves(), options.fingerprint, role)
    folder.remove(leaf)
    told = f"this {role.value} trusts {leaf.name or 'it'} no longer"
    text = f"{told}; a bond that was made with it stays: look with `blechannel bonds list`"
    output.say(Event.UNTRUSTED, text, **facts_of_leaf(leaf))


def _list(options: argparse.Namespace, role: Role, output: Output) -> None:
    folder, now_s = trusted_folder(options, role), time.time()
    leaves = folder.leaves()
    columns = ("name", "fingerprint begins", "valid until", "notes")
    rows = [(each.name, beginning(each), moment(each.not_after_s), why_not_now(each, now_s)) for each in leaves]
    shown = Table(f"Whom this {role.value} trusts", columns, rows) if rows else f"nobody is trusted: {folder.path}"
    output.say(
        Event.CERTIFICATES, shown, folder=str(folder.path), certificates=[facts_of_leaf(each) for each in leaves]
    )


def _chosen(leaves: list[Leaf], wanted: str, role: Role) -> Leaf:
    """The certificate that is meant. Raises IdentityError where there is none, LocalProtocolError where several fit."""
    digits = "".join(char for char in wanted.lower() if char not in " :")
    by_name = [leaf for leaf in leaves if leaf.name == wanted]
    fitting = by_name or [leaf for leaf in leaves if digits and leaf.fingerprint.hex().startswith(digits)]
    if not fitting:
        raise IdentityError(f"no certificate of that name or fingerprint is trusted: see {advice('list', role)}")
    if len(fitting) > 1:
        raise LocalProtocolError("several certificates fit: say more of the fingerprint")
    return fitting[0]
