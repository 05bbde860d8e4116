"""A man in the middle passes the CPace shares on, under Noise keys of his own.

Published: Bellovin and Merritt, "Encrypted Key Exchange", 1992, on key exchanges that a password does not bind;
Abdalla, Haase and Hesse, CPace (draft-irtf-cfrg-cpace), on channel binding by sid.
Stopped by: CPace's sid has INFO and the phone's Noise ephemeral in it, and its result is mixed into Noise as psk3.
"""

from __future__ import annotations

from blechannel.errors import AuthenticationFailed
from blechannel.pairing.changes import SpendGuess
from blechannel.session.events import Established
from tests.attacks.mallory import Mallory
from tests.session.middle import Middle
from tests.session.sides import World


def test_passing_the_shares_on_ends_at_m3() -> None:
    world, mallory = World(), Mallory()
    phone, watch = world.pairing()
    Middle(phone, watch, mallory).run()
    assert mallory.said[:4] == ["Info", "Pair1", "Pair2", "Pair3"]
    assert isinstance(mallory.failed, AuthenticationFailed), "she cannot read m3 either"
    assert isinstance(watch.error, AuthenticationFailed)
    assert not phone.told(Established)
    assert not world.phone_shelf.book.bonds
    assert [type(change) for change in world.watch_shelf.changes[1:]] == [SpendGuess]


def test_control_with_the_code_the_same_man_in_the_middle_gets_through() -> None:
    """What stops him is the code, and not that he would speak the protocol badly."""
    world = World()
    assert world.window is not None
    mallory = Mallory(code=world.window.code)
    phone, watch = world.pairing()
    Middle(phone, watch, mallory).run()
    assert mallory.failed is None
    assert mallory.phone_leg is not None
    assert mallory.watch_leg is not None
    assert world.phone_shelf.book.bonds, "the phone has stored a bond with her, pending"
