"""Values for people, for programs and as a plot."""

from __future__ import annotations

import io
import json
from datetime import datetime

import pytest
from rich.console import Console

from blechannel_tools.live_view import PLOTTED, LiveView
from blechannel_tools.output import HumanOutput
from blechannel_tools.readings import facts_of, sparkline, words_of
from gatt_profiles import battery, device_information, heart_rate
from gatt_profiles.alert_notification import Categories, Category, NewAlert, UnreadStatus
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.current_time import Adjusted, CurrentTime, DaylightSaving, LocalTime
from gatt_profiles.device_information import SystemId, Text
from gatt_profiles.heart_rate import BodySensorLocation, HeartRate, Location


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (BatteryLevel(87), "87 %"),
        (HeartRate.of(72), "72 bpm"),
        (HeartRate.of(72, contact=True), "72 bpm"),
        (HeartRate.of(72, contact=False), "72 bpm (no contact)"),
        (BodySensorLocation(Location.EAR_LOBE), "ear lobe"),
        (CurrentTime.of(datetime(2024, 2, 29, 1, 2, 3)), "2024-02-29 01:02:03"),
        (CurrentTime(0, 0, 0, 0, 0, 0, 0, 0, Adjusted(0)), "not known"),
        (Text("Ada"), "Ada"),
        (Categories.of(Category.CALL, Category.EMAIL), "email, call"),
        (NewAlert(Category.MISSED_CALL, 2, "Ada"), "missed call: Ada (2 new)"),
        (UnreadStatus(Category.CALL, 2), "call: 2 unread"),
        (LocalTime(4, DaylightSaving.STANDARD), "LocalTime(zone_quarters=4, "),
    ],
)
def test_words(value: object, words: str) -> None:
    assert words_of(value).startswith(words)


def test_facts_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(facts_of(SystemId(b"\1" * 5, b"\2" * 3)))) == {
        "manufacturer": "0101010101",
        "organization": "020202",
    }
    assert json.loads(json.dumps(facts_of(HeartRate.of(72, rr_1024=[1, 2]))))["rr_1024"] == [1, 2]


@pytest.mark.parametrize(
    ("numbers", "line"), [([], ""), ([5, 5], "▁▁"), ([0, 7, 14], "▁▅█"), (list(range(8)), "▁▂▃▄▅▆▇█")]
)
def test_sparkline(numbers: list[float], line: str) -> None:
    assert sparkline(numbers) == line


def test_a_terminal_shows_the_newest_values_in_80_columns() -> None:
    output = HumanOutput()
    screen = io.StringIO()
    output.console = Console(file=screen, width=80, force_terminal=True, color_system=None)
    view = LiveView(output)
    with view.shown():
        for bpm in range(60, 100):
            view.show(heart_rate.SERVICE, heart_rate.MEASUREMENT, HeartRate.of(bpm))
        view.show(battery.SERVICE, battery.LEVEL, BatteryLevel(87))
        view.show(device_information.SERVICE, device_information.MODEL_NUMBER, Text("a" * 200 + "\x1b[2J"))
    drawn = screen.getvalue().rpartition("\x1b[2K")[2].splitlines()[:3]
    assert [line[:22].strip() for line in drawn] == ["Model Number", "Battery Level", "Heart Rate Measurement"]
    assert drawn[2].split()[-1] == sparkline(range(PLOTTED))
    assert "99 bpm" in drawn[2]
    assert max(map(len, drawn)) <= 80
    assert "\x1b[2J" not in screen.getvalue()
    assert view.values == 42


def test_elsewhere_each_value_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    view = LiveView(HumanOutput())
    with view.shown():
        view.show(battery.SERVICE, battery.LEVEL, BatteryLevel(87))
    assert capsys.readouterr().out == "Battery Level: 87 %\n"
