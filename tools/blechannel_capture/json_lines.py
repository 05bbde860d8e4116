"""Events as JSON objects, one a line, under a versioned schema.

Keys are stable: a later version of the schema may add some; one that takes any away gets another number.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

from blechannel_capture import att, events
from blechannel_capture.channel import events as channel_events
from blechannel_capture.events import AttPdu, Connected, Connection, Event, ParametersChanged, SmpPdu

SCHEMA: Final = 1
SECRET_FIELDS: Final = frozenset({"discovery_key"})
"""Of frames and records: with them a watch is recognised by everybody, for ever."""


_DUMP: Final = json.JSONEncoder(separators=(",", ":")).encode
_ATT_LINE: Final = (
    f'{{"schema":{SCHEMA},"type":"AttPdu","packet":%d,"time_ns":%d,"connection":%d,"sender":"%s",'
    '"opcode":%d,"name":"%s","handle":%d,"value":"%s"}'
)


def kinds() -> list[type[Event]]:
    """Every kind of event, in the order of their declarations."""
    found = {
        each: None
        for module in (events, channel_events)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Event) and each is not Event
    }
    return list(found)


def as_line(event: Event, *, show_keys: bool = False) -> str:
    """`as_object` as JSON in ASCII, in one line without its end."""
    if type(event) is AttPdu:  # by far the most frequent: written out, none of its fields needs an escape
        where = event.packet, event.time_ns, event.connection.number, event.sender.value
        return _ATT_LINE % (*where, event.opcode, att.name_of(event.opcode), event.handle, event.value.hex())
    return _DUMP(as_object(event, show_keys=show_keys))


def as_object(event: Event, *, show_keys: bool = False) -> dict[str, Any]:
    """What `json.dumps` takes. Bytes are hexadecimal, connections their number, enumerations their names in lower case.

    `time_ns` is in nanoseconds since 1970, `packet` counts from 1. Keys, those that a pairing distributes
    among them, are None without `show_keys`: a copy must not open more than the one who makes it thinks of.
    """
    if type(event) is AttPdu:
        return {
            "schema": SCHEMA,
            "type": "AttPdu",
            "packet": event.packet,
            "time_ns": event.time_ns,
            "connection": event.connection.number,
            "sender": event.sender.value,
            "opcode": event.opcode,
            "name": att.name_of(event.opcode),
            "handle": event.handle,
            "value": event.value.hex(),
        }
    found = {"schema": SCHEMA, "type": type(event).__name__, **_fields(event, show_keys=show_keys)}
    if isinstance(event, Connected | ParametersChanged):
        found["link"] = _fields(event.connection)
    elif isinstance(event, SmpPdu) and not event.holds_key:
        found["value"] = event.value.hex()
    return found


def _fields(of: Any, *, show_keys: bool = False) -> dict[str, Any]:
    said = [field for field in fields(of) if not field.name.startswith("_")]
    secret = [field.name for field in said if not (show_keys or (field.repr and field.name not in SECRET_FIELDS))]
    return {
        field.name: None if field.name in secret else _plain(getattr(of, field.name), show_keys=show_keys)
        for field in said
    }


def _plain(value: Any, *, show_keys: bool) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Connection):
        return value.number
    if isinstance(value, Enum):
        return (value.name or str(value.value)).lower()
    if is_dataclass(value):
        return {"type": type(value).__name__, **_fields(value, show_keys=show_keys)}
    return value
