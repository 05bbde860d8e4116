"""The primitives as they are called here, against the vectors of Project Wycheproof."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blechannel.errors import AuthenticationFailed
from blechannel.noise import CHACHAPOLY, DH_25519, SHA256, CipherState


class Case(TypedDict):
    """One test of any of the files; each has some of these, in hexadecimal."""

    result: str
    private: str
    public: str
    shared: str
    key: str
    iv: str
    aad: str
    msg: str
    ct: str
    tag: str
    ikm: str
    salt: str
    info: str
    size: int
    okm: str


def cases(file: Path) -> Iterator[Case]:
    for group in json.loads(file.read_text())["testGroups"]:
        yield from group["tests"]


def test_x25519(vectors: Path) -> None:
    zero, count = bytes(32), 0
    for case in cases(vectors / "wycheproof/x25519_test.json"):
        private, public, shared = (bytes.fromhex(case[name]) for name in ("private", "public", "shared"))
        pair = DH_25519.key_pair(private)
        count += 1
        if shared == zero:
            with pytest.raises(AuthenticationFailed):
                pair.exchange(DH_25519.load_public(public))
        else:
            assert pair.exchange(DH_25519.load_public(public)) == shared
            assert DH_25519.load_public(public).public_bytes_raw() == public
    assert count == 518


def test_chacha20_poly1305(vectors: Path) -> None:
    counters = 0
    for case in cases(vectors / "wycheproof/chacha20_poly1305_test.json"):
        key, iv, ad, text = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg"))
        sealed = bytes.fromhex(case["ct"] + case["tag"])
        if len(iv) != 12:
            continue  # no nonce of ours
        cipher, n = CHACHAPOLY.load(key), int.from_bytes(iv[4:], "little")
        if CHACHAPOLY.nonce(n) == iv:
            counters += 1
            assert CipherState(CHACHAPOLY, key, n).encrypt_with_ad(ad, text) == sealed
        if case["result"] == "valid":
            assert cipher.encrypt(iv, text, ad) == sealed
            assert cipher.decrypt(iv, sealed, ad) == text
        else:
            with pytest.raises(InvalidTag):
                cipher.decrypt(iv, sealed, ad)
    assert counters == 10


def test_hkdf_sha256(vectors: Path) -> None:
    ours = 0
    for case in cases(vectors / "wycheproof/hkdf_sha256_test.json"):
        ikm, salt, info, okm = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info", "okm"))
        if case["result"] == "valid":
            assert HKDF(SHA256.algorithm, case["size"], salt, info).derive(ikm) == okm
        if case["size"] == 64 and not info:
            ours += 1
            assert b"".join(SHA256.hkdf2(salt, ikm)) == okm
    assert ours == 9


def test_hmac_sha256(vectors: Path) -> None:
    for case in cases(vectors / "wycheproof/hmac_sha256_test.json"):
        key, text, tag = (bytes.fromhex(case[name]) for name in ("key", "msg", "tag"))
        computed = hmac.digest(key, text, "sha256")[: len(tag)]
        assert hmac.compare_digest(computed, tag) is (case["result"] == "valid")
