"""Advertisements: known to the phone that has the key, nothing to everyone else."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.wire.adverts import ADVERT_BYTES, TIME_STEP_S, Advert, make_advert, resolves

KEY = b"\x5a" * 32
NOW_S = 1_700_000_000.0


def counted(count: int) -> bytes:
    return bytes(range(1, count + 1))


def advert(key: bytes | None = KEY, unix_time_s: float | None = NOW_S, pairing_open: bool = False) -> bytes:
    return make_advert(key, pairing_open=pairing_open, random=os.urandom, unix_time_s=unix_time_s)


# The codes were computed with another program.
RECORDS = {
    (False, None): "00 01020304 b238f9845b4efbb7",
    (False, NOW_S): "02 01020304 0da2784a8e3cbd00",
    (True, NOW_S): "03 01020304 d37b1c62b924a10a",
}


@pytest.mark.parametrize(("pairing_open", "unix_time_s"), RECORDS)
def test_frozen_bytes(pairing_open: bool, unix_time_s: float | None) -> None:
    made = make_advert(KEY, pairing_open=pairing_open, random=counted, unix_time_s=unix_time_s)
    assert made == bytes.fromhex(RECORDS[pairing_open, unix_time_s])
    assert len(made) == ADVERT_BYTES
    read = Advert.decode(made)
    assert (read.pairing_open, read.timed) == (pairing_open, unix_time_s is not None)
    assert resolves(made, KEY, NOW_S)


@given(st.binary(max_size=2 * ADVERT_BYTES) | st.binary(min_size=ADVERT_BYTES, max_size=ADVERT_BYTES))
def test_decoding_is_total(service_data: bytes) -> None:
    try:
        read = Advert.decode(service_data)
    except MalformedFrame:
        assert len(service_data) != ADVERT_BYTES or service_data[0] > 3
        assert not resolves(service_data, KEY, NOW_S)
    else:
        assert read.encode() == service_data


@pytest.mark.parametrize("flags", [4, 8, 0x80, 0xFF])
def test_undefined_flags_are_refused_both_ways(flags: int) -> None:
    with pytest.raises(MalformedFrame):
        Advert.decode(bytes((flags,)) + bytes(ADVERT_BYTES - 1))
    with pytest.raises(LocalProtocolError):
        Advert(flags, bytes(4), bytes(8)).encode()


def test_a_field_that_does_not_fit_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Advert(0, bytes(5), bytes(8)).encode()


def test_two_advertisements_of_one_watch_share_no_bytes_but_the_flags() -> None:
    first = make_advert(KEY, pairing_open=False, random=lambda n: b"\x11" * n, unix_time_s=NOW_S)
    second = make_advert(KEY, pairing_open=False, random=lambda n: b"\x22" * n, unix_time_s=NOW_S)
    assert first[0] == second[0]
    assert all(a != b for a, b in zip(first[1:], second[1:], strict=True))


def test_the_code_depends_on_the_time_step_even_if_the_nonce_repeats() -> None:
    moments = (NOW_S, NOW_S + TIME_STEP_S, None)
    codes = {make_advert(KEY, pairing_open=False, random=counted, unix_time_s=moment)[5:] for moment in moments}
    assert len(codes) == 3


def test_a_watch_without_bonds_looks_like_any_other() -> None:
    stranger = advert(key=None)
    assert len(stranger) == ADVERT_BYTES
    assert stranger[0] == advert()[0]
    assert advert(key=None)[5:] != stranger[5:]
    assert not resolves(stranger, KEY, NOW_S)


def test_another_key_does_not_resolve() -> None:
    assert not resolves(advert(), b"\x5b" * 32, NOW_S)
    assert not resolves(advert(unix_time_s=None), b"\x5b" * 32, NOW_S)


@pytest.mark.parametrize("unix_time_s", [None, NOW_S])
def test_no_flipped_bit_resolves(unix_time_s: float | None) -> None:
    made = advert(unix_time_s=unix_time_s)
    for position in range(8 * ADVERT_BYTES):
        flipped = bytearray(made)
        flipped[position // 8] ^= 1 << position % 8
        assert not resolves(bytes(flipped), KEY, NOW_S)


def test_no_truncation_or_extension_resolves() -> None:
    made = advert()
    for length in range(ADVERT_BYTES):
        assert not resolves(made[:length], KEY, NOW_S)
    assert not resolves(made + b"\0", KEY, NOW_S)


def test_a_replayed_advertisement_stops_resolving() -> None:
    start_s = (NOW_S // TIME_STEP_S) * TIME_STEP_S
    made = advert(unix_time_s=start_s)
    for early_s in (-TIME_STEP_S, -1, 0, TIME_STEP_S, 2 * TIME_STEP_S - 1):
        assert resolves(made, KEY, start_s + early_s)
    for late_s in (-TIME_STEP_S - 1, 2 * TIME_STEP_S, 86_400):
        assert not resolves(made, KEY, start_s + late_s)


def test_clocks_and_those_who_have_none() -> None:
    assert not resolves(advert(), KEY, None), "a replay could not be told"
    assert resolves(advert(unix_time_s=None), KEY, None)
    assert resolves(advert(unix_time_s=None), KEY, NOW_S + 10 * TIME_STEP_S)


def test_the_first_time_step_has_no_predecessor() -> None:
    assert resolves(advert(unix_time_s=0), KEY, 0)


@pytest.mark.parametrize("unix_time_s", [-1.0, float("nan"), float("inf"), 2.0**32 * TIME_STEP_S])
def test_a_time_without_a_step_is_refused(unix_time_s: float) -> None:
    with pytest.raises(LocalProtocolError):
        advert(unix_time_s=unix_time_s)
    with pytest.raises(LocalProtocolError):
        resolves(advert(), KEY, unix_time_s)
