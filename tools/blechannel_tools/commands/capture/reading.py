"""What the parts of ``blechannel capture`` have in common: the file, the keys, the progress."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from blechannel.errors import LocalProtocolError
from blechannel_capture import Capture, KeyLog, KeyRing, load_key_log
from blechannel_capture.packet import Packet
from blechannel_tools.output import Output

STANDARD_INPUT: Final = Path("-")
LONG_FILE_BYTES: Final = 8 << 20
"""From this size on a bar shows how far reading is."""
SHOWN_EVERY: Final = 4096
LOOK_AGAIN_S: Final = 0.2


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
        "--no-search", action="store_true", help="do not search the passkey of a legacy pairing (up to 20 s each)"
    )


def _key(text: str) -> bytes:
    key = bytes.fromhex(text.removeprefix("0x"))
    if len(key) != 16:
        raise argparse.ArgumentTypeError("a long term key has 32 hexadecimal digits")
    return key


@contextmanager
def opened(options: argparse.Namespace, output: Output, path: Path | None = None) -> Iterator[Capture]:
    """The capture that the options name, or the one at `path`, with its keys; a long one shows how far it is read.

    Raises:
        CaptureError: no capture, or a damaged key log.
        OSError: the file cannot be read.
    """
    path = path or options.file
    with ExitStack() as stack:
        file: BinaryIO = sys.stdin.buffer if path == STANDARD_INPUT else path.open("rb")
        # A pipe blocks by itself, and when it ends no more will come.
        follow = getattr(options, "follow", False) and path != STANDARD_INPUT
        capture = stack.enter_context(
            Capture(
                file,
                strict=options.strict,
                wait=_wait if follow else lambda: False,
                link_keys=_link_keys(options),
                key_log=_key_log(options),
            )
        )
        size_bytes = 0 if path == STANDARD_INPUT else path.stat().st_size
        if size_bytes >= LONG_FILE_BYTES and not follow:
            show = stack.enter_context(output.progress(f"reading {path.name}", size_bytes))

            def tell(packet: Packet) -> None:
                if packet.number % SHOWN_EVERY == 0:
                    show(file.tell())

            capture.on_packet = tell
        yield capture


def _wait() -> bool:
    time.sleep(LOOK_AGAIN_S)
    return True


def _link_keys(options: argparse.Namespace) -> KeyRing:
    ring = KeyRing(search_passkeys=not getattr(options, "no_search", False))
    for key in getattr(options, "ltk", ()):
        ring.add(key, "given")
    return ring


def _key_log(options: argparse.Namespace) -> KeyLog:
    path = getattr(options, "keys", None)
    return {} if path is None else load_key_log(path)


def new_file(path: Path) -> Path:
    """A file that is about to be written; raises LocalProtocolError where there is one already."""
    if path.exists():
        raise LocalProtocolError(f"{path} is there already: choose another name, or remove it first")
    return path


def clock(time_ns: int, start_ns: int) -> str:
    """Seconds since the start of the capture."""
    return f"{(time_ns - start_ns) / 1e9:.6f}"
