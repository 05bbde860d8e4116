"""INFO and HELLO: what the watch offers, what the phone chooses, and what each refuses."""

from __future__ import annotations

from blechannel.codec import decode
from blechannel.config import Config
from blechannel.errors import UnsupportedVersion
from blechannel.pairing.bonds import Bond, Method, Suite
from blechannel.wire.frames import PROTOCOL_VERSION, Hello, Info, Mode

NONCE_BYTES = 16
RECONNECT_METHOD = 0
"""HELLO's method in a reconnect."""


def make_info(config: Config, *, pairing: Method | None, nonce: bytes) -> Info:
    """The watch's INFO; `pairing` is the method of the window that is open, if any."""
    return Info(
        min_version=PROTOCOL_VERSION,
        max_version=PROTOCOL_VERSION,
        methods=_bits(*Method),
        suites=_bits(*Suite),
        mode=Mode.BONDED_ONLY if pairing is None else Mode.PAIRING_OPEN,
        window=config.limits.window,
        max_frame_bytes=config.limits.max_frame_bytes,
        psm=0,
        nonce=nonce,
    )


def choose(info: Info, config: Config, *, method: int, bond: Bond | None) -> Hello:
    """The phone's HELLO: the highest version in common and the strongest suite of ours.

    Raises:
        UnsupportedVersion: nothing in common, or less than this bond has used before.
    """
    version = min(info.max_version, PROTOCOL_VERSION)
    suite = max(Suite)
    if bond is not None and (version < bond.version or suite < bond.suite):
        raise UnsupportedVersion("the watch offers less than this bond has used: a downgrade, or an older watch")
    if not info.offers(version, suite, method):
        raise UnsupportedVersion("the watch speaks no version, suite and method that this phone does")
    return Hello(version, suite, method, config.limits.window, config.limits.max_frame_bytes)


def accept(hello_bytes: bytes) -> Hello:
    """The watch reads HELLO; whether its method fits is for the handshake to say.

    Raises:
        MalformedFrame: no HELLO.
        UnsupportedVersion: the phone chose a version or suite that was not offered.
    """
    hello = decode(Hello, hello_bytes)
    if hello.version != PROTOCOL_VERSION or hello.suite not in set(Suite):
        raise UnsupportedVersion("the phone chose a version or suite that was not offered")
    return hello


def _bits(*members: int) -> int:
    return sum(1 << (member - 1) for member in members)
