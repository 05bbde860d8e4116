"""`blechannel identity`: what it makes, keeps and shows, and what it will not do."""

from __future__ import annotations

import json
import re
import shutil
import stat
from pathlib import Path

import pytest
from cryptography import x509

from blechannel_tools.exits import Exit
from tests.tools.programs import Run, Terminal


def made(programs: Run, tmp_path: Path, role: str) -> Path:
    """That side's certificate, as it is carried."""
    programs("identity", "create", "--role", role, "--name", f"my {role}")
    carried = tmp_path / f"{role}.pem"
    assert programs("identity", "export", str(carried), "--role", role).code == Exit.DONE
    return carried


def test_a_certificate_is_made_and_shown_alike(people: Run, programs: Run, home: Path) -> None:
    ran = people("identity", "create", "--name", "pocket", "--days", "2")
    assert ran.code == Exit.DONE
    assert ran.out.startswith("made a certificate for this phone:\n  name         pocket\n  fingerprint  ")
    assert ran.out.endswith("next: `blechannel identity export FILE`, and carry that file to the watch\n")
    assert stat.S_IMODE((home / "phone.identity.pem").stat().st_mode) == 0o600
    facts = programs("identity", "show").only("identity")
    assert (facts["name"], facts["file"]) == ("pocket", str(home / "phone.identity.pem"))
    assert facts["not_after_s"] - facts["not_before_s"] == 3 * 86400
    digits = "".join(
        re.findall(r"\b[0-9a-f]{4}\b(?= |$)", ran.out.partition("fingerprint")[2].partition("valid")[0], re.M)
    )
    assert digits == facts["fingerprint"]
    assert all(len(line) < 80 for line in people("identity", "show").out.splitlines()[:5])


def test_nothing_is_replaced(programs: Run, home: Path, tmp_path: Path) -> None:
    carried = made(programs, tmp_path, "watch")
    before = (home / "watch.identity.pem").read_bytes()
    ran = programs("identity", "create", "--role", "watch")
    assert ran.code == Exit.STORE
    assert "has a certificate already" in ran.err
    assert (home / "watch.identity.pem").read_bytes() == before
    assert programs("identity", "export", str(carried), "--role", "watch").code == Exit.STORE


def test_what_is_carried_is_no_secret(programs: Run, tmp_path: Path) -> None:
    content = made(programs, tmp_path, "watch").read_bytes()
    assert b"KEY" not in content
    assert x509.load_pem_x509_certificate(content).subject.rfc4514_string() == "CN=my watch"


def test_each_side_keeps_its_own_wherever_it_is_told_to(programs: Run, people: Run, tmp_path: Path) -> None:
    beside = ("--store", str(tmp_path / "other.db"))
    assert programs("identity", "create", *beside).last["file"] == str(tmp_path / "other.identity.pem")
    ran = people("identity", "create", "--identity", str(tmp_path / "an other.pem"))
    assert f"export FILE --identity '{tmp_path / 'an other.pem'}'`" in ran.out
    assert programs("identity", "show").code == Exit.STORE
    carried = made(programs, tmp_path, "watch")
    for where, folder in ((beside, "other.trusted"), (("--trusted", str(tmp_path / "named")), "named")):
        programs("identity", "trust", str(carried), "--yes", *where)
        assert programs("identity", "list", *where).last["folder"] == str(tmp_path / folder)
        assert len(programs("identity", "list", *where).last["certificates"]) == 1
    assert programs("identity", "list").last["certificates"] == []


