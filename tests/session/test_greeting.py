"""INFO and HELLO by themselves: what a handshake would refuse later, by its prologue, is refused at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.codec import encode
from blechannel.config import Config, Policy
from blechannel.errors import UnsupportedVersion
from blechannel.limits import HYBRID_FRAME_BYTES
from blechannel.methods import Method, Suite
from blechannel.session.greeting import accept, choose_pairing, make_info
from blechannel.wire.frames import PROTOCOL_VERSION, Hello

CLASSICAL = Config("watch", policy=Policy(hybrid=False))
HELLO = Hello(PROTOCOL_VERSION, Suite.CLASSICAL, Method.PASSKEY, 32, 4096)


def test_a_watch_accepts_what_it_offers() -> None:
    assert accept(encode(HELLO), CLASSICAL) == HELLO


@pytest.mark.parametrize("fields", [{"version": 0}, {"version": 2}, {"suite": 0}, {"suite": Suite.HYBRID}])
def test_a_watch_accepts_no_version_and_no_suite_that_it_did_not_offer(fields: dict[str, int]) -> None:
    with pytest.raises(UnsupportedVersion, match="not offered"):
        accept(encode(replace(HELLO, **fields)), CLASSICAL)


@pytest.mark.parametrize(
    ("max_frame_bytes", "suite"), [(HYBRID_FRAME_BYTES, Suite.HYBRID), (HYBRID_FRAME_BYTES - 1, Suite.CLASSICAL)]
)
def test_a_phone_takes_no_suite_whose_frames_the_watch_could_not_take(max_frame_bytes: int, suite: Suite) -> None:
    """Whatever the watch says of suites."""
    info = make_info(Config("watch"), pairing=Method.PASSKEY, nonce=bytes(16))
    short = replace(info, max_frame_bytes=max_frame_bytes)
    assert choose_pairing(short, Config("phone"), method=Method.PASSKEY, replaces=None).suite == suite
