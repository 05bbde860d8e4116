"""The demo as a library call: every step happens, in order, and the figures are those of the run."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from blechannel.errors import BlechannelError, TransportError
from blechannel_tools.demo import TRANSFER_BYTES, Summary, run_demo
from blechannel_tools.demo_analysis import Analysed
from blechannel_tools.output import Lines


class Seen:
    """What the demo told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.pictures: list[Lines] = []
        self.progress: list[int] = []

    def _say(self, shown: str | Lines) -> None:
        if isinstance(shown, Lines):
            self.pictures.append(shown)
            shown = shown.heading
        self.said.append(shown)

    async def run(self, out: Path) -> Summary:
        return await run_demo(out, say=self._say, progress=lambda done, _size: self.progress.append(done))


async def test_the_steps_come_in_order(tmp_path: Path) -> None:
    seen = Seen()
    await seen.run(tmp_path)
    main = ("types", "refused", "new code", "paired", "there and back", "lost", "one round trip", "the rest", "all")
    steps = (*main, "both screens", "words", "QR code", "carried", "68 bpm", "71 bpm", "74 bpm")
    said = iter(seen.said)
    assert all(any(step in line for line in said) for step in steps), seen.said


async def test_the_figures_are_those_of_the_protocol(tmp_path: Path) -> None:
    summary = await Seen().run(tmp_path)
    assert summary.pairing_round_trips == 3, "m1 to m6"
    assert summary.reconnect_round_trips == 1
    assert summary.reconnect_air_bytes < summary.pairing_air_bytes < summary.transfer_air_bytes
    assert 0 < summary.resumed_at_byte < TRANSFER_BYTES
    # What was sealed, framed and acknowledged costs more than the bytes alone; what was in flight goes twice.
    assert TRANSFER_BYTES < summary.transfer_air_bytes < 1.5 * TRANSFER_BYTES
    assert summary.seconds < 15


async def test_the_transfer_goes_on_where_the_watch_says(tmp_path: Path) -> None:
    seen = Seen()
    summary = await seen.run(tmp_path)
    falls = [after for before, after in zip(seen.progress, seen.progress[1:], strict=False) if after < before]
    assert len(falls) <= 1, "what was in flight is sent again, nothing else"
    assert all(after > summary.resumed_at_byte for after in falls)
    assert seen.progress[-1] == TRANSFER_BYTES


async def test_the_folder_holds_everything_and_replaces_an_earlier_run(tmp_path: Path) -> None:
    out = tmp_path / "some" / "folder"
    await Seen().run(out)
    summary = await Seen().run(out)
    assert {path.name for path in out.iterdir()} == {
        "phone.btsnoop",
        "watch.btsnoop",
        "keys.log",
        "summary.json",
        "report.html",
    }
    written = json.loads((out / "summary.json").read_text())
    assert written == json.loads(json.dumps(asdict(summary)))
    # A wrong code leaves the phone's secrets only: the watch gives up before it has a transport.
    lines = (out / "keys.log").read_text().splitlines()
    assert [line.split("_")[1] for line in lines] == ["PAIR"] * 3 + ["RECONNECT"] * 2 + ["PAIR"] * 4 + ["RECONNECT"] * 2


async def test_its_own_capture_shows_an_honest_run(tmp_path: Path) -> None:
    seen = Seen()
    analysis = (await seen.run(tmp_path)).analysis
    # A wrong code, the right one, a reconnect, words, a QR code, and the gateway's.
    assert (analysis.sessions, analysis.handshakes, analysis.verified, analysis.attacks) == (6, 6, 6, 0)
    kinds = [finding.split(": ")[1] for finding in analysis.findings]
    assert kinds == ["refused", "cut-off"], "the wrong code, and the link that was lost"
    assert seen.said[-1].endswith("6 sessions, all handshakes verified, no attack")
    page = (tmp_path / analysis.report).read_text(encoding="utf-8")
    assert page.count("verified: every tag fits") == 6


async def test_without_a_broker_the_cloud_is_left_out_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)
    summary = await Seen().run(tmp_path)
    assert summary.cloud.startswith("left out")
    assert "pip install 'blechannel[broker]'" in summary.cloud
    assert summary.analysis.sessions == 5


async def test_a_capture_that_shows_an_attack_fails_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Analysed(sessions=1, handshakes=2, verified=1, attacks=1, findings=(), report="report.html")
    monkeypatch.setattr("blechannel_tools.demo.analyse", lambda *_: bad)
    with pytest.raises(BlechannelError, match="1 of 2 verified, 1 attack"):
        await Seen().run(tmp_path)


async def test_a_folder_that_cannot_hold_a_capture(tmp_path: Path) -> None:
    (tmp_path / "watch.btsnoop").symlink_to(tmp_path / "missing" / "file")
    # The link itself is removed; a folder in its place is not.
    await Seen().run(tmp_path)
    (tmp_path / "phone.btsnoop").unlink()
    (tmp_path / "phone.btsnoop").mkdir()
    with pytest.raises((OSError, TransportError)):
        await Seen().run(tmp_path)
