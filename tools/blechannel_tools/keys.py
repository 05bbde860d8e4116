"""Single key presses from the terminal, where there is one and it can give them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from blechannel_tools.prompt import is_interactive

OnKey = Callable[[str], None]


@contextmanager
def key_presses(on_key: OnKey) -> Iterator[bool]:
    """Call back for each key, without Enter and without echo; gives whether there are keys at all.

    Ctrl-C stays what it is, and the terminal is put back on leaving. Without a terminal, or on a system without
    termios, nothing is read.
    """
    try:
        import termios
        import tty
    except ImportError:
        yield False
        return
    if not is_interactive():
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            pressed = os.read(descriptor, 64)
        except OSError:
            pressed = b""
        if not pressed:  # the terminal is gone, and would be ready to say so for ever
            loop.remove_reader(descriptor)
        for key in pressed.decode("ascii", "replace"):
            on_key(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
