"""CipherState and SymmetricState alone."""

from __future__ import annotations

import hmac
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.noise import CHACHAPOLY, MAX_NONCE, SHA256, CipherState, SymmetricState
from blechannel.noise.functions import CIPHERS, HASHES, Cipher, Hash

KEY = bytes(range(32))


def test_without_a_key_text_passes_through() -> None:
    state = CipherState(CHACHAPOLY)
    assert not state.has_key()
    assert state.encrypt_with_ad(b"ad", b"text") == b"text"
    assert state.decrypt_with_ad(b"ad", b"text") == b"text"
    assert state.n == 0
    with pytest.raises(LocalProtocolError):
        state.rekey()


@pytest.mark.parametrize("cipher", CIPHERS.values(), ids=CIPHERS)
def test_the_last_nonce_is_never_used(cipher: Cipher) -> None:
    send, receive = CipherState(cipher, KEY), CipherState(cipher, KEY)
    send.n = receive.n = MAX_NONCE - 1
    assert receive.decrypt_with_ad(b"", send.encrypt_with_ad(b"", b"last")) == b"last"
    for _ in range(2):
        with pytest.raises(LocalProtocolError):
            send.encrypt_with_ad(b"", b"one more")
        with pytest.raises(LocalProtocolError):
            receive.decrypt_with_ad(b"", bytes(24))
    assert send.n == receive.n == MAX_NONCE == 2**64 - 1


@pytest.mark.parametrize("cipher", CIPHERS.values(), ids=CIPHERS)
def test_a_refused_ciphertext_leaves_the_nonce(cipher: Cipher) -> None:
    send, receive = CipherState(cipher, KEY), CipherState(cipher, KEY)
    sealed = send.encrypt_with_ad(b"ad", b"text")
    for wrong in (*(sealed[:n] for n in range(len(sealed))), sealed + b"\0", bytes(len(sealed))):
        with pytest.raises(AuthenticationFailed):
            receive.decrypt_with_ad(b"ad", wrong)
    with pytest.raises(AuthenticationFailed):
        receive.decrypt_with_ad(b"other", sealed)
    assert receive.n == 0
    assert receive.decrypt_with_ad(b"ad", sealed) == b"text"
    with pytest.raises(AuthenticationFailed):
        receive.decrypt_with_ad(b"ad", sealed)
    assert receive.n == 1


def test_rekey_is_the_specification_s_and_the_nonce_goes_on() -> None:
    state = CipherState(CHACHAPOLY, KEY, 7)
    state.rekey()
    nonce = bytes(4) + b"\xff" * 8
    expected = ChaCha20Poly1305(KEY).encrypt(nonce, bytes(32), b"")[:32]
    assert (state.k, state.n) == (expected, 7)
    sealed = state.encrypt_with_ad(b"", b"text")
    assert sealed == ChaCha20Poly1305(expected).encrypt(bytes(4) + (7).to_bytes(8, "little"), b"text", b"")


def test_one_cipher_object_a_key() -> None:
    loaded: list[bytes] = []

    def load(key: bytes) -> ChaCha20Poly1305:
        loaded.append(key)
        return ChaCha20Poly1305(key)

    state = CipherState(Cipher("counted", load, CHACHAPOLY.nonce), KEY)
    assert loaded == []
    for _ in range(3):
        state.encrypt_with_ad(b"", b"text")
    assert loaded == [KEY]
    state.rekey()
    state.encrypt_with_ad(b"", b"text")
    assert loaded == [KEY, state.k]


def hkdf(algorithm: str, chaining_key: bytes, material: bytes) -> tuple[bytes, bytes, bytes]:
    """Section 4.3, with hmac alone."""
    temp_key = hmac.digest(chaining_key, material, algorithm)
    first = hmac.digest(temp_key, b"\x01", algorithm)
    second = hmac.digest(temp_key, first + b"\x02", algorithm)
    return first, second, hmac.digest(temp_key, second + b"\x03", algorithm)


@pytest.mark.parametrize("hash_", HASHES.values(), ids=HASHES)
@pytest.mark.parametrize("material", [b"", b"dh", bytes(56)])
def test_hkdf(hash_: Hash, material: bytes) -> None:
    chaining_key = os.urandom(hash_.length_bytes)
    expected = hkdf(hash_.name.lower(), chaining_key, material)
    assert hash_.hkdf3(chaining_key, material) == expected
    assert hash_.hkdf2(chaining_key, material) == expected[:2]


def test_split_gives_the_exporter_as_third_output() -> None:
    state = SymmetricState(KEY, CHACHAPOLY, SHA256)
    state.mix_key_and_hash(bytes(32))
    first, second, exporter = state.split()
    assert (first.k, second.k, exporter) == hkdf("sha256", state.ck, b"")
    assert first.n == second.n == 0
