"""CipherState and SymmetricState (specification, sections 5.1 and 5.2), in the specification's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.noise.functions import KEY_BYTES, Cipher, Hash

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

MAX_NONCE: Final = 2**64 - 1
"""Reserved for `CipherState.rekey`; no message is ever sealed under it."""


class CipherState:
    """A key `k` and a nonce `n`. Without a key, text passes through unchanged.

    A message's length is the caller's business (at most 65535 bytes, tag included).
    """

    __slots__ = ("_aead", "_cipher", "k", "n", "nonce")

    def __init__(self, cipher: Cipher, k: bytes = b"", n: int = 0) -> None:
        self._cipher = cipher
        self._aead: ChaCha20Poly1305 | AESGCM | None = None
        self.nonce = cipher.nonce
        """A counter as the 12 bytes that the AEAD takes."""
        self.k = k
        self.n = n

    def __repr__(self) -> str:
        return f"CipherState({self._cipher.name}, n={self.n})"

    def initialize_key(self, k: bytes) -> None:
        """Take a new 32-byte key and start at nonce 0."""
        # Many keys are mixed away before anything is sealed: the AEAD is made on first use, and kept.
        self._aead = None
        self.k = k
        self.n = 0

    def has_key(self) -> bool:
        """Whether there is a key."""
        return bool(self.k)

    def encrypt_with_ad(self, ad: bytes, plaintext: bytes) -> bytes:
        """Seal `plaintext` under the next nonce; returns it with a 16-byte tag.

        Raises:
            LocalProtocolError: the nonces are exhausted; nothing changed.
        """
        n = self.n
        if n >= MAX_NONCE:
            raise LocalProtocolError("no nonce is left under this key")
        aead = self._aead
        if aead is None:
            if not self.k:
                return plaintext
            aead = self._load()
        ciphertext = aead.encrypt(self._cipher.nonce(n), plaintext, ad)
        self.n = n + 1
        return ciphertext

    def decrypt_with_ad(self, ad: bytes, ciphertext: bytes) -> bytes:
        """Open `ciphertext` under the next nonce.

        Raises:
            AuthenticationFailed: the tag is wrong or there is no room for one; `n` is unchanged.
            LocalProtocolError: the nonces are exhausted; nothing changed.
        """
        n = self.n
        if n >= MAX_NONCE:
            raise LocalProtocolError("no nonce is left under this key")
        aead = self._aead
        if aead is None:
            if not self.k:
                return ciphertext
            aead = self._load()
        try:
            plaintext = aead.decrypt(self._cipher.nonce(n), ciphertext, ad)
        except InvalidTag as error:
            raise AuthenticationFailed from error
        self.n = n + 1
        return plaintext

    @property
    def aead(self) -> ChaCha20Poly1305 | AESGCM:
        """The AEAD under `k`, for who counts `n` by itself; it stays until `k` changes.

        Raises:
            LocalProtocolError: there is no key.
        """
        if not self.k:
            raise LocalProtocolError("there is no key")
        return self._aead or self._load()

    def rekey(self) -> None:
        """REKEY(k) of section 4.2; `n` goes on.

        Raises:
            LocalProtocolError: there is no key.
        """
        self.k = self.aead.encrypt(self._cipher.nonce(MAX_NONCE), bytes(KEY_BYTES), b"")[:KEY_BYTES]
        self._aead = None

    def _load(self) -> ChaCha20Poly1305 | AESGCM:
        self._aead = aead = self._cipher.load(self.k)
        return aead


class SymmetricState:
    """The chaining key `ck`, the handshake hash `h` and the handshake's CipherState."""

    __slots__ = ("_cipher", "_hash", "cipher_state", "ck", "h")

    def __init__(self, h: bytes, cipher: Cipher, hash_: Hash) -> None:
        """Start from the `h` that a protocol's name gives."""
        self._cipher = cipher
        self._hash = hash_
        self.h = self.ck = h
        self.cipher_state = CipherState(cipher)

    def __repr__(self) -> str:
        return f"SymmetricState(h={self.h.hex()})"

    def mix_key(self, input_key_material: bytes) -> None:
        """Mix a DH result, or in psk mode an ephemeral public key, into `ck` and the key."""
        self.ck, temp_k = self._hash.hkdf2(self.ck, input_key_material)
        self.cipher_state.initialize_key(temp_k[:KEY_BYTES])

    def mix_hash(self, data: bytes) -> None:
        """Mix what both sides see into `h`."""
        self.h = self._hash.new(self.h + data).digest()

    def mix_key_and_hash(self, input_key_material: bytes) -> None:
        """Mix a psk into `ck`, `h` and the key."""
        self.ck, temp_h, temp_k = self._hash.hkdf3(self.ck, input_key_material)
        self.mix_hash(temp_h)
        self.cipher_state.initialize_key(temp_k[:KEY_BYTES])

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Seal with `h` as associated data, then mix the ciphertext into `h`."""
        ciphertext = self.cipher_state.encrypt_with_ad(self.h, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """Open with `h` as associated data, then mix the ciphertext into `h`.

        Raises:
            AuthenticationFailed: the tag is wrong.
        """
        plaintext = self.cipher_state.decrypt_with_ad(self.h, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState, bytes]:
        """The CipherStates initiator → responder and back, and the exporter: HKDF(ck, "", 3)."""
        # The first two outputs are those of the specification's HKDF(ck, "", 2).
        temp_k1, temp_k2, exporter = self._hash.hkdf3(self.ck, b"")
        return (
            CipherState(self._cipher, temp_k1[:KEY_BYTES]),
            CipherState(self._cipher, temp_k2[:KEY_BYTES]),
            exporter,
        )

    def forget(self) -> None:
        """Drop the chaining key and the handshake's key; `h` stays."""
        self.ck = b""
        self.cipher_state = CipherState(self._cipher, n=MAX_NONCE)
