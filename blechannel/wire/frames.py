"""Every frame and every record, once. The runtime, the capture tools, the documentation and the tests read these.

A frame is `kind ‖ length ‖ body`: one byte, two bytes big-endian, `length` bytes. The high half of `kind` is the
framing version. What travels inside a Noise message or a sealed record is declared here too.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from blechannel.codec import REST, U8, U16, U32, U64, decode, encode, octets, on_air, one_of, text
from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.limits import MAX_PORT_NAME_BYTES
from blechannel.values import dataclass
from blechannel.wire.header import FRAME_HEADER_BYTES, MAX_BODY_BYTES, frame_length, pack_header

PROTOCOL_VERSION = 1


class Mode(IntEnum):
    """What the watch is open for. Informs; authorises nothing."""

    BONDED_ONLY = 0
    PAIRING_OPEN = 1


class Refusal(IntEnum):
    """Why a side ends a handshake, as far as a stranger may know."""

    NOT_RECOGNISED = 1
    PAIRING_CLOSED = 2
    BUSY = 3
    UNSUPPORTED = 4
    FAILED = 5
    NO_ROOM = 6


# --- frames in the clear ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Info:
    """Watch → phone, first on every connection: what the watch can do. Hashed into every handshake as transported."""

    min_version: int = on_air(U8, "lowest protocol version that the watch speaks")
    max_version: int = on_air(U8, "highest protocol version that the watch speaks")
    methods: int = on_air(U8, "bit (number − 1) of each pairing method; unknown bits are ignored")
    suites: int = on_air(U8, "bit (number − 1) of each suite; unknown bits are ignored")
    mode: Mode = on_air(one_of(Mode), "0 bonded phones only, 1 a pairing window is open")
    window: int = on_air(U8, "fragments that the watch takes unacknowledged, 2 to 64")
    max_frame_bytes: int = on_air(U16, "longest frame that the watch takes, header included")
    psm: int = on_air(U16, "L2CAP channel that carries fragments too, 0 where there is none")
    nonce: bytes = on_air(octets(16), "fresh and random on every connection")

    def offers(self, version: int, suite: int, method: int) -> bool:
        """Whether all three are offered; method 0 (reconnect) always is."""
        speaks = self.min_version <= version <= self.max_version
        return speaks and bool(self.suites << 1 >> suite & 1) and (not method or bool(self.methods << 1 >> method & 1))


@dataclass(frozen=True, slots=True)
class Hello:
    """What the phone chose; opens Pair1 and Reconnect1 and is hashed as transported."""

    version: int = on_air(U8, "protocol version")
    suite: int = on_air(U8, "suite: 1 classical, 2 hybrid; in a reconnect that of the bond")
    method: int = on_air(U8, "pairing method: 1 passkey, 2 words, 3 out of band, 4 certificate; 0 in a reconnect")
    window: int = on_air(U8, "fragments that the phone takes unacknowledged, 2 to 64")
    max_frame_bytes: int = on_air(U16, "longest frame that the phone takes, header included")


HELLO_BYTES = 6


@dataclass(frozen=True, slots=True)
class Pair1:
    """Phone → watch: the phone's choice and Noise XXpsk3 message 1."""

    hello: bytes = on_air(octets(HELLO_BYTES), "Hello")
    noise: bytes = on_air(REST, "e ‖ sealed PairShare")


@dataclass(frozen=True, slots=True)
class Pair2:
    """Watch → phone: Noise XXpsk3 message 2."""

    noise: bytes = on_air(REST, "e, ee, s, es ‖ sealed PairAnswer")


@dataclass(frozen=True, slots=True)
class Pair3:
    """Phone → watch: Noise XXpsk3 message 3; proves that the phone knows the secret."""

    noise: bytes = on_air(REST, "s, se, psk ‖ sealed PairProof")


