"""Tags before a reader: nfcpy's driver, its tag commands and its emulated tag, joined by datagrams on loopback."""

from __future__ import annotations

import sys
import time

import ndef as ndeflib
import pytest

from blechannel.errors import CarrierError, MalformedFrame, MissingExtra
from blechannel.oob import ndef
from blechannel.oob.reader import read_tag, write_tag
from tests.oob.air_tag import AirTag, in_the_air
from tests.oob.made_tickets import ANYWHERE, HERE


def test_a_tag_is_read() -> None:
    with in_the_air(AirTag(ndef.encode(HERE))) as device:
        assert read_tag(device, timeout_s=5) == HERE


def test_a_tag_is_written_over_and_read_back() -> None:
    tag = AirTag(ndef.encode(ANYWHERE))
    with in_the_air(tag) as device:
        write_tag(HERE, device, timeout_s=5)
        assert tag.message == ndef.encode(HERE)
        assert read_tag(device, timeout_s=5) == HERE


def test_a_foreign_tag_is_refused_by_name() -> None:
    link = b"".join(ndeflib.message_encoder([ndeflib.UriRecord("https://example.org/")]))
    with in_the_air(AirTag(link)) as device, pytest.raises(MalformedFrame, match="no ticket"):
        read_tag(device, timeout_s=5)


def test_without_a_tag_the_wait_ends() -> None:
    before_s = time.monotonic()
    with in_the_air(None) as device, pytest.raises(CarrierError, match="no tag came near"):
        read_tag(device, timeout_s=0.1)
    assert time.monotonic() - before_s < 5


@pytest.mark.parametrize("answers", [2, 3, 4])
def test_a_tag_that_is_taken_away_is_a_named_error(answers: int) -> None:
    tag = AirTag(ndef.encode(HERE))
    tag.answers_left = answers
    with in_the_air(tag) as device, pytest.raises(CarrierError, match=r"taken away|no tag came near"):
        read_tag(device, timeout_s=0.2)


def test_a_protected_tag_is_left_as_it_is() -> None:
    tag = AirTag(ndef.encode(ANYWHERE), writeable=False)
    with in_the_air(tag) as device, pytest.raises(CarrierError, match="protected"):
        write_tag(HERE, device, timeout_s=5)
    assert tag.message == ndef.encode(ANYWHERE)


def test_a_tag_that_is_too_small_is_left_as_it_is() -> None:
    tag = AirTag(b"", blocks=8)
    with in_the_air(tag) as device, pytest.raises(CarrierError, match="128 bytes, and the ticket takes 139"):
        write_tag(HERE, device, timeout_s=5)
    assert tag.message == b""


def test_a_tag_that_keeps_nothing_is_found_out() -> None:
    tag = AirTag(ndef.encode(ANYWHERE))
    tag.keeps = False
    with in_the_air(tag) as device, pytest.raises(CarrierError, match="did not keep"):
        write_tag(HERE, device, timeout_s=5)


def test_without_a_reader_the_error_says_so() -> None:
    with pytest.raises(CarrierError, match="no NFC reader at usb:ffff:ffff"):
        read_tag("usb:ffff:ffff", timeout_s=0.1)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nfc", None)
    monkeypatch.delitem(sys.modules, "blechannel.oob.reader")
    with pytest.raises(MissingExtra, match=r"blechannel\[nfc-reader\]"):
        __import__("blechannel.oob.reader")


def test_a_tag_that_was_never_formatted_is_a_named_error() -> None:
    tag = AirTag(b"")
    tag.memory[14] ^= 1
    with in_the_air(tag) as device, pytest.raises(CarrierError, match="never formatted"):
        read_tag(device, timeout_s=5)


def test_a_reader_that_fails_while_it_waits_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """nfcpy tells it by giving back False."""
    monkeypatch.setattr("nfc.ContactlessFrontend.connect", lambda *_, **__: False)
    with in_the_air(AirTag(b"")) as device, pytest.raises(CarrierError, match="the NFC reader stopped"):
        read_tag(device, timeout_s=5)
