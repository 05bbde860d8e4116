"""The one place where what bumble raises becomes an error of ours, and where waiting for bumble is bounded."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Coroutine
from typing import TypeVar

from bumble import att, core, hci
from bumble.transport.common import TransportLostError, TransportSpecError

from blechannel.errors import TransportError
from blechannel.transports import answers

T = TypeVar("T")

CANCEL_AGAIN_S = 0.05
CONTROLLER_LOST = "the way to the controller was lost: is it still plugged in?"

HCI_REASONS = {
    0x00: "the adapter was closed or unplugged",
    0x05: "the peer could not authenticate the link",
    0x08: "out of reach: nothing was heard within the supervision time-out",
    0x13: "the peer disconnected",
    0x14: "the peer disconnected: it is low on resources",
    0x15: "the peer disconnected: it is switching off",
    0x16: "closed on this side",
    0x22: "the peer's radio stopped answering",
    0x3B: "the peer does not accept the connection's timing",
    0x3D: "the link's own encryption failed",
    0x3E: "the peer did not answer the connection request",
}
"""Disconnection reasons in words for people (Core Specification, volume 1, part F)."""

SPECS = "hci-socket:0, usb:0, serial:/dev/ttyACM0,1000000, tcp-client:host:port or pty:path"
ADVICE = {
    errno.ENOENT: "there is no such device: is it plugged in?",
    errno.ENODEV: "there is no such adapter: is it plugged in?",
    errno.ENXIO: "there is no such adapter: is it plugged in?",
    errno.EBUSY: "another program uses it: stop bluetoothd, or take the adapter down first",
    errno.EACCES: "permission denied: run as root, or be in the group that owns the device",
    errno.EPERM: "permission denied: run as root or with CAP_NET_ADMIN",
    errno.ECONNREFUSED: "nobody listens there: start the controller's side first",
    errno.EAFNOSUPPORT: "this system has no Bluetooth sockets",
}
USB_ADVICE = {
    "USBErrorAccess": ADVICE[errno.EACCES],
    "USBErrorBusy": ADVICE[errno.EBUSY],
    "USBErrorNoDevice": ADVICE[errno.ENODEV],
}
"""By name: the package that has these classes is optional."""


def hci_reason(code: int) -> str:
    """A disconnection reason or HCI status in words, with its code."""
    words = HCI_REASONS.get(code) or hci.HCI_ErrorCode(code).name.lower()
    return f"{words} (HCI 0x{code:02X})"


def explained(error: BaseException, doing: str) -> TransportError:
    """The same failure as an error of ours, with advice where there is any."""
    if isinstance(error, TransportError):
        return error
    return TransportError(f"{doing}: {_words(error)}")


def _words(error: BaseException) -> str:
    match error:
        case TransportSpecError() | AssertionError():
            return f"write the transport like {SPECS}"
        case TransportLostError():
            return CONTROLLER_LOST
        case TimeoutError() | core.TimeoutError() | core.CommandTimeoutError():
            return "no answer in time"
        case att.ATT_Error():
            return f"the peer refused ({error.error_name})"
        case hci.HCI_Error() | core.ConnectionError():
            return hci_reason(error.error_code or 0)
        case OSError():
            return ADVICE.get(error.errno or 0) or error.strerror or str(error)
        case _:
            return USB_ADVICE.get(type(error).__name__) or str(error) or type(error).__name__


async def answered(
    work: Coroutine[object, object, T],
    *,
    within_s: float,
    doing: str,
    unless: asyncio.Future[str] | None = None,
) -> T:
    """What `work` gives, in time and with bumble's errors explained: see `blechannel.transports.answers`.

    Raises:
        LinkLost: bumble cancelled the work, or `unless` came first.
        TransportError: it failed, or took longer than `within_s` seconds.
    """
    return await answers.answered(
        work, within_s=within_s, doing=doing, explain=explained, unless=unless, unwind_s=CANCEL_AGAIN_S
    )
