"""Points of low order as ephemeral keys, in live pairings and reconnects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.roles import Role
from blechannel.wire.frames import Pair1, Pair2, Reconnect1, Reconnect2, decode_frame, encode_frame
from blechannel_capture.findings import Certainty, Kind
from blechannel_capture.findings.weak_points import is_weak
from tests.attacks.mallory import RECORD_KIND, Heard
from tests.capture.channel_traffic import CapturedWorld
from tests.capture.findings.test_attacks import bonded, found
from tests.noise.test_attacks import LOW_25519
from tests.session.sides import Stream


def test_every_point_of_low_order_and_no_other() -> None:
    random = Stream("points")
    assert all(map(is_weak, LOW_25519))
    assert not any(is_weak(random(32)) for _ in range(50))


@pytest.mark.parametrize("act", ["pair", "reconnect"])
@pytest.mark.parametrize("liar", Role)
def test_they_are_found_without_any_key(act: str, liar: Role) -> None:
    world = bonded() if act == "reconnect" else CapturedWorld("weak")

    def swap(sender: Role, _number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if frame[0] != RECORD_KIND else None
        if sender is liar and isinstance(said, Pair1 | Pair2 | Reconnect1 | Reconnect2):
            frame = encode_frame(replace(said, noise=LOW_25519[1] + said.noise[32:]))
        return [(sender.peer, frame)]

    world.meet(*(world.reconnecting() if act == "reconnect" else world.pairing()), swap)
    heard = world.heard_by(liar.peer, with_keys=False)
    assert heard.attacks() == {Kind.WEAK_POINT}
    [finding] = found(heard, Kind.WEAK_POINT)
    assert finding.certainty is Certainty.CERTAIN
    assert liar.value in finding.detail
