"""What a watch advertises: thirteen bytes in which only a bonded phone recognises it.

Everyone else sees fresh random bytes each time, so a watch cannot be followed by them. The flags are open to all and
covered by the code, so that nobody turns a timed advertisement into an untimed one. Source: protocol, "GATT service".
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable

from blechannel import codec
from blechannel.codec import U8, octets, on_air
from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.values import dataclass

ADVERT_BYTES = 13
TIME_STEP_S = 900

PAIRING_OPEN = 0x01
TIMED = 0x02

_LABEL = b"blechannel/1 advert\0"
_NONCE_BYTES = 4
_MAC_BYTES = 8
_STEP = struct.Struct(">I")
_MAX_STEP = 2**32 - 2


@dataclass(frozen=True, slots=True)
class Advert:
    """The service data of one advertisement."""

    flags: int = on_air(U8, "bit 0: a pairing window is open; bit 1: a time step is in the code; others 0")
    nonce: bytes = on_air(octets(_NONCE_BYTES), "random, fresh for each advertisement")
    mac: bytes = on_air(
        octets(_MAC_BYTES),
        'HMAC-SHA256(discovery key, "blechannel/1 advert" ‖ 0 ‖ flags ‖ nonce ‖ u32 time step if bit 1), cut',
    )

    @property
    def pairing_open(self) -> bool:
        return bool(self.flags & PAIRING_OPEN)

    @property
    def timed(self) -> bool:
        return bool(self.flags & TIMED)

    def encode(self) -> bytes:
        """Exactly ADVERT_BYTES bytes.

        Raises:
            LocalProtocolError: a field does not fit, or a flag is not defined.
        """
        if self.flags & ~(PAIRING_OPEN | TIMED):
            raise LocalProtocolError("an advertisement with a flag that is not defined")
        return codec.encode(self)

    @classmethod
    def decode(cls, service_data: bytes) -> Advert:
        """The advertisement whose bytes are exactly `service_data`.

        Raises:
            MalformedFrame: a wrong length, or a flag that is not defined.
        """
        advert = codec.decode(cls, service_data)
        if advert.flags & ~(PAIRING_OPEN | TIMED):
            raise MalformedFrame("no Advert: a flag that is not defined")
        return advert


def make_advert(
    discovery_key: bytes | None,
    *,
    pairing_open: bool,
    random: Callable[[int], bytes],
    unix_time_s: float | None,
) -> bytes:
    """Service data to advertise now, to be made anew at least every TIME_STEP_S.

    A watch without bonds has no discovery key (None): its code is random, which looks the same. A watch without a
    clock (`unix_time_s` None) cannot keep its advertisements from being replayed.

    Raises:
        LocalProtocolError: a time before 1970 or beyond the step's 32 bits.
    """
    flags = (PAIRING_OPEN if pairing_open else 0) | (0 if unix_time_s is None else TIMED)
    step = b"" if unix_time_s is None else _STEP.pack(_time_step(unix_time_s))
    nonce = random(_NONCE_BYTES)
    mac = random(_MAC_BYTES) if discovery_key is None else _code(discovery_key, flags, nonce, step)
    return Advert(flags, nonce, mac).encode()


def resolves(service_data: bytes, discovery_key: bytes, unix_time_s: float | None) -> bool:
    """Whether the watch of this key made `service_data`, in constant time; False for what is no advertisement.

    A timed one must be of the current time step or a neighbour: clocks differ, and an advertisement stays up for a
    while. A phone without a clock (None) resolves no timed one, because it could not tell a replay.

    Raises:
        LocalProtocolError: a time before 1970 or beyond the step's 32 bits.
    """
    try:
        advert = Advert.decode(service_data)
    except MalformedFrame:
        return False
    steps = _acceptable_steps(unix_time_s) if advert.timed else [b""]
    codes = [_code(discovery_key, advert.flags, advert.nonce, step) for step in steps]
    # A sum compares them all, so that the time does not tell which step matched.
    return sum(hmac.compare_digest(code, advert.mac) for code in codes) > 0


def _code(discovery_key: bytes, flags: int, nonce: bytes, step: bytes) -> bytes:
    message = _LABEL + bytes((flags,)) + nonce + step
    return hmac.digest(discovery_key, message, "sha256")[:_MAC_BYTES]


def _acceptable_steps(unix_time_s: float | None) -> list[bytes]:
    if unix_time_s is None:
        return []
    now = _time_step(unix_time_s)
    return [_STEP.pack(step) for step in range(max(now - 1, 0), now + 2)]


def _time_step(unix_time_s: float) -> int:
    if not 0 <= unix_time_s < _MAX_STEP * TIME_STEP_S:
        raise LocalProtocolError("a time that no time step stands for")
    return int(unix_time_s // TIME_STEP_S)
