"""Bytes that changed in a file look like an attack on a session: where its ledger shows damage, none is certain."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from blechannel.roles import Role
from blechannel_capture.findings import Certainty, Finding, Findings, Kind, Level
from blechannel_capture.gatt_map import GattMap
from blechannel_capture.ledger import Damage, Ledger
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.findings.test_attacks import bonded, flip, found, of_records, talking
from tests.capture.mutating import mutated
from tests.capture.reading import Heard, hear
from tests.capture.writing import HCI_FILES, HciSaid

DAY_NS = 24 * 3600 * 10**9
CORRUPTED = {Damage.BAD_LENGTH, Damage.BAD_BLOCK, Damage.BAD_PACKET, Damage.TIME_JUMP}
FILES = ["btsnoop H4", "PacketLogger little", "pcap 201 us big", "pcapng 201 big"]


def certain_attacks(heard: Heard) -> list[Finding]:
    return [each for each in heard.findings if each.level is Level.ATTACK and each.certainty is Certainty.CERTAIN]


def watch_heard(world: CapturedWorld, said: list[HciSaid]) -> Heard:
    return hear(HCI_FILES["btsnoop H4"](said), key_log=world.key_log(Role.WATCH))


@pytest.mark.parametrize("at", [3, -2], ids=["before", "after"])
@pytest.mark.parametrize("damage", [Damage.TIME_JUMP, Damage.BAD_PACKET])
def test_an_altered_record_is_certain_only_in_a_sound_file(damage: Damage, at: int) -> None:
    world = bonded()
    talking(world, of_records(flip))
    said = list(world.taps[Role.WATCH].said)
    assert [each.certainty for each in found(watch_heard(world, said), Kind.ALTERED)] == [Certainty.CERTAIN]
    if damage is Damage.TIME_JUMP:
        said[at] = replace(said[at], time_ns=said[at].time_ns + 2 * DAY_NS)
    else:
        said.insert(at, replace(said[0], data=said[0].data[:1] + b"\xff" + said[0].data[2:]))
    heard = watch_heard(world, said)
    assert damage in heard.damage()
    assert [each.certainty for each in found(heard, Kind.ALTERED)] == [Certainty.INCONCLUSIVE]


@pytest.mark.parametrize("file", FILES)
def test_no_file_that_shows_its_damage_accuses_anybody(file: str) -> None:
    """Of an honest session, with one to four changes anywhere in the file."""
    world, random = honest_life(), Random(f"damaged {file}")
    content, key_log = HCI_FILES[file](world.taps[Role.PHONE].said), world.key_log(Role.PHONE)
    inconclusive = 0
    for _ in range(150):
        changed = content[:48] + mutated(content[48:], random)
        heard = hear(changed, key_log=key_log)
        if CORRUPTED & set(heard.damage()):
            assert certain_attacks(heard) == []
            inconclusive += bool(heard.attacks())
    assert inconclusive > 3, "the changes do look like attacks"


@pytest.mark.parametrize("kind", Kind)
def test_what_no_damage_explains_stays_certain(kind: Kind) -> None:
    ledger = Ledger()
    findings = Findings(ledger, lambda _: GattMap())
    said = Finding(kind, Level.ATTACK, Certainty.CERTAIN, (1,), 1, "an attack")
    assert findings.in_hindsight([said]) == [said]
    ledger.note(Damage.BAD_LENGTH, "somewhere")
    [weighed] = findings.in_hindsight([said])
    proven = kind in (Kind.NONCE_REUSE, Kind.COPIED_BOND, Kind.WEAK_POINT, Kind.REFLECTION)
    assert (weighed.certainty is Certainty.CERTAIN) is proven
    weakness = replace(said, level=Level.WEAKNESS)
    assert findings.in_hindsight([weakness]) == [weakness]
