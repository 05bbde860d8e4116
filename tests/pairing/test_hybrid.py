"""ML-KEM-768: published vectors, and keys and ciphertexts that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.pairing.hybrid import CIPHERTEXT_BYTES, ENCAPSULATION_KEY_BYTES, KemKey, encapsulate

SEED = bytes(range(64))


def cases(vectors: Path, name: str) -> list[dict[str, str]]:
    groups = json.loads((vectors / "wycheproof" / name).read_text())["testGroups"]
    return [case for group in groups for case in group["tests"]]


def test_both_sides_share_a_secret_of_their_own() -> None:
    first, second = (encapsulate(KemKey(SEED).encapsulation_key) for _ in range(2))
    assert KemKey(SEED).decapsulate(first.ciphertext) == first.shared_secret
    assert len(first.shared_secret) == 32
    assert len(first.ciphertext) == CIPHERTEXT_BYTES
    assert first.shared_secret != second.shared_secret


def test_a_seed_gives_the_same_key_each_time() -> None:
    assert KemKey(SEED).encapsulation_key == KemKey(SEED).encapsulation_key
    assert len(KemKey(SEED).encapsulation_key) == ENCAPSULATION_KEY_BYTES


def test_published_keys_and_ciphertexts_are_decided_as_published(vectors: Path) -> None:
    decided = {"valid": 0, "invalid": 0}
    for case in cases(vectors, "mlkem_768_test.json"):
        seed, ciphertext = bytes.fromhex(case["seed"]), bytes.fromhex(case["c"])
        try:
            key = KemKey(seed)
            secret = key.decapsulate(ciphertext)
        except (AuthenticationFailed, LocalProtocolError):
            assert case["result"] == "invalid", case
        else:
            assert case["result"] == "valid", case
            assert key.encapsulation_key.hex() == case["ek"]
            assert secret.hex() == case["K"]
        decided[case["result"]] += 1
    assert min(decided.values()) > 0


def test_published_bad_encapsulation_keys_are_refused_and_good_ones_taken(vectors: Path) -> None:
    decided = {"valid": 0, "invalid": 0}
    for case in cases(vectors, "mlkem_768_encaps_test.json"):
        if case["result"] == "valid":
            encapsulate(bytes.fromhex(case["ek"]))
        else:
            with pytest.raises(AuthenticationFailed):
                encapsulate(bytes.fromhex(case["ek"]))
        decided[case["result"]] += 1
    assert min(decided.values()) > 0


def test_a_changed_ciphertext_gives_another_secret_and_no_error() -> None:
    sent = encapsulate(KemKey(SEED).encapsulation_key)
    changed = bytes([sent.ciphertext[0] ^ 1]) + sent.ciphertext[1:]
    secret = KemKey(SEED).decapsulate(changed)
    assert secret != sent.shared_secret
    assert secret == KemKey(SEED).decapsulate(changed)


@pytest.mark.parametrize("length", [0, ENCAPSULATION_KEY_BYTES - 1, ENCAPSULATION_KEY_BYTES + 1, 1568])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(AuthenticationFailed):
        encapsulate(bytes(length))


@pytest.mark.parametrize("length", [0, CIPHERTEXT_BYTES - 1, CIPHERTEXT_BYTES + 1])
def test_a_ciphertext_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(AuthenticationFailed):
        KemKey(SEED).decapsulate(bytes(length))


def test_a_key_serves_once_whatever_came_of_it() -> None:
    key = KemKey(SEED)
    sent = encapsulate(key.encapsulation_key)
    with pytest.raises(AuthenticationFailed):
        key.decapsulate(b"")
    with pytest.raises(LocalProtocolError, match="already been used"):
        key.decapsulate(sent.ciphertext)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(LocalProtocolError, match="64 bytes"):
        KemKey(bytes(length))


def test_secrets_are_not_printed() -> None:
    key = KemKey(SEED)
    sent = encapsulate(key.encapsulation_key)
    assert repr(key) == "<KemKey fresh>"
    secret = key.decapsulate(sent.ciphertext)
    assert repr(key) == "<KemKey used>"
    assert repr(secret) not in repr(sent)
