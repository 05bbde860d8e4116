"""Board descriptions: one TOML file a board, read by `watch --board` and `doctor --board`. Here is their schema."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin, get_type_hints

from blechannel.errors import LocalProtocolError

MIN_ACL_BYTES = 27
MAX_ACL_BYTES = 65_535
"""What a controller may offer to the host as the length of its buffers (Core, volume 4, part E, 7.8.2)."""


class Phy(StrEnum):
    """The physical layers of LE (Core, volume 6, part B, 4.6)."""

    ONE_M = "1M"
    TWO_M = "2M"
    CODED = "coded"


class Nfc(StrEnum):
    """What a board has for pairing by NFC."""

    NONE = "none"
    TAG = "tag"
    READER = "reader"


class Daemon(StrEnum):
    """What the transport needs of bluetoothd on the same machine."""

    STOPPED = "stopped"
    RUNNING = "running"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board; each field but `name` and `where` is a key of its file.

    Raises:
        LocalProtocolError: a value makes no sense; the text names the file and the key.
    """

    name: str
    where: Path
    title: str
    transport: str
    """What `--transport` says for it."""
    bluetoothd: Daemon
    phys: tuple[Phy, ...]
    """Those that can be counted on; empty where there is no controller."""
    nfc: Nfc
    quirks: tuple[str, ...]
    """What is known to go wrong, and what to do: a sentence each."""
    tried: bool
    """Whether this project has run on one."""
    reason: str | None = None
    """Why it was not tried."""
    acl_bytes: int | None = None
    """The controller's LE buffer, with the firmware that hardware/README.md flashes; none where there is none."""

    def __post_init__(self) -> None:
        for key in ("title", "transport"):
            if not getattr(self, key).strip():
                raise self._wrong(key, "is empty")
        if self.acl_bytes is not None and not MIN_ACL_BYTES <= self.acl_bytes <= MAX_ACL_BYTES:
            raise self._wrong("acl_bytes", f"is outside {MIN_ACL_BYTES} to {MAX_ACL_BYTES}")
        if self.tried == bool(self.reason):
            raise self._wrong("reason", "says why a board was not tried, and is for tried = false alone")

    def _wrong(self, key: str, text: str) -> LocalProtocolError:
        return LocalProtocolError(f"{self.where}: {key} {text}")


def shipped() -> dict[str, Path]:
    """The boards that come with the program, by name: in a checkout those of hardware/boards."""
    here = Path(__file__).resolve().parent
    folders = (here / "boards", here.parents[1] / "hardware" / "boards")
    found = {path.stem: path for folder in folders for path in folder.glob("*.toml")}
    return dict(sorted(found.items()))


def find_board(name: str) -> Board:
    """The board of that name, or that a file describes.

    Raises:
        LocalProtocolError: there is none, or its file is no description; the text says what to do.
    """
    if name.endswith(".toml"):
        return read_board(Path(name))
    boards = shipped()
    if name not in boards:
        raise LocalProtocolError(f"no board is called {name!r}: say the path of a .toml file, or {', '.join(boards)}")
    return read_board(boards[name])


def read_board(path: Path) -> Board:
    """What a file describes.

    Raises:
        LocalProtocolError: it cannot be read, or is no description of a board.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LocalProtocolError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # neither TOML nor UTF-8
        raise LocalProtocolError(f"{path}: {error}") from error
    return Board(name=path.stem, where=path, **_checked(path, found))  # type: ignore[arg-type]


def _checked(path: Path, found: Mapping[str, object]) -> dict[str, object]:
    kinds = {key: kind for key, kind in get_type_hints(Board).items() if key not in ("name", "where")}
    optional = {field.name for field in fields(Board) if field.default is None}
    if unknown := sorted(found.keys() - kinds.keys()):
        raise LocalProtocolError(f"{path}: unknown key {unknown[0]!r}; there are {', '.join(kinds)}")
    if missing := sorted(kinds.keys() - optional - found.keys()):
        raise LocalProtocolError(f"{path}: the key {missing[0]!r} is missing")
    return {key: _value(f"{path}: {key}", value, kinds[key]) for key, value in found.items()}


def _value(where: str, value: object, kind: object) -> object:
    """The value as its field has it: TOML knows no tuples and no enumerations."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise LocalProtocolError(f"{where} must be a list")
        return tuple(_value(where, item, get_args(kind)[0]) for item in value)
    assert isinstance(kind, type)
    if issubclass(kind, StrEnum):
        if not isinstance(value, str) or value not in list(kind):
            raise LocalProtocolError(f"{where} must be {' or '.join(kind)}, and is {value!r}")
        return kind(value)
    if type(value) is not kind:  # a bool is an int to isinstance
        raise LocalProtocolError(f"{where} must be of type {kind.__name__}, and is {value!r}")
    return value


def board(text: str) -> Board:
    """A board's name or path, for argparse."""
    try:
        return find_board(text)
    except LocalProtocolError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
