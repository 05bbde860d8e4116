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

NO_BUS = "the system's message bus (D-Bus) cannot be reached: is it running, and does this program see its socket?"
NOT_RUNNING = "bluetoothd is not running: start it (systemctl start bluetooth)"
FORBIDDEN = "permission denied: be in the group that may use Bluetooth (often bluetooth), or run as root"
SWITCHED_OFF = "Bluetooth is switched off: switch it on (on Linux: bluetoothctl power on; rfkill unblock bluetooth)"
HELD = "another program holds this watch's connection: close it there first"
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

_DBUS = "org.freedesktop.DBus.Error."
_BLUEZ = "org.bluez.Error."
DBUS_FINAL = {
    _DBUS + "ServiceUnknown": NOT_RUNNING,
    _DBUS + "NameHasNoOwner": NOT_RUNNING,
    _DBUS + "Spawn.ExecFailed": NOT_RUNNING,
    _DBUS + "AccessDenied": FORBIDDEN,
    _DBUS + "UnknownMethod": "this BlueZ is too old: 5.55 or newer is needed",
    _BLUEZ + "NotReady": SWITCHED_OFF,
    _BLUEZ + "NotPermitted": HELD,
    _BLUEZ + "NotAuthorized": HELD,
}
"""Where another try would fail in the same way."""
DBUS_PASSING = {
    _DBUS + "NoReply": "bluetoothd did not answer",
    _DBUS + "UnknownObject": "the watch or the adapter is gone",
    _BLUEZ + "InProgress": "the adapter is busy: another program scans or connects",
    _BLUEZ + "AlreadyConnected": HELD,
    _BLUEZ + "ConnectionAttemptFailed": "the watch did not answer: is it in reach?",
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
            return name not in DBUS_FINAL
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
            return DBUS_FINAL.get(error.dbus_error) or DBUS_PASSING.get(error.dbus_error) or str(error)
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
