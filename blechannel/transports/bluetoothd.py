"""What the errors of bluetoothd and of the message bus mean, in words that say what to do (Linux)."""

from __future__ import annotations

NO_BUS = "the system's message bus (D-Bus) cannot be reached: is it running, and does this program see its socket?"
NOT_RUNNING = "bluetoothd is not running: start it (systemctl start bluetooth)"
FORBIDDEN = "permission denied: be in the group that may use Bluetooth (often bluetooth), or run as root"
SWITCHED_OFF = "Bluetooth is switched off: switch it on (on Linux: bluetoothctl power on; rfkill unblock bluetooth)"
HELD = "another program holds this connection: close it there first"

_DBUS = "org.freedesktop.DBus.Error."
_BLUEZ = "org.bluez.Error."
FINAL = {
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
PASSING = {
    _DBUS + "NoReply": "bluetoothd did not answer",
    _DBUS + "UnknownObject": "the other device or the adapter is gone",
    _BLUEZ + "InProgress": "the adapter is busy: another program scans or connects",
    _BLUEZ + "AlreadyConnected": HELD,
    _BLUEZ + "ConnectionAttemptFailed": "no answer: is it in reach?",
}
