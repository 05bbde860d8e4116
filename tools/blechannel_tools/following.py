"""Hear all that a profile of the watch tells, through the channel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

from blechannel.aio.channel import Channel
from blechannel.errors import AttributeRefused
from blechannel.gatt import Properties
from blechannel_gateway.together import together
from gatt_profiles import alert_notification
from gatt_profiles.alert_notification import Category, Command, ControlPoint
from gatt_profiles.client import Client, Values
from gatt_profiles.profile import Characteristic, Service
from gatt_profiles.tunnel_peer import open_client

Show = Callable[[Service, Characteristic[Any], object], None]
"""Takes a value as it comes."""


async def follow(channel: Channel, service: Service, show: Show) -> None:
    """Show what can be read, and then each value that the watch tells of, until it shuts the port.

    Raises:
        EOFError: it shut the port before the values of now were read.
        AccessDenied: this phone may not use it.
        BlechannelError: the channel was cut off, nothing answers, or a value is none.
    """
    async with open_client(channel, service) as client, AsyncExitStack() as held:
        streams = await _subscribe(client, held)
        if service is alert_notification.SERVICE:
            await _enable_alerts(client)
        await _read_all(client, show)
        await together(_heard(service, characteristic, values, show) for characteristic, values in streams)


async def _subscribe(client: Client, held: AsyncExitStack) -> list[tuple[Characteristic[Any], Values[Any]]]:
    streams: list[tuple[Characteristic[Any], Values[Any]]] = []
    for characteristic in client.service.characteristics:
        if Properties.NOTIFY in characteristic.properties:
            with suppress(AttributeRefused):  # an optional one, which this watch does not have; below likewise
                streams.append((characteristic, await held.enter_async_context(client.subscribed(characteristic))))
    return streams


async def _enable_alerts(client: Client) -> None:
    for command in (Command.ENABLE_NEW, Command.ENABLE_UNREAD):
        with suppress(AttributeRefused):
            await client.write(alert_notification.CONTROL_POINT, ControlPoint(command, Category.ALL))


async def _read_all(client: Client, show: Show) -> None:
    for characteristic in client.service.characteristics:
        if Properties.READ in characteristic.properties:
            with suppress(AttributeRefused):
                show(client.service, characteristic, await client.read(characteristic))


async def _heard(service: Service, characteristic: Characteristic[Any], values: Values[Any], show: Show) -> None:
    async for value in values:
        show(service, characteristic, value)
