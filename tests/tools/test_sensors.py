"""The simulated sensors, over live channels."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from blechannel.errors import AccessDenied, AttributeRefused, LinkLost, LocalProtocolError, PeerTimedOut
from blechannel_tools.commands.phone_watch_live import _Enough, _Following
from blechannel_tools.following import follow
from blechannel_tools.live_view import LiveView
from blechannel_tools.output import JsonOutput
from blechannel_tools.readings import SERVICES
from blechannel_tools.sensors import PLAIN, Sensors
from gatt_profiles import alert_notification, battery, current_time, heart_rate, immediate_alert
from gatt_profiles.alert_notification import Categories, Category, NewAlert, UnreadStatus
from gatt_profiles.current_time import CURRENT_TIME, Adjusted, CurrentTime
from gatt_profiles.heart_rate import ControlPoint, HeartRate
from gatt_profiles.immediate_alert import ALERT_LEVEL, AlertLevel, Level
from gatt_profiles.profile import Characteristic, Service
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving
from gatt_profiles.tunnel_peer import open_client
from tests.aio.rooms import house, room


class Enough(Exception):
    """A test has heard what it wanted."""


async def test_a_phone_hears_the_same_of_the_same_seed() -> None:
    heard: list[list[int]] = []
    for seed in (1, 1, 2):
        sensors = Sensors(seed)
        async with room() as r:
            sensors.serve(r.watch)
            async with (
                open_client(await r.pair(), heart_rate.SERVICE) as client,
                client.subscribed(heart_rate.MEASUREMENT) as measurements,
            ):
                for _ in range(30):
                    sensors.step()
                heard.append([(await anext(measurements)).bpm for _ in range(30)])
    assert heard[0] == heard[1] != heard[2]
    assert 40 < min(heard[0]) < max(heard[0]) < 200


async def test_the_battery_empties_and_never_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel_tools.sensors.BATTERY_STEP_S", 2)
    sensors = Sensors(0)
    async with room() as r:
        sensors.serve(r.watch)
        async with open_client(await r.pair(), battery.SERVICE) as client:
            levels = []
            for _ in range(102):
                levels.append((await client.read(battery.LEVEL)).percent)
                sensors.step()
                sensors.step()
    assert levels[:3] == [100, 99, 98]
    assert levels[-2:] == [1, 1]


async def test_the_energy_is_reset_and_the_clock_is_set() -> None:
    sensors = Sensors(0)
    async with room() as r:
        sensors.serve(r.watch)
        channel = await r.pair()
        async with (
            open_client(channel, heart_rate.SERVICE) as client,
            client.subscribed(heart_rate.MEASUREMENT) as measurements,
        ):
            for _ in range(20):
                sensors.step()
            assert [await anext(measurements) for _ in range(20)][-1].energy_kj == 2
            with pytest.raises(AttributeRefused) as refused:
                await client.write(heart_rate.CONTROL_POINT, ControlPoint(2))
            assert refused.value.code == heart_rate.CONTROL_POINT_NOT_SUPPORTED
            await client.write(heart_rate.CONTROL_POINT, ControlPoint(1))
            sensors.step()
            assert (await anext(measurements)).energy_kj == 0
        async with open_client(channel, current_time.SERVICE) as client, client.subscribed(CURRENT_TIME) as times:
            there = (await client.read(CURRENT_TIME)).moment
            assert there is not None
            assert abs(there - datetime.now()) < timedelta(seconds=5)
            await client.write(CURRENT_TIME, CurrentTime.of(datetime(1999, 12, 31, 12)))
            for value in (await anext(times), await client.read(CURRENT_TIME)):
                assert (value.year, value.hours, value.adjusted) == (1999, 12, Adjusted.BY_HAND)
            for wrong in (CurrentTime.of(datetime(9999, 12, 31)), CurrentTime(0, 1, 1, 1, 1, 1, 1, 1, Adjusted(0))):
                with pytest.raises(AttributeRefused) as refused:
                    await client.write(CURRENT_TIME, wrong)
                assert refused.value.code == current_time.DATA_FIELD_IGNORED


async def test_the_watch_rings() -> None:
    sensors = Sensors(0)
    async with room() as r:
        sensors.serve(r.watch)
        async with open_client(await r.pair(), immediate_alert.SERVICE) as client:
            await client.write(ALERT_LEVEL, AlertLevel(Level.MILD_ALERT))  # nobody listens yet
            heard: list[Level] = []
            sensors.on_ring = heard.append
            await client.write(ALERT_LEVEL, AlertLevel(Level.HIGH_ALERT))
    assert heard == [Level.HIGH_ALERT]


@pytest.mark.parametrize("port", sorted(SERVICES))
async def test_strangers_see_what_may_be_seen(port: str) -> None:
    sensors = Sensors(0)
    if port in PLAIN:
        assert [service.uuid for service in sensors.plain([port])] == [SERVICES[port].uuid]
    else:
        with pytest.raises(LocalProtocolError, match="nothing for strangers"):
            sensors.plain([port])


@pytest.mark.parametrize(
    ("port", "wanted"), [("alert-notification", {NewAlert, UnreadStatus}), ("heart-rate", {HeartRate})]
)
async def test_following_a_profile(port: str, wanted: set[type]) -> None:
    sensors = Sensors(0)
    kinds: set[type] = set()

    def show(_service: Service, _characteristic: Characteristic[Any], value: object) -> None:
        kinds.add(type(value))
        for _ in range(20):
            sensors.step()
        if wanted <= kinds:
            raise Enough

    async with room() as r:
        sensors.serve(r.watch)
        with pytest.raises(Enough):
            await follow(await r.pair(), SERVICES[port], show)


async def test_following_a_watch_that_has_little() -> None:
    server = Server(alert_notification.SERVICE)
    server.set(alert_notification.SUPPORTED_NEW, Categories.of(Category.CALL))
    heard: list[object] = []
    async with room() as r:
        r.watch.serve(alert_notification.SERVICE.port, serving(server))
        channel = await r.pair()

        def show(_service: Service, _characteristic: Characteristic[Any], value: object) -> None:
            heard.append(value)

        following = asyncio.ensure_future(follow(channel, alert_notification.SERVICE, show))
        while not heard:
            await asyncio.sleep(0)
        server.set(alert_notification.NEW_ALERT, NewAlert(Category.CALL, 1, "Ada"))
        while len(heard) < 2:
            await asyncio.sleep(0)
        await r.watch.channels[0].close()
        await following
    assert heard == [Categories.of(Category.CALL), NewAlert(Category.CALL, 1, "Ada")]


@pytest.mark.parametrize("cut_off", [False, True])
async def test_following_ends_with_the_channel(cut_off: bool) -> None:
    endings: list[asyncio.Future[None]] = []
    async with room() as r:
        Sensors(0).serve(r.watch)
        channel = await r.pair()

        def end(*_value: object) -> None:
            endings.append(asyncio.ensure_future((r.links[0] if cut_off else r.watch.channels[0]).close()))

        with pytest.raises(LinkLost) if cut_off else nullcontext():
            await follow(channel, battery.SERVICE, end)
        await asyncio.gather(*endings)


async def test_a_guest_follows_what_it_may(capsys: pytest.CaptureFixture[str]) -> None:
    async with house() as h:
        watch = await h.add_watch(guest_ports=frozenset({"battery"}))
        Sensors(0).serve(watch)
        owner, guest = await h.add_phone(), await h.add_phone()
        await h.pair(owner, watch)
        channel = await h.pair(guest, watch)
        output = JsonOutput()
        wanted = [battery.SERVICE, heart_rate.SERVICE]
        with pytest.raises(_Enough):
            await _Following(channel, output, LiveView(output), count=1).all(wanted)
        with pytest.raises(AccessDenied):
            await _Following(channel, output, LiveView(output), count=1).all(wanted[1:])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(event["event"], event["port"]) for event in told} == {("value", "battery"), ("unavailable", "heart-rate")}
    assert "may not use port heart-rate" in told[-1]["message"]


async def test_a_watch_without_sensors_and_one_that_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gatt_profiles.tunnel_peer.ANSWER_S", 0.05)
    output = JsonOutput()
    async with room() as r:
        channel = await r.pair()
        following = _Following(channel, output, LiveView(output), None)
        with pytest.raises(PeerTimedOut, match="does the peer serve battery"):
            await following.all([battery.SERVICE])
        [told] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert (told["event"], told["port"]) == ("unavailable", "battery")
        await r.links[0].close()
        with pytest.raises(LinkLost):
            await following.all([battery.SERVICE])
    assert capsys.readouterr().out == ""


def test_the_page_says_what_strangers_see() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    shown = {row[0].strip(" `"): row[3].strip() for row in rows if len(row) == 4}
    assert shown.keys() == SERVICES.keys()
    assert {port for port, seen in shown.items() if seen != "nothing"} == set(PLAIN)
