"""The log as JSON: one object a line, whatever is in it, and never what is secret."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from pathlib import Path

import pytest

from blechannel.errors import LocalProtocolError
from blechannel.pairing.bonds import Bond
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel_tools.log_json import logging_as
from tests.tools.programs import Program, Run


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_a_record_is_one_line_with_its_fields(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = logging.getLogger("blechannel.aio")
    with logging_as(argparse.Namespace(log_json=str(path))):
        fields = {"kind": "paired", "bond": "ab12", "peer": 'a"\n{"level":"forged"}', "psk": "never shown"}
        log.info("hello\n%s", "wörld", extra={"fields": fields})
        log.debug("not this")
        logging.getLogger("bumble").info("nor this")
        try:
            raise ZeroDivisionError("a mistake")
        except ZeroDivisionError:
            log.exception("it failed")
    log.warning("not this either")
    first, second = lines(path)
    assert list(first) == ["time", "level", "logger", "message", "kind", "bond", "peer"]
    assert (first["level"], first["logger"], first["message"]) == ("info", "blechannel.aio", "hello\nwörld")
    assert str(first["time"]).endswith("+00:00")
    assert "a mistake" in str(second["traceback"])


def test_it_can_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as(argparse.Namespace(log_json="-")):
        logging.getLogger("blechannel").info("here")
    assert json.loads(capsys.readouterr().err)["message"] == "here"


def test_without_the_option_nothing_is_changed() -> None:
    before = list(logging.getLogger().handlers)
    with logging_as(argparse.Namespace()):
        assert logging.getLogger().handlers == before


def test_a_file_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalProtocolError, match="choose another file"),
        logging_as(argparse.Namespace(log_json=str(tmp_path / "no" / "log"))),
    ):
        raise AssertionError("never here")


async def _secrets(folder: Path) -> list[bytes]:
    kept: list[bytes] = []
    for role in Role:
        async with await SqliteStore.open(folder / f"{role.value}.db", role=role) as store:
            bonds: list[Bond] = list(store.book.bonds.values())
            for bond in bonds:
                epochs = (bond.epoch, *bond.candidates)
                kept += [bond.own_static, bond.discovery_key, *bond.retired]
                kept += [key for epoch in epochs for key in (epoch.psk, epoch.hint_key)]
    return [key for key in kept if key]


@pytest.mark.usefixtures("transport")
def test_no_secret_of_a_pairing_or_a_reconnect_is_in_any_log(programs: Run, tmp_path: Path) -> None:
    logs = {role: tmp_path / f"{role.value}.log" for role in Role}
    at_watch = ("--store", str(tmp_path / "watch.db"), "--log-json", str(logs[Role.WATCH]))
    at_phone = ("--store", str(tmp_path / "phone.db"), "--log-json", str(logs[Role.PHONE]))
    with Program("watch", "--pair", "--json", *at_watch) as watch:
        code = str(watch.event("code")["code"])
        (tmp_path / "code").write_text(code)
        assert programs("phone", "pair", "--code-file", str(tmp_path / "code"), *at_phone).code == 0
        assert programs("phone", "send", "echo", "hello", "--expect-reply", *at_phone).code == 0
    told = {role: path.read_text() for role, path in logs.items()}
    for role in Role:
        assert [line["kind"] for line in lines(logs[role]) if "kind" in line][::2] == ["paired", "resumed"]
    secrets = asyncio.run(_secrets(tmp_path))
    assert len(secrets) >= 6
    for text in told.values():
        assert code not in text
        assert not any(key.hex() in text.lower() or str(key)[2:-1] in text for key in secrets)
