"""Where a side's key, its certificate and the certificates that it believes are; and how it pairs with them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blechannel.errors import AuthenticationFailed, IdentityError
from blechannel.pairing.certificates import Pinned, SelfSigned, Subject
from blechannel.roles import Role
from blechannel.session.credentials import Credentials
from blechannel.stores.certificate_file import Leaf
from blechannel.stores.identity_file import read_identity
from blechannel.stores.trusted_folder import TrustedFolder
from blechannel_tools.certificates import briefly, why_not_now
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Output
from blechannel_tools.sides import store_path

Act = Callable[[argparse.Namespace, Role, Output], None]


def add_part(parts: Commands, name: str, act: Act, about: str) -> argparse.ArgumentParser:
    """An action of `blechannel identity`."""

    def run(options: argparse.Namespace, output: Output) -> Exit:
        act(options, Role(options.role), output)
        return Exit.DONE

    parser = add_command(parts, name, run, help=about)
    roles = [role.value for role in Role]
    parser.add_argument("--role", choices=roles, default=Role.PHONE.value, help="whose (default: the phone's)")
    parser.add_argument("--store", type=Path, metavar="FILE", help="the bond store beside which all is kept")
    return parser


def add_identity(parser: argparse.ArgumentParser) -> None:
    """`--identity`: where the key and the certificate are."""
    parser.add_argument(
        "--identity", type=Path, metavar="FILE", help="the own key and certificate (default: beside the bond store)"
    )


def add_trusted(parser: argparse.ArgumentParser) -> None:
    """`--trusted`: where the certificates are that are believed."""
    parser.add_argument(
        "--trusted", type=Path, metavar="FOLDER", help="the certificates to believe (default: beside the bond store)"
    )


def identity_path(options: argparse.Namespace, role: Role) -> Path:
    """Where this side's key and certificate are: `phone.identity.pem` beside `phone.db`."""
    chosen: Path | None = options.identity
    return chosen or store_path(options, role).with_suffix(".identity.pem")


def trusted_folder(options: argparse.Namespace, role: Role) -> TrustedFolder:
    """The certificates that this side believes: `phone.trusted` beside `phone.db`."""
    chosen: Path | None = options.trusted
    return TrustedFolder(chosen or store_path(options, role).with_suffix(".trusted"))


def own_identity(options: argparse.Namespace, role: Role) -> SelfSigned:
    """This side's key and certificate.

    Raises:
        IdentityError: there is none yet, or the file cannot be used.
    """
    path = identity_path(options, role)
    if not path.exists():
        raise IdentityError(f"this {role.value} has no certificate yet: make one with {advice('create', role)}")
    return read_identity(path)


def certificate_credentials(options: argparse.Namespace, role: Role) -> Credentials:
    """What this side shows and believes in a pairing by certificate.

    Raises:
        IdentityError: it has no certificate, one that is not valid now, or nobody to believe.
    """
    identity, listed = own_identity(options, role), Listed(trusted_folder(options, role), role)
    if why := why_not_now(Leaf.of(identity.certificate), time.time()):
        mend = f"move {identity_path(options, role)} away, make another with {advice('create', role)}"
        raise IdentityError(f"this {role.value}'s own certificate {why}: {mend}, and have that one trusted")
    if not listed.folder.leaves():
        told = f"this {role.value} trusts no {role.peer.value} yet: carry its certificate here"
        raise IdentityError(f"{told}, then {advice('trust FILE', role)}")
    return Credentials(identity, listed, time.time)


@dataclass(frozen=True, slots=True)
class Listed:
    """Believes the certificates in a folder as it is now, and tells this side's person why it does not believe another.

    A peer learns nothing of the reason: it is told that the pairing failed.
    """

    folder: TrustedFolder
    role: Role

    def verify(self, chain: tuple[bytes, ...], *, at_s: float) -> Subject:
        """See `blechannel.pairing.attestation.Verifier`. A folder that cannot be read believes nobody."""
        try:
            leaves = frozenset(leaf.fingerprint for leaf in self.folder.leaves())
        except IdentityError as error:
            raise AuthenticationFailed(f"no certificate can be believed now: {error}") from error
        try:
            return Pinned(leaves).verify(chain, at_s=at_s)
        except AuthenticationFailed as error:
            raise AuthenticationFailed(self._why(chain, leaves, at_s)) from error

    def _why(self, chain: tuple[bytes, ...], leaves: frozenset[bytes], at_s: float) -> str:
        peer = self.role.peer.value
        try:
            leaf = Leaf.of(chain[0])
        except AuthenticationFailed:
            return f"the {peer} showed no certificate that can be read"
        if leaf.fingerprint not in leaves:
            shown = f"the {peer} showed a certificate that is not trusted here ({briefly(leaf)})"
            return f"{shown}; if you know it to be the {peer}'s, carry it here, then {advice('trust FILE', self.role)}"
        return f"the {peer}'s certificate {why_not_now(leaf, at_s) or 'is not signed as it must be'} ({briefly(leaf)})"


def advice(action: str, role: Role) -> str:
    """How this side's person types an action of `blechannel identity`."""
    return f"`blechannel identity {action}{'' if role is Role.PHONE else f' --role {role.value}'}`"
