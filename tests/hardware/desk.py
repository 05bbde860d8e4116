"""A watch and its phones, each a program on an adapter of its own, as a person starts them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.tools.programs import Facts, Program, Ran

WAIT_S = 60.0
"""An operating system takes its time to connect, and to notice that nobody is there any more."""


@dataclass(frozen=True)
class Desk:
    """The adapters, and a folder for what both sides keep."""

    watch_transport: str
    phone_transport: str
    folder: Path

    def watch(self, *options: str) -> Program:
        """The watch; started again, it is the same one."""
        store = ("--store", str(self.folder / "watch.db"))
        there = ("--name", "wrist", "--transport", self.watch_transport)
        return Program("watch", *options, *store, *there, wait_s=WAIT_S)

    def phone(self, *command: str, owner: str = "pocket") -> Program:
        """A phone; two owners have two phones, which take turns on the adapter."""
        store = ("--store", str(self.folder / f"{owner}.db"), "--name", owner)
        return Program("phone", *command, *store, "--transport", self.phone_transport, wait_s=WAIT_S)

    def ran(self, *command: str, owner: str = "pocket") -> Ran:
        """What a phone that needs nobody did; it must have succeeded."""
        with self.phone(*command, owner=owner) as phone:
            ran = phone.wait()
        assert ran.code == 0, ran
        return ran

    def pair(self, watch: Program, owner: str = "pocket") -> Facts:
        """Pair by the code that the watch shows; gives the bond."""
        with self.phone("pair", "--code-file", "-", owner=owner) as phone:
            phone.event("code-wanted")
            phone.type(watch.event("code")["code"])
            return bond_of(phone)


def bond_of(phone: Program) -> Facts:
    """What the phone has when it has paired."""
    bond: Facts = phone.event("paired")["bond"]
    assert phone.wait().code == 0
    return bond
