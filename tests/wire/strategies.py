"""Hypothesis strategies for everything on the air, built from the declarations themselves."""

from __future__ import annotations

from dataclasses import fields
from enum import IntEnum
from typing import TypeVar, get_type_hints

from construct import Construct, SizeofError
from hypothesis import strategies as st

from blechannel.wire.frames import KINDS, RECORD_TYPES, Body, Frame, Hello, PairAnswer, PairProof, PairShare

T = TypeVar("T")

PAYLOADS: tuple[type[object], ...] = (Hello, PairShare, PairAnswer, PairProof)
DECLARED: tuple[type[object], ...] = (*KINDS.values(), *PAYLOADS, *RECORD_TYPES.values())
"""Every class whose bytes are declared, once."""

REST_BYTES = 600
"""Longest value drawn for a field that takes all that is left."""


def values(cls: type[T]) -> st.SearchStrategy[T]:
    """Any value of a declared class."""
    types = get_type_hints(cls)
    return st.builds(cls, **{name: _field(types[name], layout) for name, layout in layouts(cls).items()})


def layouts(cls: type[object]) -> dict[str, Construct[object, object]]:
    """The construct declaration of each field, in order."""
    return {field.name: field.metadata["layout"] for field in fields(cls)}  # type: ignore[arg-type]


def takes_rest(cls: type[object]) -> bool:
    """Whether the last field takes all bytes that are left, so that none can trail."""
    name, layout = list(layouts(cls).items())[-1]
    return get_type_hints(cls)[name] is bytes and _size(layout) is None


def frames() -> st.SearchStrategy[Frame]:
    """Any frame."""
    return st.one_of([values(cls) for cls in KINDS.values()])


def records() -> st.SearchStrategy[Body]:
    """Any record's body."""
    return st.one_of([values(cls) for cls in RECORD_TYPES.values()])


def _field(annotation: type[object], layout: Construct[object, object]) -> st.SearchStrategy[object]:
    if issubclass(annotation, IntEnum):
        return st.sampled_from(list(annotation))
    if annotation is int:
        return st.integers(0, 256 ** layout.sizeof() - 1)
    if annotation is str:
        return _texts(layout.max_bytes)  # type: ignore[attr-defined]
    size = _size(layout)
    return st.binary(max_size=REST_BYTES) if size is None else st.binary(min_size=size, max_size=size)


def _texts(max_bytes: int) -> st.SearchStrategy[str]:
    characters = st.characters(codec="utf-8")
    return st.text(characters, max_size=max_bytes).filter(lambda text: len(text.encode()) <= max_bytes)


def _size(layout: Construct[object, object]) -> int | None:
    try:
        return layout.sizeof()
    except SizeofError:
        return None