def test_trust_is_asked_for(programs: Run, people: Run, terminal: Terminal, tmp_path: Path) -> None:
    carried = str(made(programs, tmp_path, "watch"))
    for answer in ("n\n", "\x04"):
        terminal.type(answer)
        ran = people("identity", "trust", carried)
        assert ran.code == Exit.FAILED
        assert "nothing was trusted" in ran.err
        assert "does `blechannel identity show --role watch` tell this fingerprint on the watch? [y/N]" in ran.err
    assert "nobody is trusted" in people("identity", "list").out
    terminal.type("y\n")
    ran = people("identity", "trust", carried)
    assert ran.out.endswith("this phone trusts my watch now\n")
    shown = people("identity", "show", "--role", "watch").out
    [(first, second)] = re.findall(r"fingerprint  (.*)\n +(.*)", shown)
    assert first in ran.out
    assert second in ran.out
    assert people("identity", "trust", carried, "--yes").out == "this phone trusted my watch already\n"
    assert first[:19] in people("identity", "list").out


@pytest.mark.usefixtures("terminal")
def test_programs_are_told_what_is_asked_about(programs: Run, terminal: Terminal, tmp_path: Path) -> None:
    carried = made(programs, tmp_path, "watch")
    terminal.type("y\n")
    asked, trusted = programs("identity", "trust", str(carried)).events
    assert (asked["event"], asked["file"], trusted["event"]) == ("certificate", str(carried), "trusted")
    assert asked["fingerprint"] == trusted["fingerprint"]


def test_trust_ends(programs: Run, people: Run, tmp_path: Path) -> None:
    fingerprint = programs("identity", "trust", str(made(programs, tmp_path, "watch")), "--yes").last["fingerprint"]
    again = str(made(programs, tmp_path, "phone"))
    programs("identity", "trust", again, "--yes", "--identity", str(tmp_path / "none"))
    grouped = f"{fingerprint[:4].upper()} {fingerprint[4:8]}:{fingerprint[8:10]}"
    assert programs("identity", "untrust", grouped).only("untrusted")["fingerprint"] == fingerprint
    ran = people("identity", "untrust", "my phone")
    assert ran.out.startswith("this phone trusts my phone no longer; a bond that was made with it stays")
    for nobody in ("my phone", "", "ff"):
        ran = programs("identity", "untrust", nobody)
        assert (ran.code, "identity list" in ran.err) == (Exit.STORE, True)


def test_a_name_that_two_have(programs: Run, tmp_path: Path) -> None:
    for number in range(2):
        key, carried = str(tmp_path / f"{number}.key"), str(tmp_path / f"{number}.pem")
        programs("identity", "create", "--name", "twin", "--identity", key)
        programs("identity", "export", carried, "--identity", key)
        programs("identity", "trust", carried, "--yes")
    ran = programs("identity", "untrust", "twin")
    assert (ran.code, "several certificates fit" in ran.err) == (Exit.USAGE, True)
    assert len(programs("identity", "list").last["certificates"]) == 2


@pytest.mark.parametrize("option", [("--name", ""), ("--name", "n" * 49), ("--days", "0"), ("--days", "40000")])
def test_what_no_certificate_can_say(programs: Run, home: Path, option: tuple[str, str]) -> None:
    assert programs("identity", "create", *option).code == Exit.USAGE
    assert not home.exists()


def test_a_name_does_not_drive_the_terminal(programs: Run, people: Run, tmp_path: Path) -> None:
    programs("identity", "create", "--role", "watch", "--name", "\x1b[2J")
    programs("identity", "export", str(tmp_path / "x.pem"), "--role", "watch")
    programs("identity", "trust", str(tmp_path / "x.pem"), "--yes")
    for shown in (people("identity", "show", "--role", "watch"), people("identity", "list")):
        assert "\\x1b[2J" in shown.out
        assert "\x1b" not in shown.out


def test_nobody_to_ask(programs: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried = made(programs, tmp_path, "watch")
    with (tmp_path / "nothing").open("w+") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        ran = programs("identity", "trust", str(carried))
    assert (ran.code, "say --yes" in ran.err) == (Exit.USAGE, True)
    assert json.loads(ran.out.splitlines()[0])["event"] == "certificate"
    shutil.rmtree(tmp_path / "home")
