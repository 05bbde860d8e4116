"""Pairing by certificate on the command line, as docs/certificates.md leads through it, and each way it fails."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from blechannel.pairing.certificates import SelfSigned
from blechannel.stores.certificate_file import Leaf
from blechannel.stores.identity_file import read_identity, write_identity
from blechannel_tools.exits import Exit
from tests.pairing.made_certificates import FROM_S, LEAF_KEY, OTHER_KEY
from tests.tools.programs import Program, Ran, Run, Terminal

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "certificates.md").read_text("utf-8")
LINES = [shlex.split(line)[1:] for line in re.findall(r"^\$ (blechannel .*)$", PAGE, re.MULTILINE)]
SAYS = [told for row in re.findall(r"^\| (`.*?) \| ", PAGE, re.MULTILINE) for told in re.findall(r"`([^`]*)`", row)]
"""What the table of errors quotes."""


def both(programs: Run, tmp_path: Path) -> None:
    """A certificate for each side, in files, and trusted on the other."""
    for role, peer in (("watch", "phone"), ("phone", "watch")):
        carried = str(tmp_path / f"{role}.pem")
        programs("identity", "create", "--role", role)
        programs("identity", "export", carried, "--role", role)
        programs("identity", "trust", carried, "--role", peer, "--yes")


def test_the_lines_of_the_page_work(
    transport: str, people: Run, programs: Run, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = {"hci-socket:0": transport, "2": "0.05"}
    lines = [[here.get(word, word) for word in line] for line in LINES]
    watch, *after = (number for number, line in enumerate(lines) if line[0] != "identity")
    assert len(after) == 2
    terminal.type("y\ny\n")
    ran = [people(*line) for line in lines[:watch]]
    with Program(*lines[watch]) as program:
        assert program.event("pairing-open")["method"] == "certificate"
        ran += [people(*line) for line in lines[watch + 1 :]]
        assert not program.event("joined")["resumed"]
        # The bond remembers the certificate, and outlives the trust in it, which the last of the lines ended.
        assert LINES[-1][:2] == ["identity", "untrust"]
        sent = programs("phone", "send", "echo", "hi", "--expect-reply")
    assert [each.code for each in ran] == [Exit.DONE] * len(ran), ran
    assert any(
        re.fullmatch(
            r"paired with watch \([0-9a-f]{8}\): certificate on the list, of wrist, fingerprint .* …\n", each.out
        )
        for each in ran
    )
    assert sent.code == Exit.DONE
    bond = programs("bonds", "show", "watch").only("bond")
    assert bond["certificate"] == programs("identity", "show", "--role", "watch").last["fingerprint"]


@pytest.mark.usefixtures("transport")
def test_a_running_watch_follows_its_list_and_each_side_says_who_is_not_trusted(programs: Run, tmp_path: Path) -> None:
    both(programs, tmp_path)
    stranger, carried = ("--identity", str(tmp_path / "other.key")), str(tmp_path / "other.pem")
    programs("identity", "create", "--name", "other", *stranger)
    programs("identity", "export", carried, *stranger)
    pair = ("phone", "pair", "--method", "certificate")
    with Program("watch", "--methods", "certificate", "--pair") as watch:
        watch.event("pairing-open")
        programs("identity", "untrust", "watch")
        programs("identity", "trust", carried, "--yes")
        seen = refused(programs(*pair), "showed a certificate that is not trusted here")
        assert "(watch, fingerprint " in seen.err
        assert "did not take this watch's certificate" in watch.event("declined")["message"]
        programs("identity", "trust", str(tmp_path / "watch.pem"), "--yes")
        seen = refused(programs(*pair, *stranger), "the watch did not take this phone's certificate")
        assert "`blechannel identity trust FILE --role watch`" in seen.err
        told = watch.event("declined")["message"]
        assert "the phone showed a certificate that is not trusted here (other, fingerprint " in told
        assert [bond["pending"] for bond in programs("bonds", "list").last["bonds"]] == [True]
        programs("identity", "trust", carried, "--role", "watch", "--yes")
        assert programs(*pair, *stranger).code == Exit.DONE
        # Nobody has to say that the bond is not meant that the watch refused.
        assert programs("phone", "send", "echo", "hi", "--expect-reply").code == Exit.DONE


def refused(ran: Ran, told: str) -> Ran:
    """It ended as a refusal, and in words that the page quotes."""
    assert (ran.code, ran.last["error"]) == (Exit.REFUSED, "PairingRefused")
    assert told in ran.err
    assert any(each in told for each in SAYS), told
    return ran


def test_every_error_of_the_page_is_one(programs: Run, people: Run, home: Path, tmp_path: Path) -> None:
    """Those of files; what a peer says is in the test before."""
    said: list[str] = []

    def fails(*arguments: str, code: Exit = Exit.STORE) -> None:
        ran = programs(*arguments, "--json") if arguments[0] == "identity" else people(*arguments)
        assert ran.code == code, ran
        assert "Traceback" not in ran.err
        said.append(ran.err)

    pair = ("phone", "pair", "--method", "certificate", "--transport", "unix:/nowhere")
    watch = ("watch", "--methods", "certificate", "--transport", f"unix:{tmp_path}/w")
    phone_key, watch_key = home / "phone.identity.pem", home / "watch.identity.pem"
    fails(*pair)
    fails(*watch)
    for role in ("phone", "watch"):
        programs("identity", "create", "--role", role)
    fails("identity", "create")
    fails(*pair)
    fails(*watch)
    for role in ("phone", "watch"):
        programs("identity", "export", str(tmp_path / f"{role}.pem"), "--role", role)
    fails("identity", "trust", str(watch_key))
    fails("identity", "trust", str(tmp_path / "phone.pem"))
    fails("identity", "trust", str(tmp_path))
    (tmp_path / "junk.pem").write_text("junk")
    fails("identity", "trust", str(tmp_path / "junk.pem"))
    for name, from_s in (("expired", FROM_S), ("early", 4e9)):
        made = SelfSigned.make(LEAF_KEY, name, not_before_s=from_s, lifetime_s=86400)
        write_identity(tmp_path / f"{name}.key", made)
        (tmp_path / f"{name}.pem").write_bytes(Leaf.of(made.certificate).pem)
        fails("identity", "trust", str(tmp_path / f"{name}.pem"))
        fails(*pair, "--identity", str(tmp_path / f"{name}.key"))
    (tmp_path / "watch.pem").chmod(0o600)
    fails(*pair, "--identity", str(tmp_path / "watch.pem"))
    write_identity(tmp_path / "mixed", SelfSigned(OTHER_KEY, read_identity(watch_key).certificate))
    fails(*pair, "--identity", str(tmp_path / "mixed"))
    programs("identity", "trust", str(tmp_path / "watch.pem"), "--yes")
    (home / "phone.trusted").chmod(0o777)
    fails(*pair)
    phone_key.chmod(0o644)
    fails(*pair)
    everything = "".join(said)
    of_peers = {"showed a certificate that", "the watch did not take", "it did not take"}
    missing = [told for told in SAYS if told not in everything and not any(told.startswith(each) for each in of_peers)]
    assert missing == []
    assert len(SAYS) > 14
