"""A phone and a watch, each a program: pair, reconnect, send, listen, and what goes wrong."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest

from blechannel_tools.exits import Exit
from tests.tools.programs import Program, Run, Terminal
from tests.tools.proxy import CuttingProxy


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_two_processes_pair_and_reconnect(transport: str) -> None:
    with Program("watch", "--pair", "--name", "wrist") as watch:
        with Program("phone", "pair", "--code-file", "-", "--name", "pocket") as phone:
            phone.event("code-wanted")
            code = watch.event("code")["code"]
            phone.type(f"{code[:3]} {code[3:]}")
            paired = phone.event("paired")
            assert phone.wait().code == Exit.DONE
        assert paired["address"] == transport
        assert paired["bond"]["name"] == "wrist"
        assert paired["bond"]["method"] == "passkey"
        assert not paired["bond"]["pending"]
        assert watch.event("joined") == {"event": "joined", "name": "pocket", "peer": "unix", "resumed": False}
        assert watch.event("left")["message"] is None
        with Program("phone", "connect") as phone:
            connected = phone.event("connected")
            assert connected["bond"]["epoch"] == 1
            assert connected["posture"] == {"transport": "unix", "encrypted": False, "phy": None}
            assert phone.event("round-trip")["milliseconds"] < 1000
            assert watch.event("joined")["resumed"]
            ran = phone.interrupt()
        assert ran.code == Exit.INTERRUPTED
        assert ran.last == {
            "event": "error",
            "error": "KeyboardInterrupt",
            "message": "interrupted",
            "exit_code": 130,
        }
        assert ran.err == "blechannel: interrupted\n"
        assert watch.event("left")["message"] is None, "Ctrl-C closes the channel in order"
        assert watch.interrupt().code == Exit.INTERRUPTED


def test_over_tcp(programs: Run, tmp_path: Path) -> None:
    with Program("watch", "--pair", "--transport", "tcp:127.0.0.1:0") as watch:
        address = watch.event("advertising")["address"]
        (tmp_path / "code").write_text(watch.event("code")["code"])
        code_file = str(tmp_path / "code")
        ran = programs("phone", "pair", address, "--code-file", code_file, "--transport", address)
        assert ran.code == Exit.DONE
        assert f"tcp:{ran.last['address']}" == address
        ran = programs("phone", "connect", address, "--seconds", "0.1", "--transport", address)
        assert ran.last == {"event": "closed", "by_watch": False}


def test_a_wrong_code_is_refused_and_a_new_one_shown(watch: Program, programs: Run, tmp_path: Path) -> None:
    first = watch.event("code")
    assert first["attempts_left"] == 3
    assert 110 < first["seconds_left"] <= 120
    (tmp_path / "code").write_text(wrong(first["code"]))
    ran = programs("phone", "pair", "--code-file", str(tmp_path / "code"))
    assert ran.code == Exit.REFUSED
    assert ran.last["error"] == "PairingRefused"
    assert "a wrong code" in ran.err
    second = watch.event("code")
    assert second["code"] != first["code"]
    assert second["attempts_left"] == 2
    assert programs("bonds", "list").last["bonds"] == []


@pytest.mark.parametrize("content", ["", "12345", "1234567", "12345a", "123456\n123456"])
@pytest.mark.usefixtures("transport")
def test_a_file_that_holds_no_code(programs: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "code").write_text(content)
    ran = programs("phone", "pair", "--code-file", str(tmp_path / "code"))
    assert ran.code == Exit.USAGE
    assert "six digits" in ran.err
    assert not content or content not in ran.err


def test_standard_input_that_holds_no_code(watch: Program) -> None:
    watch.event("code")
    with Program("phone", "pair", "--code-file", "-") as phone:
        phone.event("code-wanted")
        phone.type("no code")
        ran = phone.wait()
    assert ran.code == Exit.REFUSED
    assert "six digits" in ran.err


@pytest.mark.usefixtures("transport")
def test_a_code_needs_somebody_to_ask(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    ran = programs("phone", "pair")
    assert ran.code == Exit.USAGE
    assert "--code-file" in ran.err


def test_a_person_types_the_code(watch: Program, people: Run, terminal: Terminal) -> None:
    code = watch.event("code")["code"]
    terminal.type(f"12345\n{code[:3]} {code[3:]}\n")
    ran = people("phone", "pair")
    assert ran.code == Exit.DONE, ran
    assert ran.err == "the six digits that the watch shows: six digits, please: "
    assert ran.out.startswith("paired with watch (")


def test_a_person_who_types_no_code(watch: Program, people: Run, terminal: Terminal) -> None:
    watch.event("code")
    terminal.type("\x04")
    ran = people("phone", "pair")
    assert ran.code == Exit.REFUSED
    assert "no code was typed: the input ended" in ran.err


@pytest.mark.usefixtures("bonded_watch")
@pytest.mark.parametrize(
    "action", ["pair --code-file CODE --timeout 0.2", "connect --timeout 0.2", "scan --seconds 0.2"]
)
def test_no_watch(programs: Run, tmp_path: Path, action: str) -> None:
    (tmp_path / "code").write_text("123456")
    arguments = action.replace("CODE", str(tmp_path / "code")).split()
    ran = programs("phone", *arguments, "--transport", f"unix:{tmp_path / 'nobody'}")
    assert ran.code == Exit.NO_WATCH
    assert ran.last["error"] == "WatchNotFound"
    assert "is it switched on and near?" in ran.err


@pytest.mark.usefixtures("bonded_watch")
def test_a_watch_whose_window_is_closed(programs: Run, tmp_path: Path) -> None:
    (tmp_path / "code").write_text("123456")
    ran = programs("phone", "pair", "--code-file", str(tmp_path / "code"), "--timeout", "0.2")
    assert ran.code == Exit.NO_WATCH
    assert "1 other(s) seen" in ran.err


def test_scan_tells_a_bonded_watch(bonded_watch: str, programs: Run, people: Run) -> None:
    ran = programs("phone", "scan", "--seconds", "0.5")
    [found] = ran.last["watches"]
    assert found["address"] == bonded_watch
    assert found["name"] == "watch"
    assert not found["pairing_open"]
    assert ran.events[0]["event"] == "watch"
    printed = people("phone", "scan", "--seconds", "0.5").out
    assert "Watches near" in printed
    assert "closed" in printed


@pytest.mark.usefixtures("bonded_watch")
def test_messages_there_and_back(programs: Run, people: Run, tmp_path: Path) -> None:
    ran = programs("phone", "send", "echo", "hello", "wörld", "--expect-reply")
    assert [event["text"] for event in ran.events[:-1]] == ["hello", "wörld"]
    assert ran.last == {"event": "sent", "messages": 2, "size_bytes": 11}
    (tmp_path / "message").write_bytes(b"\xff\x00")
    ran = programs("phone", "send", "echo", "--file", str(tmp_path / "message"), "--expect-reply", "--watch", "watch")
    assert ran.events[0] == {"event": "message", "port": "echo", "text": None, "hex": "ff00"}
    # What a peer says does not drive the terminal.
    assert people("phone", "send", "echo", "\x1b[2J", "--expect-reply").out == "\\x1b[2J\nsent one message\n"


@pytest.mark.usefixtures("bonded_watch")
def test_a_message_from_standard_input(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"piped\n")))
    ran = programs("phone", "send", "echo", "--file", "-", "--expect-reply")
    assert ran.only("message")["text"] == "piped\n"


@pytest.mark.usefixtures("bonded_watch")
def test_no_reply_is_an_error(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel_tools.commands.phone_send.REPLY_S", 0.1)
    ran = programs("phone", "send", "nobody", "hello", "--expect-reply")
    assert ran.code == Exit.FAILED
    assert "does the watch serve it?" in ran.err


@pytest.mark.usefixtures("bonded_watch")
def test_a_watch_that_shuts_a_port_without_an_answer(programs: Run, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(b"no offer")
    ran = programs("phone", "send", "transfer", "--file", str(tmp_path / "message"), "--expect-reply")
    assert ran.code == Exit.FAILED
    assert "the watch ended this before it was done" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("echo",),
        ("echo", "text", "--file", "F"),
        ("--transfer", "F", "--expect-reply"),
        ("echo", "--transfer", "F"),
    ],
)
@pytest.mark.usefixtures("transport")
def test_what_cannot_be_sent(programs: Run, arguments: tuple[str, ...]) -> None:
    assert programs("phone", "send", *arguments).code == Exit.USAGE


@pytest.mark.usefixtures("bonded_watch")
def test_a_message_that_is_too_long(programs: Run, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(bytes(100_000))
    ran = programs("phone", "send", "echo", "--file", str(tmp_path / "message"))
    assert ran.code == Exit.USAGE
    assert "Traceback" not in ran.err


@pytest.mark.usefixtures("bonded_watch")
def test_the_battery_is_heard(programs: Run, people: Run) -> None:
    ran = programs("phone", "listen", "battery", "--count", "1")
    assert ran.only("message")["hex"] == "64"
    assert ran.last == {"event": "done", "messages": 1}
    assert people("phone", "listen", "battery", "--seconds", "0.5").out == "100 %\n"


@pytest.mark.usefixtures("transport")
def test_a_file_arrives_whole_and_is_kept(programs: Run, people: Run, tmp_path: Path) -> None:
    blob = os.urandom(100_000)
    (tmp_path / "blob").write_bytes(blob)
    kept = tmp_path / "kept"
    with Program("watch", "--pair", "--save", str(kept)) as watch:
        (tmp_path / "code").write_text(watch.event("code")["code"])
        programs("phone", "pair", "--code-file", str(tmp_path / "code"))
        ran = programs("phone", "send", "--transfer", str(tmp_path / "blob"))
        assert ran.last == {"event": "transferred", "size_bytes": len(blob), "links_lost": 0}
        assert ran.events[-2] == {"event": "progress", "done_bytes": len(blob), "size_bytes": len(blob)}
        received = watch.event("received")
        assert received["sha256"] == hashlib.sha256(blob).hexdigest()
        saved = Path(received["saved"])
        assert saved.parent == kept
        assert saved.read_bytes() == blob
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600
        assert "their digest is right" in people("phone", "send", "--transfer", str(tmp_path / "blob")).out


def test_a_file_goes_on_after_a_lost_link(programs: Run, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(os.urandom(300_000))
    with (
        Program("watch", "--pair", "--transport", "tcp:127.0.0.1:0") as watch,
        CuttingProxy(watch.event("advertising")["address"], after_bytes=100_000) as proxy,
    ):
        (tmp_path / "code").write_text(watch.event("code")["code"])
        there = ("--transport", proxy.address)
        assert programs("phone", "pair", "--code-file", str(tmp_path / "code"), *there).code == Exit.DONE
        ran = programs("phone", "send", "--transfer", str(tmp_path / "blob"), *there)
        assert ran.code == Exit.DONE, ran
        assert proxy.cuts == 1
        assert ran.last["links_lost"] == 1
        assert ran.only("link-lost")["message"]
        assert watch.event("received")["size_bytes"] == 300_000
        # Resumed, not begun again: fewer bytes went through than the file twice.
        assert proxy.forwarded_bytes < 550_000


def test_a_file_that_a_cut_link_never_lets_through(programs: Run, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(os.urandom(100_000))
    with (
        Program("watch", "--pair", "--transport", "tcp:127.0.0.1:0") as watch,
        CuttingProxy(watch.event("advertising")["address"], after_bytes=10**9) as proxy,
    ):
        (tmp_path / "code").write_text(watch.event("code")["code"])
        there = ("--transport", proxy.address)
        programs("phone", "pair", "--code-file", str(tmp_path / "code"), *there)
        proxy.cut_all_after(5_000)
        ran = programs("phone", "send", "--transfer", str(tmp_path / "blob"), *there)
    assert ran.code == Exit.LINK, ran
    assert ran.last["error"] == "LinkLost"


@pytest.mark.usefixtures("transport")
def test_a_file_that_is_not_there(programs: Run, tmp_path: Path) -> None:
    ran = programs("phone", "send", "--transfer", str(tmp_path / "missing"))
    assert ran.code == Exit.FAILED
    assert ran.err == f"blechannel: {tmp_path / 'missing'}: no such file or directory\n"


@pytest.mark.usefixtures("transport")
def test_a_file_over_the_limit(programs: Run, tmp_path: Path) -> None:
    with (tmp_path / "blob").open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    ran = programs("phone", "send", "--transfer", str(tmp_path / "blob"))
    assert ran.code == Exit.USAGE
    assert "16 MiB" in ran.err


@pytest.mark.usefixtures("transport")
def test_a_bond_that_the_watch_has_forgotten(programs: Run, tmp_path: Path) -> None:
    with Program("watch", "--pair") as watch:
        (tmp_path / "code").write_text(watch.event("code")["code"])
        programs("phone", "pair", "--code-file", str(tmp_path / "code"))
    assert programs("bonds", "forget", "phone", "--yes", "--role", "watch").code == Exit.DONE
    with Program("watch") as watch:
        watch.event("advertising")
        ran = programs("phone", "connect", "--timeout", "0.5")
        assert ran.code == Exit.NO_WATCH
        assert "this phone was removed there" in ran.err
        assert len(programs("bonds", "list").last["bonds"]) == 1, "a refusal forgets nothing"
        assert watch.event("declined")["message"]


@pytest.mark.usefixtures("transport")
def test_no_bond_yet(programs: Run) -> None:
    ran = programs("phone", "connect")
    assert ran.code == Exit.STORE
    assert "blechannel phone pair" in ran.err


def test_a_watch_that_quits_ends_the_stay(watch: Program, programs: Run, tmp_path: Path) -> None:
    (tmp_path / "code").write_text(watch.event("code")["code"])
    programs("phone", "pair", "--code-file", str(tmp_path / "code"))
    with Program("phone", "connect") as phone:
        phone.event("round-trip")
        watch.interrupt()
        assert phone.event("closed")["by_watch"]
        assert phone.wait().code == Exit.DONE


@pytest.mark.usefixtures("bonded_watch")
def test_a_stay_for_people(people: Run) -> None:
    ran = people("phone", "connect", "--seconds", "0.05")
    assert "connected to watch: epoch " in ran.out
    assert "a message there and back" in ran.out
    assert "this phone closed the channel" in ran.out


@pytest.mark.usefixtures("bonded_watch")
def test_a_watch_without_echo(people: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel_tools.commands.phone_connect.ECHO_S", 0.05)
    monkeypatch.setattr("blechannel_tools.commands.phone_connect.echo.PORT", "nobody")
    assert "serves this phone no echo" in people("phone", "connect", "--seconds", "0.05").out


@pytest.mark.usefixtures("transport")
def test_ctrl_c_in_a_pairing_leaves_both_stores_whole(programs: Run, tmp_path: Path) -> None:
    """First the phone's, then the watch's; afterwards both pair as if nothing had been."""
    with Program("watch", "--pair") as watch:
        watch.event("code")
        with Program("phone", "pair", "--code-file", "-") as phone:
            phone.event("code-wanted")
            assert phone.interrupt().code == Exit.INTERRUPTED
        with Program("phone", "pair", "--code-file", "-") as phone:
            phone.event("code-wanted")
            ended = watch.interrupt()
            assert ended.code == Exit.INTERRUPTED
            assert phone.wait().code in (Exit.LINK, Exit.REFUSED, Exit.FAILED)
    with Program("watch", "--pair") as watch:
        (tmp_path / "code").write_text(watch.event("code")["code"])
        assert programs("phone", "pair", "--code-file", str(tmp_path / "code")).code == Exit.DONE
        assert programs("phone", "send", "echo", "hi", "--expect-reply").code == Exit.DONE


@pytest.mark.usefixtures("bonded_watch")
def test_a_store_that_another_program_uses(programs: Run, people: Run) -> None:
    ran = programs("bonds", "list", "--role", "watch")
    assert ran.code == Exit.STORE
    assert ran.last["error"] == "StoreLocked"
    with Program("phone", "connect") as phone:
        phone.event("connected")
        ran = people("phone", "connect")
    assert ran.code == Exit.STORE
    assert "another program has the bond store open; close that one" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.usefixtures("transport")
def test_the_key_log_is_kept_and_warned_of(
    programs: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Program("watch", "--pair") as watch:
        (tmp_path / "code").write_text(watch.event("code")["code"])
        monkeypatch.setenv("BLECHANNEL_KEYLOG", str(tmp_path / "keys"))
        assert programs("phone", "pair", "--code-file", str(tmp_path / "code")).code == Exit.DONE
    assert "KEY LOG IS ON" in caplog.text
    assert "PAIR" in (tmp_path / "keys").read_text()
