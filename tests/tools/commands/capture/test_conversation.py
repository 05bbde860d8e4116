"""`capture conversation`."""

from __future__ import annotations

from pathlib import Path

from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Run


def test_with_keys_every_handshake_is_verified_and_messages_are_counted(people: Run, recorded: Recording) -> None:
    shown = people("capture", "conversation", *recorded.opened).out
    assert "Connection 1" in shown
    assert "#1 verified: pairing by passkey, suite classical" in shown
    assert "#2 session closed by both sides" in shown
    assert "… 3 messages, 2,008 bytes" in shown
    assert b"hello".hex() not in shown


def test_every_message_where_it_is_asked_for(people: Run, recorded: Recording) -> None:
    shown = people("capture", "conversation", *recorded.opened, "--messages").out
    assert f"message={b'hello'.hex()}" in shown
    assert "…" not in [line.split()[2] for line in shown.splitlines() if line.startswith(" ")]


def test_without_keys_records_stay_sealed(people: Run, recorded: Recording) -> None:
    shown = people("capture", "conversation", str(recorded.phone)).out
    assert "verified" not in shown
    assert "sealed" in shown
    assert "Pair2" in shown


def test_the_same_for_programs(programs: Run, recorded: Recording) -> None:
    ran = programs("capture", "conversation", *recorded.opened)
    assert [event["event"] for event in ran.events] == ["conversation", "conversation", "done"]
    assert [event["connection"] for event in ran.events[:2]] == [1, 2]
    messages = [each["body"]["message"] for each in ran.events[1]["events"] if (each.get("body") or {}).get("message")]
    assert [len(each) // 2 for each in messages] == [5, 2000, 3]
    assert messages[0] == b"hello".hex()


def test_a_capture_without_our_channel(people: Run, programs: Run, sniffed: Path) -> None:
    assert "No session of our channel is in this capture." in people("capture", "conversation", str(sniffed)).out
    ran = programs("capture", "conversation", str(sniffed))
    assert ran.only("conversation") == {"event": "conversation", "connection": 0, "events": []}
    assert ran.last["count"] == 0
