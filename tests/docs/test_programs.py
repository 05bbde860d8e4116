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
from blechannel.codec import describe
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from gatt_profiles.tunnel import Reply, Request

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STARTING = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(STARTING))
PROFILE = dict(SECTION.findall((ROOT / "docs" / "write-a-profile.md").read_text(encoding="utf-8")))
TWO_PROCESSES = "Two processes over a Unix socket"


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page) if kind == language]


def test_no_other_page_has_a_program() -> None:
    """Or it would go unrun."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("hardware/*.md"), *ROOT.glob("docs/**/*.md")]
    found = {str(page.relative_to(ROOT)) for page in pages if blocks(page.read_text(encoding="utf-8"), "python")}
    assert found == {
        "README.md",
        *(f"docs/{name}.md" for name in ("getting-started", "capture", "gateway", "outbox", "write-a-profile")),
    }


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


def test_the_profile_is_short() -> None:
    assert len(PROFILE["Declare it"].split("```python\n")[1].split("```")[0].splitlines()) < 60


@pytest.mark.parametrize(("head", "frame"), [("request", Request), ("reply", Reply)])
def test_the_frames_on_a_profiles_port(head: str, frame: type[Request] | type[Reply]) -> None:
    table = PROFILE["Through the channel"].split(f"| {head} | bytes |")[1].split("\n\n")[0]
    shown = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    declared = [
        [row.name, "0 or more" if row.most_bytes is None else str(row.most_bytes), row.meaning]
        for row in describe(frame)
    ]
    assert shown == declared


@pytest.mark.parametrize("title", ["Through the channel", "In the plain"])
def test_the_new_profile_is_served(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [declared] = blocks(PROFILE["Declare it"], "python")
    (tmp_path / "steps.py").write_text(declared, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    [program], [printed] = blocks(PROFILE[title], "python"), blocks(PROFILE[title], "text")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    runpy.run_path(str(tmp_path / "program.py"), run_name="__main__")
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
