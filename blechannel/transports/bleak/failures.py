"""The one place where what bleak raises becomes an error of ours."""

from __future__ import annotations

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from blechannel.errors import LinkLost, TransportError
from blechannel.transports.bluetoothd import FINAL, FORBIDDEN, NO_BUS, PASSING, SWITCHED_OFF

_ASK_MACOS = "allow it for this program in System Settings, Privacy & Security, Bluetooth"

_Reason = BleakBluetoothNotAvailableReason
UNAVAILABLE = {
    _Reason.NO_BLUETOOTH: "there is no Bluetooth adapter: is it plugged in?",
    _Reason.NO_BLE_CENTRAL_ROLE: "the adapter cannot do what a phone does (central role): choose another",
    _Reason.POWERED_OFF: SWITCHED_OFF,
    _Reason.DENIED_BY_USER: f"Bluetooth was denied to this program: {_ASK_MACOS}",
    _Reason.DENIED_BY_SYSTEM: f"the system denies Bluetooth to this program: on Linux, {FORBIDDEN}",
    _Reason.DENIED_BY_UNKNOWN: f"Bluetooth is not permitted: {_ASK_MACOS}",
}

_FINAL_TEXTS = {
    "Bleak requires BlueZ": "this BlueZ is too old, or bluetoothctl is missing: 5.55 or newer is needed",
    "adapter '": "there is no such adapter: bluetoothctl list shows those there are",
}
"""Openings of what bleak says without a class of its own."""


def explained(error: BaseException, doing: str) -> TransportError:
    """The same failure as an error of ours, with advice where there is any."""
    return TransportError(f"{doing}: {_words(error)}")


def may_pass(error: TransportError) -> bool:
    """Whether another try may succeed: not where somebody has to do something first, or the peer is another."""
    match error.__cause__:
        case None:
            return isinstance(error, LinkLost)
        case BleakBluetoothNotAvailableError() | FileNotFoundError() | PermissionError() | ConnectionRefusedError():
            return False
        case BleakDBusError(dbus_error=name):
            return name not in FINAL
        case cause:
            return _final_text(cause) is None


def _words(error: BaseException) -> str:
    match error:
        case BleakBluetoothNotAvailableError():
            return UNAVAILABLE.get(error.reason) or f"Bluetooth is not available ({error.args[0]}): try again"
        case BleakDeviceNotFoundError():
            return "the system does not know this watch any more: scan again"
        case BleakGATTProtocolError(code=BleakGATTProtocolErrorCode.UNLIKELY_ERROR):
            return "the connection was lost, or the watch failed, in the middle of a request"
        case BleakGATTProtocolError():
            return f"the watch refused ({error.code.name.lower()})"
        case BleakDBusError():
            return FINAL.get(error.dbus_error) or PASSING.get(error.dbus_error) or str(error)
        case TimeoutError():
            return "no answer in time"
        case FileNotFoundError() | ConnectionRefusedError():
            return NO_BUS
        case PermissionError():
            return FORBIDDEN
        case EOFError():
            return "the message bus closed the connection"
        case _:
            return _final_text(error) or str(error) or type(error).__name__


def _final_text(error: BaseException | None) -> str | None:
    if isinstance(error, BleakError):
        for opening, words in _FINAL_TEXTS.items():
            if str(error).startswith(opening):
                return words
    return None
