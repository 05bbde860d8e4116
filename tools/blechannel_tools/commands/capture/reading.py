"""What the parts of ``blechannel capture`` have in common: the file, the keys, the progress."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from blechannel.errors import LocalProtocolError
from blechannel_capture import Capture, KeyLog, KeyRing, load_key_log
from blechannel_capture.containers.source import never
from blechannel_capture.errors import CaptureError, DamagedCapture, NotACapture
from blechannel_capture.ledger import Damage
from blechannel_capture.link_keys import add_link_keys
from blechannel_capture.packet import Packet
from blechannel_tools.output import Output

STANDARD_INPUT: Final = Path("-")
LONG_FILE_BYTES: Final = 8 << 20
"""From this size on a bar shows how far reading is."""
SHOWN_EVERY: Final = 4096
LOOK_AGAIN_S: Final = 0.2
_ENDS_READING: Final = (Damage.BAD_LENGTH, Damage.TRUNCATED)


def add_file(parser: argparse.ArgumentParser) -> None:
    """The capture, and how strictly it is read."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the capture; - is standard input")
    parser.add_argument("--strict", action="store_true", help="stop at the first damage instead of reading on")


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Whatever opens what is sealed."""
    parser.add_argument("--keys", type=Path, metavar="FILE", help="a key log: opens our channel's records")
    parser.add_argument(
        "--ltk",
        type=_key,
        action="append",
        default=[],
        metavar="HEX",
        help="a long term key, most significant byte first: takes the link's encryption off; may be repeated",
    )
    parser.add_argument(
        "--ltk-from",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="long term keys out of an HCI log of the same devices, or of a program's log (SC LTK: 0x…)",
    )
    parser.add_argument(
        "--no-search", action="store_true", help="do not search the passkey of a legacy pairing (up to 20 s each)"
    )


def add_show_keys(parser: argparse.ArgumentParser) -> None:
    """Whether keys are told."""
    parser.add_argument(
        "--show-keys", action="store_true", help="show the keys that are in the capture or were found: they are secrets"
    )


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != 16:
        raise argparse.ArgumentTypeError("a long term key has 32 hexadecimal digits")
    return key


@contextmanager
def opened(options: argparse.Namespace, output: Output, path: Path | None = None) -> Iterator[Capture]:
    """The capture that the options name, or the one at `path`, with its keys; a long one shows how far it is read.

    Raises:
        CaptureError: no such file, no capture, or no key log; the text names the file.
    """
    path = path or options.file
    with ExitStack() as stack:
        key_log = _key_log(options)
        file = stack.enter_context(_file(path))
        # A pipe blocks by itself, and when it ends no more will come.
        follow = getattr(options, "follow", False) and path != STANDARD_INPUT
        try:
            capture = Capture(
                file,
                strict=options.strict,
                wait=_watching(path, file) if follow else never,
                link_keys=_link_keys(options),
                key_log=key_log,
            )
        except NotACapture as error:
            raise NotACapture(f"{named(path)}: {error}") from error
        size_bytes = 0 if path == STANDARD_INPUT else path.stat().st_size
        if size_bytes >= LONG_FILE_BYTES and not follow:
            show = stack.enter_context(output.progress(f"reading {path.name}", size_bytes))

            def tell(packet: Packet) -> None:
                if packet.number % SHOWN_EVERY == 0:
                    show(file.tell())

            capture.on_packet = tell
        try:
            yield capture
        except DamagedCapture as error:
            raise DamagedCapture(error.entry, file=named(path)) from error
        if follow and (entries := [each for each in capture.ledger.entries if each.damage in _ENDS_READING]):
            raise CaptureError(f"{path} cannot be followed further: {entries[-1]}")


def named(path: Path) -> str:
    """For people."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def _watching(path: Path, file: BinaryIO) -> Callable[[], bool]:
    """Waits for more in a file that grows."""

    def wait() -> bool:
        time.sleep(LOOK_AGAIN_S)
        opened, now = os.fstat(file.fileno()), path.stat() if path.exists() else None
        if now is None or (now.st_ino, now.st_dev) != (opened.st_ino, opened.st_dev):
            raise CaptureError(f"{path} was moved away or replaced while it was followed: follow the new one")
        if opened.st_size < file.tell():
            raise CaptureError(f"{path} was cut short while it was followed: start again")
        return True

    return wait


def _link_keys(options: argparse.Namespace) -> KeyRing:
    ring = KeyRing(search_passkeys=not getattr(options, "no_search", False))
    for key in getattr(options, "ltk", ()):
        ring.add(key, "given")
    for path in getattr(options, "ltk_from", ()):
        add_link_keys(ring, path)
    return ring


def _key_log(options: argparse.Namespace) -> KeyLog:
    path: Path | None = getattr(options, "keys", None)
    if path is None:
        return {}
    with reading_of(path):
        key_log = load_key_log(path)
        if not key_log and path.stat().st_size:
            raise CaptureError(f"{path} is no key log: no line of it is ours (see BLECHANNEL_KEYLOG)")
    return key_log


def _file(path: Path) -> BinaryIO:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    with reading_of(path):
        return path.open("rb")


@contextmanager
def reading_of(path: Path) -> Iterator[None]:
    """What the body cannot read of that file becomes a CaptureError that names it: exit code 1 is for findings."""
    try:
        yield
    except OSError as error:
        raise CaptureError(f"{path}: {(error.strerror or 'it cannot be read').lower()}") from error


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """An OSError of the body names that file: one of a full disk names none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file that the body makes; what the body leaves when it fails is removed, for it would pass for the whole.

    Raises:
        LocalProtocolError: there is one already.
    """
    if path.exists():
        raise LocalProtocolError(f"{path} is there already: choose another name, or remove it first")
    try:
        with writing_to(path):
            yield path
    except FileExistsError:  # somebody else's, made in the meantime
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def counted(count: int, what: str) -> str:
    """Such as "1 finding" or "2 findings"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def clock(time_ns: int, start_ns: int) -> str:
    """Seconds since the start of the capture."""
    return f"{(time_ns - start_ns) / 1e9:.6f}"
