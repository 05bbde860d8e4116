"""`dataclass` for classes with slots, made several times faster than the standard library makes them.

A program that talks to a watch imports some 120 of these before its first line runs. The standard library writes and
compiles up to eight methods for each. Here only `__init__` is, and when the class is first used; one function serves
all classes for each of the others. The fields are the standard library's own: `field`, `fields`, `replace` and `match`
work as on any dataclass.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, FrozenInstanceError, field
from operator import attrgetter
from reprlib import recursive_repr
from types import FunctionType
from typing import Any, NoReturn, TypeVar, cast, dataclass_transform

T = TypeVar("T")


class _New:
    """Stands for an argument that was not given and that a factory makes."""

    def __repr__(self) -> str:
        return "<factory>"


_NEW = _New()


@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, kw_only: bool = False
) -> Callable[[type[T]], type[T]]:
    """As `dataclasses.dataclass`, always with slots; a frozen class refuses any assignment, a subclass's too."""
    assert slots, "a class without slots is for the standard library"

    def declared(cls: type[T]) -> type[T]:
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
        own = vars(cls)
        methods: dict[str, Any] = {"__init__": _Initializer(made, frozen), "__repr__": _shown}
        if eq:
            methods |= _compared(made, frozen)
        if frozen:
            methods |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete, "__setstate__": _restore}
        for name, method in methods.items():
            if name not in own or own[name] is None:
                setattr(made, name, method)
        return cast("type[T]", made)

    return declared


class _Initializer:
    """Stands for the `__init__` of `cls` until somebody asks for it, and puts the compiled one in its place."""

    def __init__(self, cls: Any, frozen: bool) -> None:
        self.cls = cls
        self.frozen = frozen

    def __get__(self, instance: object, owner: type[Any]) -> Callable[..., None]:
        self.cls.__init__ = made = _compiled(self.cls, self.frozen)
        bound: Callable[..., None] = made.__get__(instance, owner)
        return bound


def _compiled(cls: Any, frozen: bool) -> FunctionType:
    """The one method that is compiled, for it is the one that is called often."""
    positional = [f for f in dataclasses.fields(cls) if f.init and not f.kw_only]
    named = [f for f in dataclasses.fields(cls) if f.init and f.kw_only]
    around: dict[str, Any] = {"_set": object.__setattr__, "_NEW": _NEW}
    for f in dataclasses.fields(cls):
        around |= {f"_default_{f.name}": f.default, f"_make_{f.name}": f.default_factory}
    parameters = ["self", *map(_parameter, positional), *(["*"] if named else []), *map(_parameter, named)]
    body = list(_assignments(cls, frozen)) or ["pass"]
    source = (
        f"def enclose({', '.join(around)}):\n"
        f" def __init__({', '.join(parameters)}):\n  " + "\n  ".join(body) + "\n return __init__"
    )
    scope: dict[str, Any] = {}
    exec(source, vars(sys.modules[cls.__module__]), scope)
    made: FunctionType = scope["enclose"](**around)
    made.__annotations__ = {f.name: f.type for f in [*positional, *named]} | {"return": None}
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _parameter(f: Field[Any]) -> str:
    if f.default_factory is not MISSING:
        return f"{f.name}=_NEW"
    return f.name if f.default is MISSING else f"{f.name}=_default_{f.name}"


def _assignments(cls: Any, frozen: bool) -> Iterator[str]:
    for f in dataclasses.fields(cls):
        value = f.name
        if f.default_factory is not MISSING:
            value = f"_make_{f.name}() if {f.name} is _NEW else {f.name}" if f.init else f"_make_{f.name}()"
        elif not f.init:
            value = f"_default_{f.name}"
        yield f"_set(self, {f.name!r}, {value})" if frozen else f"self.{f.name} = {value}"
    if hasattr(cls, "__post_init__"):
        yield "self.__post_init__()"


def _compared(cls: Any, frozen: bool) -> dict[str, Any]:
    names = [f.name for f in dataclasses.fields(cls) if f.compare]
    compared: Callable[[Any], Any] = attrgetter(*names) if names else type

    def __eq__(self: Any, other: object) -> bool:
        return bool(compared(self) == compared(other)) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(compared(self))

    return {"__eq__": __eq__, "__hash__": __hash__ if frozen else None}


@recursive_repr()
def _shown(self: Any) -> str:
    shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({shown})"


def _refuse_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(self: Any, state: tuple[None, dict[str, Any]]) -> None:
    """What `copy` does for a class that does not refuse."""
    for name, value in state[1].items():
        object.__setattr__(self, name, value)
