"""What bleak raises, in words that say what to do; and which of it may pass by itself."""

from __future__ import annotations

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from blechannel.errors import LinkLost, TransportError
from blechannel.transports.bleak.failures import explained, may_pass

Reason = BleakBluetoothNotAvailableReason


def unavailable(reason: Reason) -> BleakBluetoothNotAvailableError:
    return BleakBluetoothNotAvailableError("what the system says", reason)


def on_bus(name: str, *details: str) -> BleakDBusError:
    return BleakDBusError(name, [*details])


@pytest.mark.parametrize(
    ("error", "words", "passes"),
    [
        (unavailable(Reason.NO_BLUETOOTH), "is it plugged in", False),
        (unavailable(Reason.NO_BLE_CENTRAL_ROLE), "choose another", False),
        (unavailable(Reason.POWERED_OFF), "bluetoothctl power on", False),
        (unavailable(Reason.DENIED_BY_USER), "System Settings", False),
        (unavailable(Reason.DENIED_BY_SYSTEM), "permission denied", False),
        (unavailable(Reason.DENIED_BY_UNKNOWN), "System Settings", False),
        (unavailable(Reason.UNKNOWN), "what the system says", False),
        (BleakDeviceNotFoundError("x"), "scan again", True),
        (BleakGATTProtocolError(0x0E), "in the middle of a request", True),
        (BleakGATTProtocolError(0x03), "refused (write_not_permitted)", True),
        (BleakGATTProtocolError(0x91), "refused", True),
        (on_bus("org.freedesktop.DBus.Error.ServiceUnknown"), "systemctl start bluetooth", False),
        (on_bus("org.freedesktop.DBus.Error.AccessDenied"), "permission denied", False),
        (on_bus("org.freedesktop.DBus.Error.UnknownMethod"), "too old", False),
        (on_bus("org.freedesktop.DBus.Error.NoReply"), "did not answer", True),
        (on_bus("org.bluez.Error.NotReady"), "switched off", False),
        (on_bus("org.bluez.Error.NotPermitted", "Notify acquired"), "another program holds", False),
        (on_bus("org.bluez.Error.InProgress"), "busy", True),
        (on_bus("org.bluez.Error.Failed", "le-connection-abort-by-local"), "le-connection-abort-by-local", True),
        (BleakError("Bleak requires BlueZ >= 5.55."), "5.55 or newer", False),
        (BleakError("adapter 'hci7' not found"), "bluetoothctl list", False),
        (BleakError("disconnected"), "disconnected", True),
        (TimeoutError(), "no answer in time", True),
        (FileNotFoundError(2, "No such file"), "message bus", False),
        (ConnectionRefusedError(111, "refused"), "message bus", False),
        (PermissionError(13, "denied"), "permission denied", False),
        (EOFError(), "closed the connection", True),
        (OSError("anything"), "anything", True),
        (AssertionError(), "AssertionError", True),
    ],
)
def test_every_failure_has_words(error: Exception, words: str, passes: bool) -> None:
    told = explained(error, "trying")
    told.__cause__ = error
    assert str(told).startswith("trying: ")
    assert words in str(told)
    assert may_pass(told) is passes


def test_of_our_own_errors_only_a_lost_link_may_pass() -> None:
    assert may_pass(LinkLost("gone"))
    assert not may_pass(TransportError("no such service"))
