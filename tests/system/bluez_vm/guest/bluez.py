"""BlueZ over D-Bus, for what an application has no business to do: power, bonds, the person who agrees to pair."""

from __future__ import annotations

import asyncio

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.system.bluez_vm.guest.calls import Call

BLUEZ = "org.bluez"
ADAPTER = "/org/bluez/hci0"
AGENT = "/test/agent"
PROPERTIES = "org.freedesktop.DBus.Properties"
READY_S = 60.0
LOOK_AGAIN_S = 0.1


def agree(asked: Message) -> Message | None:
    """The desktop's dialogue, and a person who says yes. BlueZ wants one even where nothing is compared."""
    return Message.new_method_return(asked) if asked.interface == "org.bluez.Agent1" else None


class Bluez:
    """A connection to the bus that outlives each test."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    @classmethod
    async def connect(cls) -> Bluez:
        """On the bus, with an agent, once the adapter is powered."""
        bluez = cls(await MessageBus(bus_type=BusType.SYSTEM).connect())
        bluez._bus.add_message_handler(agree)
        await bluez.ready()
        return bluez

    async def ready(self) -> None:
        """Return once the adapter is there and powered, with an agent at hand."""
        async with asyncio.timeout(READY_S):
            while not await self._is_powered():
                await asyncio.sleep(LOOK_AGAIN_S)
        await self.call("/org/bluez", "org.bluez.AgentManager1.RegisterAgent", "os", AGENT, "NoInputNoOutput")
        await self.call("/org/bluez", "org.bluez.AgentManager1.RequestDefaultAgent", "o", AGENT)

    async def call(self, path: str, method: str, signature: str = "", *body: object) -> object:
        """What a method, written "interface.member", gives.

        Raises:
            RuntimeError: an error, named as on the bus.
        """
        interface, _, member = method.rpartition(".")
        asked = Message(
            destination=BLUEZ, path=path, interface=interface, member=member, signature=signature, body=[*body]
        )
        answer = await self._bus.call(asked)
        assert answer is not None
        if answer.message_type is MessageType.ERROR:
            raise RuntimeError(f"{answer.error_name}: {answer.body}")
        return answer.body[0] if answer.body else None

    def calls(self) -> dict[str, Call]:
        """What the host may call, by name."""
        return {
            f"bluez.{call.__name__}": call for call in (self.ready, self.power, self.bond, self.forget, self.battery)
        }

    async def power(self, on: bool) -> None:
        """Switch the adapter."""
        await self.call(ADAPTER, f"{PROPERTIES}.Set", "ssv", "org.bluez.Adapter1", "Powered", Variant("b", on))

    async def bond(self) -> None:
        """Pair with the device that is connected, below and without any application."""
        await self.call(await self._connected(), "org.bluez.Device1.Pair")

    async def forget(self) -> None:
        """Remove the device that is connected, and its bond."""
        await self.call(ADAPTER, "org.bluez.Adapter1.RemoveDevice", "o", await self._connected())

    async def battery(self) -> int:
        """What bluetoothd itself knows of the battery of the device that is connected, in percent."""
        path = await self._connected()
        known = await self.call(path, f"{PROPERTIES}.Get", "ss", "org.bluez.Battery1", "Percentage")
        assert isinstance(known, Variant)
        return int(known.value)

    async def _connected(self) -> str:
        objects = await self.call("/", "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
        assert isinstance(objects, dict)
        [path] = [
            path
            for path, interfaces in objects.items()
            if (device := interfaces.get("org.bluez.Device1")) is not None and device["Connected"].value
        ]
        return str(path)

    async def _is_powered(self) -> bool:
        try:
            powered = await self.call(ADAPTER, f"{PROPERTIES}.Get", "ss", "org.bluez.Adapter1", "Powered")
        except RuntimeError:
            return False
        assert isinstance(powered, Variant)
        return bool(powered.value)
