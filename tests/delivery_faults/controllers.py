"""Two Bluetooth controllers on one virtual air, in a process of their own: each is gone with its host.

Prints the port that hosts connect to, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys

from blechannel.transports.bumble.virtual import VirtualAir
from tests.system.dongles import listen


async def main() -> None:
    print(await listen(VirtualAir()), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
