"""How long it takes until a program can begin: imports, and the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bench.capture_files import att_traffic
from tests.bench.children import use
from tests.bench.ratio import Figures

pytestmark = pytest.mark.bench

BATCHES: Final = 9
BOTH_SIDES: Final = "from blechannel import Phone, Watch"
PARSED: Final = """
import argparse
parser = argparse.ArgumentParser("bare")
commands = parser.add_subparsers()
commands.add_parser("do").add_argument("file")
try:
    parser.parse_args({arguments})
except SystemExit:
    pass
"""
COMMAND: Final = "from blechannel_tools.cli import main; main({arguments})"
HELP_COMMAND: Final = f"try:\n    {COMMAND}\nexcept SystemExit:\n    pass\n"
FOREIGN: Final = """
import sys
before = set(sys.modules)
from blechannel import Phone, Watch
for name, module in sys.modules.items():
    is_whole = getattr(getattr(module, "__spec__", None), "loader", None) is not None
    if is_whole and name not in before and name.split(".")[0] != "blechannel":
        print(name)
"""
"""Parts of an extension module have no loader: they come with it."""


def started(programs: Mapping[str, str]) -> tuple[dict[str, float], ...]:
    """Processor seconds of each program, in turn, its interpreter included; the first turn does not count."""
    turns = [
        {name: use([sys.executable, "-c", program]).seconds for name, program in programs.items()}
        for _ in range(BATCHES + 1)
    ]
    return tuple(turns[1:])


def test_import(report: Callable[[Figures], None]) -> None:
    """Against the same modules of the standard library and of other packages, imported bare and in the same order."""
    foreign = use([sys.executable, "-c", FOREIGN]).printed.split()
    assert {"asyncio", "construct", "cryptography"} <= set(foreign)
    bare = "from importlib import import_module\n" + "".join(f"import_module({name!r})\n" for name in foreign)
    batches = started({"its imports alone": bare, "Phone and Watch": BOTH_SIDES})
    report(Figures("import", batches, {"Phone and Watch": 1.3}, floor="its imports alone"))


def test_command_line(tmp_path: Path, report: Callable[[Figures], None]) -> None:
    capture = tmp_path / "short.btsnoop"
    capture.write_bytes(b"".join(att_traffic(10)))
    batches = started(
        {
            "Python with argparse": PARSED.format(arguments=["--help"]),
            "blechannel --help": HELP_COMMAND.format(arguments=["--help"]),
            "capture info": COMMAND.format(arguments=["capture", "info", str(capture), "--json"]),
        }
    )
    report(Figures("start of a command", batches, {"blechannel --help": 2.5}, floor="Python with argparse"))
