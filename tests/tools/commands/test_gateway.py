"""`blechannel gateway`: a watch's heart rate through run to listen, a message back by send, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from blechannel.errors import PeerTimedOut
from blechannel_gateway.sealing import CloudKey
from blechannel_tools.command_line import command_parser
from blechannel_tools.commands import gateway_broker, gateway_listen, gateway_run, gateway_send
from blechannel_tools.exits import Exit
from blechannel_tools.mqtt_loop import run_with_mqtt
from blechannel_tools.output import Event, JsonOutput, Shown
from gatt_profiles import heart_rate
from gatt_profiles.heart_rate import HeartRate
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving
from tests.tools.live_watch import LiveWatch
from tests.tools.programs import Run

MOST_S = 20.0
PLAN = """
site = "home"
gateway = "hall"
[broker]
url = "mqtt://127.0.0.1:1"
protocol = "3.1.1"
answer_s = 2.0
[[up]]
port = "heart-rate"
by = "profile"
[[up]]
port = "journal"
[[down]]
port = "note"
by = "port"
[keep]
first_s = 0.05
"""


class Heard(JsonOutput):
    """What a command told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def say(self, event: Event, _shown: Shown = "", /, **facts: object) -> None:
        self.events.append({"event": event.value, **facts})

    @contextmanager
    def waiting(self, _text: str) -> Iterator[None]:
        yield

    async def until(self, event: Event, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        while True:
            for each in self.events:
                if each["event"] == event.value and fits(each):
                    return each
            await asyncio.sleep(0.005)


class Commands:
    """Commands in this process, as their options say, each with what it told."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, module: Any, work: str, *arguments: str) -> Heard:
        options = command_parser("gateway").parse_args(["gateway", *arguments])
        assert options.run is module.run
        heard = Heard()
        self._tasks.append(asyncio.ensure_future(getattr(module, work)(options, heard)))
        return heard

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_a_heart_rate_goes_up_and_a_note_comes_down(programs: Run, transport: str, tmp_path: Path) -> None:
    heart = Server(heart_rate.SERVICE)
    (tmp_path / "gateway.toml").write_text(PLAN)
    with LiveWatch(transport, tmp_path) as watch:
        watch.look(lambda live: live.serve("heart-rate", serving(heart)))
        _, store = await asyncio.to_thread(watch.pair, programs, "phone")
        commands = Commands()
        try:
            async with asyncio.timeout(MOST_S):
                broker = commands.start(gateway_broker, "_serve", "broker", "--port", "0")
                url = (await broker.until(Event.BROKER))["url"]
                where = ("--broker", url, "--protocol", "3.1.1")
                listening = commands.start(gateway_listen, "_listen", "listen", *where, "--file", str(tmp_path / "in"))
                plan = (str(tmp_path / "gateway.toml"), "--broker", url, "--store", store, "--transport", transport)
                running = commands.start(gateway_run, "_run", "run", *plan)
                kept = await running.until(Event.KEPT, lambda said: said["link"] == "connected")
                assert kept["name"] == "wrist"
                came = asyncio.ensure_future(listening.until(Event.FROM_WATCH))
                while not came.done():
                    watch.look(lambda _: heart.set(heart_rate.MEASUREMENT, HeartRate.of(77)))
                    await asyncio.sleep(0.05)
                assert (came.result()["port"], came.result()["hex"][2:]) == ("heart-rate", "4d")
                assert (await running.until(Event.CARRIED))["way"] == "up"
                note = (kept["watch"], "note", "buy milk", *where, "--file", str(tmp_path / "out"))
                sent = await commands.start(gateway_send, "_send", "send", *note).until(Event.SENT)
                assert sent["port"] == "note"
                await running.until(Event.CARRIED, lambda said: said["way"] == "down")
                commands.start(gateway_send, "_send", "send", kept["watch"], "nowhere", *note[2:])
                assert "bridges no such port" in (await running.until(Event.PORT_FAILED))["error"]
        finally:
            await commands.end()
        again = await asyncio.to_thread(programs, "gateway", "run", *plan, "--seconds", "0.1")
        assert (again.code, again.last["event"]) == (Exit.DONE, "done")
        assert again.only("gateway")["watches"] == [kept["watch"]], "the same pseudonym"


async def test_a_message_that_no_gateway_stores_is_kept(tmp_path: Path) -> None:
    options = command_parser("gateway").parse_args(
        [
            *("gateway", "send", "ab" * 16, "note", "hello", "--broker", "mqtt://127.0.0.1:1"),
            *("--file", str(tmp_path / "out"), "--seconds", "0.1"),
        ]
    )
    with pytest.raises(PeerTimedOut, match="the message is kept in"):
        await gateway_send._send(options, Heard())


def test_what_is_said_of_a_wrong_call(programs: Run, tmp_path: Path) -> None:
    plan = tmp_path / "gateway.toml"
    plan.write_text(PLAN.replace('site = "home"', ""))
    run = programs("gateway", "run", str(plan), "--transport", "tcp:127.0.0.1:1")
    assert (run.code, run.events[-1]["error"]) == (Exit.FAILED, "ConfigError")
    assert "site is missing" in run.events[-1]["message"]
    plan.write_text(PLAN)
    bare = programs("gateway", "run", str(plan), "--transport", "tcp:127.0.0.1:1")
    assert bare.code == Exit.STORE
    assert "pair first" in bare.events[-1]["message"]
    sent = programs("gateway", "send", "Wanda", "note", "hi", "--broker", "mqtt://127.0.0.1:1")
    assert "32 hexadecimal digits" in sent.events[-1]["message"]
    listened = programs("gateway", "listen", "--broker", "http://127.0.0.1")
    assert "is no mqtt://" in listened.events[-1]["message"]


def test_a_port_that_is_none(people: Run) -> None:
    assert people("gateway", "broker", "--port", "70000").code == Exit.USAGE


def test_bodies_in_words() -> None:
    schema = f"gatt:{heart_rate.MEASUREMENT.uuid}"
    assert gateway_listen._words(bytes.fromhex("004d"), schema) == "77 bpm"
    assert gateway_listen._words(b"\x01", schema) == "01"
    assert gateway_listen._words(b"buy milk", "") == "buy milk"
    assert gateway_listen._words(b"\xff\x00", "text/plain") == "ff 00"


def test_windows_gets_a_loop_that_waits_for_sockets() -> None:
    loops: list[type[asyncio.AbstractEventLoop]] = []

    async def look() -> None:
        loops.append(type(asyncio.get_running_loop()))

    run_with_mqtt(look(), platform="win32")
    assert issubclass(loops[0], asyncio.SelectorEventLoop)


def test_the_clouds_key_is_read(programs: Run, tmp_path: Path) -> None:
    key = tmp_path / "cloud.key"
    key.write_bytes(CloudKey.generate().public_pem())
    said = programs("gateway", "listen", "--broker", "mqtt://127.0.0.1:1", "--unseal", str(key))
    assert "is no private key" in said.events[-1]["message"]
