"""NFC readers, and what keeps nfcpy from them."""

from __future__ import annotations

import os

import pytest

from blechannel_tools.diagnosis.finding import Finding, Level
from blechannel_tools.diagnosis.nfc import READERS, nfc_readers
from tests.tools.diagnosis.machines import Machine


def found(machine: Machine, nfcpy: str | None = "1.0.4") -> list[Finding]:
    return list(nfc_readers(machine.root, nfcpy=nfcpy))


def test_the_readers_are_those_of_nfcpy() -> None:
    from nfc.clf.device import usb_device_map

    assert set(READERS) == {f"{vendor:04x}:{product:04x}" for vendor, product in usb_device_map}


def test_none(machine: Machine) -> None:
    assert found(machine) == [Finding("NFC reader", Level.OK, "none seen")]
    assert found(machine, None) == [], "nobody asked for one"


def test_a_reader_that_is_free(machine: Machine) -> None:
    machine.usb("054c:06c1", bluetooth=False, driver="usbfs")
    [reader] = found(machine)
    assert (reader.subject, reader.level) == ("NFC reader RC-S380", Level.OK)


def test_a_reader_without_nfcpy(machine: Machine) -> None:
    machine.usb("054c:06c1", bluetooth=False)
    [reader] = found(machine, None)
    assert reader.level is Level.WARN
    assert "blechannel[nfc-reader]" in reader.advice


def test_a_reader_that_the_kernel_holds(machine: Machine) -> None:
    machine.usb("04e6:5591", bluetooth=False, driver="pn533_usb")
    [reader] = found(machine)
    assert reader.level is Level.WARN
    assert "modprobe -r pn533_usb" in reader.advice


def test_a_reader_that_pcscd_holds(machine: Machine) -> None:
    machine.usb("072f:2200", bluetooth=False)
    assert found(machine)[0].level is Level.OK
    machine.run("pcscd")
    [reader] = found(machine)
    assert "systemctl stop pcscd" in reader.advice


def test_a_reader_that_may_not_be_opened(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.usb("04cc:2533", bluetooth=False)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    [reader] = found(machine)
    assert "udev rule" in reader.advice
