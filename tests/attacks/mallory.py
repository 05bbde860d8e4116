"""Mallory: between a phone and a watch, with keys of her own towards each. She speaks the protocol perfectly.

She is a `Meddle` of `tests.session.middle.Middle`: she gets each frame that a side says, and decides what the other
hears.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blechannel.codec import decode, encode
from blechannel.errors import BlechannelError
from blechannel.methods import Method
from blechannel.noise import DH_25519, CipherState, HandshakeState, KeyPair, Keys, Transport
from blechannel.pairing import keys
from blechannel.pairing.cpace import CPace
from blechannel.roles import Role
from blechannel.session.agreement import NO_SHARE
from blechannel.wire.frames import (
    RECORD_TYPE_OF,
    Body,
    Hello,
    Nonce,
    Pair1,
    Pair2,
    Pair3,
    PairAnswer,
    PairProof,
    PairShare,
    decode_frame,
    encode_frame,
)
from blechannel.wire.header import FRAME_HEADER_BYTES, pack_header
from tests.session.sides import Stream

RECORD_KIND = 0x17
TAG_BYTES = 16

Heard = list[tuple[Role, bytes]]


def seal(cipher: CipherState, body: Body) -> bytes:
    """A record, made without the record layer."""
    plaintext = encode(body) + bytes((RECORD_TYPE_OF[type(body)],))
    header = pack_header(RECORD_KIND, len(plaintext) + TAG_BYTES)
    return header + cipher.encrypt_with_ad(header, plaintext)


def unseal(cipher: CipherState, frame: bytes) -> bytes:
    """The body of a record."""
    plaintext = cipher.decrypt_with_ad(frame[:FRAME_HEADER_BYTES], frame[FRAME_HEADER_BYTES:])
    return plaintext.rstrip(b"\0")[:-1]


@dataclass
class Mallory:
    """Ends both handshakes herself. `code` is what she guesses; None: she passes the CPace shares on as they are."""

    code: str | None = None
    method: Method = Method.PASSKEY
    carried: bytes = bytes(32)
    towards_watch: Method | None = None
    """The method that she asks the watch for; by default the phone's."""
    encapsulation_key: bytes = b""
    """What stands behind the share in her m1."""
    ciphertext: bytes = b""
    """What stands behind the commitment in her m2."""
    attestation: bytes = b""
    """What stands behind the nonce in her m4."""
    random: Stream = field(default_factory=lambda: Stream("mallory"))
    said: list[str] = field(default_factory=list)
    phone_leg: Transport | None = None
    watch_leg: Transport | None = None
    failed: BlechannelError | None = None

    def __call__(self, sender: Role, _number: int, frame: bytes) -> Heard:
        if frame[0] == RECORD_KIND:
            return self.record(sender, frame)
        said = decode_frame(frame)
        self.said.append(type(said).__name__)
        match said:
            case Pair1():
                return self._pair1(said)
            case Pair2():
                return self._pair2(said)
            case Pair3():
                return self._pair3(said)
            case _:
                if self.said[-1] == "Info":
                    self.info = frame
                return [(sender.peer, frame)]

    # --- the handshakes ---

    def static(self) -> KeyPair:
        """Her own static key."""
        return DH_25519.generate(self.random)

    def _pair1(self, said: Pair1) -> Heard:
        hello = decode(Hello, said.hello)
        self.hello = said.hello
        mine = encode(Hello(hello.version, hello.suite, self.towards_watch or hello.method, 64, 8192))
        self.as_watch = self._handshake(said.hello, initiator=False)
        self.as_phone = self._handshake(mine, initiator=True)
        self.phone_share = decode(PairShare, self.as_watch.read_message(said.noise)).share
        self.cpace_to_watch = self._cpace(self.as_phone.ephemeral())
        share = self._share(self.cpace_to_watch, self.phone_share, self.towards_watch or Method(hello.method))
        return [
            (
                Role.WATCH,
                encode_frame(
                    Pair1(mine, self.as_phone.write_message(encode(PairShare(share, self.encapsulation_key))))
                ),
            )
        ]

    def _pair2(self, said: Pair2) -> Heard:
        answer = decode(PairAnswer, self.as_phone.read_message(said.noise))
        self.watch_share, self.watch_commit = answer.share, answer.commit
        self.cpace_to_phone = self._cpace(self.as_watch.remote_ephemeral or b"")
        hello = decode(Hello, self.hello)
        share = self._share(self.cpace_to_phone, self.watch_share, Method(hello.method))
        self.my_watch_nonce = self.random(32)
        commit = self.commitment(self.my_watch_nonce)
        return [
            (
                Role.PHONE,
                encode_frame(Pair2(self.as_watch.write_message(encode(PairAnswer(share, commit, self.ciphertext))))),
            )
        ]

    def _pair3(self, said: Pair3) -> Heard:
        hello = decode(Hello, self.hello)
        self._mix(self.as_watch, self.cpace_to_phone, self.phone_share, method=Method(hello.method), initiator=False)
        try:
            self.phone_proof = decode(PairProof, self.as_watch.read_message(said.noise))
            self.phone_leg = self.as_watch.split()
        except BlechannelError as error:
            self.failed = error
            self.phone_proof = PairProof(bytes(32), 0)
        towards_watch = self.towards_watch or Method(hello.method)
        self._mix(self.as_phone, self.cpace_to_watch, self.watch_share, method=towards_watch, initiator=True)
        self.my_phone_nonce = self.choose_phone_nonce()
        m3 = self.as_phone.write_message(encode(PairProof(self.my_phone_nonce, 0)))
        self.watch_leg = self.as_phone.split()
        return [(Role.WATCH, encode_frame(Pair3(m3)))]

    # --- what a special Mallory does otherwise ---

    def commitment(self, watch_nonce: bytes) -> bytes:
        """What she promises the phone."""
        return keys.commitment(watch_nonce)

    def choose_phone_nonce(self) -> bytes:
        """n_I towards the watch. She has the watch's commitment and the phone's n_I."""
        return self.random(32)

    def record(self, sender: Role, frame: bytes) -> Heard:
        """m4 and later: by default each leg is opened and sealed again under the other's keys."""
        if self.phone_leg is None or self.watch_leg is None:
            return [(sender.peer, frame)]
        if sender is Role.WATCH:
            nonce = decode(Nonce, unseal(self.watch_leg.receive, frame))
            self.watch_nonce = nonce.nonce
            return [(Role.PHONE, seal(self.phone_leg.send, Nonce(self.my_watch_nonce, self.attestation)))]
        return []

    # --- inside ---

    def _handshake(self, hello: bytes, *, initiator: bool) -> HandshakeState:
        return HandshakeState(
            keys.PAIR_PROTOCOL,
            initiator=initiator,
            random=self.random,
            prologue=keys.prologue(keys.PAIR_LABEL, self.info, hello),
            keys=Keys(s=self.static()),
        )

    def _cpace(self, phone_ephemeral: bytes) -> CPace | None:
        if self.code is None:
            return None
        sid = keys.cpace_sid(self.info, phone_ephemeral)
        return CPace(prs=self.code.encode(), ci=keys.CHANNEL_IDENTIFIER, sid=sid, random=self.random)

    @staticmethod
    def _share(cpace: CPace | None, theirs: bytes, method: Method) -> bytes:
        if method is not Method.PASSKEY:
            return NO_SHARE
        return theirs if cpace is None else cpace.share

    def _mix(
        self, noise: HandshakeState, cpace: CPace | None, share: bytes, *, method: Method, initiator: bool
    ) -> None:
        if method is not Method.PASSKEY:
            secret = self.carried
        elif cpace is None:
            secret = self.random(64)  # she has relayed, and knows nothing
        else:
            secret = cpace.derive(share, initiator=initiator)
        noise.set_psk(keys.PAIR_PSK, keys.pairing_psk(noise.handshake_hash, secret, method))
