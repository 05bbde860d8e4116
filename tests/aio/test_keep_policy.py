"""Which errors are worth another try: each row of the table, with a session's own errors."""

from __future__ import annotations

import pytest

from blechannel.aio.keep_policy import KeepPolicy, may_pass
from blechannel.errors import (
    AuthenticationFailed,
    BlechannelError,
    BondError,
    BondNotFound,
    BondSuperseded,
    LinkLost,
    LocalProtocolError,
    MalformedFrame,
    PairingRefused,
    PeerTimedOut,
    ReplayDetected,
    StoreError,
    TransportError,
    TransportGone,
    UnsupportedVersion,
    WatchNotFound,
)

AGAIN = [
    TransportError("switched off"),
    LinkLost("gone"),
    WatchNotFound("not seen"),
    PairingRefused("not-recognised", "who are you?"),
    PairingRefused("busy", "later"),
    AuthenticationFailed(),
    MalformedFrame("no frame"),
    UnsupportedVersion("none in common"),
    PeerTimedOut("silent"),
    BondSuperseded("another session"),
    StoreError("the disk is full"),
]
NEVER = [
    TransportGone("closed"),
    ReplayDetected("copied"),
    BondNotFound("removed"),
    LocalProtocolError("not now"),
    BondError("a broken bond"),
    BlechannelError("anything else"),
]


@pytest.mark.parametrize("error", AGAIN, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_tried_again(error: BlechannelError) -> None:
    assert may_pass(error)


@pytest.mark.parametrize("error", NEVER, ids=lambda error: type(error).__name__)
def test_what_no_other_try_mends_is_final(error: BlechannelError) -> None:
    assert not may_pass(error)


def test_the_jitter_is_the_share_of_the_wait_that_chance_takes() -> None:
    low, high = bytes, lambda count: b"\xff" * count
    full, half, none = (KeepPolicy(first_s=8.0, jitter=jitter) for jitter in (1.0, 0.5, 0.0))
    assert [policy.wait_s(1, low) for policy in (full, half, none)] == [16.0, 16.0, 16.0]
    assert [policy.wait_s(1, high) for policy in (full, half, none)] == pytest.approx([0.0, 8.0, 16.0])
