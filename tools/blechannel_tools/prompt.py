"""Asking the person at the terminal, without holding the event loop or a Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
import threading

from blechannel.errors import BlechannelError, LocalProtocolError

MAX_LINE_BYTES = 4096


def is_interactive() -> bool:
    """Whether somebody can be asked: standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_passphrase(options: argparse.Namespace) -> None:
    """Ask for the passphrase that `--ask-passphrase` wants, before there is an event loop: so Ctrl-C ends the question.

    Raises:
        LocalProtocolError: there is nobody to ask.
    """
    if not is_interactive():
        raise LocalProtocolError("--ask-passphrase needs a terminal: use --passphrase-file")
    options.passphrase = getpass.getpass("passphrase of the bond store: ")


async def confirm(question: str, never_mind: str) -> None:
    """Ask for a yes.

    Raises:
        BlechannelError: `never_mind`, where the answer is anything else.
        LocalProtocolError: there is nobody to ask.
    """
    if not is_interactive():
        raise LocalProtocolError("nobody can be asked here: say --yes")
    try:
        answer = await ask_line(question)
    except EOFError:
        answer = ""
    if answer.lower() not in ("y", "yes"):
        raise BlechannelError(never_mind)


async def ask_line(question: str) -> str:
    """One line from standard input, stripped; `question` goes to standard error, so that output can be piped.

    Raises:
        EOFError: the input ended before a line did.
    """
    if question:
        print(question, end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def settle(line: bytes) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        line = _read_line(descriptor)
        try:
            loop.call_soon_threadsafe(settle, line)
        except RuntimeError:
            return  # nobody waits any more: the loop is closed

    descriptor = sys.stdin.fileno()
    # A daemon: the read cannot be called off, and must not keep a program that was interrupted.
    threading.Thread(target=read, name="blechannel-prompt", daemon=True).start()
    try:
        line = await answer
    except asyncio.CancelledError:
        if question:  # what is told next has a line of its own
            print(file=sys.stderr)
        raise
    if not line:
        raise EOFError("the input ended")
    return line.decode("utf-8", "replace").strip()


def _read_line(descriptor: int) -> bytes:
    """Up to a line's end, byte by byte where it is no terminal: what follows is for the next question.

    Not through sys.stdin, whose lock would still be held when the interpreter ends.
    """
    line = b""
    while len(line) < MAX_LINE_BYTES and not line.endswith(b"\n"):
        try:
            piece = os.read(descriptor, 1)
        except OSError:
            break
        if not piece:
            break
        line += piece
    return line
