"""What BlueZ itself says over D-Bus, in bounded time and without starting it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from blechannel_tools.diagnosis.bluez import SERVICE
from blechannel_tools.diagnosis.finding import Finding, ok, warn

ANSWER_S = 3.0
SUBJECT = "D-Bus"
ADAPTER = "org.bluez.Adapter1"
ADVERTISING = "org.bluez.LEAdvertisingManager1"

Objects = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Interfaces and their properties, by path."""

_REFUSALS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": ("BlueZ does not answer", "systemctl start bluetooth"),
    "org.freedesktop.DBus.Error.NameHasNoOwner": ("BlueZ does not answer", "systemctl start bluetooth"),
    "org.freedesktop.DBus.Error.AccessDenied": ("the policy does not let this user ask BlueZ", "see D-Bus policy"),
}


async def bluez_on_bus(address: str | None = None) -> list[Finding]:
    """What is there; `address` is another bus than the system's."""
    try:
        from dbus_fast import BusType, Message, MessageFlag, MessageType
        from dbus_fast.aio import MessageBus
        from dbus_fast.errors import DBusFastError
    except ModuleNotFoundError:
        return []  # it comes with bleak, which is missing as well, and has a finding of its own
    question = Message(
        destination=SERVICE,
        path="/",
        interface="org.freedesktop.DBus.ObjectManager",
        member="GetManagedObjects",
        flags=MessageFlag.NO_AUTOSTART,
    )
    bus = MessageBus(bus_address=address, bus_type=BusType.SYSTEM)
    try:
        async with asyncio.timeout(ANSWER_S):
            await bus.connect()
            answer = await bus.call(question)
    except TimeoutError:
        return [warn(SUBJECT, f"no answer within {ANSWER_S:g} s", "restart this machine's D-Bus, or the machine")]
    except (OSError, EOFError, DBusFastError) as error:
        advice = "bleak and bluez need the system's bus; in a container, share /run/dbus with it"
        return [warn(SUBJECT, f"the system's bus is out of reach: {error}", advice)]
    finally:
        bus.disconnect()
    if answer.message_type is not MessageType.METHOD_RETURN:
        otherwise = (f"BlueZ refused: {answer.error_name}", "journalctl -u bluetooth")
        said, advice = _REFUSALS.get(answer.error_name or "", otherwise)
        return [warn(SUBJECT, said, advice)]
    return told(answer.body[0])


def told(objects: Objects) -> list[Finding]:
    """What BlueZ's objects say of its adapters."""
    findings = []
    for path, interfaces in sorted(objects.items()):
        if ADAPTER not in interfaces:
            continue
        name = path.rpartition("/")[2]
        powered = interfaces[ADAPTER].get("Powered")
        if powered is None or not powered.value:
            findings.append(warn(f"bluez:{name}", "powered off", f"bluetoothctl select {name}; bluetoothctl power on"))
        elif ADVERTISING not in interfaces:
            findings.append(warn(f"bluez:{name}", "cannot advertise: no watch on it", "use another adapter"))
        else:
            findings.append(ok(f"bluez:{name}", "powered on, and can advertise"))
    return findings or [warn(SUBJECT, "BlueZ answers, and has no adapter", "plug one in")]
