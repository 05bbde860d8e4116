"""What a policy may say."""

from __future__ import annotations

import math

import pytest

from blechannel.delivery.policies import BestEffort, Kind, Latest, MessageId, Ordered
from blechannel.errors import LocalProtocolError


def test_each_policy_has_its_kind() -> None:
    assert [policy.kind for policy in (Ordered(), Latest(), BestEffort())] == list(Kind)


@pytest.mark.parametrize("ttl_s", [0, -1, math.inf, math.nan])
def test_a_time_to_live_is_finite_and_not_over(ttl_s: float) -> None:
    with pytest.raises(LocalProtocolError, match="time to live"):
        Ordered(ttl_s=ttl_s)


@pytest.mark.parametrize(
    "bounds", [{"max_messages": 0}, {"max_bytes": 0}, {"max_messages": 1 << 21}, {"max_bytes": 1 << 27}]
)
def test_a_queue_is_bounded(bounds: dict[str, int]) -> None:
    with pytest.raises(LocalProtocolError, match="a queue takes"):
        Latest(**bounds)


def test_a_message_has_a_name_for_people() -> None:
    assert str(MessageId(b"\xab" * 16, 7)) == "ab" * 16 + "-7"
