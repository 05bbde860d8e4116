"""`phone watch-live`, against a watch in a process of its own."""

from __future__ import annotations

import pytest

from blechannel_tools.exits import Exit
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plain", "battery", "--transport", "unix:/tmp/none"], "it has no GATT"),
        (["--plain", "heart-rate", "--transport", "usb:0"], "invalid choice: 'heart-rate'"),
    ],
)
def test_what_cannot_be_served_in_the_plain(people: Run, arguments: list[str], words: str) -> None:
    ran = people("watch", *arguments)
    assert ran.code == Exit.USAGE
    assert words in ran.err


def test_an_unknown_profile(people: Run) -> None:
    assert people("phone", "watch-live", "--profile", "thermometer", "--transport", "usb:0").code == Exit.USAGE
