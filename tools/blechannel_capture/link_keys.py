"""Link keys from elsewhere: another capture of the same devices, or what a program has logged.

An HCI log holds the long term key of each link that it saw encrypted; Zephyr logs ``SC LTK: 0x…`` and ``Legacy LTK:
0x…`` when it is built with CONFIG_BT_LOG_SNIFFER_INFO, most significant byte first, as Wireshark wants them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.capture import open_capture
from blechannel_capture.errors import CaptureError, NotACapture
from blechannel_capture.events import LongTermKey

_LOGGED: Final = re.compile(r"LTK\s*:?\s*(?:0x)?([0-9a-fA-F]{32})(?![0-9a-fA-F])")
_BARE: Final = re.compile(r"^\s*(?:0x)?([0-9a-fA-F]{32})\s*$")
MAX_LOG_BYTES: Final = 64 << 20


def add_link_keys(ring: KeyRing, path: Path) -> int:
    """Add the keys in that capture or log to the ring; returns how many lines or events had one.

    Raises:
        CaptureError: there is none.
        OSError: the file cannot be read.
    """
    try:
        keys = _in_capture(path)
    except NotACapture:
        keys = _in_log(path)
    for key in keys:
        ring.add(key, f"from {path.name}")
    if not keys:
        raise CaptureError(
            f"{path} holds no link key: neither a capture with one, nor a log with a line such as SC LTK: 0x…"
        )
    return len(keys)


def _in_capture(path: Path) -> list[bytes]:
    with open_capture(path) as capture:
        return [event.key for event in capture if isinstance(event, LongTermKey)]


def _in_log(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        text = file.read(MAX_LOG_BYTES).decode("utf-8", "replace")
    found = [_LOGGED.search(line) or _BARE.match(line) for line in text.splitlines()]
    return [bytes.fromhex(match[1]) for match in found if match is not None]
