"""Each thing that the doctor looks at, sick and well."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel.errors import TransportError
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import StoreBond
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.facts import ControllerFacts
from blechannel_tools.board import Board, find_board
from blechannel_tools.diagnosis import radios, software, storage
from blechannel_tools.diagnosis.finding import Finding, Level
from tests.pairing.made_bonds import bond
from tests.transports.bluez.daemon import daemon

NOW_S = 1_800_000_000.0


# --- software


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10), Level.FAIL), ((3, 11), Level.OK), ((3, 14), Level.OK), ((3, 15), Level.WARN)]
)
def test_python(version: tuple[int, int], level: Level) -> None:
    assert software.python(version).level is level


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "NEEDED", ("no-such-package",))
    monkeypatch.setattr(software, "EXTRAS", {"cli": ("no-such-extra", "output")})
    found = {finding.subject: finding for finding in software.software()}
    assert found["no-such-package"].level is Level.FAIL
    assert found["no-such-extra"].level is Level.WARN
    assert "blechannel[cli]" in found["no-such-extra"].advice


def test_the_clock() -> None:
    assert software.clock(NOW_S).level is Level.OK
    assert software.clock(0.0).level is Level.FAIL


# --- radios


async def test_an_address_where_nobody_answers(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radios, "LOOK_S", 0.05)
    [finding] = await radios.transport(transport)
    assert finding.level is Level.WARN
    assert f"blechannel watch --transport {transport}" in finding.advice


async def test_a_controller_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(_spec: str) -> object:
        return await VirtualRadio().phone()

    monkeypatch.setattr(radios, "open_phone_radio", opened)
    opens, offers = await radios.transport("usb:0")
    assert opens == Finding("transport", Level.OK, "usb:0 opens and answers")
    assert offers == Finding("controller", Level.OK, "Bluetooth 5.0, buffers of 251 bytes, PHY 1M, 2M, coded")


DONGLE = find_board("nrf52840-dongle")


@pytest.mark.parametrize(
    ("facts", "board", "advice"),
    [
        (ControllerFacts("5.4", 251, ("1M", "2M")), None, ""),
        (ControllerFacts("5.4", 27, ("1M", "2M")), None, "firmware/controller.conf"),
        (ControllerFacts("5.4", 27, ("1M", "2M")), find_board("virtual"), "firmware/controller.conf"),
        (ControllerFacts("5.4", 251, ("1M", "2M", "coded")), DONGLE, ""),
        (ControllerFacts("5.4", 250, ("1M", "2M")), DONGLE, "firmware/controller.conf"),
        (ControllerFacts("5.4", 250, ("1M", "2M")), replace(DONGLE, acl_bytes=250), ""),
        (ControllerFacts("4.2", 251, ("1M",)), DONGLE, "up to date"),
    ],
)
def test_what_a_controller_offers(facts: ControllerFacts, board: Board | None, advice: str) -> None:
    finding = radios.controller(facts, board)
    assert finding.level is (Level.WARN if advice else Level.OK)
    assert advice in finding.advice
    assert f"Bluetooth {facts.version}, buffers of {facts.acl_bytes} bytes" in finding.text


@pytest.mark.parametrize("spec", ["bleak", "bluez"])
async def test_a_system_without_a_message_bus(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    [finding] = await radios.transport(spec)
    assert finding.level is Level.FAIL
    assert "message bus (D-Bus) cannot be reached" in finding.text


@pytest.mark.parametrize(("advertised", "text"), [(True, ", and a watch is in reach"), (False, "")])
async def test_a_system_whose_bluetooth_scans(advertised: bool, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    air = VirtualRadio()
    watch = await air.watch()
    if advertised:
        await watch.advertise(b"")

    async def opened(_spec: str) -> object:
        return await air.phone()

    monkeypatch.setattr(radios, "LOOK_S", 0.2)
    monkeypatch.setattr(radios, "open_phone_radio", opened)
    assert await radios.transport("bleak") == [Finding("transport", Level.OK, f"bleak opens and answers{text}")]
    await watch.close()


async def test_a_bluetoothd_that_takes_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        [finding] = await radios.transport("bluez:hci0")
        assert finding == Finding("transport", Level.OK, "bluez:hci0 takes the watch's service")
        assert {"RegisterApplication", "UnregisterApplication"} <= {*bluetoothd.calls}


async def test_without_bumble(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("blechannel.transports.bumble")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bumble", None)
    finding = await radios.virtual_radio()
    assert finding.level is Level.WARN
    assert "blechannel[bumble]" in finding.advice
    assert [each.level for each in await radios.transport("usb:0")] == [Level.FAIL]


async def test_a_virtual_radio_that_does_not_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(_phone: object, **_: object) -> object:
        raise TransportError("nothing on the air")

    monkeypatch.setattr("blechannel.aio.phone.Phone.find", lost)
    finding = await radios.virtual_radio()
    assert finding.level is Level.FAIL
    assert "nothing on the air" in finding.text


# --- storage


def options(path: Path, passphrase: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(store=path, keyring=False, passphrase_file=None, passphrase=passphrase)


async def store_findings(path: Path) -> list[Finding]:
    return [finding async for finding in storage.store(options(path), Role.WATCH, NOW_S)]


async def made(path: Path, passphrase: str | None = None) -> None:
    async with await SqliteStore.open(path, role=Role.WATCH, passphrase=passphrase) as store:
        await store.apply(StoreBond(bond(1, Role.WATCH), gives_back_guess=False))


async def test_a_healthy_store(tmp_path: Path) -> None:
    await made(tmp_path / "watch.db")
    [finding] = await store_findings(tmp_path / "watch.db")
    assert finding == Finding("watch's bonds", Level.OK, f"1 in {tmp_path / 'watch.db'}")


async def test_a_store_that_others_may_read(tmp_path: Path) -> None:
    await made(tmp_path / "watch.db")
    (tmp_path / "watch.db").chmod(0o644)
    first, _ = await store_findings(tmp_path / "watch.db")
    assert first.level is Level.WARN
    assert "chmod 600" in first.advice


async def test_a_sealed_store_is_no_fault(tmp_path: Path) -> None:
    await made(tmp_path / "watch.db", "sesame")
    [finding] = await store_findings(tmp_path / "watch.db")
    assert finding.level is Level.WARN
    assert "--passphrase-file" in finding.advice


async def test_a_store_that_is_held(tmp_path: Path) -> None:
    async with await SqliteStore.open(tmp_path / "watch.db", role=Role.WATCH):
        [finding] = await store_findings(tmp_path / "watch.db")
    assert finding.level is Level.WARN


async def test_a_damaged_store(tmp_path: Path) -> None:
    (tmp_path / "watch.db").write_bytes(b"damaged")
    (tmp_path / "watch.db").chmod(0o600)
    [finding] = await store_findings(tmp_path / "watch.db")
    assert finding.level is Level.FAIL


def test_odd_contents() -> None:
    odd = replace(bond(1), pending=True, last_seen_s=NOW_S + 2 * storage.DAY_S)
    well = replace(bond(2), last_seen_s=NOW_S)
    assert storage.contents("bonds", BondBook({well.bond_id: well}), NOW_S) == []
    found = storage.contents("bonds", BondBook({odd.bond_id: odd}), NOW_S)
    assert [finding.text for finding in found] == [
        "1 not confirmed by the watch",
        "one was last seen in the future",
    ]
