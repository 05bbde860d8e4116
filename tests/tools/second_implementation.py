"""A watch written from docs/protocol.md alone: nothing of blechannel is imported here.

It takes what the phone sent and what the watch drew, and gives every byte that the watch must send.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

P = 2**255 - 19
A = 486662


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def lv_cat(*items: bytes) -> bytes:
    assert all(len(item) < 128 for item in items), "one byte of LEB128"
    return b"".join(bytes((len(item),)) + item for item in items)


def hkdf(salt: bytes, secret: bytes, info: bytes, count: int) -> Iterator[bytes]:
    """`count` outputs of 32 bytes (RFC 5869); Noise's HKDF is this without info."""
    prk = hmac.digest(salt, secret, "sha256")
    block = b""
    for counter in range(1, count + 1):
        block = hmac.digest(prk, block + info + bytes((counter,)), "sha256")
        yield block


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def x25519(private: bytes, u: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(u))


class Noise:
    """The symmetric part of a handshake in psk mode."""

    def __init__(self, name: bytes, prologue: bytes) -> None:
        self.h = self.ck = sha256(name)
        self.k = b""
        self.n = 0
        self.mix_hash(prologue)

    def mix_hash(self, data: bytes) -> None:
        self.h = sha256(self.h + data)

    def mix_key(self, secret: bytes) -> None:
        self.ck, self.k = hkdf(self.ck, secret, b"", 2)
        self.n = 0

    def mix_psk(self, psk: bytes) -> None:
        self.ck, temp_h, self.k = hkdf(self.ck, psk, b"", 3)
        self.mix_hash(temp_h)
        self.n = 0

    def mix_ephemeral(self, e: bytes) -> None:
        self.mix_hash(e)
        self.mix_key(e)

    def seal(self, plaintext: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self.k).encrypt(self._nonce(), plaintext, self.h)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        plaintext = ChaCha20Poly1305(self.k).decrypt(self._nonce(), sealed, self.h)
        self.mix_hash(sealed)
        return plaintext

    def split(self) -> tuple[bytes, bytes, bytes]:
        """Keys phone → watch and watch → phone, and the exporter."""
        first, second, third = hkdf(self.ck, b"", b"", 3)
        return first, second, third

    def _nonce(self) -> bytes:
        self.n += 1
        return bytes(4) + (self.n - 1).to_bytes(8, "little")


