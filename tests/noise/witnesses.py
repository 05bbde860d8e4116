"""The two independent Noise packages, behind one face."""

from __future__ import annotations

import re
from typing import Protocol

from dissononce.extras.meta.protocol.factory import NoiseProtocolFactory
from dissononce.processing.modifiers.psk import PSKPatternModifier
from noise.connection import Keypair, NoiseConnection

from tests.noise.live import PROLOGUE, Pair


class Witness(Protocol):
    """One side of a handshake, and the transport after it."""

    def write(self, payload: bytes) -> bytes: ...

    def read(self, message: bytes) -> bytes: ...

    def handshake_hash(self) -> bytes: ...

    def encrypt(self, ad: bytes, plaintext: bytes) -> bytes: ...

    def decrypt(self, ad: bytes, ciphertext: bytes) -> bytes: ...

    def rekey(self) -> None:
        """Both directions."""


class NoiseprotocolSide:
    """The package noiseprotocol."""

    def __init__(self, pair: Pair, *, initiator: bool) -> None:
        keys = pair.keys(initiator=initiator)
        self._connection = connection = NoiseConnection.from_name(pair.protocol.name.encode())
        connection.set_as_initiator() if initiator else connection.set_as_responder()
        connection.set_prologue(PROLOGUE)
        if keys.psks:
            connection.set_psks(psks=list(keys.psks.values()))
        if keys.s:
            connection.set_keypair_from_private_bytes(Keypair.STATIC, keys.s.private)
        if keys.rs:
            connection.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, keys.rs)
        connection.start_handshake()

    def write(self, payload: bytes) -> bytes:
        return bytes(self._connection.write_message(payload))

    def read(self, message: bytes) -> bytes:
        return bytes(self._connection.read_message(message))

    def handshake_hash(self) -> bytes:
        return bytes(self._connection.get_handshake_hash())

    def encrypt(self, ad: bytes, plaintext: bytes) -> bytes:
        return bytes(self._connection.noise_protocol.cipher_state_encrypt.encrypt_with_ad(ad, plaintext))

    def decrypt(self, ad: bytes, ciphertext: bytes) -> bytes:
        return bytes(self._connection.noise_protocol.cipher_state_decrypt.decrypt_with_ad(ad, ciphertext))

    def rekey(self) -> None:
        self._connection.rekey_outbound_cipher()
        self._connection.rekey_inbound_cipher()


class DissononceSide:
    """The package dissononce."""

    _factory = NoiseProtocolFactory()

    def __init__(self, pair: Pair, *, initiator: bool) -> None:
        keys = pair.keys(initiator=initiator)
        self._initiator = initiator
        # Its table of names has no psk4, its modifier has.
        protocol = self._factory.get_noise_protocol(re.sub(r"psk[0-9+psk]*", "", pair.protocol.name))
        pattern = protocol.pattern
        for number in pair.protocol.psks:
            pattern = PSKPatternModifier(number).modify(pattern)
        dh = protocol.dh
        private = type(dh.generate_keypair().private)
        self._state = protocol.create_handshakestate()
        self._state.initialize(
            pattern,
            initiator,
            PROLOGUE,
            s=dh.generate_keypair(private(keys.s.private)) if keys.s else None,
            rs=dh.create_public(keys.rs) if keys.rs else None,
            psks=list(keys.psks.values()),
        )

    def write(self, payload: bytes) -> bytes:
        buffer = bytearray()
        self._finish(self._state.write_message(payload, buffer))
        return bytes(buffer)

    def read(self, message: bytes) -> bytes:
        buffer = bytearray()
        self._finish(self._state.read_message(message, buffer))
        return bytes(buffer)

    def _finish(self, states: object) -> None:
        if isinstance(states, tuple):
            self._send, self._receive = states if self._initiator else reversed(states)

    def handshake_hash(self) -> bytes:
        return bytes(self._state.symmetricstate.get_handshake_hash())

    def encrypt(self, ad: bytes, plaintext: bytes) -> bytes:
        return bytes(self._send.encrypt_with_ad(ad, plaintext))

    def decrypt(self, ad: bytes, ciphertext: bytes) -> bytes:
        return bytes(self._receive.decrypt_with_ad(ad, ciphertext))

    def rekey(self) -> None:
        # Its rekey() keeps the tag in the key and starts again at nonce 0, which the specification does not.
        for state in (self._send, self._receive):
            nonce = state._nonce
            state.initialize_key(state.cipher.rekey(state._key)[:32])
            state.set_nonce(nonce)