@dataclass(frozen=True, slots=True)
class Reconnect1:
    """Phone → watch: which bond, and Noise KKpsk0 message 1."""

    hello: bytes = on_air(octets(HELLO_BYTES), "Hello")
    tag: bytes = on_air(octets(16), "HMAC-SHA256(hint_key, prologue ‖ lv(noise))[:16]")
    noise: bytes = on_air(REST, "psk, e, es, ss ‖ sealed nothing")


@dataclass(frozen=True, slots=True)
class Reconnect2:
    """Watch → phone: Noise KKpsk0 message 2."""

    noise: bytes = on_air(REST, "e, ee, se ‖ sealed nothing")


@dataclass(frozen=True, slots=True)
class Record:
    """Either way, after a handshake: one sealed record; the 3-byte frame header is its associated data."""

    sealed: bytes = on_air(REST, "ChaCha20-Poly1305(body ‖ record type ‖ zeros)")


@dataclass(frozen=True, slots=True)
class Refuse:
    """Either way, before the channel stands: no. Unauthenticated, therefore without consequence for a bond."""

    reason: Refusal = on_air(
        one_of(Refusal), "1 not recognised, 2 pairing closed, 3 busy, 4 unsupported, 5 failed, 6 no room"
    )


Frame = Info | Pair1 | Pair2 | Pair3 | Reconnect1 | Reconnect2 | Record | Refuse

KINDS: dict[int, type[Frame]] = {
    0x11: Info,
    0x12: Pair1,
    0x13: Pair2,
    0x14: Pair3,
    0x15: Reconnect1,
    0x16: Reconnect2,
    0x17: Record,
    0x18: Refuse,
}
KIND_OF = {cls: kind for kind, cls in KINDS.items()}
RECORD_KIND = KIND_OF[Record]


def encode_frame(frame: Frame) -> bytes:
    """Header and body.

    Raises:
        LocalProtocolError: a field does not fit its declaration, or the body the header's length.
    """
    body = encode(frame)
    if len(body) > MAX_BODY_BYTES:
        raise LocalProtocolError(f"a frame's body has at most {MAX_BODY_BYTES} bytes, not {len(body)}")
    return pack_header(KIND_OF[type(frame)], len(body)) + body


def decode_frame(data: bytes) -> Frame:
    """The frame whose bytes, header included, are exactly `data`.

    Raises:
        MalformedFrame: an unknown kind, a length that lies, or a body that is none.
    """
    if len(data) < FRAME_HEADER_BYTES or len(data) != frame_length(data):
        raise MalformedFrame("no frame: its length lies")
    cls = KINDS.get(data[0])
    if cls is None:
        raise MalformedFrame(f"no frame: unknown kind 0x{data[0]:02x}")
    return decode(cls, data[FRAME_HEADER_BYTES:])


# --- payloads of the pairing's Noise messages ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PairShare:
    """In message 1, sealed under a public key: not confidential."""

    share: bytes = on_air(octets(32), "the phone's CPace share; zeros where the method is not passkey")
    encapsulation_key: bytes = on_air(REST, "ML-KEM-768, 1184 bytes; nothing where the suite is classical")


@dataclass(frozen=True, slots=True)
class PairAnswer:
    """In message 2."""

    share: bytes = on_air(octets(32), "the watch's CPace share; zeros where the method is not passkey")
    commit: bytes = on_air(octets(32), 'SHA-256("blechannel/1 sas" ‖ n_R)')
    ciphertext: bytes = on_air(REST, "ML-KEM-768, 1088 bytes; nothing where the suite is classical")


@dataclass(frozen=True, slots=True)
class PairProof:
    """In message 3, sealed with the secret mixed in."""

    nonce: bytes = on_air(octets(32), "n_I")
    capabilities: int = on_air(U16, "feature bits of the phone; none is defined in version 1, unknown ones are ignored")