def elligator(r: bytes) -> bytes:
    """The map as the Elligator paper writes it: v = -A / (1 + 2 r²), e = χ(v³ + A v² + v), u = e v - (1 - e) A / 2."""
    number = int.from_bytes(r, "little") % 2**255
    v = -A * pow(1 + 2 * number * number, P - 2, P) % P
    e = 1 if pow(v**3 + A * v**2 + v, (P - 1) // 2, P) in (0, 1) else -1
    return ((e * v - (1 - e) * A // 2) % P).to_bytes(32, "little")


def generator(code: bytes, sid: bytes) -> bytes:
    ci = lv_cat(b"blechannel/1 pair", b"phone", b"watch")
    padding = bytes(128 - 1 - len(lv_cat(code)) - len(lv_cat(b"CPace255")))
    return elligator(sha512(lv_cat(b"CPace255", code, padding, ci, sid))[:32])


class Pairing:
    """The watch in a pairing by passkey; `info` is the whole frame, `hello` its six bytes."""

    def __init__(self, drawn: dict[str, bytes], info: bytes, m1: bytes) -> None:
        self._drawn = drawn
        hello, message = m1[3:9], m1[9:]
        self.prologue = lv_cat(b"blechannel/1 pair", info, hello)
        self._noise = noise = Noise(b"Noise_XXpsk3_25519_ChaChaPoly_SHA256", self.prologue)
        self._phone_e, sealed = message[:32], message[32:]
        noise.mix_ephemeral(self._phone_e)
        self._phone_share = noise.open(sealed)
        self.sid = sha512(info + self._phone_e)[:32]

    def m2(self, code: bytes) -> bytes:
        drawn, noise = self._drawn, self._noise
        self.generator = generator(code, self.sid)
        scalar = drawn["pairing: CPace scalar"]
        own_share = x25519(scalar, self.generator)
        ephemeral, static = drawn["pairing: ephemeral key"], drawn["pairing: static key"]
        message = public(ephemeral)
        noise.mix_ephemeral(message)
        noise.mix_key(x25519(ephemeral, self._phone_e))
        message += noise.seal(public(static))
        noise.mix_key(x25519(static, self._phone_e))
        message += noise.seal(own_share + sha256(b"blechannel/1 sas" + drawn["n_R"]))
        key = x25519(scalar, self._phone_share)
        self.isk = sha512(
            lv_cat(b"CPace255_ISK", self.sid, key, self._phone_share, b"", own_share, b""),
        )
        (self.psk,) = hkdf(noise.h, self.isk, b"blechannel/1 psk" + b"\x01", 1)
        return b"\x13" + len(message).to_bytes(2, "big") + message

    def read_m3(self, m3: bytes) -> bytes:
        """What the phone proved it with: n_I and its capabilities."""
        noise, message = self._noise, m3[3:]
        self.phone_static = noise.open(message[:48])
        noise.mix_key(x25519(self._drawn["pairing: ephemeral key"], self.phone_static))
        noise.mix_psk(self.psk)
        proof = noise.open(message[48:])
        self.h = noise.h
        self.from_phone, self.to_phone, self.exporter = noise.split()
        return proof

    def epoch(self) -> tuple[bytes, bytes]:
        """bond_psk and hint_key of epoch 0."""
        bond_psk, hint_key = hkdf(self.psk, self.exporter, b"blechannel/1 epoch" + self.h, 2)
        return bond_psk, hint_key


class Reconnecting:
    """The watch in a reconnect under an epoch's `bond_psk` and `hint_key`."""

    def __init__(self, info: bytes, m1: bytes, *, hint_key: bytes) -> None:
        hello, self.tag, self._message = m1[3:9], m1[9:25], m1[25:]
        self.prologue = lv_cat(b"blechannel/1 reconnect", info, hello)
        self.expected_tag = hmac.digest(hint_key, self.prologue + lv_cat(self._message), "sha256")[:16]

    def m2(self, *, bond_psk: bytes, phone_static: bytes, static: bytes, ephemeral: bytes) -> bytes:
        noise = Noise(b"Noise_KKpsk0_25519_ChaChaPoly_SHA256", self.prologue)
        noise.mix_hash(phone_static)
        noise.mix_hash(public(static))
        noise.mix_psk(bond_psk)
        phone_e = self._message[:32]
        noise.mix_ephemeral(phone_e)
        noise.mix_key(x25519(static, phone_e))
        noise.mix_key(x25519(static, phone_static))
        assert noise.open(self._message[32:]) == b""
        noise.mix_ephemeral(public(ephemeral))
        noise.mix_key(x25519(ephemeral, phone_e))
        noise.mix_key(x25519(ephemeral, phone_static))
        message = public(ephemeral) + noise.seal(b"")
        self.h = noise.h
        self.from_phone, self.to_phone, self.exporter = noise.split()
        self.bond_psk, self.hint_key = hkdf(bond_psk, self.exporter, b"blechannel/1 epoch" + self.h, 2)
        return b"\x16" + len(message).to_bytes(2, "big") + message


def record(key: bytes, number: int, record_type: int, body: bytes) -> bytes:
    """A sealed record, padded to a multiple of 16 bytes."""
    plaintext = body + bytes((record_type,))
    plaintext += bytes(-len(plaintext) % 16)
    header = b"\x17" + (len(plaintext) + 16).to_bytes(2, "big")
    return header + ChaCha20Poly1305(key).encrypt(bytes(4) + number.to_bytes(8, "little"), plaintext, header)
