"""Captures with damage, for fuzzing: small files of every kind, and what a seed makes of them."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.capture import Capture
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.findings import Findings
from tests.capture.writing import HciSaid

INTERESTING: Final = (0, 1, 0x7F, 0x80, 0xFF)
LENGTHS: Final = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x40000, 0x40001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(content: bytes, random: Random) -> bytes:
    """The same file with one to four bytes, lengths or pieces changed."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        match random.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([random.choice(INTERESTING)])
            case 1:
                changed[at : at + 1] = random.randbytes(1)
            case 2:
                changed[at : at + 4] = struct.pack(random.choice("<>") + "I", random.choice(LENGTHS))
            case 3:
                del changed[at : at + random.randrange(1, 40)]
            case 4:
                piece = changed[at : at + random.randrange(1, 40)]
                where = random.randrange(len(changed) + 1)
                changed[where:where] = piece
            case _:
                del changed[at:]
    return bytes(changed)


def meddled(said: Sequence[HciSaid], random: Random) -> list[HciSaid]:
    """The same packets with one to four changed inside, left out or repeated: every container's framing stays right."""
    changed = list(said)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed))
        data = bytearray(changed[at].data)
        where = random.randrange(len(data) + 1)
        match random.randrange(5):
            case 0:
                data[where : where + 1] = random.randbytes(1)
            case 1:
                data[where : where + 1] = bytes([random.choice(INTERESTING)])
            case 2:
                del data[where : where + random.randrange(1, 9)]
            case 3:
                changed.insert(random.randrange(len(changed)), changed[at])
            case _:
                del changed[at]
                continue
        changed[at] = replace(changed[at], data=bytes(data))
    return changed


def read_all(content: bytes, *, strict: bool, key_log: KeyLog | None, keys: KeyRing) -> int:
    """Read a capture to its end, with its findings; how many events it had.

    Raises:
        CaptureError: what a damaged file may raise; in tolerant reading only before the first packet.
    """
    capture = Capture(io.BytesIO(content), strict=strict, key_log=key_log, link_keys=keys)
    findings = Findings(capture.ledger, capture.gatt)
    count = 0
    for event in capture:
        count += 1
        for each in findings.look(event):
            str(each)
    for each in findings.end():
        str(each)
    return count
