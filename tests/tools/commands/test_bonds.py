"""`blechannel bonds`: on stores that are made here, for people and for programs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import MarkCopied, SetAccess, SetDiscoveryKey, StoreBond, StorePending
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel_tools.exits import Exit
from tests.pairing.made_bonds import bond, bond_id, key
from tests.tools.programs import Run, Terminal

NAMES = ("wrist", "wrist", "desk \x1b[2J")


def made(path: Path, *bonds: Bond, passphrase: str | None = None) -> None:
    async def make() -> None:
        async with await SqliteStore.open(path, role=Role.PHONE, passphrase=passphrase) as store:
            for each in bonds:
                await store.apply(StorePending(each, gives_back_guess=False))

    asyncio.run(make())


@pytest.fixture
def three(home: Path) -> list[str]:
    """Ids of three bonds of the phone, the last of them pending."""
    bonds = [replace(bond(number), peer_name=name, pending=number == 3) for number, name in enumerate(NAMES, start=1)]
    made(home / "phone.db", *bonds)
    return [each.bond_id.hex() for each in bonds]


def test_nothing_is_made_by_looking(home: Path, people: Run, programs: Run) -> None:
    assert people("bonds", "list").out == f"no bonds in {home / 'phone.db'}\n"
    ran = programs("bonds", "show", "wrist")
    assert ran.code == Exit.STORE
    assert "there is no bond store yet" in ran.err
    assert not home.exists()


def test_list(three: list[str], people: Run, programs: Run) -> None:
    listed = programs("bonds", "list").last["bonds"]
    assert [each["id"] for each in listed] == three
    assert [each["pending"] for each in listed] == [False, False, True]
    assert all(each["assurance"] == "6-digit code, one guess a try" for each in listed)
    printed = people("bonds", "list").out
    assert "\x1b" not in printed
    assert "desk \\x1b[2J" in printed
    assert "pending" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_whose_phone_it_is_and_what_is_wrong_with_a_bond(home: Path, people: Run, programs: Run) -> None:
    async def make() -> None:
        async with await SqliteStore.open(home / "watch.db", role=Role.WATCH) as store:
            await store.apply(SetDiscoveryKey(key("discovery")))
            for number in (1, 2):
                await store.apply(StoreBond(bond(number, Role.WATCH), gives_back_guess=False))
            await store.apply(SetAccess(bond_id(2), frozenset({"echo", "battery"})))
            await store.apply(MarkCopied(bond_id(2)))

    asyncio.run(make())
    owner, guest = programs("bonds", "list", "--role", "watch").last["bonds"]
    assert (owner["standing"], owner["ports"], owner["copied_s"]) == ("owner", None, None)
    assert (guest["standing"], guest["ports"]) == ("guest", ["battery", "echo"])
    assert guest["copied_s"] > 0
    listed = people("bonds", "list", "--role", "watch").out
    assert "owner" in listed
    assert "guest, copied" in " ".join(listed.split())
    assert "battery, echo" in people("bonds", "show", guest["id"], "--role", "watch").out
    # The owner goes last: nobody has decided who comes after.
    assert programs("bonds", "forget", owner["id"], "--yes", "--role", "watch").code == Exit.STORE
    assert programs("bonds", "forget", guest["id"], "--yes", "--role", "watch").code == Exit.DONE

    async def discovery_key() -> bytes:
        async with await SqliteStore.open(home / "watch.db", role=Role.WATCH) as store:
            return store.book.discovery_key

    assert asyncio.run(discovery_key()) != key("discovery")


def test_a_bond_that_its_watch_refuses_says_so(home: Path, people: Run, programs: Run) -> None:
    made(home / "phone.db", replace(bond(1), not_recognised_s=1_800_000_000.0))
    assert programs("bonds", "list").last["bonds"][0]["not_recognised_s"] == 1_800_000_000.0
    assert "not recognised" in " ".join(people("bonds", "list").out.split())
    assert "2027-01-" in people("bonds", "show", "Peer 1").out


def test_no_key_is_ever_shown(three: list[str], people: Run, programs: Run) -> None:
    made_bond = bond(1)
    secrets = (made_bond.own_static, made_bond.epoch.psk, made_bond.epoch.hint_key)
    printed = "".join(run("bonds", *what).out for run in (people, programs) for what in (("list",), ("show", three[0])))
    assert printed
    assert not any(secret.hex() in printed for secret in secrets)


def test_show(three: list[str], people: Run, programs: Run) -> None:
    assert programs("bonds", "show", three[0][:8]).last["epoch"] == bond(1).epoch.number
    printed = people("bonds", "show", three[2]).out
    assert "last seen" in printed
    assert "yes" in printed


def test_a_bond_that_is_not_there_or_not_the_only_one(three: list[str], programs: Run) -> None:
    assert programs("bonds", "show", "nobody").code == Exit.STORE
    ran = programs("bonds", "show", "wrist")
    assert ran.code == Exit.USAGE
    assert three[0][:8] in ran.err
    assert programs("bonds", "show", "").code == Exit.STORE


def test_rename(three: list[str], programs: Run) -> None:
    assert programs("bonds", "rename", three[0], "left wrist").last["old_name"] == "wrist"
    assert programs("bonds", "show", "left wrist").last["id"] == three[0]


@pytest.mark.parametrize("name", ["", "x" * 49, "\x1b[2J"])
def test_a_name_that_is_none(three: list[str], programs: Run, name: str) -> None:
    assert programs("bonds", "rename", three[0], name).code == Exit.USAGE


def test_forget(three: list[str], programs: Run, people: Run) -> None:
    assert programs("bonds", "forget", three[0], "--yes").last == {
        "event": "forgotten",
        "id": three[0],
        "name": "wrist",
    }
    # The name fits only one now.
    assert people("bonds", "forget", "wrist", "--yes").out == f"forgot wrist ({three[1][:8]})\n"
    assert len(programs("bonds", "list").last["bonds"]) == 1


@pytest.mark.parametrize(("answer", "left"), [("y", 2), ("YES", 2), ("n", 3), ("", 3)])
def test_forget_asks(three: list[str], people: Run, programs: Run, terminal: Terminal, answer: str, left: int) -> None:
    terminal.type(f"{answer}\n")
    ran = people("bonds", "forget", three[0])
    assert "forget wrist" in ran.err
    assert ran.code == (Exit.DONE if left == 2 else Exit.FAILED)
    assert len(programs("bonds", "list").last["bonds"]) == left


def test_forget_where_the_answer_never_comes(three: list[str], people: Run, terminal: Terminal) -> None:
    terminal.type("\x04")
    ran = people("bonds", "forget", three[0])
    assert ran.code == Exit.FAILED
    assert "nothing was forgotten" in ran.err


def test_forget_where_nobody_can_be_asked(three: list[str], programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    ran = programs("bonds", "forget", three[0])
    assert ran.code == Exit.USAGE
    assert len(programs("bonds", "list").last["bonds"]) == 3


@pytest.fixture
def sealed(home: Path) -> str:
    """The passphrase of this phone's store."""
    made(home / "phone.db", bond(1), passphrase="open sesame")
    return "open sesame"


