"""Battery Service 1.1: how much is left, told through the channel.

Source: Battery Service 1.1, section 3.1 (Battery Level: one unsigned byte, percent, 0 to 100).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass

from blechannel.aio.port import Port
from blechannel.codec import U8, decode, encode, on_air
from blechannel.errors import LocalProtocolError, MalformedFrame

SERVICE_UUID = 0x180F
BATTERY_LEVEL_UUID = 0x2A19
PORT = "battery"
FULL_PERCENT = 100


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    """The value of the Battery Level characteristic."""

    percent: int = on_air(U8, "0 to 100 percent of a full charge; other values are reserved")


def encode_level(percent: int) -> bytes:
    """One byte.

    Raises:
        LocalProtocolError: not 0 to 100.
    """
    if not 0 <= percent <= FULL_PERCENT:
        raise LocalProtocolError(f"a battery level is 0 to {FULL_PERCENT} percent, not {percent}")
    return encode(BatteryLevel(percent))


def decode_level(value: bytes) -> int:
    """Percent.

    Raises:
        MalformedFrame: not one byte, or a reserved value.
    """
    percent = decode(BatteryLevel, value).percent
    if percent > FULL_PERCENT:
        raise MalformedFrame(f"a battery level of {percent} percent")
    return percent


async def serve_levels(port: Port, levels: AsyncIterable[int]) -> None:
    """Watch: send each level as it comes."""
    async for percent in levels:
        await port.send(encode_level(percent))


async def read_levels(port: Port) -> AsyncGenerator[int, None]:
    """Phone: the levels, in percent, until the watch shuts the port.

    Raises:
        MalformedFrame: the watch sent something else.
    """
    async for value in port:
        yield decode_level(value)
