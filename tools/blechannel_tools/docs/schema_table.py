"""The table of what `capture export FILE.jsonl` writes in docs/capture.md, from the events' own declarations."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from blechannel_capture.events import AttPdu, Connected, Connection, Event, ParametersChanged, SmpPdu
from blechannel_capture.json_lines import SCHEMA, kinds
from blechannel_tools.docs.markdown import table

BEGIN: Final = "<!-- schema: generated from the events by `make docs` -->"
END: Final = "<!-- schema: end -->"
_PLAIN: Final = {int: "number", str: "text", bytes: "hexadecimal", bool: "true or false"}
_COMMON: Final = ("packet", "time_ns")


def keys_of(kind: type[Event]) -> dict[str, str]:
    """The keys of an event's object beside those of all, and what stands there."""
    found = _keys(kind)
    if kind is AttPdu:
        found["name"] = "text"
    if kind is SmpPdu:
        found["value"] = "hexadecimal, or null for a key that is distributed"
    if kind in (Connected, ParametersChanged):
        found["link"] = "an object, see below"
    return found


def with_schema(page: str) -> str:
    """`page` with the table between its two marks made anew.

    Raises:
        ValueError: the page has no such marks.
    """
    head, begun, rest = page.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return "\n".join([head + BEGIN, "", *_lines(), END + tail])


def _lines() -> Iterator[str]:
    yield f"Each line is an object with `schema` ({SCHEMA}), `type`, `packet` (from 1), `time_ns` (since 1970), and:"
    yield ""
    rows = []
    for kind in kinds():
        keys = "; ".join(f"`{name}`: {what}" for name, what in keys_of(kind).items())
        rows.append((f"`{kind.__name__}`", keys, (inspect.getdoc(kind) or "").split("\n")[0]))
    yield from table(["type", "keys", ""], rows)
    link = "; ".join(f"`{name}`: {what}" for name, what in _keys(Connection).items())
    yield f"`link` has {link}. Of frames, payloads and bodies the fields are those of [wire.md](wire.md)."
    yield ""


def _keys(kind: type[Any]) -> dict[str, str]:
    hints = get_type_hints(kind)
    shown: list[Field[Any]] = [each for each in fields(kind) if not each.name.startswith("_")]
    said = {each.name: _said(hints[each.name]) if each.repr else "null, for it is secret" for each in shown}
    return {name: what for name, what in said.items() if name not in _COMMON}


def _said(hint: Any) -> str:
    if get_origin(hint) in (Union, types.UnionType):
        some = [each for each in get_args(hint) if each is not type(None)]
        said = " or ".join(dict.fromkeys(map(_said, some)))
        return f"{said}, or null" if len(some) < len(get_args(hint)) else said
    if get_origin(hint) is typing.Annotated:
        return _said(get_args(hint)[0])
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is Connection:
        return "its number"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(f'"{each.name.lower()}"' for each in hint)
    if hint is object or is_dataclass(hint):
        return "an object with `type` and its fields"
    raise TypeError(f"{hint} has no place in JSON lines")
