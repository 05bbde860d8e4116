"""Tags in front of an NFC reader, through nfcpy. Needs the extra `nfc-reader`.

Its calls block for at most `timeout_s` until a tag is there, and then for the tag's own commands, each of which the
driver bounds; from asyncio, use `asyncio.to_thread`. `device` is a path of nfcpy: `usb`, `usb:054c:06c3`, `tty:USB0`.

Raises:
    MissingExtra: on import, when nfcpy is not installed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from blechannel.errors import BlechannelError, CarrierError, MissingExtra
from blechannel.oob import ndef
from blechannel.pairing.out_of_band import Ticket

try:
    import nfc
    import nfc.tag
except ImportError as error:
    raise MissingExtra("nfc-reader", "blechannel.oob.reader") from error

TAG_TIMEOUT_S: Final = 30.0
_GONE: Final = "the tag was taken away or does not answer; hold it still and try again"


def read_tag(device: str = "usb", *, timeout_s: float = TAG_TIMEOUT_S) -> Ticket:
    """Wait for a tag and read its ticket.

    Raises:
        CarrierError: no reader, no tag in time, or a tag that was taken away.
        MalformedFrame: the tag holds something else.
    """
    with _tag(device, timeout_s) as tag:
        content = _content(tag)
        return ndef.decode(bytes(content.octets))


def write_tag(ticket: Ticket, device: str = "usb", *, timeout_s: float = TAG_TIMEOUT_S) -> None:
    """Wait for a tag, write the ticket in place of what it holds, and read it back.

    Raises:
        CarrierError: no reader, no tag in time, or a tag that is protected, too small, or was taken away.
    """
    message = ndef.encode(ticket)
    with _tag(device, timeout_s) as tag:
        content = _content(tag)
        if not content.is_writeable:
            raise CarrierError("this tag is protected against writing; take another one")
        if content.capacity < len(message):
            raise CarrierError(f"this tag has {content.capacity} bytes, and the ticket takes {len(message)}")
        content.octets = message
        if content.has_changed or bytes(content.octets) != message:
            raise CarrierError("this tag did not keep what was written; take another one")


@contextmanager
def _tag(device: str, timeout_s: float) -> Iterator[nfc.tag.Tag]:
    try:
        with nfc.ContactlessFrontend(device) as frontend:
            yield _wait(frontend, time.monotonic() + timeout_s)
    except BlechannelError:
        raise
    except OSError as error:
        raise CarrierError(f"no NFC reader at {device} ({error.strerror}); plug it in, or name another one") from error
    except Exception as error:
        # nfcpy reads what a stranger's tag says, and does not promise which of its own or of Python's errors that is.
        raise CarrierError(_GONE) from error


def _wait(frontend: nfc.ContactlessFrontend, until_s: float) -> nfc.tag.Tag:
    # Told not to hold the connection, connect() hands the tag over: None after `terminate`, False for a failed reader.
    options = {"on-connect": lambda _tag: False, "iterations": 1, "interval": 0.1, "beep-on-connect": False}
    tag = frontend.connect(rdwr=options, terminate=lambda: time.monotonic() >= until_s)
    if tag is None:
        raise CarrierError("no tag came near the reader in time")
    if tag is False:
        raise CarrierError("the NFC reader stopped; plug it in again")
    return tag


def _content(tag: nfc.tag.Tag) -> nfc.tag.Tag.NDEF:
    if tag.ndef is None:
        raise CarrierError(f"{_GONE}; or it was never formatted for NDEF")
    return tag.ndef
