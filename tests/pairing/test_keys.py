"""The key schedule, beside a second computation from hashlib and hmac alone, and beside values written down."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import astuple
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import BondError
from blechannel.methods import Method
from blechannel.pairing import keys

INFO, HELLO = bytes(range(29)), bytes(range(6))
H = bytes(range(0x40, 0x60))
PSK = bytes(range(0x60, 0x80))
EXPORTER = bytes(range(0x80, 0xA0))
ISK = bytes(range(64))

secrets = st.binary(min_size=32, max_size=32)


def hkdf(salt: bytes, secret: bytes, info: bytes, length_bytes: int) -> bytes:
    """RFC 5869, by hand."""
    prk = hmac.new(salt, secret, hashlib.sha256).digest()
    output = block = b""
    for counter in range(1, -(-length_bytes // 32) + 1):
        block = hmac.new(prk, block + info + bytes((counter,)), hashlib.sha256).digest()
        output += block
    return output[:length_bytes]


# --- labels -----------------------------------------------------------------------------------------------------


def test_labels_are_those_of_the_protocol() -> None:
    assert keys.PAIR_LABEL == b"blechannel/1 pair"
    assert keys.RECONNECT_LABEL == b"blechannel/1 reconnect"
    assert keys.SAS_LABEL == b"blechannel/1 sas"
    assert keys.PSK_LABEL == b"blechannel/1 psk"
    assert keys.EPOCH_LABEL == b"blechannel/1 epoch"


def test_no_label_begins_another() -> None:
    labels = [keys.PAIR_LABEL, keys.RECONNECT_LABEL, keys.SAS_LABEL, keys.PSK_LABEL, keys.EPOCH_LABEL]
    assert not any(one.startswith(other) or other.startswith(one) for one, other in combinations(labels, 2))


def test_handshakes_are_those_of_the_protocol() -> None:
    assert keys.PAIR_PROTOCOL.name == "Noise_XXpsk3_25519_ChaChaPoly_SHA256"
    assert keys.RECONNECT_PROTOCOL.name == "Noise_KKpsk0_25519_ChaChaPoly_SHA256"
    assert (keys.PAIR_PSK,) == keys.PAIR_PROTOCOL.psks == (3,)
    assert (keys.RECONNECT_PSK,) == keys.RECONNECT_PROTOCOL.psks == (0,)


def test_the_channel_identifier_names_the_roles_in_order() -> None:
    assert keys.CHANNEL_IDENTIFIER == b"\x11blechannel/1 pair\x05phone\x05watch"


# --- derivations ------------------------------------------------------------------------------------------------


def test_a_prologue_is_label_info_and_hello_with_their_lengths() -> None:
    assert keys.prologue(b"label", INFO, HELLO) == b"\x05label" + b"\x1d" + INFO + b"\x06" + HELLO


@given(info=st.binary(max_size=64), ephemeral=secrets)
def test_cpace_s_sid(info: bytes, ephemeral: bytes) -> None:
    assert keys.cpace_sid(info, ephemeral) == hashlib.sha512(info + ephemeral).digest()[:32]


@given(nonce=secrets)
def test_the_commitment(nonce: bytes) -> None:
    assert keys.commitment(nonce) == hashlib.sha256(b"blechannel/1 sas" + nonce).digest()


@given(h=secrets, secret=st.binary(max_size=96))
def test_the_psk_of_a_pairing(h: bytes, secret: bytes) -> None:
    expected = hkdf(h, secret, b"blechannel/1 psk\x01", 32)
    assert keys.pairing_psk(h, secret, Method.PASSKEY) == expected


@given(psk=secrets, exporter=secrets, h=secrets)
def test_the_next_epoch(psk: bytes, exporter: bytes, h: bytes) -> None:
    epoch = keys.next_epoch(7, psk=psk, exporter=exporter, handshake_hash=h)
    output = hkdf(psk, exporter, b"blechannel/1 epoch" + h, 64)
    assert astuple(epoch) == (7, output[:32], output[32:])


@given(key=secrets, prologue=st.binary(max_size=80), noise=st.binary(max_size=200))
def test_the_hint_tag(key: bytes, prologue: bytes, noise: bytes) -> None:
    length = bytes((len(noise),)) if len(noise) < 128 else bytes((len(noise) & 0x7F | 0x80, len(noise) >> 7))
    expected = hmac.new(key, prologue + length + noise, hashlib.sha256).digest()[:16]
    assert keys.hint_tag(key, prologue, noise) == expected


# Computed with hashlib and hmac alone.
FROZEN = {
    "sid": "6ffe108881a26389dd72391eb4600691077c18dfe71bb832abd44044feb7dae5",
    "commitment": "62d5ee968af68c9d6f77795505e43dc661a5fd7b8dbb73036fb68baa56e0a0b6",
    "psk": "a174371dacb2fc228d438db769b53a6f774b6b8decbe93cb78010c43f83336be",
    "epoch psk": "6c06db836a7ba0b3c8c0e8d4619027c54afd51ff4591d5870a8c9560fd19fc4e",
    "epoch hint key": "7f804443f2babb006462450fa91064803c23b4216e4a0a2fbb6a6c99b08673d4",
    "prologue": (
        "16626c656368616e6e656c2f31207265636f6e6e656374"
        "1d000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c"
        "06000102030405"
    ),
    "tag": "d377b506dd46d2aa2c3c5673aa353b47",
}


def test_values_written_down() -> None:
    epoch = keys.next_epoch(1, psk=PSK, exporter=EXPORTER, handshake_hash=H)
    prologue = keys.prologue(keys.RECONNECT_LABEL, INFO, HELLO)
    derived = {
        "sid": keys.cpace_sid(INFO, H),
        "commitment": keys.commitment(H),
        "psk": keys.pairing_psk(H, ISK, Method.PASSKEY),
        "epoch psk": epoch.psk,
        "epoch hint key": epoch.hint_key,
        "prologue": prologue,
        "tag": keys.hint_tag(PSK, prologue, EXPORTER),
    }
    assert {name: value.hex() for name, value in derived.items()} == FROZEN


# --- what every input is for ------------------------------------------------------------------------------------


def flipped(value: bytes) -> bytes:
    return bytes((value[0] ^ 1,)) + value[1:]


def test_every_input_changes_what_is_derived() -> None:
    psks = {
        keys.pairing_psk(H, ISK, Method.PASSKEY),
        keys.pairing_psk(flipped(H), ISK, Method.PASSKEY),
        keys.pairing_psk(H, flipped(ISK), Method.PASSKEY),
        # All 64 bytes of the ISK count, not the first 32.
        keys.pairing_psk(H, ISK[:-1] + b"\xff", Method.PASSKEY),
        keys.pairing_psk(H, ISK[:32], Method.PASSKEY),
        hkdf(H, ISK, b"blechannel/1 psk\x02", 32),
    }
    assert len(psks) == 6
    inputs = {"psk": PSK, "exporter": EXPORTER, "handshake_hash": H}
    epochs = [keys.next_epoch(1, **inputs), *(keys.next_epoch(1, **{**inputs, n: flipped(inputs[n])}) for n in inputs)]
    assert len({key for epoch in epochs for key in (epoch.psk, epoch.hint_key)}) == 8


def test_a_moved_boundary_changes_the_tag() -> None:
    assert keys.hint_tag(PSK, b"prologue", b"noise") != keys.hint_tag(PSK, b"prologuen", b"oise")


def test_an_epoch_s_keys_are_not_shown() -> None:
    epoch = keys.next_epoch(1, psk=PSK, exporter=EXPORTER, handshake_hash=H)
    assert repr(epoch) == "Epoch(number=1)"


def test_an_epoch_out_of_range_is_refused() -> None:
    with pytest.raises(BondError):
        keys.next_epoch(-1, psk=PSK, exporter=EXPORTER, handshake_hash=H)
