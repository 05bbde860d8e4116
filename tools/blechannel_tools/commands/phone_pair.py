"""``blechannel phone pair``: by the watch's six digits, by words, by a tag or QR code, or by certificate."""

from __future__ import annotations

import argparse
import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blechannel.aio.person import Certificate, OutOfBand, Passkey, Way, Words
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.errors import AuthenticationFailed, LocalProtocolError, PairingLocked, PairingRefused
from blechannel.methods import Method
from blechannel.pairing.bonds import Bond
from blechannel.roles import Role
from blechannel_tools.certificates import briefly
from blechannel_tools.exits import Exit
from blechannel_tools.identities import add_identity, add_trusted, certificate_credentials, trusted_folder
from blechannel_tools.options import Commands, add_command, add_find, add_name, add_store, add_transport
from blechannel_tools.output import Event, Output
from blechannel_tools.person import ask_code_from, compare_from, ticket_from
from blechannel_tools.selection import facts_of, find_watch, label, short_id
from blechannel_tools.sides import open_phone
from blechannel_tools.ways import ENDED_BY_WATCH, ON_PHONE, ended, method, word_of

EPILOG = """examples:
  blechannel phone pair --transport hci-socket:0
  blechannel phone pair C0:FF:EE:12:34:56 --transport usb:0
  blechannel phone pair --method words --transport unix:/tmp/ble
  blechannel phone pair --method oob --tag watch.ndef --transport unix:/tmp/ble
  blechannel phone pair --method certificate --transport unix:/tmp/ble
  blechannel phone pair --code-file code.txt --json --transport unix:/tmp/ble

Open a pairing window for the same method on the watch first. A code is good for one try: after a failure the watch
shows a new one. Neither a code nor a ticket is ever given on the command line, where other users could see it. With `-`
a file is standard input, read once it is needed; with --json the events "code-wanted", "words" and "ticket-wanted" say
when. Words are answered with yes or no. Certificates are made and trusted with `blechannel identity`."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "pair", run, help="pair with a watch whose pairing window is open", epilog=EPILOG)
    parser.add_argument("address", nargs="?", help="which watch, where several are open (see `phone scan`)")
    parser.add_argument(
        "--method",
        type=method,
        default=Method.PASSKEY,
        metavar="M",
        help="passkey (default), words, oob or certificate",
    )
    parser.add_argument("--code-file", type=Path, metavar="FILE", help="passkey: read the code from here")
    parser.add_argument("--answer-file", type=Path, metavar="FILE", help="words: read yes or no from here")
    ticket = parser.add_mutually_exclusive_group()
    ticket.add_argument("--qr-text", type=Path, metavar="FILE", help="oob: what a scanner read in the QR code")
    ticket.add_argument("--tag", type=Path, metavar="FILE", help="oob: the NDEF message of a tag")
    ticket.add_argument("--reader", metavar="PATH", help="oob: an NFC reader, such as usb (extra nfc-reader)")
    parser.add_argument(
        "--despite-failures",
        action="store_true",
        help="do not wait after tries that failed: you are sure that nobody is between you and the watch",
    )
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_identity(parser)
    add_trusted(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    _check(options)
    asyncio.run(_pair(options, output))
    return Exit.DONE


async def _pair(options: argparse.Namespace, output: Output) -> None:
    address = (options.address or "").removeprefix("tcp:")

    def fits(found: FoundWatch) -> bool:
        return found.pairing_open and address in ("", found.address)

    way = await _way(options, output)
    credentials = certificate_credentials(options, Role.PHONE) if options.method is Method.CERTIFICATE else None
    async with open_phone(options, credentials=credentials) as phone:
        if options.method.costs_a_guess:
            await _wait_unlocked(phone, options, output)
        with output.waiting("looking for a watch with an open pairing window"):
            found = await find_watch(phone, fits, "with an open pairing window", options.timeout)
        with _explained(options.method):
            channel = await phone.pair(found, way)
        async with channel:
            bond = channel.bond
    shown = f"paired with {label(bond)} ({short_id(bond)}): {bond.assurance}{_whose(bond, options)}"
    output.say(Event.PAIRED, shown, address=found.address, bond=facts_of(bond))


def _whose(bond: Bond, options: argparse.Namespace) -> str:
    """Which of the trusted certificates it was: nobody had said which it would be. Nothing with other methods."""
    if not bond.peer_certificate:
        return ""
    leaves = trusted_folder(options, Role.PHONE).leaves()
    return "".join(f", of {briefly(leaf)}" for leaf in leaves if leaf.fingerprint == bond.peer_certificate)


@contextmanager
def _explained(method: Method) -> Iterator[None]:
    """Raises PairingRefused that says what it means with this method that a side refused, and what to do."""
    try:
        yield
    except AuthenticationFailed as error:
        if method is not Method.CERTIFICATE:
            raise
        raise PairingRefused("certificate", str(error)) from error
    except PairingRefused as error:
        if isinstance(error, PairingLocked):
            raise
        raise PairingRefused(error.reason, ended(error, ENDED_BY_WATCH, method)) from error


async def _wait_unlocked(phone: Phone, options: argparse.Namespace, output: Output) -> None:
    """Each run of this program begins the wait again, so it waits here: at most 15 minutes."""
    wait_s = phone.locked_for_s
    if wait_s and options.despite_failures:
        await phone.reset_guesses()
    elif wait_s:
        tries = phone.store.book.guesses_spent
        text = f"{tries} tries failed: somebody may be between you and the watch; waiting for {math.ceil(wait_s)} s"
        output.say(Event.PAIRING_LOCKED, text, wait_s=round(wait_s, 1))
        with output.waiting("pairing is locked"):
            await asyncio.sleep(wait_s)


async def _way(options: argparse.Namespace, output: Output) -> Way:
    """How the person takes part.

    Raises:
        LocalProtocolError: nobody to ask, or nothing to read from.
        CarrierError, MalformedFrame: no ticket.
        OSError: a file cannot be read.
    """
    if options.method is Method.WORDS:
        return Words(compare_from(options.answer_file, output, ON_PHONE[Method.WORDS]))
    if options.method is Method.OUT_OF_BAND:
        return OutOfBand(await ticket_from(options, output))
    if options.method is Method.CERTIFICATE:
        return Certificate()
    return Passkey(ask_code_from(options.code_file, output))


def _check(options: argparse.Namespace) -> None:
    """Raises LocalProtocolError where an option is of another method."""
    given = {
        Method.PASSKEY: options.code_file,
        Method.WORDS: options.answer_file,
        Method.OUT_OF_BAND: options.qr_text or options.tag or options.reader,
        Method.CERTIFICATE: options.identity or options.trusted,
    }
    stray = [chosen for chosen, value in given.items() if value is not None and chosen is not options.method]
    if stray:
        raise LocalProtocolError(f"that option goes with --method {word_of(stray[0])}, which was not chosen")
