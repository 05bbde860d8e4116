"""The wheel as a user gets it: built from the tracked files, installed apart, run outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from blechannel import __version__

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = {"blechannel", "gatt_profiles", "blechannel_capture", "blechannel_gateway", "blechannel_tools"}

pytestmark = pytest.mark.timeout(180)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, with nothing of the checkout in its environment; give its output."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_", "PYTHON"))
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def copy_tracked(target: Path) -> None:
    """Copy what git tracks; of an unpacked source archive, which has no git, everything but environments."""
    if not (CHECKOUT / ".git").exists():
        shutil.copytree(CHECKOUT, target, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist", "build"))
        return
    for name in run("git", "ls-files", "-z", cwd=CHECKOUT).split("\0"):
        if name and (CHECKOUT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, target / name)


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and a folder outside the checkout to run it in."""

    folder: Path
    elsewhere: Path

    def run(self, name: str, *arguments: str | Path) -> str:
        return run(self.folder / "bin" / name, *arguments, cwd=self.elsewhere)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("source") / "tree"
    copy_tracked(tree)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", cwd=tree)
    (built,) = (tree / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=elsewhere)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=elsewhere)
    # A bare path: the checkout's own editable .pth in that folder is then not followed.
    dependencies = "\n".join(sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=elsewhere)
    (Path(packages.strip()) / "dependencies.pth").write_text(dependencies + "\n")
    return Installed(folder, elsewhere)


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == PACKAGES | {f"blechannel-{__version__}.dist-info"}
    assert "blechannel/py.typed" in names
    boards = {f"blechannel_tools/boards/{path.name}" for path in (CHECKOUT / "hardware/boards").iterdir()}
    assert boards
    assert boards <= set(names)
    assert f"blechannel-{__version__}.dist-info/licenses/LICENSE" in names


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_modules_come_from_the_wheel(installed: Installed, package: str) -> None:
    where = installed.run("python", "-I", "-c", f"import {package}; print({package}.__file__)")
    assert Path(where.strip()).is_relative_to(installed.folder)


def test_no_module_is_called_tools(installed: Installed) -> None:
    found = installed.run("python", "-I", "-c", "from importlib.util import find_spec; print(find_spec('tools'))")
    assert found.strip() == "None"


def test_the_command_tells_its_version(installed: Installed) -> None:
    assert __version__ in installed.run("blechannel", "--version")


def test_boards_come_from_the_wheel(installed: Installed) -> None:
    told = installed.run("python", "-I", "-c", "from blechannel_tools.board import shipped; print(*shipped().values())")
    assert told
    assert all(Path(path).is_relative_to(installed.folder) for path in told.split())


def test_the_demo_runs_outside_the_checkout(installed: Installed, tmp_path: Path) -> None:
    installed.run("blechannel", "demo", "--out", tmp_path / "demo")
    assert any((tmp_path / "demo").iterdir())
