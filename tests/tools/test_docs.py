"""The generated pages: fresh, complete, and what a reader can rely on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel.codec import decode, describe, encode
from blechannel.session.conversation import TABLE, State
from blechannel.wire.adverts import resolves
from blechannel.wire.frames import KINDS, RECORD_TYPES, Pair1, Reconnect1
from blechannel.wire.header import pack_header
from blechannel_capture.findings import MEANINGS, Kind
from blechannel_tools.docs.__main__ import CAPTURES, PAGES, THREATS, main
from blechannel_tools.docs.attack_table import BEGIN, END, read_attack, with_attacks
from blechannel_tools.docs.conversation_page import conversation_page, diagram, sequence
from blechannel_tools.docs.examples import ADVERT, ADVERTISED_AT_S, DISCOVERY_KEY, EXAMPLES
from blechannel_tools.docs.findings_table import END as FINDINGS_END
from blechannel_tools.docs.findings_table import with_findings
from blechannel_tools.docs.markdown import annotated
from blechannel_tools.docs.schema_table import END as SCHEMA_END
from blechannel_tools.docs.schema_table import with_schema
from blechannel_tools.docs.wire_page import wire_page

COMMITTED = Path(__file__).resolve().parents[2] / "docs"
ATTACKS = COMMITTED.parent / "tests" / "attacks"
DECLARED = [*KINDS.values(), *RECORD_TYPES.values()]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the committed pages."""
    for name in PAGES:
        shutil.copy(COMMITTED / name, tmp_path)
    return tmp_path


# --- the table of attacks ---------------------------------------------------------------------------------------


def test_every_attack_is_in_the_table() -> None:
    page = (COMMITTED / THREATS).read_text(encoding="utf-8")
    files = sorted(path.name for path in ATTACKS.glob("test_*.py"))
    assert len(files) > 12
    assert [name for name in files if f"`tests/attacks/{name}`" not in page] == []


def test_a_docstring_that_does_not_say_what_it_must(tmp_path: Path) -> None:
    path = tmp_path / "test_new.py"
    path.write_text('"""An attack."""\n')
    with pytest.raises(ValueError, match="Published:"):
        read_attack(path)


@pytest.mark.parametrize("page", ["", BEGIN, END])
def test_a_page_without_a_place_for_it(page: str) -> None:
    with pytest.raises(ValueError, match="lacks"):
        with_attacks(page, ATTACKS)


def test_a_stale_table_is_noticed_and_made_anew(tmp_path: Path) -> None:
    docs, attacks = tmp_path / "docs", tmp_path / "tests" / "attacks"
    shutil.copytree(COMMITTED, docs)
    shutil.copytree(ATTACKS, attacks)
    assert main(["--check", str(docs)]) == 0
    (attacks / "test_new.py").write_text('"""Something.\n\nPublished: somewhere.\nStopped by: somebody.\n"""\n')
    assert main(["--check", str(docs)]) == 1
    assert main([str(docs)]) == 0
    assert "| Something. | somewhere. | somebody. |" in (docs / THREATS).read_text(encoding="utf-8")


# --- the table of what is exported ------------------------------------------------------------------------------


def test_a_page_without_a_place_for_the_schema() -> None:
    page = (COMMITTED / CAPTURES).read_text(encoding="utf-8")
    assert with_schema(page) == page
    with pytest.raises(ValueError, match="lacks"):
        with_schema(page.replace(SCHEMA_END, ""))


def test_every_kind_of_finding_is_in_the_page() -> None:
    page = (COMMITTED / CAPTURES).read_text(encoding="utf-8")
    assert with_findings(page) == page
    for kind in Kind:
        assert f"| `{kind.value}` | {MEANINGS[kind]} |" in page
    with pytest.raises(ValueError, match="lacks"):
        with_findings(page.replace(FINDINGS_END, ""))


def test_a_stale_schema_is_noticed_and_made_anew(tmp_path: Path) -> None:
    page = tmp_path / CAPTURES
    page.write_text((COMMITTED / CAPTURES).read_text(encoding="utf-8").replace("`rssi_dbm`", "`rssi`"))
    main([str(tmp_path)])
    assert page.read_text(encoding="utf-8") == (COMMITTED / CAPTURES).read_text(encoding="utf-8")


# --- the command ------------------------------------------------------------------------------------------------


