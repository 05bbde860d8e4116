"""Link keys out of other captures and out of logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.errors import CaptureError
from blechannel_capture.link_keys import add_link_keys
from tests.capture.traffic import HostTraffic
from tests.capture.writing import HCI_FILES

KEY = bytes(range(16))


def test_an_hci_log_tells_the_key_of_a_link(tmp_path: Path) -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.command(0x2019, b"\x40\x00" + bytes(10) + KEY[::-1])
    path = tmp_path / "phone.btsnoop"
    path.write_bytes(HCI_FILES["btsnoop H4"](traffic.said))
    ring = KeyRing()
    assert add_link_keys(ring, path) == 1
    assert ring.keys == {KEY: "from phone.btsnoop"}


@pytest.mark.parametrize(
    "line",
    [f"[00:01] <inf> bt_smp: SC LTK: 0x{KEY.hex()}", f"Legacy LTK: 0x{KEY.hex()}", KEY.hex().upper(), f"0x{KEY.hex()}"],
)
def test_a_log_tells_it(line: str, tmp_path: Path) -> None:
    path = tmp_path / "zephyr.log"
    path.write_text(f"*** Booting Zephyr OS ***\n{line}\nSC LTK: 0x00\n", encoding="utf-8")
    ring = KeyRing()
    assert add_link_keys(ring, path) == 1
    assert list(ring.keys) == [KEY]


@pytest.mark.parametrize("content", [b"", b"nothing here\n", b"\xff\xfe\x00", b"LTK: " + b"a" * 40])
def test_a_file_without_one_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=r"empty\.log holds no link key"):
        add_link_keys(KeyRing(), path)


def test_a_capture_without_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.btsnoop"
    path.write_bytes(HCI_FILES["btsnoop H4"](HostTraffic().said))
    with pytest.raises(CaptureError, match="no link key"):
        add_link_keys(KeyRing(), path)
