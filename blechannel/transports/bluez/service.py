"""The watch's GATT service as bluetoothd wants it: an application, its table, and what reaches its values."""

from __future__ import annotations

import socket

from dbus_fast import DBusError, Variant

from blechannel.gatt import INBOX_UUID, INFO_UUID, MIN_ATT_MTU_BYTES, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.bluez.exports import NOT_PERMITTED, Answer, Exported, Exports, Method
from blechannel.transports.bluez.occupancy import Occupancy

APPLICATION = "/org/blechannel/watch"
_SERVICE_PATH = f"{APPLICATION}/service"
SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"

_SOCKETS = {("AcquireWrite", "a{sv}"): "WriteAcquired", ("AcquireNotify", "a{sv}"): "NotifyAcquired"}

Options = dict[str, Variant]


def show_service(exports: Exports, occupancy: Occupancy, *, write_through_socket: bool) -> None:
    """Make the service visible below `APPLICATION`."""

    def write(value: bytes, options: Options) -> Answer:
        occupancy.write(_device(options), _mtu(options), number(options, "offset"), value)
        return Answer()

    def read(options: Options) -> Answer:
        return Answer("ay", [occupancy.read_info(_device(options), number(options, "offset"))])

    def acquire_notify(options: Options) -> Answer:
        return _socket(occupancy.subscribed(_device(options), mtu := _mtu(options)), mtu)

    def acquire_write(options: Options) -> Answer:
        return _socket(occupancy.writes(_device(options), mtu := _mtu(options)), mtu)

    exports.show(
        Exported(
            _SERVICE_PATH,
            SERVICE,
            {"UUID": Variant("s", SERVICE_UUID), "Primary": Variant("b", True)},
        )
    )
    inbox: dict[tuple[str, str], Method] = {("WriteValue", "aya{sv}"): write}
    if write_through_socket:
        inbox["AcquireWrite", "a{sv}"] = acquire_write
    for name, uuid, flags, methods in (
        ("inbox", INBOX_UUID, ["write", "write-without-response"], inbox),
        ("outbox", OUTBOX_UUID, ["notify"], {("AcquireNotify", "a{sv}"): acquire_notify}),
        ("info", INFO_UUID, ["read"], {("ReadValue", "a{sv}"): read}),
    ):
        properties = {
            "UUID": Variant("s", uuid),
            "Service": Variant("o", _SERVICE_PATH),
            "Flags": Variant("as", flags),
        }
        # That one is there, whatever it says, makes bluetoothd ask for a socket.
        properties |= {wanted: Variant("b", False) for method, wanted in _SOCKETS.items() if method in methods}
        exports.show(Exported(f"{_SERVICE_PATH}/{name}", CHARACTERISTIC, properties, methods))


def _device(options: Options) -> str:
    device = options.get("device")
    if device is None or device.signature != "o":
        raise DBusError(NOT_PERMITTED, "bluetoothd does not say for which device: it is too old")
    return str(device.value)


def _socket(theirs: socket.socket, att_mtu_bytes: int) -> Answer:
    return Answer("hq", [0, att_mtu_bytes], [theirs.fileno()], theirs.close)


def _mtu(options: Options) -> int:
    return number(options, "mtu", MIN_ATT_MTU_BYTES)


def number(options: Options, name: str, default: int = 0) -> int:
    """One of the options that bluetoothd may send; `default` where it does not."""
    option = options.get(name)
    return int(option.value) if option is not None and option.signature == "q" else default