def test_the_committed_pages_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(COMMITTED)]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("missing", [False, True])
def test_a_stale_page_is_named_with_what_to_do(
    copied: Path, name: str, missing: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    page = copied / name
    page.unlink() if missing else page.write_text("# Old\n", encoding="utf-8")
    assert main(["--check", str(copied)]) == 1
    told = capsys.readouterr().err
    assert told == f"{page} is stale: run `python -m blechannel_tools.docs` (or `make docs`)\n"

    assert main([str(copied)]) == 0
    assert main(["--check", str(copied)]) == 0


def test_it_says_where_it_must_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--check", str(tmp_path / "none")])
    assert caught.value.code == 2
    assert "run this from the checkout" in capsys.readouterr().err


def test_it_runs_as_a_module(copied: Path) -> None:
    (copied / "wire.md").unlink()
    command = [sys.executable, "-m", "blechannel_tools.docs", "--check", str(copied)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "wire.md is stale" in done.stderr


# --- docs/wire.md -----------------------------------------------------------------------------------------------


def section(page: str, title: str) -> str:
    found = re.search(rf"^(#+) {re.escape(title)}$(.*?)(?=^#{{1,3}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[2]


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.__name__)
def test_everything_declared_has_its_section(cls: type[object]) -> None:
    told = section(wire_page(), cls.__name__)
    for row in describe(cls):
        assert re.search(rf"^\| `{row.name}` \| [^|]+ \| {re.escape(row.meaning)} \|$", told, re.MULTILINE)


@pytest.mark.parametrize("cls", EXAMPLES, ids=lambda cls: cls.__name__)
def test_an_example_shows_every_byte(cls: type[object]) -> None:
    block = section(wire_page(), cls.__name__).split("```")[1]
    shown = bytes.fromhex("".join(line[:48] for line in block.splitlines()[1:]))
    body = encode(EXAMPLES[cls])
    before: dict[type[object], bytes] = {frame: pack_header(kind, len(body)) for kind, frame in KINDS.items()}
    after: dict[type[object], bytes] = {record: bytes((number,)) for number, record in RECORD_TYPES.items()}
    assert shown == before.get(cls, b"") + body + after.get(cls, b"")
    assert decode(cls, body) == EXAMPLES[cls]


def test_the_advertisement_of_the_example_is_recognised() -> None:
    assert resolves(ADVERT.encode(), DISCOVERY_KEY, ADVERTISED_AT_S)


def test_links_lead_to_sections() -> None:
    page = wire_page()
    sections = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= sections


def test_long_parts_continue_without_their_name() -> None:
    assert annotated([(bytes(17), "zeros")]) == ["```text", "00 " * 15 + "00   zeros", "00", "```", ""]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_tables_have_as_many_cells_in_every_row(page: object) -> None:
    assert callable(page)
    for block in re.findall(r"(?:^\|.*\|$\n)+", page(), re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1


# --- docs/conversation.md ---------------------------------------------------------------------------------------

_NAME = r"(?:[A-Z0-9_]+|\[\*\])"
_EDGE = rf"{_NAME} --> {_NAME}(?: : [A-Za-z0-9 ,]+)?"
_STATE_LINES = re.compile(rf'stateDiagram-v2|    (?:    )?(?:{_EDGE}|state "[^"]+" as {_NAME}(?: {{)?|}})')
_SEQUENCE_LINES = re.compile(
    r"sequenceDiagram|    (?:participant [a-z]+|[a-z]+->>[a-z]+: [A-Za-z0-9]+|Note over [a-z]+,[a-z]+: [^;#]+)"
)


def test_the_state_diagram_is_one() -> None:
    lines = list(diagram())
    assert [line for line in lines if not _STATE_LINES.fullmatch(line)] == []
    assert sum(line.endswith("{") for line in lines) == sum(line.strip() == "}" for line in lines) == 1
    drawn = {name for line in lines for name in re.findall(r"as ([A-Z_]+)", line)}
    assert drawn == {state.name for state in State} | {"HANDSHAKE"}


def test_the_state_diagram_has_every_row() -> None:
    drawn = set()
    for line in diagram():
        if edge := re.fullmatch(r" +([A-Z_]+) --> ([A-Z_]+) : (\w+) says (.+)", line):
            drawn |= {(edge[1], edge[2], edge[3], said) for said in edge[4].split(", ")}
    missing = {
        (state.name, following.name, said.__name__)
        for state, row in TABLE.items()
        for (role, said), following in row.items()
        for one in (state.name, "HANDSHAKE")
        if not {(one, following.name, who, said.__name__) for who in (role.value, "either")} & drawn
        and (one == "HANDSHAKE") == (said.__name__ == "Refuse")
    }
    assert missing == set()


@pytest.mark.parametrize(("first", "count"), [(Pair1, 7), (Reconnect1, 4)])
def test_a_sequence_diagram_is_one_and_ends_established(first: type[object], count: int) -> None:
    lines = list(sequence(first))
    assert [line for line in lines if not _SEQUENCE_LINES.fullmatch(line)] == []
    assert sum("->>" in line for line in lines) == count
    assert lines[-1].endswith("established")


def test_both_pages_are_whole_blocks() -> None:
    for page in (conversation_page(), wire_page()):
        assert page.count("```") % 2 == 0
        assert page.endswith("\n")
        assert not page.endswith("\n\n")
