"""Programs whose own modules are looked at: coverage, which follows into every process, would bring some of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def run_unmeasured(program: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, that ends well."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS_")}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, env=env)
