"""The key schedule: every label and every derivation, in the order in which they happen (protocol, "Pairing")."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blechannel.methods import Method
from blechannel.noise import Protocol
from blechannel.pairing.bonds import Epoch
from blechannel.pairing.lv import lv, lv_cat

PAIR_LABEL: Final = b"blechannel/1 pair"
RECONNECT_LABEL: Final = b"blechannel/1 reconnect"
SAS_LABEL: Final = b"blechannel/1 sas"
PSK_LABEL: Final = b"blechannel/1 psk"
EPOCH_LABEL: Final = b"blechannel/1 epoch"
KNOWN_LABEL: Final = b"blechannel/1 known"

PAIR_PROTOCOL: Final = Protocol.parse("Noise_XXpsk3_25519_ChaChaPoly_SHA256")
PAIR_PSK: Final = 3
RECONNECT_PROTOCOL: Final = Protocol.parse("Noise_KKpsk0_25519_ChaChaPoly_SHA256")
RECONNECT_PSK: Final = 0

CHANNEL_IDENTIFIER: Final = lv_cat(PAIR_LABEL, b"phone", b"watch")
"""CPace's CI: names the two roles, so that a share sent back to its sender is worth nothing."""

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
KNOWN_BYTES: Final = 8


def prologue(label: bytes, info: bytes, hello: bytes) -> bytes:
    """What both sides must have seen alike before the first message: `info` and `hello` exactly as on the air."""
    return lv(label) + lv(info) + lv(hello)


def cpace_sid(info: bytes, phone_ephemeral: bytes) -> bytes:
    """32 bytes: ties the run of CPace to this connection's INFO and to the phone's Noise ephemeral."""
    return hashlib.sha512(info + phone_ephemeral).digest()[:32]


def commitment(watch_nonce: bytes) -> bytes:
    """32 bytes: what the watch promises in m2 and opens in m4."""
    return hashlib.sha256(SAS_LABEL + watch_nonce).digest()


def pairing_psk(handshake_hash: bytes, secret: bytes, method: Method) -> bytes:
    """32 bytes for psk3: `handshake_hash` is h after m2, `secret` what the method agreed on."""
    return _hkdf(handshake_hash, secret, PSK_LABEL + bytes([method]), KEY_BYTES)


def next_epoch(number: int, *, psk: bytes, exporter: bytes, handshake_hash: bytes) -> Epoch:
    """The keys that the next reconnect will use; `psk` is the one that this handshake used."""
    keys = _hkdf(psk, exporter, EPOCH_LABEL + handshake_hash, 2 * KEY_BYTES)
    return Epoch(number, keys[:KEY_BYTES], keys[KEY_BYTES:])


def hint_tag(hint_key: bytes, reconnect_prologue: bytes, noise: bytes) -> bytes:
    """16 bytes: finds the bond and proves the first message before any Diffie-Hellman is spent on it."""
    return hmac.digest(hint_key, reconnect_prologue + lv(noise), "sha256")[:TAG_BYTES]


def known(discovery_key: bytes) -> bytes:
    """8 bytes: how a phone says which discovery key it has, zeros for none; the watch sends the newest otherwise."""
    if not discovery_key:
        return bytes(KNOWN_BYTES)
    return hashlib.sha256(KNOWN_LABEL + discovery_key).digest()[:KNOWN_BYTES]


def _hkdf(salt: bytes, secret: bytes, info: bytes, length_bytes: int) -> bytes:
    return HKDF(SHA256(), length_bytes, salt, info).derive(secret)
