"""Profiles through the channel, between two live sides."""

from __future__ import annotations

from gatt_profiles import battery
from gatt_profiles.battery import LEVEL, BatteryLevel
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving
from gatt_profiles.tunnel_peer import open_client
from tests.aio.rooms import room


def charged(percent: int = 87) -> Server:
    server = Server(battery.SERVICE)
    server.set(LEVEL, BatteryLevel(percent))
    return server


async def test_read_and_subscribe() -> None:
    async with room() as r:
        server = charged()
        r.watch.serve(battery.SERVICE.port, serving(server))
        async with open_client(await r.pair(), battery.SERVICE) as client:
            assert await client.read(LEVEL) == BatteryLevel(87)
            async with client.subscribed(LEVEL) as levels:
                for percent in (86, 0, 100):
                    server.set(LEVEL, BatteryLevel(percent))
                assert [(await anext(levels)).percent for _ in range(3)] == [86, 0, 100]
            server.set(LEVEL, BatteryLevel(5))
            assert await client.read(LEVEL) == BatteryLevel(5)


async def test_what_was_left_is_not_heard() -> None:
    async with room() as r:
        server = charged()
        r.watch.serve(battery.SERVICE.port, serving(server))
        async with open_client(await r.pair(), battery.SERVICE) as client:
            async with client.subscribed(LEVEL) as before:
                pass
            server.set(LEVEL, BatteryLevel(1))
            async with client.subscribed(LEVEL) as levels:
                server.set(LEVEL, BatteryLevel(2))
                assert (await anext(levels)).percent == 2
        assert server._subscribers[LEVEL.uuid] == [], "nor is it sent any more"
        assert before.missed == 0
