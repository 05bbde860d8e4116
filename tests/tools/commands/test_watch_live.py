"""`phone watch-live`, against a watch in a process of its own."""

from __future__ import annotations

import argparse
import json

import pytest

from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel_tools.commands import watch as watch_command
from blechannel_tools.commands.phone_listen import _hear, _Heard
from blechannel_tools.exits import Exit
from blechannel_tools.output import JsonOutput
from blechannel_tools.sensors import Sensors
from blechannel_tools.watch_run import WatchRun
from gatt_profiles.immediate_alert import Level
from tests.aio.rooms import room
from tests.tools.programs import Program, Run


@pytest.mark.usefixtures("bonded_watch")
def test_the_sensors_are_seen_as_they_change(programs: Run, people: Run) -> None:
    ran = programs("phone", "watch-live", "--profile", "battery", "--profile", "heart-rate", "--count", "3")
    assert ran.code == Exit.DONE
    assert ran.last == {"event": "done", "messages": 3}
    values = {event["characteristic"]: event for event in ran.events[:-1]}
    assert set(values) == {"Battery Level", "Body Sensor Location", "Heart Rate Measurement"}
    assert values["Battery Level"]["port"] == "battery"
    assert values["Heart Rate Measurement"]["value"]["bpm"] > 40
    lines = people("phone", "watch-live", "--profile", "device-information", "--count", "2").out
    assert lines == "Manufacturer Name: blechannel\nModel Number: simulated watch\n"


@pytest.mark.usefixtures("bonded_watch")
def test_it_ends_in_time_and_with_ctrl_c(programs: Run) -> None:
    assert programs("phone", "watch-live", "--profile", "battery", "--seconds", "0.3").last["event"] == "done"
    with Program("phone", "watch-live") as phone:
        assert phone.event("value")["port"]
        ran = phone.interrupt()
    assert ran.code == Exit.INTERRUPTED
    assert ran.err == "blechannel: interrupted\n"


async def test_any_other_port_is_heard_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    async def tell(port: Port) -> None:
        for message in (b"news", b"\xff"):
            await port.send(message)

    async with room() as r:
        r.watch.serve("news", tell)
        heard = _Heard(JsonOutput(), None)
        await _hear(await r.pair(), "news", heard)
    assert heard.messages == 2
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"event": "message", "port": "news", "text": "news", "hex": "6e657773"},
        {"event": "message", "port": "news", "text": None, "hex": "ff"},
    ]


async def test_the_watch_tells_that_it_rings(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    watch_command.add(parser.add_subparsers())
    options = parser.parse_args(["watch", "--transport", "none"])
    radio = LoopbackAir().watch()
    sensors = Sensors(0)
    async with Watch(MemoryStore(), radio) as watch:
        WatchRun(watch, radio, options, JsonOutput(), sensors=sensors)
        assert sensors.on_ring is not None
        for level in (Level.HIGH_ALERT, Level.NO_ALERT):
            sensors.on_ring(level)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [{"event": "ringing", "level": 2}, {"event": "ringing", "level": 0}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plain", "battery", "--transport", "unix:/tmp/none"], "it has no GATT"),
        (["--plain", "heart-rate", "--transport", "usb:0"], "invalid choice: 'heart-rate'"),
        (["--sensor-speed", "0", "--transport", "usb:0"], "0 is no factor from 0.01 to 1000"),
    ],
)
def test_sensors_that_cannot_be(people: Run, arguments: list[str], words: str) -> None:
    ran = people("watch", *arguments)
    assert ran.code == Exit.USAGE
    assert words in ran.err


def test_an_unknown_profile(people: Run) -> None:
    assert people("phone", "watch-live", "--profile", "thermometer", "--transport", "usb:0").code == Exit.USAGE
