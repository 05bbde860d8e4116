"""Live phones and watches whose hosts are captured: what each side says and hears becomes its host's traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from blechannel.methods import Method
from blechannel.pairing.window import PairingWindow
from blechannel.roles import Role
from blechannel.session.events import KeysLogged
from blechannel.session.session import Session
from blechannel.session.setup import Pair, PhoneSetup, Reconnect, WatchSetup
from blechannel_capture.channel.key_log import KeyLog, read_key_log
from blechannel_capture.events import Side as Sender
from tests.capture.reading import Heard, hear
from tests.capture.traffic import INBOX, OUTBOX, HostTraffic
from tests.capture.writing import HCI_FILES
from tests.session.middle import Meddle, Middle, pass_on
from tests.session.sides import Shelf, Side, World, join
from tests.session.test_certificates import PHONE, WATCH, trusting


class TappedSide(Side):
    """A side whose host is captured."""

    def __init__(
        self, make: Callable[[], Session], shelf: Shelf, *, tap: HostTraffic, role: Role, code: str | None = None
    ) -> None:
        super().__init__(make, shelf, code=code)
        self._tap = tap
        self._role = role

    def hear(self, fragments: list[bytes]) -> None:
        for fragment in fragments:
            self._pass(self._role.peer, fragment)
            super().hear([fragment])

    def said(self) -> list[bytes]:
        fragments = super().said()
        for fragment in fragments:
            self._pass(self._role, fragment)
        return fragments

    def _pass(self, sender: Role, fragment: bytes) -> None:
        if sender is Role.PHONE:
            self._tap.write(INBOX, fragment)
        else:
            self._tap.notify(OUTBOX, fragment)


class CapturedWorld(World):
    """Both hosts are captured, and both sides log their keys."""

    def __init__(self, seed: str = "captured", **fields: object) -> None:
        super().__init__(seed, **fields)  # type: ignore[arg-type]
        self.phone_config = replace(self.phone_config, key_log=True)
        self.watch_config = replace(self.watch_config, key_log=True)
        self.taps = {Role.PHONE: HostTraffic(Sender.CENTRAL), Role.WATCH: HostTraffic(Sender.PERIPHERAL)}
        self.discovers = False
        """Whether the phone looks for the service on each connection; a phone that knows it does not."""
        self.lines: dict[Role, list[str]] = {role: [] for role in Role}

    def phone(self, intent: Pair | Reconnect, *, code: str | None = None) -> Side:
        setup = PhoneSetup(self.phone_config, self.phone_shelf, intent, self.phone_credentials)
        tap = self.taps[Role.PHONE]
        return TappedSide(lambda: self.session(setup), self.phone_shelf, tap=tap, role=Role.PHONE, code=code)

    def watch(self) -> Side:
        setup = WatchSetup(self.watch_config, self.watch_shelf, lambda: self.window, self.watch_credentials)
        tap = self.taps[Role.WATCH]
        return TappedSide(lambda: self.session(setup), self.watch_shelf, tap=tap, role=Role.WATCH)

    @contextmanager
    def connection(self, phone: Side, watch: Side) -> Iterator[None]:
        """A link is made, and in the end taken down; then the keys are logged."""
        for tap in self.taps.values():
            tap.connect()
            if self.discovers:
                tap.discover()
        yield
        for tap in self.taps.values():
            tap.disconnect()
        for role, side in ((Role.PHONE, phone), (Role.WATCH, watch)):
            logged = cast(list[KeysLogged], side.told(KeysLogged))
            self.lines[role] += [each.line for each in logged]

    def meet(self, phone: Side, watch: Side, meddle: Meddle = pass_on) -> Middle:
        """One connection, with somebody in the middle."""
        middle = Middle(phone, watch, meddle)
        with self.connection(phone, watch):
            middle.run()
        return middle

    def key_log(self, role: Role) -> KeyLog:
        """What that side has logged."""
        return read_key_log(self.lines[role])

    def heard_by(self, role: Role, *, with_keys: bool = True, keys_of: Role | None = None) -> Heard:
        """What that side's capture says, with its own key log, none, or the other side's."""
        key_log = self.key_log(keys_of or role) if with_keys else None
        return hear(HCI_FILES["btsnoop H4"](self.taps[role].said), key_log=key_log)


def honest_life(method: Method = Method.PASSKEY, *, world: CapturedWorld | None = None) -> CapturedWorld:
    """A pairing, and a reconnect with messages that ends properly."""
    world = world or CapturedWorld(f"honest {method.name}", method=method)
    if method is Method.CERTIFICATE:
        world.phone_credentials, world.watch_credentials = trusting(PHONE, WATCH), trusting(WATCH, PHONE)
    phone, watch = world.pairing()
    with world.connection(phone, watch):
        join(phone, watch)
    world.window = None
    talk(world, [b"hello", bytes(2000), b"bye"])
    return world


def talk(world: CapturedWorld, messages: list[bytes]) -> None:
    """A reconnect with messages both ways that ends properly."""
    phone, watch = world.reconnecting()
    with world.connection(phone, watch):
        join(phone, watch)
        port = phone.session.traffic.open("talk")
        for message in messages:
            phone.session.traffic.send(port, message)
            join(phone, watch)
        phone.take(phone.session.close(0.0))
        join(phone, watch)


def new_window(world: World) -> PairingWindow:
    """Opened by the watch's owner."""
    world.window = world.new_window()
    return world.window
