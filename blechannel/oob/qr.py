"""A ticket as text, and as a QR code that holds it. Rendering needs the extra `qr`; the text needs nothing.

The text has only characters of the QR code's alphanumeric mode (ISO/IEC 18004, 7.4.4), which keeps the code small.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
from typing import TYPE_CHECKING, Final

from blechannel.errors import MalformedFrame, MissingExtra
from blechannel.oob.checked import CHECKED_BYTES, decode_checked, encode_checked
from blechannel.oob.files import write_private
from blechannel.pairing.out_of_band import Ticket

if TYPE_CHECKING:
    import segno

PREFIX: Final = "BLECHANNEL:1:"
TEXT_CHARACTERS: Final = len(PREFIX) + CHECKED_BYTES * 8 // 5
_MODULE_PIXELS: Final = 8


def to_text(ticket: Ticket) -> str:
    """`PREFIX` and the ticket with its check in base32 (RFC 4648, section 6). It holds the secret."""
    return PREFIX + base64.b32encode(encode_checked(ticket)).decode("ascii")


def from_text(text: str) -> Ticket:
    """Read what a scanner or a person gives; spaces around it and lower case are forgiven.

    Raises:
        MalformedFrame: the text of something else, cut off, damaged, or of another version.
    """
    if not text.isascii() or not text.strip().upper().startswith(PREFIX):
        raise MalformedFrame("this is not the code of a watch")
    code = text.strip().upper()
    if len(code) != TEXT_CHARACTERS:
        raise MalformedFrame(f"the code has {len(code)} characters, not {TEXT_CHARACTERS}; scan it again")
    try:
        return decode_checked(base64.b32decode(code.removeprefix(PREFIX)))
    except binascii.Error as error:
        raise MalformedFrame("a damaged code; scan it again") from error


def terminal(ticket: Ticket) -> str:
    """Lines of text that show the QR code on a terminal.

    Raises:
        MissingExtra: segno is not installed.
    """
    lines = io.StringIO()
    _code(ticket).terminal(lines, compact=True)
    return lines.getvalue()


def png(ticket: Ticket) -> bytes:
    """A picture of the QR code, eight pixels a module.

    Raises:
        MissingExtra: segno is not installed.
    """
    picture = io.BytesIO()
    _code(ticket).save(picture, kind="png", scale=_MODULE_PIXELS)
    return picture.getvalue()


def write_png(path: str | os.PathLike[str], ticket: Ticket) -> None:
    """Write the picture to a file that only its owner can read.

    Raises:
        MissingExtra: segno is not installed.
        CarrierError: the file cannot be written.
    """
    write_private(path, png(ticket))


def _code(ticket: Ticket) -> segno.QRCode:
    try:
        import segno
    except ImportError as error:
        raise MissingExtra("qr", "Showing a QR code") from error
    return segno.make_qr(to_text(ticket), mode="alphanumeric", error="m")
