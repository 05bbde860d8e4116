"""How long each side waits for what, to the tenth of a second."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from blechannel.errors import BlechannelError, PairingRefused, PeerTimedOut
from blechannel.limits import Patience
from blechannel.methods import Method
from blechannel.session.events import Established
from blechannel.session.setup import Pair
from tests.session.sides import Side, World, join

STEP_S, PERSON_S, CLOSE_S = Patience().handshake_s, Patience().person_s, Patience().close_s


def live(side: Side, other: Side, until_s: float) -> None:
    """Time passes for `side`; the other one is there, answers what it is asked, and never loses its patience."""
    while side.now < until_s:
        side.now = other.now = min(side.now + 5.0, until_s)
        side.take(side.session.expire(side.now))
        join(side, other)


def gives_up(side: Side, other: Side, at_s: float) -> BlechannelError:
    """What the side ends with at this moment, and not a tenth of a second before."""
    live(side, other, at_s - 0.1)
    assert not side.session.is_over
    live(side, other, at_s)
    assert side.session.deadline() is None
    return side.error


def ends_by_time(side: Side, at_s: float) -> bool:
    """Whether silence ends the side at this moment, and not a tenth of a second before."""
    side.take(side.session.expire(at_s - 0.1))
    was_over = side.session.is_over
    side.take(side.session.expire(at_s))
    return not was_over and isinstance(side.error, PeerTimedOut)


def test_a_phone_waits_for_info_as_for_any_step() -> None:
    phone, _ = World().pairing()
    assert ends_by_time(phone, STEP_S)


@pytest.mark.parametrize("messages", range(1, 6))
def test_each_step_of_a_pairing_has_its_time(messages: int) -> None:
    listener, speaker = World().pairing()
    for _ in range(messages):
        listener.hear(speaker.said())
        listener, speaker = speaker, listener
    speaker.said()
    assert ends_by_time(speaker, STEP_S)


def typing_nothing() -> tuple[Side, Side]:
    world = World()
    phone, watch = world.phone(Pair()), world.watch()
    join(phone, watch)
    return phone, watch


def comparing(*, phone_says: bool | None, watch_says: bool | None) -> tuple[Side, Side]:
    phone, watch = World(method=Method.WORDS).pairing()
    phone.sees_same, watch.sees_same = phone_says, watch_says
    join(phone, watch)
    return phone, watch


def nobody_compares() -> tuple[Side, Side]:
    return comparing(phone_says=None, watch_says=None)


def the_phone_compares() -> tuple[Side, Side]:
    return comparing(phone_says=None, watch_says=True)


def the_watch_compares() -> tuple[Side, Side]:
    return comparing(phone_says=True, watch_says=None)


@pytest.mark.parametrize("situation", [typing_nothing, nobody_compares, the_phone_compares, the_watch_compares])
def test_people_have_their_time_and_the_other_side_a_step_more(situation: Callable[[], tuple[Side, Side]]) -> None:
    phone, watch = situation()
    asked, waits = (watch, phone) if situation is the_watch_compares else (phone, watch)
    assert isinstance(gives_up(waits, asked, STEP_S + PERSON_S), PeerTimedOut)
    phone, watch = situation()
    asked, waits = (watch, phone) if situation is the_watch_compares else (phone, watch)
    assert isinstance(gives_up(asked, waits, PERSON_S), PairingRefused)


def stores_its_guess() -> tuple[Side, Side]:
    phone, watch = World().pairing()
    phone.holds_stores = True
    join(phone, watch)
    return phone, watch


def stored(phone: Side) -> None:
    phone.answer()


def typed(phone: Side) -> None:
    phone.take(phone.session.enter_code("123456", phone.now))


@pytest.mark.parametrize(("situation", "act"), [(stores_its_guess, stored), (typing_nothing, typed)])
def test_a_step_is_measured_from_what_it_follows(
    situation: Callable[[], tuple[Side, Side]], act: Callable[[Side], None]
) -> None:
    phone, _ = situation()
    phone.now = 8.0
    act(phone)
    phone.said()
    assert ends_by_time(phone, 8.0 + STEP_S)


def test_the_wait_for_the_other_person_is_measured_from_ones_own_answer() -> None:
    phone, watch = nobody_compares()
    phone.now = watch.now = 8.0
    phone.take(phone.session.answer_words(same=True, now=phone.now))
    join(phone, watch)
    assert isinstance(gives_up(phone, watch, 8.0 + STEP_S + PERSON_S), PeerTimedOut)


@pytest.mark.parametrize("method", [Method.PASSKEY, Method.WORDS])
def test_a_channel_that_stands_is_not_measured_by_its_last_step(method: Method) -> None:
    phone, watch = World(method=method).pairing()
    join(phone, watch)
    for side, other in ((phone, watch), (watch, phone)):
        assert side.told(Established)
        live(side, other, side.now + STEP_S + PERSON_S + 1.0)
        assert not side.session.is_over


def test_the_peer_has_so_long_for_its_close() -> None:
    phone, watch = World().pairing()
    join(phone, watch)
    phone.take(phone.session.close(0.0))
    assert ends_by_time(phone, CLOSE_S)


def test_a_channel_whose_peer_is_silent_ends() -> None:
    phone, watch = World().pairing()
    join(phone, watch)
    limit_s = Patience().keepalive_s + Patience().stall_s
    for moment in range(int(limit_s)):
        phone.take(phone.session.expire(float(moment)))
        phone.session.fragments_to_send(float(moment))
    assert not phone.session.is_over
    phone.take(phone.session.expire(limit_s))
    assert isinstance(phone.error, PeerTimedOut)
