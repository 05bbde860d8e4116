"""Everything that a side declines, and how each refusal looks to the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.errors import (
    AuthenticationFailed,
    BondNotFound,
    BondSuperseded,
    LinkLost,
    LocalProtocolError,
    PairingRefused,
    PeerTimedOut,
    ReplayDetected,
    StoreError,
    UnsupportedVersion,
)
from blechannel.limits import MAX_BONDS, MAX_PENDING
from blechannel.methods import Suite
from blechannel.pairing.access import Access
from blechannel.pairing.changes import Forget, MarkCopied, StorePending
from blechannel.session.conversation import State
from blechannel.session.events import Closed, CodeChanged, CodeWanted, Established, Message, Persist
from blechannel.session.setup import Pair, Reconnect
from tests.session.sides import Side, World, join


def reason(side: Side) -> str:
    error = side.error
    assert isinstance(error, PairingRefused)
    return error.reason


def test_no_window_is_said_by_info() -> None:
    world = World()
    world.window = None
    phone, watch = world.pairing()
    join(phone, watch)
    assert reason(phone) == "pairing-closed"
    assert not phone.told(CodeWanted)


def test_a_window_that_has_closed_is_not_offered() -> None:
    world = World()
    assert world.window is not None
    world.window.close()
    phone, watch = world.pairing()
    join(phone, watch)
    assert reason(phone) == "pairing-closed"
    assert not phone.told(CodeWanted)


def test_a_window_that_closed_meanwhile() -> None:
    world = World()
    phone, watch = world.pairing()
    assert world.window is not None
    world.window.close()
    join(phone, watch)
    assert reason(phone) == reason(watch) == "pairing-closed"


def test_a_phone_that_pairs_although_no_window_is_open() -> None:
    """It did not care for INFO's mode; the window was closed and let go of, or never was."""
    world = World()
    phone, watch = world.pairing()
    world.window = None
    join(phone, watch)
    assert reason(phone) == reason(watch) == "pairing-closed"


def test_one_run_at_a_time() -> None:
    world = World()
    first, second = world.pairing(), world.pairing()
    first[1].hear([])
    first[0].hear(first[1].said())
    first[1].hear(first[0].said())
    join(*second)
    assert reason(second[0]) == reason(second[1]) == "busy"
    join(*first)
    assert first[0].told(Established)


def test_a_run_that_is_cut_off_lets_go_of_the_window_at_once_and_burns_its_code() -> None:
    world = World()
    phone, watch = world.pairing()
    phone.hear(watch.said())
    watch.hear(phone.said())
    assert world.window is not None
    burned = world.window.code
    watch.take(watch.session.link_lost(LinkLost("gone")))
    assert watch.told(CodeChanged)
    assert world.window.code != burned
    phone, watch = world.pairing()
    join(phone, watch)
    assert phone.told(Established)


def test_a_full_store_refuses() -> None:
    world = World().bonded()
    book = world.watch_shelf.book
    [bond] = book.bonds.values()
    many = {bytes([n]) * 16: replace(bond, bond_id=bytes([n]) * 16, access=Access()) for n in range(MAX_BONDS)}
    world.watch_shelf.book = replace(book, bonds=many)
    world.window = world.new_window()
    phone, watch = world.pairing()
    join(phone, watch)
    assert reason(phone) == reason(watch) == "no-room"


def test_a_wrong_code_spends_one_guess_and_burns_the_code() -> None:
    world = World()
    assert world.window is not None
    code = world.window.code
    phone, watch = world.pairing(code=f"{(int(code) + 1) % 10**6:06d}")
    join(phone, watch)
    assert isinstance(watch.error, AuthenticationFailed)
    assert reason(phone) == "failed"
    assert world.watch_shelf.book.guesses_spent == 1
    assert world.window.attempts_left == 2
    assert world.window.code != code
    assert watch.told(CodeChanged)


def test_success_gives_back_its_own_guess_only() -> None:
    world = World()
    join(*world.pairing(code="x" if world.window is None else f"{(int(world.window.code) + 1) % 10**6:06d}"))
    join(*world.pairing())
    assert world.watch_shelf.book.guesses_spent == 1
    assert len(world.watch_shelf.book.bonds) == 1


