"""Certificates in a pairing: both sides live, lists, clocks, and what is refused before anything is stored."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from blechannel.config import Policy
from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame
from blechannel.methods import Method
from blechannel.pairing.bonds import Bond
from blechannel.pairing.certificates import Pinned, SelfSigned
from blechannel.pairing.changes import SpendGuess
from blechannel.roles import Role
from blechannel.session.credentials import Credentials
from blechannel.session.events import Established
from blechannel.session.pairing_side import PairingSide
from tests.session.sides import World, join

MADE_S = 1_700_000_000.0
YEAR_S = 365 * 86400.0
NOW_S = MADE_S + 1000


def identity(name: str) -> SelfSigned:
    return SelfSigned.make(ec.generate_private_key(ec.SECP256R1()), name, not_before_s=MADE_S, lifetime_s=YEAR_S)


PHONE, WATCH, STRANGER = identity("phone"), identity("watch"), identity("stranger")


def leaf(of: SelfSigned) -> bytes:
    return hashlib.sha256(of.certificate).digest()


def trusting(own: SelfSigned | None, *peers: SelfSigned, now_s: float | None = NOW_S) -> Credentials:
    verifier = Pinned(frozenset(map(leaf, peers)), has_clock=now_s is not None)
    return Credentials(own, verifier, lambda: now_s)


def world(method: Method = Method.CERTIFICATE, policy: Policy | None = None) -> World:
    made = World(method=method, policy=policy or Policy(hybrid=False))
    made.phone_credentials = trusting(PHONE, WATCH)
    made.watch_credentials = trusting(WATCH, PHONE)
    return made


def bonds(w: World) -> list[Bond]:
    return [*w.phone_shelf.book.bonds.values(), *w.watch_shelf.book.bonds.values()]


@pytest.mark.parametrize("method", set(Method) - {Method.WORDS})
@pytest.mark.parametrize("policy", [Policy(), Policy(hybrid=False), Policy(require_attestation=True)])
def test_each_side_remembers_whom_it_was_shown(method: Method, policy: Policy) -> None:
    w = world(method, policy)
    phone, watch = w.pairing()
    join(phone, watch)
    assert phone.told(Established)
    assert [bond.peer_certificate for bond in bonds(w)] == [leaf(WATCH), leaf(PHONE)]
    again = w.reconnecting()
    join(*again)
    assert again[1].told(Established)


@pytest.mark.parametrize("who", ["phone", "watch"])
@pytest.mark.parametrize("method", set(Method) - {Method.WORDS})
def test_a_certificate_that_is_on_no_list(who: str, method: Method) -> None:
    """However well it is made: with a chain alone, one extracted key would sit between all others."""
    w = world(method)
    if who == "phone":
        w.phone_credentials = trusting(STRANGER, WATCH)
    else:
        w.watch_credentials = trusting(STRANGER, PHONE)
    phone, watch = w.pairing()
    join(phone, watch)
    assert isinstance((watch if who == "phone" else phone).error, AuthenticationFailed)
    assert not w.watch_shelf.book.bonds
    assert not any(bond.pending is False for bond in bonds(w))
    if who == "watch":
        assert not bonds(w)


@pytest.mark.parametrize("who", ["phone", "watch"])
@pytest.mark.parametrize(
    ("method", "policy"),
    [(Method.CERTIFICATE, Policy(hybrid=False)), (Method.PASSKEY, Policy(hybrid=False, require_attestation=True))],
)
def test_no_certificate_where_one_is_due(who: str, method: Method, policy: Policy) -> None:
    w = world(method, policy)
    if who == "phone":
        w.phone_credentials = trusting(None, WATCH)
    else:
        w.watch_credentials = trusting(None, PHONE)
    phone, watch = w.pairing()
    join(phone, watch)
    assert isinstance((watch if who == "phone" else phone).error, AuthenticationFailed)
    assert not w.watch_shelf.book.bonds


def test_without_a_verifier_what_is_shown_counts_for_nothing() -> None:
    w = world(Method.PASSKEY)
    w.phone_credentials = Credentials()
    phone, watch = w.pairing()
    join(phone, watch)
    assert phone.told(Established)
    assert [bond.peer_certificate for bond in bonds(w)] == [b"", b""]


@pytest.mark.parametrize("liar", Role)
def test_a_certificate_where_words_are_compared_is_refused(liar: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    """However good it is: a man in the middle of the words would learn who they are."""
    w = world(Method.WORDS)
    monkeypatch.setattr(PairingSide, "attestation", lambda side: shown_by(side) if side._setup.role is liar else b"")
    phone, watch = w.pairing()
    join(phone, watch)
    victim = {Role.PHONE: watch, Role.WATCH: phone}[liar]
    assert isinstance(victim.error, MalformedFrame)
    assert "words" in str(victim.error)


def shown_by(side: PairingSide) -> bytes:
    return side._setup.credentials.present(side._setup.role, side.noise.handshake_hash)


def test_words_carry_none() -> None:
    w = world(Method.WORDS)
    join(*w.pairing())
    assert [bond.peer_certificate for bond in bonds(w)] == [b"", b""]


@pytest.mark.parametrize("now_s", [MADE_S - 1000, MADE_S + YEAR_S + 1000])
def test_not_yet_and_no_longer(now_s: float) -> None:
    w = world()
    w.phone_credentials = trusting(PHONE, WATCH, now_s=now_s)
    phone, watch = w.pairing()
    join(phone, watch)
    assert isinstance(phone.error, AuthenticationFailed)


@pytest.mark.parametrize("now_s", [None, NOW_S], ids=["no clock", "a clock that was put back"])
def test_a_watch_is_past_what_its_store_has_seen(now_s: float | None) -> None:
    w = world()
    w.watch_credentials = trusting(WATCH, PHONE, now_s=now_s)
    phone, watch = w.pairing()
    join(phone, watch)
    assert watch.told(Established)
    # Its store has seen a day on which the phone's certificate had ended.
    w.alter_watch_bond(last_seen_s=MADE_S + 2 * YEAR_S)
    w.window = w.new_window()
    phone, watch = w.pairing()
    join(phone, watch)
    assert isinstance(watch.error, AuthenticationFailed)


class Recorded:
    """An identity that signs what it signed before, whatever it is asked."""

    def __init__(self, of: SelfSigned, said: bytes | None = None) -> None:
        self._of = of
        self.said = said

    @property
    def chain(self) -> tuple[bytes, ...]:
        return self._of.chain

    def sign(self, statement: bytes) -> bytes:
        if self.said is None:
            self.said = self._of.sign(statement)
        return self.said


def test_a_signature_of_another_run_is_none() -> None:
    w = world()
    recorded = Recorded(WATCH)
    w.watch_credentials = replace(w.watch_credentials, identity=recorded)
    join(*w.pairing())
    assert len(bonds(w)) == 2
    again = world()
    again.random(7)
    again.watch_credentials = replace(again.watch_credentials, identity=recorded)
    phone, watch = again.pairing()
    join(phone, watch)
    assert isinstance(phone.error, AuthenticationFailed)
    assert not bonds(again)


def test_a_signature_sent_back_is_none() -> None:
    """The phone shows the watch its own certificate and signature, of this very run."""
    w = world()
    recorded = Recorded(WATCH)
    w.watch_credentials = replace(trusting(WATCH, PHONE, WATCH), identity=recorded)
    w.phone_credentials = replace(w.phone_credentials, identity=recorded)
    phone, watch = w.pairing()
    join(phone, watch)
    assert isinstance(watch.error, AuthenticationFailed)
    assert not w.watch_shelf.book.bonds


def test_certificates_cost_no_guess_and_passkeys_do() -> None:
    w = world()
    w.phone_credentials = trusting(STRANGER, WATCH)
    join(*w.pairing())
    assert not any(isinstance(change, SpendGuess) for change in w.watch_shelf.changes)
    w = world(Method.PASSKEY)
    w.phone_credentials = trusting(STRANGER, WATCH)
    join(*w.pairing())
    assert w.watch_shelf.book.guesses_spent == 1


@pytest.mark.parametrize("lacking", [Credentials(), trusting(None, WATCH), Credentials(PHONE)])
def test_a_side_that_could_not_take_part_says_so(lacking: Credentials) -> None:
    with pytest.raises(LocalProtocolError, match="identity"):
        lacking.require_both()
    trusting(PHONE, WATCH).require_both()


def test_no_clock_is_what_is_assumed() -> None:
    credentials = Credentials(WATCH, Pinned(frozenset({leaf(PHONE)}), has_clock=False))
    shown = trusting(PHONE, WATCH).present(Role.PHONE, bytes(32))
    assert credentials.verify(Role.PHONE, bytes(32), shown, floor_s=0.0) == leaf(PHONE)
    with pytest.raises(AuthenticationFailed):
        credentials.verify(Role.PHONE, bytes(32), shown, floor_s=MADE_S + 2 * YEAR_S)


def test_what_is_no_attestation() -> None:
    with pytest.raises(MalformedFrame):
        trusting(PHONE, WATCH).verify(Role.WATCH, bytes(32), b"\x00", floor_s=0.0)
