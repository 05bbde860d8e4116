"""Events as JSON lines: the schema that docs/capture.md shows, one writer for both ways, and no key of a link."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from blechannel.roles import Role
from blechannel.wire.frames import Bonded
from blechannel_capture.channel.events import ChannelFrame
from blechannel_capture.events import Connection, Event, LinkDecrypted, LongTermKey, Side, SmpPdu, Verdict
from blechannel_capture.json_lines import as_line, as_object, kinds
from blechannel_capture.words import in_words
from blechannel_tools.docs.schema_table import keys_of
from tests.capture.test_words import everything


def test_a_line_is_the_object() -> None:
    for event in everything():
        assert as_line(event) == json.dumps(as_object(event), separators=(",", ":"))


def _fits(value: Any, said: str) -> bool:
    """Whether a value is what the table says."""
    if value is None:
        return "null" in said
    kinds: dict[str, type | tuple[type, ...]] = {"number": int, "text": str, "true or false": bool, "an object": dict}
    if "hexadecimal" in said:
        return isinstance(value, str) and bytes.fromhex(value) is not None
    if said.startswith('"'):
        return f'"{value}"' in said
    if said == "its number":
        return isinstance(value, int)
    return any(said.startswith(start) and isinstance(value, kind) for start, kind in kinds.items())


def _unlike_the_table(event: Event) -> Collection[str]:
    found = as_object(event)
    declared = keys_of(type(event))
    common = {"schema", "type", "packet", "time_ns"}
    wrong = found.keys() ^ (declared.keys() | common)
    return wrong | {name for name, said in declared.items() if name not in wrong and not _fits(found[name], said)}


def test_every_event_is_what_the_table_says() -> None:
    assert {type(event) for event in everything()} == set(kinds())
    for event in everything():
        assert _unlike_the_table(event) == set(), event


def test_no_key_of_a_link_is_in_it() -> None:
    keys = [event for event in everything() if isinstance(event, LinkDecrypted | LongTermKey)]
    assert {type(event) for event in keys} == {LinkDecrypted, LongTermKey}
    for event in keys:
        assert len(event.key) == 16
        assert as_object(event)["key"] is None
        assert as_object(event, show_keys=True)["key"] == event.key.hex()


def test_no_key_that_is_distributed_is_in_what_is_shown() -> None:
    key = bytes(range(0x50, 0x60))
    for code in range(0x01, 0x0F):
        event = SmpPdu(1, 0, Connection(1, 1), Side.CENTRAL, code, key)
        hidden = code in (0x06, 0x08, 0x0A)
        assert as_object(event)["value"] == (None if hidden else key.hex())
        assert (key.hex() in in_words(event)) is not hidden
        assert json.loads(as_line(event, show_keys=True))["value"] == key.hex()
        assert key.hex() in in_words(event, show_keys=True)
        assert key.hex() not in repr(event)
        assert repr(key) not in repr(event)


def test_no_discovery_key_of_a_watch_is_in_it() -> None:
    frame = ChannelFrame(1, 0, Connection(1, 1), Role.WATCH, 1, 9, None, Verdict.OK, body=Bonded(bytes(32), "a watch"))
    assert as_object(frame)["body"] == {"type": "Bonded", "discovery_key": None, "name": "a watch"}
    assert as_object(frame, show_keys=True)["body"]["discovery_key"] == bytes(32).hex()
    assert "00" not in in_words(frame)
