"""How a port's messages come from a watch: as the port has them, or as the values that a profile tells of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from blechannel.aio.channel import Channel
from blechannel.codec import encode
from blechannel.errors import AttributeRefused
from blechannel.gatt import Properties
from blechannel_gateway.errors import ConfigError
from blechannel_gateway.together import together
from gatt_profiles import battery, current_time, heart_rate
from gatt_profiles.client import Client, Values
from gatt_profiles.profile import Characteristic, Service
from gatt_profiles.tunnel_peer import open_client

PROFILES: Final[dict[str, Service]] = {each.SERVICE.port: each.SERVICE for each in (battery, current_time, heart_rate)}
"""Those that tell of values by themselves."""

Take = Callable[[bytes, str], Awaitable[object]]
"""Takes a message and its schema; while it waits, nothing more is read."""


async def messages_of(channel: Channel, port: str, schema: str, take: Take) -> None:
    """Until the peer shuts the port. Raises BlechannelError."""
    async with channel.port(port) as opened:
        async for message in opened:
            await take(message, schema)


async def values_of(channel: Channel, service: Service, take: Take) -> None:
    """What the watch tells of, encoded as in GATT, each under the schema of its characteristic.

    Values come faster than `take` takes them: the oldest are dropped. Raises BlechannelError, EOFError.
    """
    async with open_client(channel, service) as client, AsyncExitStack() as held:
        jobs: list[Coroutine[Any, Any, object]] = []
        for characteristic in service.characteristics:
            if Properties.NOTIFY in characteristic.properties:
                with suppress(AttributeRefused):  # an optional one, which this watch does not have
                    values = await held.enter_async_context(client.subscribed(characteristic))
                    jobs.append(_each(characteristic, values, take))
        await together([_first(client, take), *jobs])


def profile(port: str) -> Service:
    """The profile of that port. Raises ConfigError."""
    try:
        return PROFILES[port]
    except KeyError:
        raise ConfigError(f'port {port!r} with by = "profile" must be one of {", ".join(sorted(PROFILES))}') from None


def schema_of(characteristic: Characteristic[Any]) -> str:
    """How subscribers know what a value is."""
    return f"gatt:{characteristic.uuid}"


async def _first(client: Client, take: Take) -> None:
    """What can be read, as it is now."""
    for characteristic in client.service.characteristics:
        if Properties.READ in characteristic.properties:
            with suppress(AttributeRefused):
                await take(encode(await client.read(characteristic)), schema_of(characteristic))


async def _each(characteristic: Characteristic[Any], values: Values[Any], take: Take) -> None:
    async for value in values:
        await take(encode(value), schema_of(characteristic))
