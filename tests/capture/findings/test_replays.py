"""Values that come twice, and what a link layer's own repetitions are told from."""

from __future__ import annotations

from blechannel.roles import Role
from blechannel_capture.channel.events import OddFragment
from blechannel_capture.channel.joining import Oddity
from blechannel_capture.findings import Certainty, Kind
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import hear
from tests.capture.writing import HCI_FILES


def life() -> CapturedWorld:
    return honest_life(world=CapturedWorld("replays"))


def test_a_value_that_is_delivered_twice_is_found_wherever_it_is() -> None:
    world = life()
    said = world.taps[Role.WATCH].said
    assert hear(HCI_FILES["btsnoop H4"](said)).attacks() == set()
    sealed = [number for number, each in enumerate(said) if each.kind == 2]
    for number in sealed:
        heard = hear(HCI_FILES["btsnoop H4"]([*said[: number + 1], said[number], *said[number + 1 :]]))
        for finding in heard.findings:
            if finding.kind is Kind.REPLAY:
                assert finding.certainty is Certainty.CERTAIN
                assert finding.packets[-1] == number + 2
        is_data = bool(said[number].data[12:]) and not said[number].data[12] & 0x80
        assert (Kind.REPLAY in heard.attacks()) == is_data
        assert ({each.oddity for each in heard.all(OddFragment)} == {Oddity.REPEATED}) == is_data