def test_a_store_under_a_passphrase(sealed: str, tmp_path: Path, programs: Run) -> None:
    ran = programs("bonds", "list")
    assert ran.code == Exit.STORE
    assert ran.last["error"] == "WrongPassphrase"
    assert "--passphrase-file, --ask-passphrase, --keyring" in ran.err
    secret = tmp_path / "secret"
    secret.write_text(f"{sealed}\n")
    assert len(programs("bonds", "list", "--passphrase-file", str(secret)).last["bonds"]) == 1
    secret.write_text("")
    assert programs("bonds", "list", "--passphrase-file", str(secret)).code == Exit.USAGE


@pytest.mark.usefixtures("terminal")
def test_a_passphrase_that_is_asked_for(sealed: str, programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", {"passphrase of the bond store: ": sealed}.__getitem__)
    assert len(programs("bonds", "list", "--ask-passphrase").last["bonds"]) == 1


def test_a_passphrase_that_nobody_can_be_asked_for(programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert programs("bonds", "list", "--ask-passphrase").code == Exit.USAGE


def test_a_store_under_the_keyring(home: Path, programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made(home / "phone.db", passphrase="kept")

    async def kept(path: Path) -> str:
        assert path == home / "phone.db"
        return "kept"

    monkeypatch.setattr("blechannel_tools.sides.keyring_passphrase", kept)
    assert programs("bonds", "list", "--keyring").code == Exit.DONE


def test_a_store_of_choice_and_one_of_the_other_role(three: list[str], home: Path, programs: Run) -> None:
    assert programs("bonds", "list", "--store", str(home / "phone.db")).last["store"] == str(home / "phone.db")
    ran = programs("bonds", "list", "--role", "watch", "--store", str(home / "phone.db"))
    assert ran.code == Exit.STORE
    assert bond_id(1).hex() == three[0]
