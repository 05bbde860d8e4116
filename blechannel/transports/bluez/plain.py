"""Services beside the channel, in the plain, as bluetoothd wants them.

Bluetoothd keeps the configurations itself: it asks for notifications once, and passes them to whoever subscribed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from dbus_fast import DBusError, Variant

from blechannel.aio.attributes import Attributes, PlainCharacteristic, PlainService
from blechannel.errors import AttributeRefused
from blechannel.gatt import AttErrorCode, Properties
from blechannel.transports.bluez.bus import Bus
from blechannel.transports.bluez.exports import FAILED, INVALID_OFFSET, NOT_PERMITTED, Answer, Exported, Exports, Method
from blechannel.transports.bluez.service import APPLICATION, CHARACTERISTIC, SERVICE, Options, number

_log = logging.getLogger(__name__)

T = TypeVar("T")

_INVALID_LENGTH = "org.bluez.Error.InvalidValueLength"
_ERRORS: dict[int, str] = {
    AttErrorCode.READ_NOT_PERMITTED: NOT_PERMITTED,
    AttErrorCode.WRITE_NOT_PERMITTED: NOT_PERMITTED,
    AttErrorCode.INVALID_ATTRIBUTE_LENGTH: _INVALID_LENGTH,
}
"""Those that bluetoothd has a name for; of the others it passes on 0x80 to 0x9F, which it reads in the text."""
_FLAGS = {
    Properties.READ: "read",
    Properties.WRITE: "write",
    Properties.WRITE_WITHOUT_RESPONSE: "write-without-response",
    Properties.NOTIFY: "notify",
}


class PlainTable:
    """What is served in the plain by one application."""

    def __init__(self, bus: Bus, exports: Exports, services: Sequence[PlainService]) -> None:
        self._served: list[_Served] = []
        for place, service in enumerate(services):
            path = f"{APPLICATION}/plain{place}"
            properties = {"UUID": Variant("s", service.uuid), "Primary": Variant("b", True)}
            exports.show(Exported(path, SERVICE, properties))
            for number_, characteristic in enumerate(service.characteristics):
                served = _Served(bus, f"{path}/characteristic{number_}", characteristic.uuid, service.attributes)
                self._served.append(served)
                exports.show(served.exported(path, characteristic))

    def close(self) -> None:
        """Take no more values from the application."""
        for served in self._served:
            served.stop_notify()


class _Served:
    """One characteristic."""

    def __init__(self, bus: Bus, path: str, uuid: str, attributes: Attributes) -> None:
        self._bus = bus
        self._path = path
        self._uuid = uuid
        self._attributes = attributes
        self._undo: Callable[[], None] | None = None

    def exported(self, service_path: str, characteristic: PlainCharacteristic) -> Exported:
        """What bluetoothd sees of it."""
        properties = {
            "UUID": Variant("s", self._uuid),
            "Service": Variant("o", service_path),
            "Flags": Variant("as", [word for flag, word in _FLAGS.items() if flag & characteristic.properties]),
        }
        return Exported(self._path, CHARACTERISTIC, properties, self._methods(characteristic.properties))

    def _methods(self, allowed: Properties) -> dict[tuple[str, str], Method]:
        methods: dict[tuple[str, str], Method] = {}
        if allowed & Properties.READ:
            methods["ReadValue", "a{sv}"] = self.read
        if allowed & (Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE):
            methods["WriteValue", "aya{sv}"] = self.write
        if allowed & Properties.NOTIFY:
            methods["StartNotify", ""] = self.start_notify
            methods["StopNotify", ""] = self.stop_notify
        return methods

    def read(self, options: Options) -> Answer:
        """The value, from an offset on."""
        value = _answered(lambda: self._attributes.read(self._uuid))
        offset = number(options, "offset")
        if offset > len(value):
            raise DBusError(INVALID_OFFSET, "the value is shorter")
        return Answer("ay", [value[offset:]])

    def write(self, value: bytes, options: Options) -> Answer:
        """A whole value."""
        if number(options, "offset"):
            raise DBusError(INVALID_OFFSET, "a value is written in one piece")
        _answered(lambda: self._attributes.write(self._uuid, bytes(value)))
        return Answer()

    def start_notify(self) -> Answer:
        """The first phone has subscribed."""
        if self._undo is None:
            self._undo = _answered(lambda: self._attributes.subscribe(self._uuid, self._tell))
        return Answer()

    def stop_notify(self) -> Answer:
        """The last one has left."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
        return Answer()

    def _tell(self, value: bytes) -> None:
        self._bus.changed(self._path, CHARACTERISTIC, Value=Variant("ay", value))


def _answered(act: Callable[[], T]) -> T:
    """What the application answers; its refusals, and its faults, become errors that bluetoothd knows."""
    try:
        return act()
    except AttributeRefused as refused:
        raise DBusError(_ERRORS.get(refused.code, FAILED), f"0x{refused.code:02x}") from refused
    except Exception as error:  # bluetoothd would wait for an answer, and the phone with it
        _log.exception("a plain service failed")
        raise DBusError(FAILED, "the application failed") from error
