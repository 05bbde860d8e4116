"""`capture timing`."""

from __future__ import annotations

from pathlib import Path

from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Run


def test_what_is_measured(programs: Run, recorded: Recording) -> None:
    ran = programs("capture", "timing", *recorded.opened)
    pairing, reconnect, done = ran.events
    assert (pairing["event"], reconnect["event"], done) == ("timing", "timing", {"event": "done", "count": 2})
    # Every packet of the traffic is a millisecond after the one before.
    assert pairing["att_round_trips_ns"] == [1_000_000] * 2
    assert pairing["interval_declared_us"] == 30_000
    assert reconnect["handshake_round_trips"] == 1
    assert reconnect["handshake_ns"] == 2_000_000
    assert reconnect["channel_bytes"] == {"phone": 2008, "watch": 0}
    assert reconnect["att_bytes"]["central"] > 2008


def test_channel_bytes_need_the_keys(programs: Run, recorded: Recording) -> None:
    _, reconnect, _ = programs("capture", "timing", str(recorded.phone)).events
    assert reconnect["channel_bytes"] == {"phone": 0, "watch": 0}


def test_for_people(people: Run, recorded: Recording) -> None:
    shown = people("capture", "timing", *recorded.opened).out
    assert "2: median 1.00 ms, 95 % within 1.00 ms" in shown
    assert "2.0 ms from INFO, 1 round trip\n" in "\n".join(line.rstrip() for line in shown.splitlines())
    assert "channel messages →" in shown
    assert "3, 2,008 bytes" in shown


def test_nothing_to_measure(programs: Run, people: Run, recorded: Recording, tmp_path: Path) -> None:
    path = tmp_path / "header.btsnoop"
    path.write_bytes(recorded.phone.read_bytes()[:16])
    assert "No connection with ATT traffic" in people("capture", "timing", str(path)).out
    assert programs("capture", "timing", str(path)).last == {"event": "done", "count": 0}
