"""`capture decrypt`: which key opens what, and why the rest stays closed."""

from __future__ import annotations

from pathlib import Path

from tests.tools.commands.capture.recording import LINK_KEY, Recording
from tests.tools.programs import Run


def test_a_link_without_a_key(programs: Run, people: Run, sniffed: Path) -> None:
    [link] = programs("capture", "decrypt", str(sniffed)).only("decrypted")["link"]
    assert (link["connection"], link["verdict"]) == (1, "no key is known")
    assert link["count"] >= 1
    assert "no key is known" in people("capture", "decrypt", str(sniffed)).out


def test_a_link_with_its_key_and_with_another(programs: Run, sniffed: Path) -> None:
    opened = programs("capture", "decrypt", str(sniffed), "--ltk", bytes(16).hex(), "--ltk", LINK_KEY.hex())
    assert opened.only("decrypted")["link"] == []
    wrong = programs("capture", "decrypt", str(sniffed), "--ltk", bytes(16).hex())
    assert [each["verdict"] for each in wrong.only("decrypted")["link"]] == ["the keys that are known do not fit"]
    assert [event["event"] for event in wrong.events] == ["decrypted", "done"]


def test_a_link_with_the_key_of_a_log(programs: Run, sniffed: Path, tmp_path: Path) -> None:
    log = tmp_path / "zephyr.log"
    log.write_text(f"<inf> bt_smp: SC LTK: 0x{LINK_KEY.hex()}\n", encoding="utf-8")
    opened = programs("capture", "decrypt", str(sniffed), "--ltk-from", str(log))
    assert opened.only("decrypted")["link"] == []
    assert opened.only("link-key")["source"] == "from zephyr.log"


def test_keys_are_shown_only_where_it_is_asked_for(programs: Run, people: Run, sniffed: Path) -> None:
    given = ("capture", "decrypt", str(sniffed), "--ltk", LINK_KEY.hex())
    assert programs(*given).only("link-key")["key"] is None
    assert LINK_KEY.hex() not in people(*given).out
    assert programs(*given, "--show-keys").only("link-key")["key"] == LINK_KEY.hex()
    assert LINK_KEY.hex() in people(*given, "--show-keys").out


def test_our_channel(programs: Run, recorded: Recording) -> None:
    with_keys = programs("capture", "decrypt", *recorded.opened).only("decrypted")["channel"]
    assert {each["verdict"] for each in with_keys} == {"ok"}
    without = programs("capture", "decrypt", str(recorded.phone)).only("decrypted")["channel"]
    assert {each["verdict"] for each in without} == {"no_key"}
    records = sum(each["count"] for each in with_keys if each["detail"] == "records")
    assert sum(each["count"] for each in without) == records


def test_nothing_is_sealed(people: Run, recorded: Recording, tmp_path: Path) -> None:
    path = tmp_path / "header.btsnoop"
    path.write_bytes(recorded.phone.read_bytes()[:16])
    assert "Nothing that stays closed is in this capture" in people("capture", "decrypt", str(path)).out
