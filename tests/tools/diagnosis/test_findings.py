"""Each thing that the doctor looks at, sick and well."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel.errors import TransportError
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import StoreBond
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.bumble import VirtualRadio
from blechannel_tools.diagnosis import radios, software, storage
from blechannel_tools.diagnosis.adapters import adapters, open_hci_socket
from blechannel_tools.diagnosis.finding import Finding, Level
from tests.pairing.made_bonds import bond
from tests.transports.bluez.daemon import daemon

NOW_S = 1_800_000_000.0


def refusing(code: int) -> Callable[[], None]:
    def refuse() -> None:
        raise OSError(code, "refused")

    return refuse


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.subject: finding.level for finding in findings}


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


# --- adapters


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine with one adapter, which is free."""
    (tmp_path / "sys/class/bluetooth/hci0").mkdir(parents=True)
    (tmp_path / "sys/class/bluetooth/hci0:64").mkdir()
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/comm").write_text("init\n")
    (tmp_path / "proc/2").mkdir()
    switch(tmp_path, 0, kind="wlan", soft="1")
    switch(tmp_path, 1)
    return tmp_path


def switch(machine: Path, number: int, *, kind: str = "bluetooth", soft: str = "0", hard: str = "0") -> None:
    folder = machine / f"sys/class/rfkill/rfkill{number}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, word in (("type", kind), ("soft", soft), ("hard", hard), ("name", f"hci{number}")):
        (folder / name).write_text(f"{word}\n")


def test_a_free_adapter(machine: Path) -> None:
    found = list(adapters(machine, lambda: None))
    assert {finding.level for finding in found} == {Level.OK}
    assert found[0].text == "hci0"
    assert [finding.subject for finding in found] == ["adapters", "rfkill", "bluetoothd", "HCI sockets"]


def test_no_adapter(tmp_path: Path) -> None:
    [finding] = adapters(tmp_path, lambda: None)
    assert finding.level is Level.WARN
    assert "--transport" in finding.advice


@pytest.mark.parametrize(("soft", "hard", "advice"), [("1", "0", "rfkill unblock"), ("1", "1", "switch it on")])
def test_a_blocked_adapter(machine: Path, soft: str, hard: str, advice: str) -> None:
    switch(machine, 1, soft=soft, hard=hard)
    [blocked] = [finding for finding in adapters(machine, lambda: None) if finding.subject == "rfkill"]
    assert blocked.level is Level.WARN
    assert advice in blocked.advice


def test_an_adapter_that_bluetoothd_holds(machine: Path) -> None:
    (machine / "proc/2/comm").write_text("bluetoothd\n")
    assert levels(list(adapters(machine, lambda: None)))["bluetoothd"] is Level.WARN


@pytest.mark.parametrize(("code", "advice"), [(errno.EPERM, "CAP_NET_ADMIN"), (errno.EAFNOSUPPORT, "usb:")])
def test_an_hci_socket_that_is_refused(machine: Path, code: int, advice: str) -> None:
    last = list(adapters(machine, refusing(code)))[-1]
    assert last.level is Level.WARN
    assert advice in last.advice


def test_an_hci_socket_is_opened_or_refused(machine: Path) -> None:
    try:
        open_hci_socket()
    except OSError:
        expected = Level.WARN
    else:
        expected = Level.OK
    assert list(adapters(machine))[-1].level is expected


# --- radios


async def test_an_address_where_nobody_answers(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radios, "LOOK_S", 0.05)
    finding = await radios.transport(transport)
    assert finding.level is Level.WARN
    assert f"blechannel watch --transport {transport}" in finding.advice


async def test_a_controller_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(_spec: str) -> object:
        return await VirtualRadio().phone()

    monkeypatch.setattr(radios, "open_phone_radio", opened)
    assert await radios.transport("usb:0") == Finding("transport", Level.OK, "usb:0 opens and answers")


@pytest.mark.parametrize("spec", ["bleak", "bluez"])
async def test_a_system_without_a_message_bus(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    finding = await radios.transport(spec)
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
    assert await radios.transport("bleak") == Finding("transport", Level.OK, f"bleak opens and answers{text}")
    await watch.close()


async def test_a_bluetoothd_that_takes_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        finding = await radios.transport("bluez:hci0")
        assert finding == Finding("transport", Level.OK, "bluez:hci0 takes the watch's service")
        assert {"RegisterApplication", "UnregisterApplication"} <= {*bluetoothd.calls}


async def test_without_bumble(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("blechannel.transports.bumble")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bumble", None)
    finding = await radios.virtual_radio()
    assert finding.level is Level.WARN
    assert "blechannel[bumble]" in finding.advice
    assert (await radios.transport("usb:0")).level is Level.FAIL


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
