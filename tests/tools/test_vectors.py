"""docs/vectors.md: fresh, the same in every run, and what a second implementation gets from docs/protocol.md."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel.roles import Role
from blechannel_tools.vectors import vectors_page
from blechannel_tools.vectors.__main__ import main
from blechannel_tools.vectors.run import SeededRandom, run
from blechannel_tools.vectors.steps import pairing_steps, reconnect_steps
from tests.tools import second_implementation as second

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "vectors.md"
Values = dict[str, bytes]


def blocks(text: str) -> list[Values]:
    """Every block of bytes, each value under the name beside it."""
    return [_values(block) for block in re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def _values(block: str) -> Values:
    values: Values = {}
    name = ""
    for line in block.splitlines():
        name = line[50:] or name
        values[name] = values.get(name, b"") + bytes.fromhex(line[:48])
    return values


def frames(text: str) -> list[bytes]:
    """Every frame of a handshake's section, whole."""
    shown = blocks(text.split("### Frames")[1])
    return [b"".join(raw for name, raw in block.items() if not name.startswith("plaintext")) for block in shown]


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """The committed page by its headings."""
    parts = re.split(r"^## (.+)$", COMMITTED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_committed_page_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(COMMITTED.parent)]) == 0
    assert capsys.readouterr() == ("", "")


def test_it_is_the_same_each_time() -> None:
    assert vectors_page() == vectors_page()


@pytest.mark.parametrize("missing", [False, True])
def test_a_stale_page_is_named_with_what_to_do(
    tmp_path: Path, missing: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if not missing:
        (tmp_path / "vectors.md").write_text("# Old\n", encoding="utf-8")
    assert main(["--check", str(tmp_path)]) == 1
    assert "vectors.md is stale: run `python -m blechannel_tools.vectors`" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0


def test_it_runs_as_a_module_and_says_where_it_must_be_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blechannel_tools.vectors", "--check", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run this from the checkout" in done.stderr


# --- the run ----------------------------------------------------------------------------------------------------


def test_the_steps_are_those_of_the_run() -> None:
    ran = run()
    paired, reconnected = pairing_steps(ran).epoch, reconnect_steps(ran).epoch
    assert {bond.epoch for bond in ran.after_pairing.values()} == {paired}
    assert {bond.epoch for bond in ran.after_reconnect.values()} == {reconnected}
    assert not ran.after_pairing[Role.PHONE].pending
    assert ran.after_reconnect[Role.WATCH].retired == (paired.hint_key,)


def test_drawn_bytes_are_one_stream() -> None:
    random = SeededRandom(b"seed")
    random(5), random(40), random(0)
    stream = b"".join(hashlib.sha256(b"seed" + bytes((0, 0, 0, counter))).digest() for counter in range(2))
    assert b"".join(random.drawn) == stream[:45]


# --- a second implementation ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watch_drew(sections: dict[str, str]) -> Values:
    """What the watch drew, by name."""
    return blocks(sections["What was drawn"])[1]


@pytest.fixture(scope="module")
def paired(sections: dict[str, str], watch_drew: Values) -> second.Pairing:
    """The second watch after m3, which has answered m1 as the page says."""
    info, m1, m2, m3, *_ = frames(sections["Pairing"])
    watch = second.Pairing(watch_drew, info, m1)
    code = int.from_bytes(watch_drew["code"], "big") % 10**6
    assert watch.m2(b"%06d" % code) == m2
    watch.read_m3(m3)
    return watch


def test_a_second_watch_pairs(sections: dict[str, str], watch_drew: Values, paired: second.Pairing) -> None:
    secrets = blocks(sections["Pairing"])[0]
    phone_drew = blocks(sections["What was drawn"])[0]
    proof = second.Pairing(watch_drew, *frames(sections["Pairing"])[:2])
    proof.m2(secrets["PRS"])
    assert proof.read_m3(frames(sections["Pairing"])[3]) == phone_drew["n_I"] + bytes(2)
    assert (paired.prologue, paired.sid) == (secrets["prologue"], secrets["sid"])
    assert paired.generator == secrets["generator g"]
    assert (paired.isk, paired.psk, paired.h) == (secrets["ISK"], secrets["psk"], secrets["handshake hash h"])
    assert paired.epoch() == (secrets["epoch 0: bond_psk"], secrets["epoch 0: hint_key"])
    assert paired.exporter == secrets["exporter"]


def test_it_seals_the_records_of_a_pairing(
    sections: dict[str, str], watch_drew: Values, paired: second.Pairing
) -> None:
    m4, m5, m6 = frames(sections["Pairing"])[4:]
    assert second.record(paired.to_phone, 0, 1, watch_drew["n_R"]) == m4
    assert second.record(paired.from_phone, 0, 2, b"\x05Phone") == m5
    assert second.record(paired.to_phone, 1, 3, watch_drew["discovery key"] + b"\x05Watch") == m6


def test_it_reconnects(sections: dict[str, str], watch_drew: Values, paired: second.Pairing) -> None:
    bond_psk, hint_key = paired.epoch()
    info, m1, m2, *records = frames(sections["Reconnect"])
    watch = second.Reconnecting(info, m1, hint_key=hint_key)
    assert watch.tag == watch.expected_tag
    own = {"static": watch_drew["pairing: static key"], "ephemeral": watch_drew["reconnect: ephemeral key"]}
    assert watch.m2(bond_psk=bond_psk, phone_static=paired.phone_static, **own) == m2
    secrets = blocks(sections["Reconnect"])[0]
    assert (watch.bond_psk, watch.hint_key) == (secrets["epoch 1: bond_psk"], secrets["epoch 1: hint_key"])
    known = second.sha256(b"blechannel/1 known" + watch_drew["discovery key"])[:8]
    spoken = [(4, known), (5, b"\0\0\x04echo"), (6, b"\0\0hello"), (9, bytes(7) + b"\x03" + bytes(8))]
    sealed = [second.record(watch.from_phone, n, number, body) for n, (number, body) in enumerate(spoken)]
    assert [*sealed, second.record(watch.to_phone, 0, 9, bytes(15) + b"\x04")] == records
