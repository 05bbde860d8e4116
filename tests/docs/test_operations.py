"""docs/operations.md: its commands run, and its tables are those of the program."""

from __future__ import annotations

import dataclasses
import re
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from blechannel.aio import journal
from blechannel.aio.household import Household
from blechannel.aio.keep_policy import KeepPolicy
from blechannel_tools.log_json import FIELDS
from blechannel_tools.metrics import registry_of
from tests.aio.rooms import room
from tests.tools.programs import Program

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_commands_for_metrics_work(tmp_path: Path) -> None:
    [command] = re.findall(r"^\$ blechannel (watch .*)$", PAGE, re.MULTILINE)
    words = command.split()
    assert words[1] == "--transport"
    here = ["--transport", f"unix:{tmp_path}/ble", "--store", str(tmp_path / "bonds.db")]
    with Program(words[0], *here, *words[3:-1], "0", "--json") as watch:
        url = str(watch.event("metrics")["url"])
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert b"blechannel_handshakes_begun_total 0.0" in answer.read()
    assert re.sub(r":\d+/", ":9464/", url) in PAGE


async def test_the_metrics_are_those_of_the_page() -> None:
    async with room() as r:
        await (await r.pair()).close()
        served = await _served(r.watch)
    described = {re.sub(r"[`{].*", "", cells[0].lstrip("`")): cells[1] for cells in rows("Metrics")[2:]}
    assert described == served


async def _served(side: Household) -> dict[str, str]:
    from prometheus_client import generate_latest

    families = list(text_string_to_metric_families(generate_latest(registry_of(side)).decode()))
    return {f"{family.name}{'_total' if family.type == 'counter' else ''}": family.type for family in families}


def test_the_policy_is_that_of_the_page() -> None:
    described = {name for cells in rows("Staying connected") for name in re.findall(r"`(\w+)`", cells[0])}
    assert {each.name for each in dataclasses.fields(KeepPolicy)} <= described
    policy = KeepPolicy()
    assert f"| {policy.first_s:g}, {policy.factor:g}, {policy.most_s:g} |" in PAGE
    assert f"| `jitter` | {policy.jitter:g} |" in PAGE
    assert f"| `steady_s` | {policy.steady_s:g} |" in PAGE


def test_the_log_is_that_of_the_page() -> None:
    described = {name for cells in rows("The log") for name in re.findall(r"`(\w+)`", cells[0])}
    assert described == FIELDS | {"time", "level", "logger", "message", "traceback"}
    assert journal.LINES == 10  # "at most ten lines a minute"
    assert journal.PERIOD_S == 60
