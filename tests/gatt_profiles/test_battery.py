"""Battery Level: the specification's one byte."""

from __future__ import annotations

import pytest

from blechannel.codec import decode, encode
from blechannel.errors import LocalProtocolError, MalformedFrame
from gatt_profiles.battery import BatteryLevel


@pytest.mark.parametrize(("percent", "golden"), [(0, "00"), (87, "57"), (100, "64")])
def test_golden_bytes(percent: int, golden: str) -> None:
    assert encode(BatteryLevel(percent)).hex() == golden
    assert decode(BatteryLevel, bytes.fromhex(golden)) == BatteryLevel(percent)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_level_that_cannot_be_is_not_sent(percent: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"percent is 0 to 100, not {percent}"):
        encode(BatteryLevel(percent))


@pytest.mark.parametrize(
    ("value", "why"),
    [(b"", "StreamError"), (b"\x65", "percent is 0 to 100, not 101"), (b"\x10\x10", "trailing bytes")],
)
def test_a_value_that_is_none_is_refused(value: bytes, why: str) -> None:
    with pytest.raises(MalformedFrame, match=f"no BatteryLevel: {why}"):
        decode(BatteryLevel, value)
