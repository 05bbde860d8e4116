"""INFO and HELLO: what the watch offers, what the phone chooses, and what each refuses."""

from __future__ import annotations

from collections.abc import Iterable

from blechannel.codec import decode
from blechannel.config import Config
from blechannel.errors import UnsupportedVersion
from blechannel.limits import HYBRID_FRAME_BYTES
from blechannel.methods import Method, Suite
from blechannel.pairing.bonds import Bond
from blechannel.wire.frames import PROTOCOL_VERSION, Hello, Info, Mode

NONCE_BYTES = 16
RECONNECT_METHOD = 0
"""HELLO's method in a reconnect."""


def make_info(config: Config, *, pairing: Method | None, nonce: bytes) -> Info:
    """The watch's INFO; `pairing` is the method of the window that is open, if any."""
    return Info(
        min_version=PROTOCOL_VERSION,
        max_version=PROTOCOL_VERSION,
        methods=_bits(method for method in Method if config.policy.allows(method)),
        suites=_bits(config.suites),
        mode=Mode.BONDED_ONLY if pairing is None else Mode.PAIRING_OPEN,
        window=config.limits.window,
        max_frame_bytes=config.limits.max_frame_bytes,
        psm=0,
        nonce=nonce,
    )


def choose_pairing(info: Info, config: Config, *, method: Method, replaces: Bond | None) -> Hello:
    """The phone's HELLO: the highest version and the strongest suite in common.

    Whoever changed INFO on the way to make them less makes the handshake fail: it is in the prologue.

    Raises:
        UnsupportedVersion: nothing in common, or less than the bond that is to be replaced has used.
    """
    common = [suite for suite in config.suites if _takes(info, suite)]
    if not config.policy.allows(method) or not common:
        raise UnsupportedVersion("the watch offers no suite and method that this phone's policy allows")
    return _hello(info, config, suite=max(common), method=method, bond=replaces)


def choose_reconnect(info: Info, config: Config, *, bond: Bond) -> Hello:
    """The phone's HELLO in a reconnect: the suite is that of the bond.

    Raises:
        UnsupportedVersion: less than the bond has used, or the bond is less than this phone's policy asks for.
    """
    check_bond(config, bond)
    return _hello(info, config, suite=bond.suite, method=RECONNECT_METHOD, bond=bond)


def check_bond(config: Config, bond: Bond) -> None:
    """Raises UnsupportedVersion when the bond is less than the policy of now asks for."""
    policy = config.policy
    if not policy.allows(bond.method) or (policy.require_hybrid and bond.suite < Suite.HYBRID):
        raise UnsupportedVersion("this bond is weaker than the policy asks for: pair again")
    if policy.require_attestation and not bond.peer_certificate:
        raise UnsupportedVersion("this bond's peer has shown no certificate, which the policy asks for: pair again")


def accept(hello_bytes: bytes, config: Config) -> Hello:
    """The watch reads HELLO; whether its method fits is for the handshake to say.

    Raises:
        MalformedFrame: no HELLO.
        UnsupportedVersion: the phone chose a version or suite that was not offered.
    """
    hello = decode(Hello, hello_bytes)
    if hello.version != PROTOCOL_VERSION or hello.suite not in config.suites:
        raise UnsupportedVersion("the phone chose a version or suite that was not offered")
    return hello


def _hello(info: Info, config: Config, *, suite: Suite, method: int, bond: Bond | None) -> Hello:
    version = min(info.max_version, PROTOCOL_VERSION)
    if bond is not None and (version < bond.version or suite < bond.suite):
        raise UnsupportedVersion("the watch offers less than this bond has used: a downgrade, or an older watch")
    if not info.offers(version, suite, method):
        raise UnsupportedVersion("the watch speaks no version, suite and method that this phone does")
    return Hello(version, suite, method, config.limits.window, config.limits.max_frame_bytes)


def _takes(info: Info, suite: Suite) -> bool:
    offered = bool(info.suites >> (suite - 1) & 1)
    return offered and (suite is Suite.CLASSICAL or info.max_frame_bytes >= HYBRID_FRAME_BYTES)


def _bits(members: Iterable[int]) -> int:
    return sum(1 << (member - 1) for member in members)
