"""The event loop that MQTT needs: aiomqtt waits for sockets, which only a selector loop can do on Windows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_with_mqtt(work: Coroutine[Any, Any, T], *, platform: str = sys.platform) -> T:
    """As `asyncio.run`, on a loop that aiomqtt can use."""
    factory = asyncio.SelectorEventLoop if platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
