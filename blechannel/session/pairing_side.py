"""What both sides of a pairing do alike, in the order of the protocol."""

from __future__ import annotations

from typing import Final

from blechannel.errors import AuthenticationFailed, MalformedFrame
from blechannel.methods import Method, Suite
from blechannel.noise import DH_25519, HandshakeState, KeyPair, Keys, Transport
from blechannel.pairing import keys
from blechannel.pairing.bonds import Bond
from blechannel.roles import Role
from blechannel.session.agreement import Agreement, CarriedAgreement, CodeAgreement
from blechannel.session.script import Talk
from blechannel.session.setup import PhoneSetup, WatchSetup
from blechannel.wire.frames import Hello

BOND_ID_BYTES: Final = 16


class PairingSide:
    """One side of one run. Static keys are made for this run and, if it succeeds, for its bond."""

    def __init__(
        self,
        talk: Talk,
        setup: PhoneSetup | WatchSetup,
        hello: Hello,
        hello_bytes: bytes,
        *,
        static: KeyPair | None = None,
    ) -> None:
        self._talk = talk
        self._setup = setup
        self._hello = hello
        self._static = static or DH_25519.generate(talk.random)
        self._ephemeral = DH_25519.generate(talk.random)
        self._psk = b""
        self._peer_certificate = b""
        self.method = Method(hello.method)
        self.is_hybrid = hello.suite == Suite.HYBRID
        self.noise = HandshakeState(
            keys.PAIR_PROTOCOL,
            initiator=setup.role.is_initiator,
            random=talk.random,
            prologue=keys.prologue(keys.PAIR_LABEL, talk.info(), hello_bytes),
            keys=Keys(s=self._static, e=self._ephemeral),
        )

    def agreement(self, phone_ephemeral: bytes, *, code: str, carried: bytes) -> Agreement:
        """How this run's method comes to its secret."""
        if self.method is Method.PASSKEY:
            sid = keys.cpace_sid(self._talk.info(), phone_ephemeral)
            return CodeAgreement(self._talk, self._setup.role, code, sid=sid)
        return CarriedAgreement(carried)

    def mix_secret(self, secret: bytes) -> None:
        """After m2, before m3: what was agreed on becomes the psk."""
        self._psk = keys.pairing_psk(self.noise.handshake_hash, secret, self.method)
        self.noise.set_psk(keys.PAIR_PSK, self._psk)

    def finish(self) -> Transport:
        """After m3: records from now on."""
        transport = self.noise.split()
        self._talk.log_keys("PAIR", self._ephemeral.private, self._static.private, self._psk)
        self._talk.install(transport)
        return transport

    def attestation(self) -> bytes:
        """What this side shows of its certificate: nothing with words, which come before any identity."""
        if self.method is Method.WORDS:
            return b""
        return self._setup.credentials.present(self._setup.role, self.noise.handshake_hash)

    def check_attestation(self, shown: bytes) -> None:
        """The peer's certificate, before anything else that it said has an effect.

        Raises:
            MalformedFrame: no Attestation, or one where the method has none.
            AuthenticationFailed: one that is not believed, or none where one is due.
        """
        if shown and self.method is Method.WORDS:
            raise MalformedFrame("a certificate in a pairing by words")
        setup, h = self._setup, self.noise.handshake_hash
        floor_s = setup.books.book.time_floor_s
        self._peer_certificate = setup.credentials.verify(setup.role.peer, h, shown, floor_s=floor_s)
        is_due = self.method is Method.CERTIFICATE or setup.config.policy.require_attestation
        if is_due and not self._peer_certificate:
            raise AuthenticationFailed

    def bond(self, transport: Transport, *, peer_name: str = "", replaces: bytes | None = None) -> Bond:
        """The bond that this run made; as the phone sees it, pending."""
        epoch = keys.next_epoch(0, psk=self._psk, exporter=transport.exporter, handshake_hash=transport.handshake_hash)
        return Bond(
            bond_id=self._talk.random(BOND_ID_BYTES),
            role=self._setup.role,
            peer_name=peer_name,
            method=self.method,
            suite=Suite(self._hello.suite),
            version=self._hello.version,
            own_static=self._static.private,
            peer_static=self.noise.remote_static or b"",
            peer_certificate=self._peer_certificate,
            epoch=epoch,
            pending=self._setup.role is Role.PHONE,
            replaces=replaces,
        )
