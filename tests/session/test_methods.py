"""Every way to pair, with and without ML-KEM: two live sides, then the bond serves a reconnect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.config import Config, Policy
from blechannel.errors import (
    AuthenticationFailed,
    LinkLost,
    LocalProtocolError,
    MalformedFrame,
    PairingRefused,
    PeerTimedOut,
    UnsupportedVersion,
)
from blechannel.limits import Limits
from blechannel.methods import Assurance, Method, Suite
from blechannel.pairing.changes import ConfirmBond, SpendGuess, StoreBond, StorePending
from blechannel.pairing.hybrid import KemKey
from blechannel.session.events import Established, WordsShown
from blechannel.session.setup import Pair
from tests.attacks.mallory import Mallory
from tests.session.middle import Middle
from tests.session.sides import CLASSICAL, Side, World, join

HYBRID = Policy()
UNCERTIFIED = [Method.PASSKEY, Method.WORDS, Method.OUT_OF_BAND]
PAIRING_FRAME_BYTES = {Suite.CLASSICAL: [29, 89, 163, 101], Suite.HYBRID: [29, 89 + 1184, 163 + 1088, 101]}


def bonds(world: World) -> tuple[object, ...]:
    return (*world.phone_shelf.book.bonds.values(), *world.watch_shelf.book.bonds.values())


@pytest.mark.parametrize("policy", [CLASSICAL, HYBRID], ids=["classical", "hybrid"])
@pytest.mark.parametrize("method", UNCERTIFIED)
def test_it_pairs_and_reconnects(method: Method, policy: Policy) -> None:
    world = World(method=method, policy=policy)
    phone, watch = world.pairing()
    middle = Middle(phone, watch)
    middle.run()
    suite = max(policy.suites(Limits()))
    assert [len(frame) for _, frame in middle.seen[:4]] == PAIRING_FRAME_BYTES[suite]
    [on_phone], [on_watch] = world.phone_shelf.book.bonds.values(), world.watch_shelf.book.bonds.values()
    assert (on_phone.method, on_phone.suite) == (on_watch.method, on_watch.suite) == (method, suite)
    assert on_phone.epoch == on_watch.epoch
    world.window = None
    again = world.reconnecting()
    join(*again)
    assert all(side.told(Established) for side in again)


def test_the_suites_lead_to_different_keys() -> None:
    """The ML-KEM secret is in the psk: without it no epoch key would be another."""
    world = World(policy=HYBRID)
    phone, watch = world.pairing()
    join(phone, watch)
    again = World(policy=HYBRID)
    join(*again.pairing())
    [one], [other] = world.phone_shelf.book.bonds.values(), again.phone_shelf.book.bonds.values()
    # Both worlds draw alike; only ML-KEM's own randomness differs.
    assert one.own_static == other.own_static
    assert one.epoch.psk != other.epoch.psk


# --- words ------------------------------------------------------------------------------------------------------


def comparing() -> tuple[World, Side, Side]:
    """Both screens show words, and nobody has answered."""
    world = World(method=Method.WORDS)
    phone, watch = world.pairing()
    phone.sees_same = watch.sees_same = None
    join(phone, watch)
    return world, phone, watch


def answer(side: Side, *, same: bool) -> None:
    side.take(side.session.answer_words(same=same, now=side.now))


def test_both_screens_show_the_same_words() -> None:
    _, phone, watch = comparing()
    assert phone.told(WordsShown) == watch.told(WordsShown) != []


@pytest.mark.parametrize("method", [Method.PASSKEY, Method.OUT_OF_BAND])
def test_no_screen_shows_words_where_nobody_compares_them(method: Method) -> None:
    phone, watch = World(method=method).pairing()
    join(phone, watch)
    assert phone.told(Established)
    assert phone.told(WordsShown) == watch.told(WordsShown) == []


@pytest.mark.parametrize("phone_first", [True, False])
def test_nothing_is_stored_or_said_before_both_have_confirmed(phone_first: bool) -> None:
    world, phone, watch = comparing()
    sides = (phone, watch) if phone_first else (watch, phone)
    answer(sides[0], same=True)
    join(phone, watch)
    assert not phone.told(Established)
    assert not watch.told(Established)
    assert not world.watch_shelf.book.bonds
    answer(sides[1], same=True)
    join(phone, watch)
    assert phone.told(Established)
    assert watch.told(Established)


@pytest.mark.parametrize("who", ["phone", "watch"])
def test_one_no_ends_it_and_costs_a_guess(who: str) -> None:
    world, phone, watch = comparing()
    sides = {"phone": phone, "watch": watch}
    answer(sides[who], same=False)
    join(phone, watch)
    error = sides[who].error
    assert isinstance(error, PairingRefused)
    assert error.reason == "words-differ"
    assert isinstance(phone.error, PairingRefused)
    assert isinstance(watch.error, PairingRefused)
    assert not bonds(world)
    assert world.watch_shelf.book.guesses_spent == world.phone_shelf.book.guesses_spent == 1
    assert [type(change) for change in world.watch_shelf.changes[1:]] == [SpendGuess]
    assert [type(change) for change in world.phone_shelf.changes] == [SpendGuess]


def test_a_watch_that_says_no_leaves_no_bond_there() -> None:
    world, phone, watch = comparing()
    answer(phone, same=True)
    join(phone, watch)
    answer(watch, same=False)
    join(phone, watch)
    assert not world.watch_shelf.book.bonds
    assert [bond.pending for bond in world.phone_shelf.book.bonds.values()] == [True]
    assert world.watch_shelf.book.guesses_spent == 1


def test_a_guess_is_given_back_only_with_the_bond() -> None:
    world, phone, watch = comparing()
    assert world.watch_shelf.book.guesses_spent == world.phone_shelf.book.guesses_spent == 1
    answer(phone, same=True)
    join(phone, watch)
    # The phone's pending bond stands for its own person's yes, and for nothing that the watch's has said.
    assert world.phone_shelf.book.guesses_spent == 0
    assert world.watch_shelf.book.guesses_spent == 1
    answer(watch, same=True)
    join(phone, watch)
    assert world.watch_shelf.book.guesses_spent == 0


def test_a_person_answers_once_and_when_asked() -> None:
    _, phone, watch = comparing()
    answer(phone, same=True)
    with pytest.raises(LocalProtocolError):
        answer(phone, same=True)
    answer(watch, same=True)
    join(phone, watch)
    with pytest.raises(LocalProtocolError):
        answer(watch, same=False)
    passkey, _ = World().pairing()
    with pytest.raises(LocalProtocolError):
        answer(passkey, same=True)


def test_a_person_who_never_answers() -> None:
    _, phone, watch = comparing()
    patience = phone.session.deadline()
    assert patience is not None
    phone.take(phone.session.expire(patience + 200.0))
    assert isinstance(phone.error, PairingRefused)
    assert phone.error.reason == "no-answer"
    watch.take(watch.session.expire(patience + 200.0))
    assert isinstance(watch.error, PeerTimedOut)


def test_an_answer_that_comes_after_the_end_is_refused() -> None:
    for says_first in (True, None):
        _, phone, watch = comparing()
        if says_first is not None:
            answer(phone, same=says_first)
        for side in (phone, watch):
            side.take(side.session.link_lost(LinkLost("gone")))
            with pytest.raises(LocalProtocolError, match="no answer about words is wanted"):
                answer(side, same=True)


def test_words_do_not_burn_a_code_that_nobody_shows() -> None:
    world, phone, watch = comparing()
    answer(phone, same=False)
    join(phone, watch)
    assert world.window is not None
    assert world.window.code == ""


# --- out of band ------------------------------------------------------------------------------------------------


def test_a_ticket_of_another_window_is_no_use() -> None:
    world = World(method=Method.OUT_OF_BAND)
    assert world.window is not None
    old = world.window.ticket()
    world.window = world.new_window()
    phone, watch = world.phone(Pair(Method.OUT_OF_BAND, ticket=old)), world.watch()
    join(phone, watch)
    # The phone sees that it is not the watch of its ticket before it says m3.
    assert isinstance(phone.error, AuthenticationFailed)
    assert not bonds(world)
    assert world.watch_shelf.changes[1:] == []


def test_a_wrong_secret_under_the_right_key_costs_no_guess_and_burns_nothing() -> None:
    world = World(method=Method.OUT_OF_BAND)
    assert world.window is not None
    right = world.window.ticket()
    wrong = replace(right, secret=bytes(32))
    phone, watch = world.phone(Pair(Method.OUT_OF_BAND, ticket=wrong)), world.watch()
    join(phone, watch)
    assert isinstance(watch.error, AuthenticationFailed)
    assert not bonds(world)
    assert world.watch_shelf.book.guesses_spent == world.phone_shelf.book.guesses_spent == 0
    join(*world.pairing())
    assert len(bonds(world)) == 2, "junk has not burned the ticket"


def test_a_ticket_serves_one_bond() -> None:
    world = World(method=Method.OUT_OF_BAND)
    join(*world.pairing())
    phone, watch = world.pairing()
    join(phone, watch)
    assert isinstance(phone.error, PairingRefused)
    assert phone.error.reason == "pairing-closed"


def test_a_ticket_ends_with_its_window() -> None:
    world = World(method=Method.OUT_OF_BAND)
    assert world.window is not None
    assert world.window.closes_at == 60.0
    phone, watch = world.pairing()
    watch.now = phone.now = 60.0
    join(phone, watch)
    assert isinstance(watch.error, PairingRefused)
    assert not bonds(world)


@pytest.mark.parametrize("method", Method)
def test_tickets_belong_to_one_method(method: Method) -> None:
    world = World(method=Method.OUT_OF_BAND)
    assert world.window is not None
    ticket = world.window.ticket()
    if method is Method.OUT_OF_BAND:
        with pytest.raises(LocalProtocolError):
            Pair(method)
    else:
        with pytest.raises(LocalProtocolError):
            Pair(method, ticket=ticket)
        with pytest.raises(LocalProtocolError):
            World(method=method).new_window().ticket()


# --- downgrade and policy ---------------------------------------------------------------------------------------


def test_a_side_without_hybrid_keys_is_met_where_it_is() -> None:
    world = World(policy=HYBRID)
    world.watch_config = Config("a watch", policy=CLASSICAL)
    join(*world.pairing())
    [bond] = world.phone_shelf.book.bonds.values()
    assert bond.suite is Suite.CLASSICAL


def test_a_watch_with_short_frames_offers_no_hybrid_keys() -> None:
    world = World(policy=HYBRID)
    world.watch_config = Config("a watch", limits=Limits(max_frame_bytes=1024))
    join(*world.pairing())
    [bond] = world.phone_shelf.book.bonds.values()
    assert bond.suite is Suite.CLASSICAL


@pytest.mark.parametrize("who", ["phone", "watch"])
def test_hybrid_keys_can_be_required(who: str) -> None:
    world = World(policy=CLASSICAL)
    strict = Config("strict", policy=Policy(require_hybrid=True))
    if who == "phone":
        world.phone_config = strict
    else:
        world.watch_config = strict
    phone, watch = world.pairing()
    join(phone, watch)
    assert isinstance(phone.error, UnsupportedVersion)
    assert not bonds(world)


def test_what_a_bond_has_used_stays_required_when_it_is_replaced() -> None:
    world = World(policy=HYBRID)
    join(*world.pairing())
    [bond_id] = world.phone_shelf.book.bonds
    world.window = world.new_window()
    world.watch_config = Config("a watch", policy=CLASSICAL)
    phone, watch = world.pairing(replaces=bond_id)
    join(phone, watch)
    assert isinstance(phone.error, UnsupportedVersion)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(min_assurance=Assurance.COMPARED),
        Policy(methods=frozenset({Method.WORDS})),
        Policy(require_hybrid=True),
        Policy(require_attestation=True),
    ],
)
@pytest.mark.parametrize("who", ["phone", "watch"])
def test_a_bond_weaker_than_the_policy_of_now_is_not_used(policy: Policy, who: str) -> None:
    world = World().bonded()
    if who == "phone":
        world.phone_config = Config("a phone", policy=policy)
    else:
        world.watch_config = Config("a watch", policy=policy)
    sides = world.reconnecting()
    join(*sides)
    phone, watch = sides
    # Who is stricter says so; where INFO shows it already, it is the other side.
    assert any(isinstance(side.error, UnsupportedVersion) for side in sides)
    assert not phone.told(Established)
    assert not watch.told(Established)


def test_a_bond_with_hybrid_keys_satisfies_who_requires_them() -> None:
    world = World(policy=HYBRID).bonded()
    world.phone_config = world.watch_config = Config("strict", policy=Policy(require_hybrid=True))
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert phone.told(Established)
    assert watch.told(Established)


@pytest.mark.parametrize("who", ["both", "phone", "watch"])
@pytest.mark.parametrize("method", Method)
def test_a_method_that_a_policy_leaves_out(method: Method, who: str) -> None:
    strict = Policy(methods=frozenset(Method) - {method}, hybrid=False)
    world = World(method=method)
    if who != "watch":
        world.phone_config = Config("a phone", policy=strict)
    if who != "phone":
        world.watch_config = Config("a watch", policy=strict)
    phone, watch = world.pairing()
    join(phone, watch)
    assert isinstance(phone.error, UnsupportedVersion)
    assert not bonds(world)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"methods": frozenset()},
        {"methods": frozenset({Method.PASSKEY}), "min_assurance": Assurance.CARRIED},
        {"methods": frozenset({Method.WORDS}), "require_attestation": True},
        {"hybrid": False, "require_hybrid": True},
    ],
)
def test_a_policy_that_allows_nothing(nonsense: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError):
        Policy(**nonsense)  # type: ignore[arg-type]


def test_required_hybrid_keys_need_frames_that_hold_them() -> None:
    with pytest.raises(LocalProtocolError):
        Config("x", limits=Limits(max_frame_bytes=1024), policy=Policy(require_hybrid=True))


def test_the_order_of_stores_is_the_same_for_every_method() -> None:
    for method in UNCERTIFIED:
        world = World(method=method)
        join(*world.pairing())
        changes = [type(change) for change in world.watch_shelf.changes[1:]]
        assert changes == [SpendGuess, StoreBond] if method.costs_a_guess else [StoreBond]
        changes = [type(change) for change in world.phone_shelf.changes]
        assert changes == [*[SpendGuess] * method.costs_a_guess, StorePending, ConfirmBond]
        assert world.phone_shelf.book.guesses_spent == world.watch_shelf.book.guesses_spent == 0


# --- what only a malicious peer would say -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mallory", "victim"),
    [
        (Mallory(encapsulation_key=bytes(1184)), "watch"),
        (Mallory(ciphertext=bytes(1088)), "phone"),
    ],
)
def test_keys_of_the_hybrid_suite_in_the_classical_one(mallory: Mallory, victim: str) -> None:
    world = World()
    phone, watch = world.pairing()
    Middle(phone, watch, mallory).run()
    assert isinstance({"phone": phone, "watch": watch}[victim].error, MalformedFrame)
    assert not bonds(world)


@pytest.mark.parametrize("key", [b"", bytes(1183), bytes(1185), b"\xff" * 1184])
def test_a_key_that_is_no_key(key: bytes) -> None:
    world = World(policy=HYBRID)
    phone, watch = world.pairing()
    Middle(phone, watch, Mallory(encapsulation_key=key)).run()
    assert isinstance(watch.error, AuthenticationFailed)
    assert not bonds(world)


@pytest.mark.parametrize("ciphertext", [b"", bytes(1087), bytes(1088), bytes(1089)])
def test_a_ciphertext_that_is_no_answer(ciphertext: bytes) -> None:
    world = World(policy=HYBRID)
    assert world.window is not None
    phone, watch = world.pairing()
    mallory = Mallory(world.window.code, encapsulation_key=KemKey(bytes(64)).encapsulation_key, ciphertext=ciphertext)
    Middle(phone, watch, mallory).run()
    assert not phone.told(Established)
    assert not world.phone_shelf.book.bonds


def test_a_certificate_in_a_pairing_by_words() -> None:
    world = World(method=Method.WORDS)
    phone, watch = world.pairing()
    Middle(phone, watch, Mallory(method=Method.WORDS, attestation=b"\1")).run()
    assert isinstance(phone.error, MalformedFrame)
    assert not phone.told(WordsShown)
    assert not bonds(world)


def test_a_share_where_the_method_has_none() -> None:
    from blechannel.session.agreement import CarriedAgreement

    with pytest.raises(MalformedFrame):
        CarriedAgreement().agree(b"\1" * 32)
