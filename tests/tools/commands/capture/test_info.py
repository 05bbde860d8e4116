"""`capture info`."""

from __future__ import annotations

from pathlib import Path

from tests.capture.writing import START_NS
from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Run


def test_what_a_capture_holds(programs: Run, recorded: Recording) -> None:
    ran = programs("capture", "info", *recorded.opened)
    capture = ran.only("capture")
    assert ran.code == 0
    assert (capture["format"], capture["link_types"]) == ("btsnoop", ["snoop h4"])
    assert capture["packets"] == len(recorded.world.taps[next(iter(recorded.world.taps))].said)
    assert capture["first_ns"] == START_NS < capture["last_ns"]
    assert capture["events"]["HandshakeVerified"] == capture["events"]["Connected"] == 2
    assert [event["event"] for event in ran.events] == ["capture", "connections", "ledger", "done"]


def test_what_became_of_each_connection(programs: Run, recorded: Recording) -> None:
    first, second = programs("capture", "info", *recorded.opened).only("connections")["connections"]
    assert first["channel"][0] == "pairing by passkey, verified"
    assert second["channel"] == ["reconnect, verified", "closed by both sides"]
    assert (first["number"], first["interval_us"], first["beginning_seen"]) == (1, 30_000, True)
    assert first["peripheral"].startswith("80:11:22:33:44:55")


def test_without_keys_nothing_is_said_to_be_verified(programs: Run, recorded: Recording) -> None:
    ran = programs("capture", "info", str(recorded.phone))
    assert "HandshakeVerified" not in ran.only("capture")["events"]
    assert all("verified" not in said for each in ran.only("connections")["connections"] for said in each["channel"])


def test_people_see_whether_it_is_whole(people: Run, recorded: Recording, damaged: Path) -> None:
    assert "The capture is whole: nothing is missing or damaged." in people("capture", "info", str(recorded.phone)).out
    shown = people("capture", "info", str(damaged)).out
    assert "What is missing or damaged:" in shown
    assert "1 × the file ends inside a record" in shown


def test_programs_see_what_is_damaged(programs: Run, damaged: Path) -> None:
    ran = programs("capture", "info", str(damaged))
    assert ran.only("capture")["damage"]["truncated"] == ran.only("ledger")["counts"]["truncated"] == 1
    [entry] = [each for each in ran.only("ledger")["entries"] if "the file ends" in each]
    assert entry.startswith("packet ")


def test_much_damage_is_cut_for_people(people: Run, programs: Run, recorded: Recording, tmp_path: Path) -> None:
    """The same packet many times over, each a continuation of nothing."""
    content = recorded.phone.read_bytes()
    orphan = bytes.fromhex("0000000a0000000a0000000000000000") + (0x00DCDDB30F2F8000).to_bytes(8, "big")
    path = tmp_path / "orphans.btsnoop"
    path.write_bytes(content[:16] + (orphan + bytes.fromhex("02401005000102030405")) * 30)
    assert "… and 18 more, which --json lists" in people("capture", "info", str(path)).out
    assert len(programs("capture", "info", str(path)).only("ledger")["entries"]) == 30


def test_a_capture_of_no_packet(programs: Run, people: Run, recorded: Recording, tmp_path: Path) -> None:
    path = tmp_path / "header-only.btsnoop"
    path.write_bytes(recorded.phone.read_bytes()[:16])
    ran = programs("capture", "info", str(path))
    assert ran.code == 0
    assert [event["event"] for event in ran.events] == ["capture", "ledger", "done"]
    shown = people("capture", "info", str(path)).out
    assert "1970" not in shown
