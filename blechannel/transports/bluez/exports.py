"""Objects that bluetoothd sees on our connection: their properties as data, their methods as functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from dbus_fast import DBusError, Message, Variant

from blechannel.transports.bluez.bus import OBJECT_MANAGER, PROPERTIES, Bus
from blechannel.values import dataclass

NOT_PERMITTED = "org.bluez.Error.NotPermitted"
INVALID_OFFSET = "org.bluez.Error.InvalidOffset"
FAILED = "org.bluez.Error.Failed"
_UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
_UNKNOWN_PROPERTY = "org.freedesktop.DBus.Error.UnknownProperty"

Properties = Mapping[str, Variant]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method gives."""

    signature: str = ""
    body: list[Any] = field(default_factory=list)
    unix_fds: list[int] = field(default_factory=list)
    sent: Callable[[], None] | None = None
    """Called when it is on its way, or never will be."""


Method = Callable[..., Answer]
"""Takes the arguments of a call; refuses by raising DBusError."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One interface of one object."""

    path: str
    interface: str
    properties: Properties
    methods: Mapping[tuple[str, str], Method] = field(default_factory=dict)
    """By name and signature."""


class Exports:
    """Answers calls. What is below `root` is what the application at `root` has."""

    def __init__(self, bus: Bus, root: str) -> None:
        self._bus = bus
        self._root = root
        self._objects: dict[tuple[str, str], Exported] = {}
        bus.on_call = self._called

    def show(self, exported: Exported) -> None:
        """Add an interface, or put it in the place of what was there."""
        self._objects[exported.path, exported.interface] = exported

    def _called(self, message: Message) -> None:
        answer = Answer()
        try:
            answer = self._answer(message)
        except DBusError as error:
            reply = Message.new_error(message, error.type, error.text)
        else:
            reply = Message.new_method_return(message, answer.signature, answer.body, answer.unix_fds)
        self._bus.reply(message, reply, answer.sent)

    def _answer(self, message: Message) -> Answer:
        path, interface, member = message.path or "", message.interface or "", message.member or ""
        match interface, member, message.signature:
            case str() as manager, "GetManagedObjects", "" if manager == OBJECT_MANAGER and path == self._root:
                return Answer("a{oa{sa{sv}}}", [self._managed()])
            case str() as properties, "GetAll", "s" if properties == PROPERTIES:
                return Answer("a{sv}", [dict(self._found(path, message.body[0]).properties)])
            case str() as properties, "Get", "ss" if properties == PROPERTIES:
                return Answer("v", [_property(self._found(path, message.body[0]), message.body[1])])
        method = self._found(path, interface).methods.get((member, message.signature))
        if method is None:
            raise DBusError(_UNKNOWN_METHOD, f"there is no {interface}.{member}({message.signature})")
        return method(*message.body)

    def _managed(self) -> dict[str, dict[str, dict[str, Variant]]]:
        managed: dict[str, dict[str, dict[str, Variant]]] = {}
        for (path, interface), exported in self._objects.items():
            if path.startswith(f"{self._root}/"):
                managed.setdefault(path, {})[interface] = dict(exported.properties)
        return managed

    def _found(self, path: str, interface: str) -> Exported:
        exported = self._objects.get((path, interface))
        if exported is None:
            raise DBusError(_UNKNOWN_METHOD, f"there is no {interface} at {path}")
        return exported


def _property(exported: Exported, name: str) -> Variant:
    if name not in exported.properties:
        raise DBusError(_UNKNOWN_PROPERTY, f"there is no property {name}")
    return exported.properties[name]
