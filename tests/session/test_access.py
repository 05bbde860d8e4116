"""Ports that a phone may not use: denied before any service sees them, and the channel goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.codec import encode
from blechannel.errors import AccessDenied, UnexpectedFrame
from blechannel.limits import MAX_PORTS, PORT_WINDOW_BYTES
from blechannel.pairing.access import Access, Standing
from blechannel.pairing.changes import Forget
from blechannel.session.conversation import State
from blechannel.session.events import Closed, Message, PortDenied, PortOpened, PortShut, PortWithdrawn
from blechannel.wire.frames import RECORD_TYPE_OF, Deny
from tests.session.sides import Side, World, join

ECHO = frozenset({"echo"})
OWNER = Access(Standing.OWNER)


def guest(*ports: str) -> Access:
    return Access(Standing.GUEST, frozenset(ports))


def connected(access: Access) -> tuple[World, Side, Side]:
    world = World().bonded()
    world.alter_watch_bond(access=access)
    phone, watch = world.reconnecting()
    join(phone, watch)
    return world, phone, watch


def change_access(world: World, watch: Side, access: Access) -> None:
    world.alter_watch_bond(access=access)
    watch.take(watch.session.book_changed())


def test_the_first_phone_may_use_every_port() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    phone.session.traffic.open("anything")
    watch.session.traffic.open("household")
    join(phone, watch)
    assert watch.told(PortOpened) == [PortOpened(0, "anything")]
    assert phone.told(PortOpened) == [PortOpened(0, "household")]


def test_a_forbidden_port_is_denied_and_the_channel_lives_on() -> None:
    _, phone, watch = connected(guest("echo"))
    traffic = phone.session.traffic
    forbidden = traffic.open("secret")
    assert traffic.send(forbidden, b"sent before the answer came")
    join(phone, watch)
    assert phone.told(PortDenied) == [PortDenied(forbidden)]
    assert not watch.told(PortOpened)
    assert not watch.told(Message)
    allowed = traffic.open("echo")
    traffic.send(allowed, b"hello")
    join(phone, watch)
    assert watch.told(Message) == [Message(allowed, b"hello")]
    assert phone.session.state is watch.session.state is State.ESTABLISHED


@pytest.mark.parametrize("access", [guest(), Access()], ids=["none chosen", "the watch's choice, which is none"])
def test_a_guest_may_use_nothing_unless_somebody_chose(access: Access) -> None:
    _, phone, watch = connected(access)
    phone.session.traffic.open("echo")
    join(phone, watch)
    assert phone.told(PortDenied)
    assert not watch.told(PortOpened)


def test_a_watch_may_choose_for_all_its_guests() -> None:
    world = World().bonded()
    world.watch_config = replace(world.watch_config, guest_ports=ECHO)
    world.alter_watch_bond(access=Access())
    phone, watch = world.reconnecting()
    join(phone, watch)
    phone.session.traffic.open("echo")
    phone.session.traffic.open("other")
    join(phone, watch)
    assert watch.told(PortOpened) == [PortOpened(0, "echo")]
    assert phone.told(PortDenied) == [PortDenied(1)]


def test_the_owners_port_is_denied_to_a_guest_who_was_allowed_it() -> None:
    _, phone, watch = connected(guest("household"))
    phone.session.traffic.open("household")
    join(phone, watch)
    assert phone.told(PortDenied)
    assert not watch.told(PortOpened)


def test_a_watch_opens_no_port_towards_who_may_not_use_it() -> None:
    _, _, watch = connected(guest("echo"))
    with pytest.raises(AccessDenied, match="port secret") as denied:
        watch.session.traffic.open("secret")
    assert denied.value.port == "secret"
    assert watch.session.traffic.open("echo") == 0


def test_a_removed_phone_may_use_nothing_even_before_its_session_has_looked() -> None:
    world, _, watch = connected(OWNER)
    [bond_id] = world.watch_shelf.book.bonds
    world.watch_shelf.keep(Forget(bond_id, world.random(32)))
    with pytest.raises(AccessDenied):
        watch.session.traffic.open("echo")


def test_a_denied_port_takes_no_more_than_its_credit_and_is_free_again_once_shut() -> None:
    _, phone, watch = connected(guest())
    traffic = phone.session.traffic
    for _ in range(3 * MAX_PORTS):
        port = traffic.open("secret")
        for _ in range(PORT_WINDOW_BYTES // 8016):
            assert traffic.send(port, bytes(8000))
        assert not traffic.send(port, bytes(8000))
        join(phone, watch)
    assert not watch.told(Message)
    assert watch.session.state is State.ESTABLISHED


def test_a_port_that_was_shut_before_the_denial_came_is_still_denied() -> None:
    _, phone, watch = connected(guest())
    traffic = phone.session.traffic
    port = traffic.open("secret")
    traffic.send(port, b"a question")
    traffic.shut(port)
    join(phone, watch)
    assert phone.told(PortDenied) == [PortDenied(port)]
    assert not watch.told(PortShut)
    assert phone.session.state is State.ESTABLISHED


def test_what_is_no_longer_permitted_is_withdrawn_both_ways() -> None:
    world, phone, watch = connected(guest("echo", "talk"))
    for side in (phone, watch):
        for name in ("echo", "talk"):
            side.session.traffic.open(name)
    join(phone, watch)
    change_access(world, watch, guest("talk"))
    join(phone, watch)
    assert watch.told(PortWithdrawn) == [PortWithdrawn(0)]
    assert watch.told(PortDenied) == phone.told(PortDenied) == [PortDenied(0)]
    assert phone.told(PortShut) == [PortShut(0)]
    for side in (phone, watch):
        assert side.session.traffic.send(1, b"still talking")
    join(phone, watch)
    assert watch.told(Message) == [Message(1, b"still talking")]
    assert phone.told(Message) == [Message(1, b"still talking")]


def test_what_becomes_permitted_can_be_opened_at_once() -> None:
    world, phone, watch = connected(guest())
    change_access(world, watch, guest("echo"))
    phone.session.traffic.open("echo")
    join(phone, watch)
    assert watch.told(PortOpened)


def test_messages_on_their_way_when_a_port_is_withdrawn_reach_nobody() -> None:
    world, phone, watch = connected(guest("echo"))
    port = phone.session.traffic.open("echo")
    join(phone, watch)
    change_access(world, watch, guest())
    phone.session.traffic.send(port, b"late")
    join(phone, watch)
    assert not watch.told(Message)
    assert phone.session.state is watch.session.state is State.ESTABLISHED


def test_denials_and_an_end_may_cross() -> None:
    """The watch has said CLOSE when it hears of the port: it denies silently, and the end stays clean."""
    world, phone, watch = connected(guest("talk"))
    watch.session.traffic.open("talk")
    phone.session.traffic.open("talk")
    join(phone, watch)
    phone.session.traffic.open("secret")
    watch.take(watch.session.close(0.0))
    change_access(world, watch, guest())
    join(phone, watch)
    assert phone.told(Closed)
    assert watch.told(Closed)
    assert not watch.told(PortOpened)[1:]


def test_a_denial_of_what_was_never_opened_ends_the_session() -> None:
    _, phone, watch = connected(OWNER)
    watch.session._stage.say(Deny(0))
    join(phone, watch)
    assert isinstance(phone.error, UnexpectedFrame)


def test_a_phone_denies_nothing() -> None:
    _, phone, watch = connected(OWNER)
    watch.session.traffic.open("echo")
    join(phone, watch)
    records = phone.session._stage.sealer()
    phone.session._stage.stream.send(records.seal(RECORD_TYPE_OF[Deny], encode(Deny(0))))
    join(phone, watch)
    assert isinstance(watch.error, UnexpectedFrame)