def test_the_guess_is_durable_before_it_is_checked() -> None:
    world = World()
    phone, watch = world.pairing()
    watch.holds_stores = True
    join(phone, watch)
    assert watch.session.state is State.PHONE_PROVEN
    assert watch.said() == []
    watch.shelf.refuse = StoreError("disk full")
    watch.answer()
    assert isinstance(watch.error, StoreError)
    join(phone, watch)
    assert reason(phone) == "failed"
    assert not world.watch_shelf.book.bonds


def test_an_answer_of_the_store_is_for_the_change_under_way() -> None:
    phone, watch = World().pairing()
    phone.holds_stores = True
    join(phone, watch)
    [persist] = phone.held
    for token in (persist.token - 1, persist.token + 1):
        with pytest.raises(LocalProtocolError, match="no such change"):
            phone.session.persisted(token, 0.0)
        with pytest.raises(LocalProtocolError, match="no such change"):
            phone.session.persist_failed(token, StoreError("disk full"))
    phone.holds_stores = False
    phone.answer()
    join(phone, watch)
    assert watch.told(Established)


def test_the_phone_confirms_only_what_it_has_stored() -> None:
    world = World()
    phone, watch = world.pairing()
    phone.holds_stores = True
    join(phone, watch)
    while not isinstance(phone.held[0].change, StorePending):
        phone.answer()
        join(phone, watch)
    assert watch.session.state is State.WATCH_PROVEN
    phone.answer()
    join(phone, watch)
    assert world.watch_shelf.book.bonds


def test_a_bond_closes_its_window_even_when_the_link_is_lost_while_it_is_stored() -> None:
    world = World()
    assert world.window is not None
    phone, watch = world.pairing()
    watch.holds_stores = True
    join(phone, watch)
    watch.answer()
    join(phone, watch)
    watch.take(watch.session.link_lost(LinkLost("gone")))
    watch.answer()
    assert len(world.watch_shelf.book.bonds) == 1
    assert not world.window.is_open(0.0)


def test_a_downgrade_below_what_the_bond_has_used() -> None:
    world = World().bonded()
    world.alter_phone_bond(version=2)
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert isinstance(phone.error, UnsupportedVersion)


@pytest.mark.parametrize("used", [{"version": 2}, {"suite": Suite.HYBRID}])
def test_a_watch_refuses_less_than_its_bond_has_used(used: dict[str, object]) -> None:
    world = World().bonded()
    world.alter_watch_bond(**used)
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert isinstance(watch.error, UnsupportedVersion)
    assert reason(phone) == "unsupported"


def test_an_unknown_bond_is_not_recognised_and_stays() -> None:
    world = World().bonded()
    [bond_id] = world.watch_shelf.book.bonds
    world.watch_shelf.keep(Forget(bond_id, world.random(32)))
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert reason(phone) == reason(watch) == "not-recognised"
    assert world.phone_shelf.book.bonds


def test_a_copied_phone_is_noticed() -> None:
    world = World().bonded()
    copy = world.phone_shelf.book
    join(*world.reconnecting())
    join(*world.reconnecting())
    world.phone_shelf.book = copy
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert isinstance(watch.error, ReplayDetected)
    assert reason(phone) == "not-recognised"


def test_a_first_message_that_was_overtaken_on_its_way_is_no_evidence_of_a_copy() -> None:
    world = World().bonded()
    late_phone, late_watch = world.reconnecting()
    late_phone.hear(late_watch.said())
    on_its_way = late_phone.said()
    join(*world.reconnecting())
    late_watch.hear(on_its_way)
    assert isinstance(late_watch.error, BondSuperseded)
    assert MarkCopied not in map(type, world.watch_shelf.changes)
    late_phone.hear(late_watch.said())
    assert reason(late_phone) == "failed"


def test_a_copy_is_noticed_on_a_link_that_began_after_it_was_overtaken() -> None:
    world = World().bonded()
    copy = world.phone_shelf.book
    before = world.watch()
    join(*world.reconnecting())
    after = world.watch()
    world.phone_shelf.book = copy
    for watch, error in ((before, BondSuperseded), (after, ReplayDetected)):
        join(world.reconnecting()[0], watch)
        assert isinstance(watch.error, error)


