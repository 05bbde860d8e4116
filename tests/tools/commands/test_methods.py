"""Pairing by words and by ticket on the command line: two programs, and what each asks of its person."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from blechannel.methods import Method
from blechannel.oob.qr import to_text
from blechannel.pairing.out_of_band import Ticket
from blechannel_tools.exits import Exit
from tests.tools.live_watch import LiveWatch
from tests.tools.programs import Program, Run, Terminal


def test_words_are_compared_in_both_programs(transport: str) -> None:
    with Program("watch", "--pair", "--methods", "words", "--transport", transport) as watch:
        assert watch.event("words")["method"] == "words"
        with Program("phone", "pair", "--method", "words", "--answer-file", "-", "--transport", transport) as phone:
            assert phone.event("words")["words"] == watch.event("words")["words"]
            phone.type("yes")
            watch.type("maybe")
            watch.type("y")
            assert phone.event("paired")["bond"]["method"] == "words"
            assert phone.wait().code == Exit.DONE
        watch.interrupt()


@pytest.mark.parametrize("who", ["watch", "phone"])
def test_one_no_ends_it(transport: str, who: str) -> None:
    with Program("watch", "--pair", "--methods", "words", "--transport", transport) as watch:
        watch.event("words")
        with Program("phone", "pair", "--method", "words", "--answer-file", "-", "--transport", transport) as phone:
            phone.event("words")
            watch.event("words")
            (phone if who == "phone" else watch).type("no")
            ran = phone.wait()
        declined = watch.event("declined")["message"]
        assert ran.code == Exit.REFUSED
        told = declined if who == "phone" else ran.err
        assert "person saw other words, or did not answer" in told
        watch.interrupt()


@pytest.mark.parametrize("carrier", ["--qr-text", "--tag"])
def test_a_ticket_is_carried(transport: str, carrier: str, tmp_path: Path) -> None:
    tag, picture, text = tmp_path / "watch.ndef", tmp_path / "watch.png", tmp_path / "scanned"
    files = ("--tag", str(tag), "--qr", str(picture))
    with Program("watch", "--pair", "--methods", "oob", *files, "--transport", transport) as watch:
        shown = watch.event("ticket")
        text.write_text(shown["ticket"])
        for path in (tag, picture):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert picture.read_bytes().startswith(b"\x89PNG")
        source = text if carrier == "--qr-text" else tag
        with Program("phone", "pair", "--method", "oob", carrier, str(source), "--transport", transport) as phone:
            assert phone.event("paired")["bond"]["method"] == "out_of_band"
            assert phone.wait().code == Exit.DONE
        # The ticket has served: the next phone is refused.
        with Program("phone", "pair", "--method", "oob", carrier, str(source), "--timeout", "1") as phone:
            assert phone.wait().code == Exit.NO_WATCH
        watch.interrupt()


def test_a_ticket_from_standard_input(transport: str) -> None:
    with Program("watch", "--pair", "--methods", "oob", "--transport", transport) as watch:
        ticket = watch.event("ticket")["ticket"]
        with Program("phone", "pair", "--method", "oob", "--qr-text", "-", "--transport", transport) as phone:
            phone.event("ticket-wanted")
            phone.type(ticket.lower())
            phone.event("paired")
        watch.interrupt()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--method", "words", "--code-file", "x"), "goes with --method passkey"),
        (("--method", "passkey", "--tag", "x"), "goes with --method oob"),
        (("--method", "words"), "--answer-file"),
        (("--method", "oob"), "--qr-text"),
        (("--method", "certificates"), "passkey, words, oob, certificate"),
        (("--identity", "x"), "goes with --method certificate"),
        (("--method", "words", "--trusted", "x"), "goes with --method certificate"),
    ],
)
def test_what_makes_no_sense(programs: Run, arguments: tuple[str, ...], told: str) -> None:
    ran = programs("phone", "pair", *arguments, "--transport", "unix:/nowhere")
    assert ran.code == Exit.USAGE
    assert told in ran.err


@pytest.mark.parametrize("content", [b"", b"BLECHANNEL:1:ABC", b"https://example.org/"])
def test_what_is_no_ticket(programs: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scanned"
    path.write_bytes(content)
    ran = programs("phone", "pair", "--method", "oob", "--qr-text", str(path), "--transport", "unix:/nowhere")
    assert ran.code == Exit.FAILED
    assert "code" in ran.err


def test_a_ticket_that_a_person_types(people: Run, terminal: Terminal) -> None:
    terminal.type("junk\n\x04")
    ran = people("phone", "pair", "--method", "oob", "--transport", "unix:/nowhere")
    assert ran.code == Exit.FAILED
    assert ran.err.startswith("what a scanner reads in the watch's code: blechannel: ")
    assert people("phone", "pair", "--method", "oob", "--transport", "unix:/nowhere").code == Exit.REFUSED


def test_a_reader_that_is_not_there(programs: Run) -> None:
    ran = programs("phone", "pair", "--method", "oob", "--reader", "tty:no-such", "--transport", "unix:/nowhere")
    assert ran.code == Exit.FAILED
    assert ran.last["error"] == "CarrierError"


def test_a_window_for_another_method(transport: str, programs: Run, tmp_path: Path) -> None:
    (tmp_path / "answer").write_text("yes")
    with LiveWatch(transport, tmp_path) as watch:
        watch.look(lambda live: live.open_pairing())
        ran = programs("phone", "pair", "--method", "words", "--answer-file", str(tmp_path / "answer"))
    assert (ran.code, ran.last["error"]) == (Exit.REFUSED, "PairingRefused")
    assert "the watch's window is for another method" in ran.err
    assert "choose --method passkey, words, oob, certificate" in ran.err


def test_a_ticket_of_another_watch(transport: str, programs: Run, tmp_path: Path) -> None:
    (tmp_path / "scanned").write_text(to_text(Ticket.of(bytes(32), secret=bytes(32))))
    with LiveWatch(transport, tmp_path) as watch:
        watch.look(lambda live: live.open_pairing(Method.OUT_OF_BAND))
        ran = programs("phone", "pair", "--method", "oob", "--qr-text", str(tmp_path / "scanned"))
    assert (ran.code, ran.last["error"]) == (Exit.FAILED, "AuthenticationFailed")


def test_an_answer_that_is_none(programs: Run, tmp_path: Path) -> None:
    path = tmp_path / "answer"
    path.write_text("perhaps")
    ran = programs("phone", "pair", "--method", "words", "--answer-file", str(path), "--transport", "unix:/nowhere")
    assert ran.code == Exit.USAGE
    assert "neither yes nor no" in ran.err
