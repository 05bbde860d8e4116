"""The link is cut at every record and at every fragment, and what came is passed off as all there was.

Published: Bhargavan, Delignat-Lavaud, Fournet et al., "Triple Handshakes and Cookie Cutters", 2014 (truncation of TLS).
Stopped by: a session ends with an authenticated CLOSE that counts records both ways; without it, it was cut off.
"""

from __future__ import annotations

import pytest

from blechannel.errors import LinkLost
from blechannel.session.events import Closed, Failed, Message
from tests.session.sides import Side, World, join

MESSAGES = [bytes((number,)) * (number * 60) for number in range(1, 9)]


def established() -> tuple[Side, Side]:
    phone, watch = World().bonded().reconnecting()
    join(phone, watch)
    return phone, watch


def everything() -> tuple[Side, Side, list[bytes]]:
    """All fragments of a conversation that ends properly, CLOSE included."""
    phone, watch = established()
    port = phone.session.traffic.open("talk")
    for message in MESSAGES:
        phone.session.traffic.send(port, message)
    phone.take(phone.session.close(0.0))
    return phone, watch, phone.said()


def count() -> int:
    return len(everything()[2])


@pytest.mark.parametrize("cut", range(count()))
def test_a_cut_is_never_an_end(cut: int) -> None:
    _, watch, fragments = everything()
    watch.hear(fragments[:cut])
    watch.take(watch.session.link_lost(LinkLost("gone")))
    assert not watch.told(Closed)
    [failed] = watch.told(Failed)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, LinkLost)
    heard = [event.message for event in watch.told(Message) if isinstance(event, Message)]
    assert heard == MESSAGES[: len(heard)], "what came before the cut is whole"


def test_control_nothing_cut_is_an_end() -> None:
    phone, watch, fragments = everything()
    watch.hear(fragments)
    assert watch.told(Closed)
    join(phone, watch)
    assert phone.told(Closed)
    watch.take(watch.session.link_lost(LinkLost("gone")))
    assert not watch.told(Failed)


def test_a_close_cannot_be_moved_forward() -> None:
    """The record of CLOSE after fewer messages does not open: its place is in its nonce."""
    _, watch, fragments = everything()
    watch.hear(fragments[:1])
    last = fragments[-1]
    watch.hear([bytes((fragments[1][0],)) + last[1:]])
    assert not watch.told(Closed)
    assert watch.told(Failed)
