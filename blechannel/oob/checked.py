"""A ticket with a check behind it, so that a worn tag or a mistyped code is told apart from a wrong one.

The check finds accidents. It authenticates nothing: who can write a tag can write its check.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from blechannel.errors import MalformedFrame
from blechannel.pairing.out_of_band import TICKET_BYTES, Ticket

CHECK_BYTES: Final = 4
CHECKED_BYTES: Final = TICKET_BYTES + CHECK_BYTES


def encode_checked(ticket: Ticket) -> bytes:
    """The ticket's 56 bytes and SHA-256 of them, cut to 4."""
    data = ticket.encode()
    return data + _check(data)


def decode_checked(data: bytes) -> Ticket:
    """Read `CHECKED_BYTES` bytes.

    Raises:
        MalformedFrame: another length, a wrong check, or no ticket.
    """
    if not hmac.compare_digest(_check(data[:TICKET_BYTES]), data[TICKET_BYTES:]):
        raise MalformedFrame("a damaged ticket; let the watch show a new one")
    return Ticket.decode(data[:TICKET_BYTES])


def _check(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:CHECK_BYTES]
