"""What the pages and lists of the repository promise is there."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from blechannel import __version__

CHECKOUT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    *(".ci", "blechannel", "docs", "gatt_profiles", "hardware", "tests", "tools"),
    *(".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md"),
    *("constraints.txt", "pyproject.toml"),
}
PAGES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "hardware/README.md"),
    *sorted(str(page.relative_to(CHECKOUT)) for page in CHECKOUT.glob("docs/**/*.md")),
]


def read(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def test_the_top_level_is_what_the_readme_describes() -> None:
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert {name.split("/")[0] for name in listing.stdout.splitlines()} == TOP_LEVEL


def test_constraints_are_versions_and_nothing_else() -> None:
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    assert len(lines) > 20
    assert [
        line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9!.a-z]+( ; [A-Za-z0-9_ .<>=!'()]+)?", line)
    ] == []


def test_the_license_is_whole() -> None:
    text = read("LICENSE")
    assert text.split()[:3] == ["Apache", "License", "Version"]
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_has_an_entry_for_this_version() -> None:
    assert re.search(rf"^## .*\b{re.escape(__version__)}\b", read("CHANGELOG.md"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_that_a_page_names_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    code = re.findall(r"^\$ .*|`make [^`]*`", read(page), re.MULTILINE)
    assert set(re.findall(r"\bmake (?:\S+=\S+ )*([a-z-]+)", "\n".join(code))) <= targets


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    folder = (CHECKOUT / page).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(page))
    assert [link for link in links if not (folder / link).exists()] == []


def test_the_index_of_the_documentation_has_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", read("docs/README.md")))
    pages = {str(page.relative_to(CHECKOUT / "docs")) for page in CHECKOUT.glob("docs/**/*.md")}
    assert pages - {"README.md"} <= linked


def test_extras_that_the_readme_names_exist() -> None:
    extras = set(tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"])
    readme = read("README.md")
    installed = {name for names in re.findall(r"pip install '\.\[([a-z,]+)\]'", readme) for name in names.split(",")}
    listed = set(re.findall(r"^\| `(\w+)` \| ", readme, re.MULTILINE))
    assert installed
    assert installed <= extras
    assert listed
    assert listed <= extras


def test_commands_that_a_page_shows_are_understood() -> None:
    """make, pip and the command line have tests of their own; nothing else is shown."""
    shown = [line for page in PAGES for line in re.findall(r"^\$ (.*)", read(page), re.MULTILINE)]
    assert {line.split()[0] for line in shown} <= {"blechannel", "make", "pip"}