def test_a_bond_that_is_gone_on_the_phone() -> None:
    world = World().bonded()
    phone, watch = world.phone(Reconnect(bytes(16))), world.watch()
    join(phone, watch)
    assert isinstance(phone.error, BondNotFound)


def test_a_second_session_ends_the_first() -> None:
    world = World().bonded()
    first = world.reconnecting()
    join(*first)
    second = world.reconnecting()
    join(*second)
    for side in first:
        side.take(side.session.book_changed())
        assert isinstance(side.error, BondSuperseded)
    assert all(side.told(Established) for side in second)


def test_the_watch_declines_no_more_while_the_phones_last_message_may_be_on_its_way() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    phone.hear(watch.said())
    watch.hear(phone.said())
    phone.hear(watch.said())
    assert phone.told(Established)
    [bond_id] = world.watch_shelf.book.bonds
    world.watch_shelf.keep(Forget(bond_id, world.random(32)))
    watch.take(watch.session.book_changed())
    assert isinstance(watch.error, BondSuperseded)
    join(phone, watch)
    assert not phone.session.is_over


def test_the_phone_declines_no_more_while_the_watchs_last_message_may_be_on_its_way() -> None:
    world = World()
    phone, watch = world.pairing()
    while not watch.told(Established):
        phone.hear(watch.said())
        watch.hear(phone.said())
    phone.take(phone.session.abandon(PairingRefused("no-code", "the person has left")))
    watch.hear(phone.said())
    assert not watch.session.is_over


def test_a_removed_bond_is_seen_with_the_next_fragment() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    [bond_id] = world.watch_shelf.book.bonds
    world.watch_shelf.keep(Forget(bond_id, world.random(32)))
    phone.session.traffic.open("late")
    join(phone, watch)
    assert isinstance(watch.error, BondSuperseded)


def test_nothing_happens_before_record_0_is_durable() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    watch.holds_stores = True
    watch.take([])
    phone.hear(watch.said())
    watch.hear(phone.said())
    watch.answer()
    phone.hear(watch.said())
    port = phone.session.traffic.open("early")
    assert phone.session.traffic.send(port, b"first")
    watch.hear(phone.said())
    assert isinstance(watch.held[0], Persist)
    assert not watch.told(Established)
    assert not watch.told(Message)
    assert watch.session.deadline() is None
    assert watch.session.expire(1e9) == []
    watch.answer()
    assert watch.told(Established)
    assert len(watch.told(Message)) == 1


def test_what_is_held_is_bounded() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    watch.holds_stores = True
    phone.hear(watch.said())
    watch.hear(phone.said())
    for _ in range(200):
        watch.hear([b"\x00\x00junk"])
    assert watch.session.is_over


def test_an_unconfirmed_bond_is_confirmed_by_its_first_reconnect_and_asks_for_parameters() -> None:
    world = World()
    phone, watch = world.pairing()
    while not world.watch_shelf.book.bonds:
        phone.hear(watch.said())
        watch.hear(phone.said())
    [pending] = world.phone_shelf.book.bonds.values()
    assert pending.pending
    join(*world.reconnecting())
    [bond] = world.phone_shelf.book.bonds.values()
    assert not bond.pending
    assert bond.peer_name == "a watch"
    assert bond.discovery_key == world.watch_shelf.book.discovery_key


def test_pairings_that_are_cut_off_again_and_again_keep_nobody_from_the_next_one() -> None:
    """Each leaves a pending bond on the phone, and none on the watch, which never hears m5."""
    world = World()
    for _ in range(MAX_BONDS):
        world.window = world.new_window()
        phone, watch = world.pairing()
        phone.hear(watch.said())
        for _ in range(2):
            watch.hear(phone.said())
            phone.hear(watch.said())
        assert isinstance(world.phone_shelf.changes[-1], StorePending)
    assert len(world.phone_shelf.book.bonds) == MAX_PENDING
    world.window = world.new_window()
    phone, watch = world.pairing()
    join(phone, watch)
    assert phone.told(Established)


