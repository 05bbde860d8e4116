"""BlueZ: a watch on Linux, as a GATT server and an advertisement that bluetoothd is asked for over D-Bus.

Needs the extra `bluez`, and BlueZ 5.55 or newer. It serves one phone at a time, because BlueZ may send what one
phone is notified of to every phone that has subscribed: see `occupancy`.

Raises:
    MissingExtra: on import, when dbus-fast is not installed.
"""

from blechannel.errors import MissingExtra

try:
    from blechannel.transports.bluez.peripheral import BluezWatchTransport
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "dbus_fast":
        raise
    raise MissingExtra("bluez", "blechannel.transports.bluez") from error

__all__ = ["BluezWatchTransport"]
