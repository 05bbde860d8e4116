"""Both hosts of every session of the attack suite, recorded as `btmon` or a phone would: one capture a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import cast
from unittest.mock import patch

from blechannel.roles import Role
from blechannel.session.events import KeysLogged
from blechannel_capture.channel.key_log import read_key_log
from blechannel_capture.events import Side as Sender
from tests.capture.reading import Heard, hear
from tests.capture.traffic import INBOX, OUTBOX, HostTraffic
from tests.capture.writing import HCI_FILES
from tests.session.sides import Side, World

FIRST_HANDLE = 0x40


@dataclass
class Host:
    """One phone's or watch's host: what passes there, a connection a session."""

    traffic: HostTraffic
    sides: dict[Side, int] = field(default_factory=dict)
    """Sessions that have said or heard something, with their connections' handles."""
    honest: int = 0
    """How many of them came before the attack."""

    def passes(self, side: Side, sender: Role, fragments: list[bytes]) -> None:
        """GATT values on that session's connection, which begins with the first."""
        if fragments and side not in self.sides:
            self.sides[side] = FIRST_HANDLE + len(self.sides)
            self.traffic.connect(handle=self.sides[side])
        for fragment in fragments:
            if sender is Role.PHONE:
                pdu = b"\x52" + INBOX.to_bytes(2, "little") + fragment
                self.traffic.att(Sender.CENTRAL, pdu, handle=self.sides[side])
            else:
                pdu = b"\x1b" + OUTBOX.to_bytes(2, "little") + fragment
                self.traffic.att(Sender.PERIPHERAL, pdu, handle=self.sides[side])

    def end(self) -> None:
        """Every link is gone."""
        for handle in self.sides.values():
            self.traffic.disconnect(handle=handle)

    @property
    def capture(self) -> bytes:
        """As a phone writes it."""
        return HCI_FILES["btsnoop H4"](self.traffic.said)

    @property
    def key_log(self) -> list[str]:
        """The keys of that host's sessions."""
        logged = [event for side in self.sides for event in side.told(KeysLogged)]
        return [each.line for each in cast(list[KeysLogged], logged)]

    def heard(self) -> Heard:
        """What its capture says, with the keys that it has logged."""
        return hear(self.capture, key_log=read_key_log(self.key_log))


class Recorder:
    """Every host there was while `recording`."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[World, Role], Host] = {}
        self._host_of: dict[Side, tuple[Host, Role]] = {}

    def hosts(self, role: Role) -> list[Host]:
        """Those of the phones, or of the watches, on which something passed."""
        return [host for (_, of), host in self._hosts.items() if of is role and host.sides]

    def end(self) -> None:
        """The test is over, and with it every link."""
        for host in self._hosts.values():
            host.end()

    def follow(self, world: World, role: Role, side: Side) -> Side:
        """From now on what the side says and hears is recorded."""
        local = Sender.CENTRAL if role is Role.PHONE else Sender.PERIPHERAL
        host = self._hosts.setdefault((world, role), Host(HostTraffic(local)))
        self._host_of[side] = host, role
        return side

    def bonded(self, world: World) -> World:
        """What was recorded of that world so far was honest."""
        for (of, _), host in self._hosts.items():
            if of is world:
                host.honest = len(host.sides)
        return world

    def passes(self, side: Side, fragments: list[bytes], *, is_said: bool) -> None:
        """What a side says, or hears."""
        if side in self._host_of:
            host, role = self._host_of[side]
            host.passes(side, role if is_said else role.peer, fragments)


@contextmanager
def recording() -> Iterator[Recorder]:
    """All worlds log their keys, and all their sessions are recorded; nothing that they do is another."""
    recorder = Recorder()
    begin, bonded, phone, watch = World.__init__, World.bonded, World.phone, World.watch
    hear_, said_ = Side.hear, Side.said

    def begins(self: World, *args: object, **fields: object) -> None:
        begin(self, *args, **fields)  # type: ignore[arg-type]
        self.phone_config = replace(self.phone_config, key_log=True)
        self.watch_config = replace(self.watch_config, key_log=True)

    def hears(self: Side, fragments: list[bytes]) -> None:
        recorder.passes(self, fragments, is_said=False)
        hear_(self, fragments)

    def says(self: Side) -> list[bytes]:
        fragments = said_(self)
        recorder.passes(self, fragments, is_said=True)
        return fragments

    changes: dict[tuple[type, str], Callable[..., object]] = {
        (World, "__init__"): begins,
        (World, "bonded"): lambda self: recorder.bonded(bonded(self)),
        (World, "phone"): lambda self, *args, **fields: recorder.follow(self, Role.PHONE, phone(self, *args, **fields)),
        (World, "watch"): lambda self: recorder.follow(self, Role.WATCH, watch(self)),
        (Side, "hear"): hears,
        (Side, "said"): says,
    }
    with ExitStack() as stack:
        for (of, name), change in changes.items():
            stack.enter_context(patch.object(of, name, change))
        yield recorder
