"""Battery Level: the specification's one byte, told through a channel."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from blechannel.aio.port import Port
from blechannel.errors import LocalProtocolError, MalformedFrame
from gatt_profiles.battery import PORT, decode_level, encode_level, read_levels, serve_levels
from tests.aio.test_phone_and_watch import room


@pytest.mark.parametrize(("percent", "golden"), [(0, "00"), (87, "57"), (100, "64")])
def test_golden_bytes(percent: int, golden: str) -> None:
    assert encode_level(percent).hex() == golden
    assert decode_level(bytes.fromhex(golden)) == percent


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_level_that_cannot_be_is_not_sent(percent: int) -> None:
    with pytest.raises(LocalProtocolError):
        encode_level(percent)


@pytest.mark.parametrize("value", [b"", b"\x65", b"\x10\x10"], ids=["empty", "reserved", "long"])
def test_a_value_that_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedFrame):
        decode_level(value)


async def _discharge() -> AsyncGenerator[int, None]:
    for percent in (87, 86, 0):
        yield percent


async def _serve(port: Port) -> None:
    await serve_levels(port, _discharge())


async def test_levels_through_the_channel() -> None:
    async with room() as r:
        r.watch.serve(PORT, _serve)
        channel = await r.pair()
        async with channel.port(PORT) as port:
            assert [percent async for percent in read_levels(port)] == [87, 86, 0]
