"""A Noise handshake recomputed by somebody who has one side's keys, and thereby verified: every tag must fit.

Source: Noise, revision 34, sections 5.3 and 9; the tokens are those of the runtime's patterns.
"""

from __future__ import annotations

from blechannel.errors import AuthenticationFailed, MalformedFrame
from blechannel.noise import DH_25519, CipherState, Protocol, SymmetricState
from blechannel.noise.functions import TAG_BYTES
from blechannel_capture.channel.key_log import Secrets


class Observer:
    """Reads both sides' messages with the secrets of one of them.

    The psk is kept back until its token: a pairing's is agreed on only by then.
    """

    def __init__(self, protocol: Protocol, secrets: Secrets, prologue: bytes) -> None:
        self._protocol = protocol
        self._secrets = secrets
        self._private = {"e": DH_25519.key_pair(secrets.ephemeral), "s": DH_25519.key_pair(secrets.static)}
        self._is_initiator = secrets.role.is_initiator
        self._their = {"s": DH_25519.load_public(secrets.peer_static)} if secrets.peer_static else {}
        self._next = 0
        self._symmetric = SymmetricState(protocol.h, protocol.cipher, protocol.hash)
        self._symmetric.mix_hash(prologue)
        if protocol.pattern.initiator_pre_message:
            self._symmetric.mix_hash(self._static_of(initiator=True))
        if protocol.pattern.responder_pre_message:
            self._symmetric.mix_hash(self._static_of(initiator=False))

    @property
    def handshake_hash(self) -> bytes:
        """`h` so far."""
        return self._symmetric.h

    def read(self, message: bytes) -> bytes:
        """The payload of the next message, whoever sent it.

        Raises:
            AuthenticationFailed: a tag does not fit, or a key is another than the log says.
            MalformedFrame: too short, or there is no next message.
        """
        if self._next == len(self._protocol.messages):
            raise MalformedFrame("a handshake message after the last")
        due = self._protocol.messages[self._next]
        if len(message) < due.overhead_bytes:
            raise MalformedFrame(f"a handshake message of {len(message)} bytes")
        is_ours = (self._next % 2 == 0) == self._is_initiator
        self._next += 1
        for token in due.tokens:
            message = self._token(token, message, is_ours=is_ours)
        return self._symmetric.decrypt_and_hash(message)

    def split(self) -> tuple[CipherState, CipherState]:
        """The phone's and the watch's sending keys."""
        first, second, _ = self._symmetric.split()
        return first, second

    def _token(self, token: str, message: bytes, *, is_ours: bool) -> bytes:
        """Take one token off the front of `message`; returns the rest."""
        if token in ("e", "s"):
            return self._key(token, message, is_ours=is_ours)
        if token.startswith("psk"):
            self._symmetric.mix_key_and_hash(self._secrets.psk)
            return message
        own, their = (token[0], token[1]) if self._is_initiator else (token[1], token[0])
        self._symmetric.mix_key(self._private[own].exchange(self._their[their]))
        return message

    def _key(self, token: str, message: bytes, *, is_ours: bool) -> bytes:
        size = self._protocol.dh.length_bytes
        if token == "e":
            public = message[:size]
            self._symmetric.mix_hash(public)
            self._symmetric.mix_key(public)  # both of our patterns have a psk
        else:
            size += TAG_BYTES if self._symmetric.cipher_state.has_key() else 0
            public = self._symmetric.decrypt_and_hash(message[:size])
        if not is_ours:
            self._their[token] = DH_25519.load_public(public)
        elif public != self._private[token].public:
            raise AuthenticationFailed
        return message[size:]

    def _static_of(self, *, initiator: bool) -> bytes:
        if initiator == self._is_initiator:
            return self._private["s"].public
        return self._secrets.peer_static
