"""The programs of README.md and docs/: each runs, and prints what the page says."""

from __future__ import annotations

import asyncio
import re
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STARTING = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", STARTING, re.MULTILINE | re.DOTALL))
TWO_PROCESSES = "Two processes over a Unix socket"


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page) if kind == language]


def test_no_other_page_has_a_program() -> None:
    """Or it would go unrun."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("hardware/*.md"), *ROOT.glob("docs/**/*.md")]
    found = {str(page.relative_to(ROOT)) for page in pages if blocks(page.read_text(encoding="utf-8"), "python")}
    assert found == {"README.md", "docs/getting-started.md", "docs/capture.md"}


@pytest.mark.parametrize("title", sorted(SECTIONS.keys() - {TWO_PROCESSES}))
def test_a_program_prints_what_the_page_says(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [program], [printed] = blocks(SECTIONS[title], "python"), blocks(SECTIONS[title], "text")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out == printed


def test_the_two_processes(tmp_path: Path) -> None:
    watch, phone = ([sys.executable, "-c", program] for program in blocks(SECTIONS[TWO_PROCESSES], "python"))
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as showing:
        try:
            assert showing.stdout is not None
            code = showing.stdout.readline()
            typed = subprocess.run(
                phone, input=code, capture_output=True, text=True, cwd=tmp_path, timeout=30, check=False
            )
            assert (typed.returncode, typed.stderr) == (0, "")
            assert typed.stdout == "code: b'from another process'\n"
            assert showing.communicate(timeout=30)[0] == "ended\n"
            assert showing.returncode == 0
        finally:
            showing.kill()


def test_the_program_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    """Word for word, with a store, an air, a person, and a watch that echoes once."""
    [program] = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")
    head, body = program.split("\n\n", 1)
    names: dict[str, object] = {}
    source = f"{head}\nasync def use(store, transport, ask_code):\n{textwrap.indent(body, '    ')}"
    exec(compile(source, "README.md", "exec"), names)
    use = names["use"]
    assert callable(use)

    async def once(port: Port) -> None:
        await port.send(await port.receive())

    async def main() -> None:
        air = LoopbackAir()
        async with Watch(MemoryStore(), air.watch()) as watch:
            watch.serve("echo", once)
            window = watch.open_pairing()

            async def ask_code() -> str:
                return window.code

            await asyncio.wait_for(use(MemoryStore(), air.phone(), ask_code), 10)

    asyncio.run(main())
    assert capsys.readouterr().out == "b'hi'\n"