# --- records ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nonce:
    """Watch's record 0 of a pairing (m4): opens the commitment and proves that the watch knows the secret."""

    nonce: bytes = on_air(octets(32), "n_R")
    attestation: bytes = on_air(REST, "Attestation of the watch, or nothing")


@dataclass(frozen=True, slots=True)
class Confirm:
    """Phone's record 0 of a pairing (m5): the phone has stored the bond."""

    name: str = on_air(text(), "what the phone calls itself")
    attestation: bytes = on_air(REST, "Attestation of the phone, or nothing")


@dataclass(frozen=True, slots=True)
class Bonded:
    """Watch's record 1 of a pairing (m6), and later where the phone has not the newest: the bond's parameters."""

    discovery_key: bytes = on_air(octets(32), "resolves the watch's advertisements")
    name: str = on_air(text(), "what the watch calls itself")


@dataclass(frozen=True, slots=True)
class Ready:
    """Phone's record 0 of a reconnect: the key confirmation. Data may follow in the same flight."""

    known: bytes = on_air(
        octets(8), 'SHA-256("blechannel/1 known" ‖ discovery key)[:8] of the key that the phone has, zeros for none'
    )


@dataclass(frozen=True, slots=True)
class Open:
    """The sender will use this number for messages to the port of this name. Numbers are never used again."""

    port: int = on_air(U16, "number, in the sender's own numbering, counted from 0")
    name: str = on_air(text(MAX_PORT_NAME_BYTES), "the port's name")


@dataclass(frozen=True, slots=True)
class Data:
    """One message."""

    port: int = on_air(U16, "number that the sender opened")
    message: bytes = on_air(REST, "the message")


@dataclass(frozen=True, slots=True)
class Credit:
    """The reader has taken messages; the writer may send this much more."""

    port: int = on_air(U16, "number, in the numbering of the receiver of this record")
    credit_bytes: int = on_air(U32, "bytes, each message counted with its 16 of overhead")


@dataclass(frozen=True, slots=True)
class Shut:
    """No more messages on this port from the sender."""

    port: int = on_air(U16, "number that the sender opened")


@dataclass(frozen=True, slots=True)
class Deny:
    """The watch does not let this phone use a port that it opened; the rest of the channel goes on."""

    port: int = on_air(U16, "number, in the numbering of the receiver of this record")


class Evidence(IntEnum):
    """What makes a watch certain that a bond was copied."""

    RETIRED_KEY = 1


@dataclass(frozen=True, slots=True)
class Copied:
    """The watch is certain that this bond was copied or put back: somebody used keys that had been replaced."""

    evidence: Evidence = on_air(one_of(Evidence), "1 a reconnect under a retired hint key")


@dataclass(frozen=True, slots=True)
class Close:
    """The sender has finished. A session without one was cut off."""

    sent: int = on_air(U64, "records that the sender has sealed before this one")
    received: int = on_air(U64, "records that the sender has opened")


Body = Nonce | Confirm | Bonded | Ready | Open | Data | Credit | Shut | Close | Deny | Copied

RECORD_TYPES: dict[int, type[Body]] = {
    1: Nonce,
    2: Confirm,
    3: Bonded,
    4: Ready,
    5: Open,
    6: Data,
    7: Credit,
    8: Shut,
    9: Close,
    10: Deny,
    11: Copied,
}
"""Never zero: zeros are padding."""
RECORD_TYPE_OF = {cls: number for number, cls in RECORD_TYPES.items()}

DATA_TYPE = RECORD_TYPE_OF[Data]
_PORT = struct.Struct(">H")
PORT_BYTES = _PORT.size


pack_port = _PORT.pack
"""What stands before the message in Data, without the declaration's cost; a test holds it to the declaration."""


def unpack_port(content: bytes) -> int:
    """The port of Data, given its body and the record type behind it; raises MalformedFrame when it is too short."""
    if len(content) <= PORT_BYTES:
        raise MalformedFrame("no Data: too short")
    return content[0] << 8 | content[1]
