"""What this process has used so far."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
RESIDENT = "VmRSS:"


@dataclass(frozen=True, slots=True)
class Resources:
    """Processor seconds, and bytes of memory where the system tells: elsewhere than on Linux it is None."""

    cpu_s: float
    rss_bytes: int | None

    @classmethod
    def now(cls) -> Resources:
        """As of now."""
        return cls(time.process_time(), resident_bytes())


def resident_bytes() -> int | None:
    """Memory in use; None where the system does not tell it this way."""
    try:
        lines = STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next(line for line in lines if line.startswith(RESIDENT)).split()[1]
    return int(kilobytes) * 1024
