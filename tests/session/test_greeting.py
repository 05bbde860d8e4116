"""INFO and HELLO by themselves: what a handshake would refuse later, by its prologue, is refused at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.codec import encode
from blechannel.config import Config, Policy
from blechannel.errors import UnsupportedVersion
from blechannel.methods import Method, Suite
from blechannel.session.greeting import accept
from blechannel.wire.frames import PROTOCOL_VERSION, Hello

CLASSICAL = Config("watch", policy=Policy(hybrid=False))
HELLO = Hello(PROTOCOL_VERSION, Suite.CLASSICAL, Method.PASSKEY, 32, 4096)


def test_a_watch_accepts_what_it_offers() -> None:
    assert accept(encode(HELLO), CLASSICAL) == HELLO


@pytest.mark.parametrize("fields", [{"version": 0}, {"version": 2}, {"suite": 0}, {"suite": Suite.HYBRID}])
def test_a_watch_accepts_no_version_and_no_suite_that_it_did_not_offer(fields: dict[str, int]) -> None:
    with pytest.raises(UnsupportedVersion, match="not offered"):
        accept(encode(replace(HELLO, **fields)), CLASSICAL)
