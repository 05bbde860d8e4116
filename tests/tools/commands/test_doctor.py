"""`blechannel doctor` on this machine, whatever it has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from blechannel_tools.board import shipped
from blechannel_tools.commands import doctor
from blechannel_tools.diagnosis.finding import Finding, fail, ok, warn
from blechannel_tools.exits import Exit
from tests.tools.programs import Facts, Ran, Run


def findings(ran: Ran) -> dict[str, Facts]:
    return {finding["subject"]: finding for finding in ran.last["findings"]}


def test_all_is_well_here(programs: Run, home: Path) -> None:
    ran = programs("doctor")
    assert ran.code == Exit.DONE
    assert ran.last["healthy"]
    found = findings(ran)
    for subject in ("Python", "blechannel", "cryptography", "construct", "bumble", "virtual radio", "phone's bonds"):
        assert found[subject]["level"] == "ok", found[subject]
    assert all(finding["advice"] for finding in found.values() if finding["level"] != "ok")
    assert not home.exists(), "looking makes nothing"


def test_for_people(people: Run, home: Path) -> None:
    home.mkdir()
    (home / "watch.db").write_text("this is no database")
    ran = people("doctor")
    assert ran.code == Exit.FAILED
    assert "fail   watch's bonds" in ran.out
    assert ran.out.startswith("What blechannel finds here: 1 failure")
    assert "→ restore the file from a copy" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_transport_that_does_not_open(programs: Run) -> None:
    ran = programs("doctor", "--transport", "serial:/dev/no-such-device")
    assert ran.code == Exit.FAILED
    assert not ran.last["healthy"]
    assert "is it plugged in?" in findings(ran)["transport"]["text"]


def test_a_board(programs: Run, transport: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((shipped()["virtual"]).read_text().replace("tcp:127.0.0.1:7001", transport))
    found = findings(programs("doctor", "--board", str(path)))
    assert transport in found["transport"]["text"]
    if sys.platform == "linux":
        assert found["board"]["level"] == "ok"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "all is well"),
        ([ok("a", "b")], "all is well"),
        ([warn("a", "b", "c"), ok("a", "b")], "1 warning"),
        ([warn("a", "b", "c"), fail("a", "b", "c"), warn("a", "b", "c")], "1 failure, 2 warnings"),
        ([fail("a", "b", "c"), fail("a", "b", "c")], "2 failures"),
    ],
)
def test_the_verdict(found: list[Finding], said: str) -> None:
    assert doctor.verdict(found) == said


def test_a_watch_that_runs(bonded_watch: str, programs: Run) -> None:
    ran = programs("doctor")
    assert ran.code == Exit.DONE
    found = findings(ran)
    assert found["transport"]["text"] == f"a watch answers at {bonded_watch}"
    assert found["watch's bonds"]["level"] == "warn"
    assert "in use by another program" in found["watch's bonds"]["text"]
    assert found["phone's bonds"]["text"].startswith("1 in ")


def test_the_key_log_is_pointed_out(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLECHANNEL_KEYLOG", "/nowhere/keys")
    assert findings(programs("doctor"))["key log"]["level"] == "warn"