def test_an_unconfirmed_bond_is_confirmed_before_its_first_record_is_said() -> None:
    """A valid m2 proves that the watch has it; what the record asks for may never come."""
    world = World()
    phone, watch = world.pairing()
    while not world.watch_shelf.book.bonds:
        phone.hear(watch.said())
        watch.hear(phone.said())
    phone, watch = world.reconnecting()
    for _ in range(2):
        phone.hear(watch.said())
        watch.hear(phone.said() if not phone.told(Established) else [])
    assert not watch.told(Established)
    [bond] = world.phone_shelf.book.bonds.values()
    assert not bond.pending


@pytest.mark.parametrize("steps", range(6))
def test_silence_ends_every_step(steps: int) -> None:
    world = World()
    phone, watch = world.pairing()
    for _ in range(steps):
        phone, watch = watch, phone
        watch.hear(phone.said())
    for side in (phone, watch):
        if not side.told(Established):
            side.take(side.session.expire(1e6))
            assert isinstance(side.error, PeerTimedOut)


def test_a_person_who_does_not_type() -> None:
    world = World()
    phone, watch = world.phone(Pair()), world.watch()
    join(phone, watch)
    with pytest.raises(LocalProtocolError):
        phone.session.enter_code("12345", 0.0)
    deadline = phone.session.deadline()
    assert deadline is not None
    phone.now = 61.0
    phone.take(phone.session.expire(61.0))
    assert phone.session.is_over
    with pytest.raises(LocalProtocolError):
        phone.session.enter_code("123456", 61.0)


def test_a_link_cut_off_is_never_an_end() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    watch.take(watch.session.link_lost(LinkLost("gone")))
    assert isinstance(watch.error, LinkLost)
    assert watch.session.receive(b"\x00\x00late", 0.0) == []
    assert watch.session.link_lost(LinkLost("again")) == []


def test_both_close_at_once() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    phone.take(phone.session.close(0.0))
    watch.take(watch.session.close(0.0))
    join(phone, watch)
    assert phone.told(Closed) == watch.told(Closed) == [Closed(0)]


def test_what_is_queued_when_both_have_closed_still_goes_out() -> None:
    phone, watch = World().bonded().reconnecting()
    join(phone, watch)
    port = phone.session.traffic.open("x")
    for _ in range(7):
        assert phone.session.traffic.send(port, bytes(8000))
    watch.take(watch.session.close(0.0))
    phone.hear(watch.said())
    assert phone.told(Closed)
    assert phone.session.stream.queued_bytes > 7 * 8000
    join(phone, watch)
    assert len(watch.told(Message)) == 7
    assert watch.told(Closed)


def test_a_close_without_an_answer_is_a_time_out() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    phone.take(phone.session.close(0.0))
    phone.take(phone.session.expire(1e6))
    assert isinstance(phone.error, PeerTimedOut)


def test_closing_before_the_channel_stands() -> None:
    phone, _ = World().pairing()
    phone.take(phone.session.close(0.0))
    assert isinstance(phone.error, LinkLost)


def test_closing_while_the_end_of_the_handshake_is_being_stored() -> None:
    """The conversation is established with the phone's first record; the channel stands once the store answered."""
    world = World().bonded()
    phone, watch = world.reconnecting()
    watch.holds_stores = True
    join(phone, watch)
    watch.answer()
    join(phone, watch)
    assert watch.session.state is State.ESTABLISHED
    watch.take(watch.session.close(0.0))
    assert isinstance(watch.error, LinkLost)
    watch.answer()
    assert not watch.told(Established)
    assert watch.session.is_over


def test_answers_that_nobody_asked_for() -> None:
    phone, _ = World().pairing()
    with pytest.raises(LocalProtocolError):
        phone.session.persisted(1, 0.0)
    with pytest.raises(LocalProtocolError):
        phone.session.persist_failed(1, StoreError("x"))
    with pytest.raises(LocalProtocolError):
        phone.session.traffic.open("early")


def test_a_link_that_carries_too_little() -> None:
    phone, _ = World().pairing()
    phone.take(phone.session.payload_changed(19))
    assert phone.session.is_over
