"""`blechannel phone household`: the owner's phone decides; a guest's is told what only the owner may do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import MarkCopied, SpendGuess
from blechannel_tools.exits import Exit
from tests.tools.live_watch import LiveWatch
from tests.tools.programs import Ran, Run, Terminal

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "command-line.md").read_text("utf-8")


@dataclass(frozen=True)
class Family:
    """A watch, and how its owner's phone and a guest's are named to a command."""

    watch: LiveWatch
    owner: tuple[str, str]
    guest: tuple[str, str]

    def member(self, name: str) -> Bond:
        """As the watch has it."""
        return self.watch.look(lambda watch: next(bond for bond in watch.members.bonds if bond.peer_name == name))


@pytest.fixture
def family(transport: str, tmp_path: Path, programs: Run) -> Iterator[Family]:
    with LiveWatch(transport, tmp_path, guest_ports=frozenset({"battery"})) as watch:
        yield Family(watch, watch.pair(programs, "mum"), watch.pair(programs, "kid"))


def test_the_owner_sees_who_belongs_to_the_watch(family: Family, programs: Run, people: Run) -> None:
    family.watch.do(family.watch.watch.store.apply(MarkCopied(family.member("kid").bond_id)))
    ran = programs("phone", "household", "list", *family.owner)
    assert ran.code == Exit.DONE
    assert [{**each, "id": None} for each in ran.only("household")["members"]] == [
        {"id": None, "name": "mum", "standing": "owner", "ports": None, "copied": False},
        {"id": None, "name": "kid", "standing": "guest", "ports": None, "copied": True},
    ]
    assert [each["id"] for each in ran.last["members"]] == [family.member(it).bond_id.hex() for it in ("mum", "kid")]
    mum, kid = people("phone", "household", "list", *family.owner).out.rstrip().splitlines()[-2:]
    assert mum.split() == ["mum", mum.split()[1], "owner", "(this", "phone)", "everything"]
    assert "the default" in kid
    assert "copied: remove it" in kid


def test_a_guest_may_use_what_the_owner_permits(family: Family, programs: Run, people: Run) -> None:
    def echoes() -> Ran:
        return programs("phone", "send", "echo", "hello", "--expect-reply", *family.guest)

    denied = echoes()
    assert denied.code == Exit.REFUSED
    assert denied.last["error"] == "AccessDenied"
    assert "the watch's owner can allow it with `blechannel phone household permit`" in denied.err
    ran = programs("phone", "household", "permit", "kid", "echo", "battery", *family.owner)
    assert ran.code == Exit.DONE
    assert ran.only("permitted")["ports"] == ["battery", "echo"]
    assert family.member("kid").access.ports == frozenset({"battery", "echo"})
    assert echoes().only("message")["text"] == "hello"
    told = people("phone", "household", "permit", "kid", "--none", *family.owner).out
    assert told == "kid may use no port now\n"
    assert family.member("kid").access.ports == frozenset()
    assert echoes().code == Exit.REFUSED
    short = family.member("kid").bond_id.hex()[:6].upper()
    told = people("phone", "household", "permit", short, "--default", *family.owner).out
    assert told == "kid may use what the watch allows every guest now\n"
    assert family.member("kid").access.ports is None


def test_a_guest_is_told_that_only_the_owner_may(family: Family, programs: Run) -> None:
    before = family.watch.look(lambda watch: watch.members.bonds)
    for action in ("list", "permit mum --none", "rename mum me", "remove mum --yes", "transfer kid --yes", "unlock"):
        ran = programs("phone", "household", *action.split(), *family.guest)
        assert ran.code == Exit.REFUSED, action
        assert ran.last["error"] == "AccessDenied"
        assert ran.last["exit_code"] == 4
        assert "only the owner's phone may do this, and this one is a guest's" in ran.err
    after = family.watch.look(lambda watch: watch.members.bonds)
    assert [(each.peer_name, each.access) for each in after] == [(each.peer_name, each.access) for each in before]


def test_a_phone_is_renamed_and_removed(family: Family, programs: Run) -> None:
    ran = programs("phone", "household", "rename", "kid", "old phone", *family.owner)
    assert ran.only("renamed")["old_name"] == "kid"
    ran = programs("phone", "household", "remove", "old phone", "--yes", *family.owner)
    assert ran.only("forgotten")["name"] == "old phone"
    assert [each.peer_name for each in family.watch.look(lambda watch: watch.members.bonds)] == ["mum"]
    assert programs("phone", "connect", "--timeout", "0.5", *family.guest).code == Exit.NO_WATCH


def test_the_watch_is_handed_over_by_somebody_who_is_asked(family: Family, people: Run, terminal: Terminal) -> None:
    terminal.type("no\n")
    ran = people("phone", "household", "transfer", "kid", *family.owner)
    assert (ran.code, ran.err.endswith("blechannel: nothing was changed\n")) == (Exit.FAILED, True)
    terminal.type("y\n")
    ran = people("phone", "household", "transfer", "kid", *family.owner)
    assert ran.out == "kid is the owner's phone now, and this one a guest's\n"
    assert family.member("kid").access.is_owner
    terminal.type("y\n")
    assert people("phone", "household", "remove", "mum", *family.owner).code == Exit.REFUSED
    ran = people("phone", "household", "remove", "mum", *family.guest)
    assert (ran.code, ran.out.startswith("removed mum (")) == (Exit.DONE, True)


def test_wrong_codes_are_forgotten(family: Family, people: Run) -> None:
    for _ in range(3):
        family.watch.do(family.watch.watch.store.apply(SpendGuess()))
    assert family.watch.look(lambda watch: watch.locked_for_s) > 0
    assert "opens pairing windows again" in people("phone", "household", "unlock", *family.owner).out
    assert family.watch.look(lambda watch: watch.locked_for_s) == 0


def test_what_the_owner_cannot_mean(family: Family, programs: Run) -> None:
    for action, told in (
        ("permit mum echo", "it may use every port"),
        ("remove mum --yes", "`transfer`"),
        ("transfer mum --yes", "the owner's already"),
    ):
        ran = programs("phone", "household", *action.split(), *family.owner)
        assert (ran.code, told in ran.err) == (Exit.USAGE, True), ran
    ran = programs("phone", "household", "remove", "nobody", "--yes", *family.owner)
    assert (ran.code, "household list" in ran.err) == (Exit.STORE, True)
    family.watch.do(family.watch.watch.members.rename(family.member("kid").bond_id, "mum"))
    ran = programs("phone", "household", "remove", "mum", "--yes", *family.owner)
    assert (ran.code, "several phones fit" in ran.err) == (Exit.USAGE, True)


def test_the_lines_of_the_page_work(transport: str, tmp_path: Path, people: Run, programs: Run) -> None:
    lines = [shlex.split(line)[1:] for line in re.findall(r"^\$ (blechannel phone household .*)$", PAGE, re.MULTILINE)]
    with LiveWatch(transport, tmp_path) as watch:
        owner, _, heir = (watch.pair(programs, name) for name in ("mum", "kid's phone", "new phone"))
        for line in lines:
            yes = ["--yes"] if line[2] in ("remove", "transfer") else []
            assert people(*line, *yes, *owner).code == Exit.DONE, line
        assert programs("phone", "household", "list", *heir).code == Exit.DONE
    assert [line[2] for line in lines] == ["list", "permit", "remove", "transfer"]


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("permit kid", "say which ports"),
        ("permit kid echo --none", "say which ports"),
        ("permit kid --none --default", "not allowed with"),
        ("rename kid \x07", "printable"),
    ],
)
@pytest.mark.usefixtures("transport")
def test_wrong_usage_is_told_before_a_watch_is_looked_for(programs: Run, action: str, told: str) -> None:
    ran = programs("phone", "household", *action.split(" "))
    assert (ran.code, told in ran.err) == (Exit.USAGE, True), ran
