"""``blechannel identity``: this side's key and certificate, and the certificates of the peers that it trusts."""

from __future__ import annotations

import argparse
import shlex
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from blechannel.errors import IdentityError, LocalProtocolError
from blechannel.pairing.certificates import SelfSigned
from blechannel.roles import Role
from blechannel.stores.certificate_file import Leaf
from blechannel.stores.identity_file import write_identity
from blechannel.stores.private_file import write_private
from blechannel_tools.certificates import facts_of_leaf, in_lines
from blechannel_tools.commands import identity_trust
from blechannel_tools.identities import add_identity, add_part, advice, identity_path, own_identity
from blechannel_tools.options import Commands, positive, share_examples
from blechannel_tools.output import Event, Lines, Output

DAY_S = 86_400.0
LIFETIME_DAYS = 3650
MAX_DAYS = 36_500

EPILOG = """examples, for a watch and a phone on two machines; on the watch's:
  blechannel identity create --role watch --name wrist
  blechannel identity export wrist.pem --role watch

on the phone's, to which wrist.pem was carried:
  blechannel identity trust wrist.pem
  blechannel identity create --name pocket
  blechannel identity export pocket.pem

on the watch's again, to which pocket.pem was carried:
  blechannel identity trust pocket.pem --role watch
  blechannel watch --methods certificate --pair --transport hci-socket:0

and on the phone's:
  blechannel phone pair --method certificate --transport hci-socket:0

at any time, on either (with --role watch on the watch's):
  blechannel identity show
  blechannel identity list
  blechannel identity untrust wrist

A certificate is no secret, but whoever puts another in its place on the way takes the place of the device: compare the
fingerprint that `trust` shows with the one that `show` tells on the other device. The key stays in its file, which is
for you alone and under no passphrase. docs/certificates.md leads through all of it, and through what can go wrong."""


def add(commands: Commands) -> None:
    """Declare the command and its six parts."""
    about = "make this side's certificate, and say whose it trusts, to pair by certificate"
    parser = commands.add_parser(
        "identity",
        help=about,
        description=f"{about.capitalize()}.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    create = add_part(parts, "create", _create, "make a key on P-256 and its certificate; none is ever replaced")
    create.add_argument("--name", help="what the certificate calls this side (default: its role)")
    create.add_argument(
        "--days", type=positive, default=LIFETIME_DAYS, help=f"how long it is valid (default: {LIFETIME_DAYS})"
    )
    show = add_part(parts, "show", _show, "the own certificate and its fingerprint")
    export = add_part(parts, "export", _export, "write the own certificate, without the key, to be carried to the peer")
    export.add_argument("file", type=Path, help="a new file")
    for part in (create, show, export):
        add_identity(part)
    identity_trust.add(parts)
    share_examples(parts, "identity", EPILOG)


def _create(options: argparse.Namespace, role: Role, output: Output) -> None:
    path = identity_path(options, role)
    if path.exists():
        told = f"this {role.value} has a certificate already: see it with {advice('show', role)}"
        raise IdentityError(f"{told}, or move its file away where nobody needs to know it any more", str(path))
    if options.days > MAX_DAYS:
        raise LocalProtocolError(f"a certificate is valid for at most {MAX_DAYS} days")
    # From yesterday on: a peer whose clock is behind is to take it, too.
    made = SelfSigned.make(
        ec.generate_private_key(ec.SECP256R1()),
        role.value if options.name is None else options.name,
        not_before_s=time.time() - DAY_S,
        lifetime_s=(options.days + 1) * DAY_S,
    )
    write_identity(path, made)
    elsewhere = f" --identity {shlex.quote(str(path))}" if options.identity else ""
    then = f"next: {advice(f'export FILE{elsewhere}', role)}, and carry that file to the {role.peer.value}"
    _tell(f"made a certificate for this {role.value}", Leaf.of(made.certificate), path, output, then)


def _show(options: argparse.Namespace, role: Role, output: Output) -> None:
    leaf = Leaf.of(own_identity(options, role).certificate)
    _tell(f"the certificate of this {role.value}", leaf, identity_path(options, role), output)


def _tell(heading: str, leaf: Leaf, path: Path, output: Output, *then: str) -> None:
    lines = [*in_lines(leaf), f"  key          {path}", *then]
    output.say(Event.IDENTITY, Lines(f"{heading}:", lines), file=str(path), **facts_of_leaf(leaf))


def _export(options: argparse.Namespace, role: Role, output: Output) -> None:
    leaf = Leaf.of(own_identity(options, role).certificate)
    file: Path = options.file
    write_private(file, leaf.pem)
    trust = advice(f"trust {file.name}", role.peer)
    text = f"{file} holds the certificate, and no key: carry it to the {role.peer.value}, and there {trust}"
    output.say(Event.CERTIFICATE, text, file=str(file), **facts_of_leaf(leaf))
