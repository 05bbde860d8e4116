"""The watch's GATT service as bluetoothd wants it: an application, its table, and what reaches its values."""

from __future__ import annotations

from dbus_fast import DBusError, Variant

from blechannel.gatt import INBOX_UUID, INFO_UUID, MIN_ATT_MTU_BYTES, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.bluez.exports import NOT_PERMITTED, Answer, Exported, Exports
from blechannel.transports.bluez.occupancy import Occupancy

APPLICATION = "/org/blechannel/watch"
_SERVICE_PATH = f"{APPLICATION}/service"
SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"

Options = dict[str, Variant]


def show_service(exports: Exports, occupancy: Occupancy) -> None:
    """Make the service visible below `APPLICATION`."""

    def write(value: bytes, options: Options) -> Answer:
        occupancy.write(_device(options), number(options, "mtu", MIN_ATT_MTU_BYTES), number(options, "offset"), value)
        return Answer()

    def read(options: Options) -> Answer:
        return Answer("ay", [occupancy.read_info(_device(options), number(options, "offset"))])

    def acquire_notify(options: Options) -> Answer:
        att_mtu_bytes = number(options, "mtu", MIN_ATT_MTU_BYTES)
        theirs = occupancy.subscribed(_device(options), att_mtu_bytes)
        return Answer("hq", [0, att_mtu_bytes], [theirs.fileno()], theirs.close)

    exports.show(
        Exported(
            _SERVICE_PATH,
            SERVICE,
            {"UUID": Variant("s", SERVICE_UUID), "Primary": Variant("b", True)},
        )
    )
    for name, uuid, flags, methods in (
        ("inbox", INBOX_UUID, ["write", "write-without-response"], {("WriteValue", "aya{sv}"): write}),
        ("outbox", OUTBOX_UUID, ["notify"], {("AcquireNotify", "a{sv}"): acquire_notify}),
        ("info", INFO_UUID, ["read"], {("ReadValue", "a{sv}"): read}),
    ):
        properties = {
            "UUID": Variant("s", uuid),
            "Service": Variant("o", _SERVICE_PATH),
            "Flags": Variant("as", flags),
        }
        if name == "outbox":
            # That it is there, whatever it says, makes bluetoothd ask for a socket.
            properties["NotifyAcquired"] = Variant("b", False)
        exports.show(Exported(f"{_SERVICE_PATH}/{name}", CHARACTERISTIC, properties, methods))


def _device(options: Options) -> str:
    device = options.get("device")
    if device is None or device.signature != "o":
        raise DBusError(NOT_PERMITTED, "bluetoothd does not say for which device: it is too old")
    return str(device.value)


def number(options: Options, name: str, default: int = 0) -> int:
    """One of the options that bluetoothd may send; `default` where it does not."""
    option = options.get(name)
    return int(option.value) if option is not None and option.signature == "q" else default
