"""What a watch and a phone do on real adapters. `tests/system/test_hardware_suite.py` runs the same on virtual ones."""

from __future__ import annotations

import hashlib
import random
import signal

import pytest

from blechannel_tools.exits import Exit
from tests.hardware.desk import Desk, bond_of

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(180)]

BULK_BYTES = 256 * 1024
MESSAGE_BYTES = 4096


def test_pair_by_passkey_and_reconnect(desk: Desk) -> None:
    with desk.watch("--pair") as watch:
        bond = desk.pair(watch)
        assert (bond["name"], bond["method"], bond["pending"]) == ("wrist", "passkey", False)
        watch.event("left")
        ran = desk.ran("connect", "--seconds", "0.5")
        assert ran.only("connected")["bond"]["id"] == bond["id"]
        assert ran.only("round-trip")["milliseconds"] is not None
        assert watch.event("joined")["resumed"]


def test_pair_by_words(desk: Desk) -> None:
    with (
        desk.watch("--pair", "--methods", "words") as watch,
        desk.phone("pair", "--method", "words", "--answer-file", "-") as phone,
    ):
        words = phone.event("words")["words"]
        watch.event("words")  # the window is open
        assert watch.event("words")["words"] == words
        phone.type("yes")
        watch.type("yes")
        assert bond_of(phone)["method"] == "words"


def test_pair_by_qr(desk: Desk) -> None:
    with (
        desk.watch("--pair", "--methods", "oob") as watch,
        desk.phone("pair", "--method", "oob", "--qr-text", "-") as phone,
    ):
        phone.event("ticket-wanted")
        phone.type(watch.event("ticket")["ticket"])
        assert bond_of(phone)["method"] == "out_of_band"


def test_a_wrong_code_is_refused(desk: Desk) -> None:
    with desk.watch("--pair") as watch:
        with desk.phone("pair", "--code-file", "-") as phone:
            code = watch.event("code")["code"]
            phone.event("code-wanted")
            phone.type(f"{(int(code) + 1) % 1_000_000:06d}")
            assert phone.wait().code == Exit.REFUSED
        assert watch.event("code")["code"] != code


def test_bulk_to_the_watch_arrives_whole(desk: Desk) -> None:
    blob = random.Random(1).randbytes(BULK_BYTES)
    (desk.folder / "blob").write_bytes(blob)
    with desk.watch("--pair") as watch:
        desk.pair(watch)
        ran = desk.ran("send", "--transfer", str(desk.folder / "blob"))
        assert ran.last == {"event": "transferred", "size_bytes": BULK_BYTES, "links_lost": 0}
        assert watch.event("received")["sha256"] == hashlib.sha256(blob).hexdigest()


def test_bulk_comes_back_from_the_watch(desk: Desk) -> None:
    texts = [random.Random(number).randbytes(MESSAGE_BYTES // 2).hex() for number in range(BULK_BYTES // MESSAGE_BYTES)]
    with desk.watch("--pair") as watch:
        desk.pair(watch)
        ran = desk.ran("send", "echo", *texts, "--expect-reply")
    assert [event["text"] for event in ran.events if event["event"] == "message"] == texts


def test_a_transfer_goes_on_after_the_watch_died(desk: Desk) -> None:
    """No word of parting: the phone hears nothing any more, and finds the watch again when it is back."""
    blob = random.Random(2).randbytes(BULK_BYTES)
    (desk.folder / "blob").write_bytes(blob)
    with desk.watch("--pair") as watch:
        desk.pair(watch)
        watch.event("left")
        with desk.phone("send", "--transfer", str(desk.folder / "blob"), "--timeout", "60") as phone:
            phone.event("progress")
            phone.event("progress")
            watch.interrupt(signal.SIGKILL)
            with desk.watch() as again:
                assert phone.event("transferred")["links_lost"] >= 1
                assert again.event("received")["sha256"] == hashlib.sha256(blob).hexdigest()
            assert phone.wait().code == Exit.DONE


def test_both_sides_restart(desk: Desk) -> None:
    with desk.watch("--pair") as watch:
        bond = desk.pair(watch)
    with desk.watch() as watch:
        for _ in range(2):
            connected = desk.ran("connect", "--seconds", "0.2").only("connected")
            assert connected["bond"]["id"] == bond["id"]
            assert watch.event("joined")["resumed"]


def test_two_phones_in_turn(desk: Desk) -> None:
    for owner in ("pocket", "bag"):
        with desk.watch("--pair", "--guest-port", "echo") as watch:
            assert desk.pair(watch, owner)["name"] == "wrist"
    with desk.watch("--guest-port", "echo") as watch:
        for owner in ("pocket", "bag", "pocket"):
            assert desk.ran("send", "echo", owner, "--expect-reply", owner=owner).only("message")["text"] == owner
            assert watch.event("joined")["name"] == owner
            watch.event("left")
