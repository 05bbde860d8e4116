"""NDEF messages: their bytes against the NFC Forum's layouts, and tags that are worn, foreign or made to harm."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import sys
from pathlib import Path

import ndef as ndeflib
import pytest

from blechannel.errors import BlechannelError, CarrierError, MalformedFrame, MissingExtra
from blechannel.oob import ndef
from blechannel.pairing.out_of_band import AddressKind, RadioAddress, Ticket
from tests.oob.made_tickets import ALL, ANYWHERE, HERE, PUBLIC, SECRET, STATIC

CHECK = hashlib.sha256(HERE.encode()).digest()[:4]

GOLDEN = b"".join(
    [
        # Handover Select (Connection Handover 1.3, 6.2): MB SR TNF=1, type 2, payload 10, "Hs", version 1.3.
        b"\x91\x02\x0aHs\x13",
        # Its alternative carrier (7.1): a message of one record "ac": active, reference "0", no auxiliary data.
        b"\xd1\x02\x04ac\x01\x010\x00",
        # Bluetooth LE out-of-band data (Secure Simple Pairing Using NFC 1.1, 3.3.1): SR IL TNF=2, type 32, payload 12.
        b"\x1a\x20\x0c\x01application/vnd.bluetooth.le.oob0",
        # LE Bluetooth Device Address (AD type 0x1B): little-endian, then 1 for random. LE Role (0x1C): peripheral only.
        b"\x08\x1b\x02\x01\x00\xee\xff\xc0\x01\x02\x1c\x00",
        # The ticket: ME SR TNF=4 (external), type 12, payload 60.
        b"\x54\x0c\x3cblechannel:t",
        HERE.encode(),
        CHECK,
    ]
)


def message(*records: ndeflib.Record) -> bytes:
    return b"".join(ndeflib.message_encoder(records))


def test_a_message_is_these_bytes() -> None:
    assert ndef.encode(HERE) == GOLDEN
    assert ndef.decode(GOLDEN) == HERE


def test_the_address_type_is_told() -> None:
    assert ndef.encode(PUBLIC)[: GOLDEN.index(b"\x02\x1c\x00")] == GOLDEN[: GOLDEN.index(b"\x02\x1c\x00") - 1] + b"\x00"


def test_without_an_address_the_ticket_stands_alone() -> None:
    assert ndef.encode(ANYWHERE)[:15] == b"\xd4\x0c\x3cblechannel:t"
    assert len(ndef.encode(ANYWHERE)) == 75


def test_a_message_fits_the_smallest_common_tag() -> None:
    """NTAG213 has 144 bytes; type, length and terminator of the message take three (Type 2 Tag, 2.3)."""
    assert len(ndef.encode(HERE)) + 3 <= 144


@pytest.mark.parametrize("ticket", ALL)
def test_every_ticket_comes_back_and_a_copied_tag_reads_the_same(ticket: Ticket) -> None:
    assert ndef.decode(ndef.encode(ticket)) == ticket
    assert ndef.decode(bytes(bytearray(ndef.encode(ticket)))) == ticket


def test_every_flipped_bit_is_refused() -> None:
    for index in range(len(GOLDEN) * 8):
        flipped = bytearray(GOLDEN)
        flipped[index // 8] ^= 1 << index % 8
        with pytest.raises(MalformedFrame):
            ndef.decode(bytes(flipped))


@pytest.mark.parametrize("ticket", ALL)
def test_every_truncation_is_refused(ticket: Ticket) -> None:
    whole = ndef.encode(ticket)
    for length in range(len(whole)):
        with pytest.raises(MalformedFrame):
            ndef.decode(whole[:length])


def test_twenty_thousand_mutated_tags_are_refused_by_name_or_give_the_same_ticket() -> None:
    source = random.Random(3)
    refused = 0
    for _ in range(20_000):
        mutated = bytearray(GOLDEN)
        for _ in range(source.randint(1, 4)):
            index = source.randrange(len(mutated))
            mutated[index : index + source.randint(0, 3)] = source.randbytes(source.randint(0, 3))
        try:
            assert ndef.decode(bytes(mutated)) == HERE
        except MalformedFrame:
            refused += 1
    assert refused > 19_000


def test_random_bytes_are_no_tag() -> None:
    source = random.Random(4)
    for _ in range(2000):
        with pytest.raises(MalformedFrame):
            ndef.decode(source.randbytes(source.randrange(200)))


FOREIGN = {
    "nothing": b"",
    "an empty record": message(ndeflib.Record()),
    "a link": message(ndeflib.UriRecord("https://example.org/")),
    "a text": message(ndeflib.TextRecord("BLECHANNEL:1:")),
    "a Wi-Fi password": message(ndeflib.WifiSimpleConfigRecord()),
    "another's ticket": message(ndeflib.Record("urn:nfc:ext:example.org:t", "", GOLDEN[-60:])),
    "two tickets": message(*[ndeflib.Record(ndef.TICKET_TYPE, "", GOLDEN[-60:])] * 2),
    "a record more": message(ndeflib.Record(ndef.TICKET_TYPE, "", GOLDEN[-60:]), ndeflib.TextRecord("hi")),
    "a second message": GOLDEN + GOLDEN,
    "a trailing byte": GOLDEN + b"\x00",
    "a ticket without its check": message(ndeflib.Record(ndef.TICKET_TYPE, "", GOLDEN[-60:-4])),
    "an address without its handover": message(ndeflib.Record(ndef.TICKET_TYPE, "", GOLDEN[-60:])),
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_tag_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        ndef.decode(data)


def test_a_handover_that_names_another_address_is_refused() -> None:
    elsewhere = Ticket.of(STATIC, secret=SECRET, where=RadioAddress(bytes(6), AddressKind.RANDOM))
    spliced = ndef.encode(elsewhere)[:-60] + GOLDEN[-60:]
    with pytest.raises(MalformedFrame, match="contradict"):
        ndef.decode(spliced)


def test_what_other_records_hold_is_not_looked_at() -> None:
    """Not even whether it is what the record's type says: only the bytes count."""
    nonsense = ndeflib.Record("urn:nfc:wkt:U", "", b"")
    with pytest.raises(MalformedFrame, match="contradict"):
        ndef.decode(message(nonsense, ndeflib.Record(ndef.TICKET_TYPE, "", GOLDEN[-60:])))


