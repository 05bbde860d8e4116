"""Our dataclasses against the standard library's: whoever uses one cannot tell which it is."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, field, fields, replace
from typing import Any, get_type_hints

import pytest

from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class Empty:
    """Has no field."""


@dataclass(frozen=True, slots=True)
class Key:
    """A value with a secret."""

    number: int
    secret: bytes = field(default=b"", repr=False)
    note: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("no key has such a number")


@dataclass(frozen=True, slots=True)
class Numbered(Key):
    """A value that inherits fields."""

    where: str = "here"


@dataclass(slots=True, kw_only=True)
class Counted:
    """Has state."""

    name: str
    seen: list[int] = field(default_factory=list)
    calls: int = field(default=0, init=False)
    marks: dict[str, int] = field(default_factory=dict, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Peer:
    """Is only itself, and may know itself."""

    known: object = None


@dataclass(frozen=True, slots=True)
class Plain:
    """Says of itself what it likes."""

    number: int

    def __repr__(self) -> str:
        return "Plain"


def standard(cls: type[Any], **options: Any) -> Any:
    """The same declaration, made by the standard library."""
    members: dict[str, Any] = {"__annotations__": cls.__annotations__, "__module__": cls.__module__}
    for f in fields(cls):
        if f.default is not MISSING or f.default_factory is not MISSING:
            made: Callable[..., Any] = field
            members[f.name] = made(
                default=f.default, default_factory=f.default_factory, init=f.init, repr=f.repr, compare=f.compare
            )
    if "__post_init__" in vars(cls):
        members["__post_init__"] = vars(cls)["__post_init__"]
    return dataclasses.dataclass(slots=True, **options)(type(cls.__name__, (), members))


PAIRS = [
    pytest.param(Empty, standard(Empty, frozen=True), dict, id="empty"),
    pytest.param(Key, standard(Key, frozen=True), lambda: {"number": 1, "secret": b"s"}, id="frozen"),
    pytest.param(Counted, standard(Counted, kw_only=True), lambda: {"name": "n", "seen": [1]}, id="stateful"),
    pytest.param(Peer, standard(Peer, eq=False), dict, id="identity"),
]


@pytest.mark.parametrize(("ours", "theirs", "arguments"), PAIRS)
def test_looks_as_the_standard_one(ours: Any, theirs: Any, arguments: Callable[[], dict[str, Any]]) -> None:
    assert repr(ours(**arguments())) == repr(theirs(**arguments()))
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert get_type_hints(ours.__init__) == get_type_hints(theirs.__init__)
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert ours.__init__.__qualname__ == f"{ours.__name__}.__init__"


@pytest.mark.parametrize(("ours", "theirs", "arguments"), PAIRS)
def test_equals_and_hashes_as_the_standard_one(ours: Any, theirs: Any, arguments: Callable[[], dict[str, Any]]) -> None:
    assert (ours(**arguments()) == ours(**arguments())) is (theirs(**arguments()) == theirs(**arguments()))
    assert (ours.__hash__ is None) is (theirs.__hash__ is None)
    assert ours(**arguments()) != theirs(**arguments())


@pytest.mark.parametrize(("ours", "theirs", "arguments"), PAIRS)
def test_refuses_arguments_as_the_standard_one(ours: Any, theirs: Any, arguments: Callable[[], dict[str, Any]]) -> None:
    for given in ({"unknown": 1}, {**arguments(), "unknown": 1}):
        said = []
        for cls in (ours, theirs):
            with pytest.raises(TypeError) as refused:
                cls(**given)
            said.append(str(refused.value))
        assert said[0].split(".")[-1] == said[1].split(".")[-1]


def test_a_value_is_its_compared_fields() -> None:
    assert Key(1, b"s", "a") == Key(1, b"s", "b")
    assert len({Key(1, b"s", "a"), Key(1, b"s", "b"), Key(1, b"t", "a"), Key(2, b"s", "a")}) == 3
    assert len({Empty(), Empty()}) == 1
    assert Numbered(1) != Key(1)
    assert Numbered(1, where="there") != Numbered(1)


def test_a_secret_is_not_shown() -> None:
    assert repr(Numbered(7, b"hidden", "n")) == "Numbered(number=7, note='n', where='here')"


def test_what_refers_to_itself_can_be_shown() -> None:
    peer = Peer()
    peer.known = peer
    assert repr(peer) == "Peer(known=...)"


def test_an_own_method_stays() -> None:
    assert repr(Plain(1)) == "Plain"


@pytest.mark.parametrize("value", [Key(1), Numbered(1), Empty()])
def test_a_frozen_value_refuses_every_change(value: Any) -> None:
    for name in ("number", "unknown"):
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(value, name, 2)
        with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(value, name)


def test_state_may_change_and_is_not_shared() -> None:
    first, second = Counted(name="a"), Counted(name="a")
    assert first == second
    first.calls += 1
    first.seen.append(1)
    first.marks["x"] = 1
    assert first != second
    assert second == Counted(name="a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("value", [Key(3, b"s"), Numbered(4, where="x"), Counted(name="n", seen=[1])])
def test_a_copy_is_equal(value: Any, made: Callable[[Any], Any]) -> None:
    assert made(value) == value


def test_replace_checks_again() -> None:
    assert replace(Key(1, b"s"), number=2) == Key(2, b"s")
    with pytest.raises(ValueError, match="no key has such a number"):
        replace(Key(1), number=-1)


def test_fields_match_in_order() -> None:
    match Numbered(5, b"s"):
        case Numbered(number, secret):
            assert (number, secret) == (5, b"s")


def test_init_of_a_base_serves_a_class_without_fields_of_its_own() -> None:
    class Named(Counted):
        __slots__ = ()

    assert Named(name="a").seen == []
    assert vars(Counted)["__init__"] is Named.__init__
