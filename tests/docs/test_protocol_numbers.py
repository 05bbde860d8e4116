"""docs/protocol.md against the code: every table of numbers, read from the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blechannel import gatt, limits
from blechannel.aio.pump import LINGER_S
from blechannel.aio.watch import ROTATE_S
from blechannel.config import Policy
from blechannel.errors import FragmentFault
from blechannel.limits import Limits, Patience
from blechannel.methods import Method, Suite
from blechannel.pairing.window import ATTEMPTS, CODE_DIGITS, WINDOW_S
from blechannel.session.records import REKEY_EVERY
from blechannel.stores import sealing
from blechannel.wire.adverts import ADVERT_BYTES, TIME_STEP_S
from blechannel.wire.flow import ACK_DELAY_S, MAX_ACK_DELAY_S
from blechannel.wire.frames import KINDS, RECORD_TYPES, Refusal
from tests.session.middle import Middle
from tests.session.sides import Side, World

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
RECORD = 0x17
WRONG = "000001"
METHODS = {"passkey": Method.PASSKEY, "words": Method.WORDS, "out of band": Method.OUT_OF_BAND}
POLICIES = {"classical": Policy(hybrid=False), "hybrid": Policy(require_hybrid=True)}


def table(*, under: str, head: str) -> list[list[str]]:
    """The rows of the table that begins with `head`, after the title `under`."""
    section = PAGE[PAGE.index(f"\n{under}\n") :]
    block = section[section.index(f"\n{head}") :].strip("\n").split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]


def number(text: str) -> int:
    return int(text.replace(",", ""), 0)


def heard(sides: tuple[Side, Side]) -> list[bytes]:
    """Every frame of a whole conversation."""
    middle = Middle(*sides)
    middle.run()
    return [frame for _, frame in middle.seen]


SIZES = table(under="## Pairing", head="| method | suite | INFO")


def test_uuids() -> None:
    rows = {row[0]: row[1].strip("`") for row in table(under="## GATT service", head="| | UUID")}
    uuids = (gatt.SERVICE_UUID, gatt.INBOX_UUID, gatt.OUTBOX_UUID, gatt.INFO_UUID)
    assert rows == dict(zip(("service", "inbox", "outbox", "info"), uuids, strict=True))


def test_kinds_of_frames() -> None:
    rows = table(under="## Frames", head="| kind | frame")
    told = {number(row[0]): row[1].split()[0].lower() for row in rows}
    assert told == {kind: cls.__name__.lower() for kind, cls in KINDS.items()}


def test_sizes_of_frames() -> None:
    rows = table(under="## Frames", head="| kind | frame")
    told = {number(row[0]): number(row[3].split()[0]) for row in rows}
    world = World()
    seen = heard(world.pairing()) + heard(world.reconnecting()) + heard(World().pairing(code=WRONG))
    assert {frame[0] for frame in seen} == {*KINDS}
    assert [frame[0] for frame in seen if frame[0] != RECORD and len(frame) != told[frame[0]]] == []
    assert all(len(frame) >= told[RECORD] for frame in seen if frame[0] == RECORD)


@pytest.mark.parametrize("row", SIZES, ids=lambda row: " ".join(row[:2]))
def test_sizes_of_whole_pairings(row: list[str]) -> None:
    frames = heard(World(method=METHODS[row[0]], policy=POLICIES[row[1]]).pairing())
    assert [len(frame) for frame in frames] == [number(cell) for cell in row[2:]]


def test_whole_pairings_of_every_method_and_suite() -> None:
    assert {(row[0], row[1]) for row in SIZES} == {(method, suite) for method in METHODS for suite in POLICIES}


def test_suites() -> None:
    rows = table(under="## Suite", head="| number | suite")
    assert {number(row[0]): row[1] for row in rows} == {suite.value: suite.name.lower() for suite in Suite}


def test_methods_and_what_they_prove() -> None:
    rows = table(under="### Methods", head="| number | method")
    told = {(number(row[0]), row[1].replace(" ", "_"), row[-1]) for row in rows}
    assert told == {(method.value, method.name.lower(), method.assurance.name.lower()) for method in Method}


def test_faults_of_fragments() -> None:
    rows = table(under="## Fragments", head="| refused | when")
    assert {name for row in rows for name in row[0].split(", ")} == {fault.name for fault in FragmentFault}


def test_reasons_of_refusals() -> None:
    rows = table(under="## REFUSE", head="| reason |")
    told = {number(row[0]): row[1].replace(" ", "_").upper() for row in rows}
    assert told == {reason.value: reason.name for reason in Refusal}


def test_timers() -> None:
    rows = table(under="## Timers and bounds", head="| | seconds |")
    told = {row[0]: row[1] for row in rows}
    patience = Patience()
    for name in ("handshake", "person", "frame", "stall", "keepalive", "close"):
        assert float(told[name]) == getattr(patience, f"{name}_s"), name
    assert float(told["linger"]) == LINGER_S
    assert told["acknowledgement delay"] == f"{ACK_DELAY_S:g} to {MAX_ACK_DELAY_S:g}"
    by_code, carried = (float(row[1]) for row in rows if row[0] == "pairing window")
    assert {Method.PASSKEY: by_code, Method.WORDS: by_code}.items() <= WINDOW_S.items()
    assert {Method.OUT_OF_BAND: carried, Method.CERTIFICATE: carried}.items() <= WINDOW_S.items()


def test_advertisements_are_made_anew_in_time() -> None:
    [row] = [row for row in table(under="## Timers and bounds", head="| | seconds |") if row[0] == "advertisement"]
    assert (float(row[1]), row[2]) == (ROTATE_S, f"until it is made anew; at most {TIME_STEP_S}")
    fields = table(under="### Advertising", head="| bytes | field")
    assert sum(number(field[0]) for field in fields) == ADVERT_BYTES


def test_bounds() -> None:
    rows = table(under="## Timers and bounds", head="| | least | most")
    told = {row[0]: [number(cell) for cell in " ".join(row[1:]).split() if cell[0].isdigit()] for row in rows[:-1]}
    defaults = Limits()
    assert told == {
        "bytes in a fragment, header included": [limits.MIN_FRAGMENT_BYTES, limits.MAX_FRAGMENT_BYTES],
        "window of a link": [limits.MIN_WINDOW, limits.MAX_WINDOW, defaults.window],
        "max_frame_bytes": [limits.MIN_FRAME_BYTES, limits.MAX_FRAME_BYTES, defaults.max_frame_bytes],
        "bytes of a side's name": [1, limits.MAX_NAME_BYTES],
        "bytes of a port's name": [1, limits.MAX_PORT_NAME_BYTES],
        "ports a direction": [limits.MAX_PORTS],
        "credit of a port, bytes": [limits.PORT_WINDOW_BYTES],
        "links that a watch serves at once": [limits.MAX_LINKS],
        "bonds": [limits.MAX_BONDS],
        "pending bonds of a phone": [limits.MAX_PENDING],
        "ports chosen for a guest": [limits.MAX_PERMITTED_PORTS],
    }
    assert rows[-1][2] == f"{limits.MAX_LINKS}, {limits.RETIRED_HINT_KEYS}"


def test_types_of_records() -> None:
    rows = table(under="## Records", head="| type | record")
    assert {number(row[0]): row[1] for row in rows} == {kind: cls.__name__ for kind, cls in RECORD_TYPES.items()}


def test_when_keys_of_records_change() -> None:
    assert f"n is a multiple of {REKEY_EVERY:,}," in PAGE


def test_odds_of_a_window() -> None:
    assert f"{ATTEMPTS} attempts or one bond" in PAGE
    assert f"6 ·\n10^-{CODE_DIGITS} a window" in PAGE
    assert 2 * ATTEMPTS == 6


def test_labels_are_those_of_the_code() -> None:
    """Those of the air, and the one of the files in which bonds move; a store's own file is nobody else's."""
    spoken = [path for part in ("pairing", "session", "wire") for path in (ROOT / "blechannel" / part).glob("*.py")]
    sources = (path.read_text(encoding="utf-8") for path in spoken)
    used = {label for source in sources for label in re.findall(r'b"(blechannel/1 [a-z ]+)', source)}
    assert used | {sealing.LABEL.decode()} == set(re.findall(r'"(blechannel/1 [a-z ]+)"', PAGE))