def test_what_is_larger_than_any_tag_of_ours_is_refused_unread() -> None:
    large = message(ndeflib.Record(ndef.TICKET_TYPE, "", bytes(2000)))
    with pytest.raises(MalformedFrame, match="over 1024 bytes"):
        ndef.decode(large)


def test_a_length_that_lies_takes_no_memory() -> None:
    with pytest.raises(MalformedFrame):
        ndef.decode(b"\xc4\x0c\xff\xff\xff\xffblechannel:t")


def test_no_refusal_tells_what_the_tag_held() -> None:
    with pytest.raises(MalformedFrame) as caught:
        ndef.decode(message(ndeflib.TextRecord("my secret")))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("ticket", ALL)
def test_a_file_comes_back_and_is_its_owners_alone(ticket: Ticket, tmp_path: Path) -> None:
    path = tmp_path / "watch.ndef"
    path.write_bytes(b"older")
    path.chmod(0o644)
    ndef.write_file(path, ticket)
    assert ndef.read_file(path) == ticket
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["watch.ndef"]


def test_a_file_that_is_not_there_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(CarrierError, match=r"No such file.*missing\.ndef"):
        ndef.read_file(tmp_path / "missing.ndef")


def test_a_folder_in_the_files_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "watch.ndef").mkdir()
    with pytest.raises(CarrierError, match=r"watch\.ndef"):
        ndef.write_file(tmp_path / "watch.ndef", HERE)
    assert os.listdir(tmp_path) == ["watch.ndef"]
    with pytest.raises(CarrierError):
        ndef.write_file(tmp_path / "nowhere" / "watch.ndef", HERE)


def test_an_endless_file_is_read_to_the_bound() -> None:
    with pytest.raises(MalformedFrame, match="over 1024 bytes"):
        ndef.read_file("/dev/zero")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ndef", None)
    monkeypatch.delitem(sys.modules, "blechannel.oob.ndef")
    with pytest.raises(MissingExtra, match=r"blechannel\[nfc\]") as caught:
        __import__("blechannel.oob.ndef")
    assert isinstance(caught.value, BlechannelError)
