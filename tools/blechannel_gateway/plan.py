"""What a gateway does, as `gateway.toml` says it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from blechannel.aio.keep_policy import KeepPolicy
from blechannel.delivery.policies import BestEffort, Latest, Ordered, Policy
from blechannel.errors import LocalProtocolError
from blechannel_gateway.broker import Broker
from blechannel_gateway.errors import ConfigError
from blechannel_gateway.forwarder import Pace
from blechannel_gateway.frames import MAX_SCHEMA_BYTES
from blechannel_gateway.messages import Limits
from blechannel_gateway.topics import check_name

MOST_PASSWORD_BYTES: Final = 65_535
_POLICIES: Final[dict[str, type[Ordered | Latest | BestEffort]]] = {
    "ordered": Ordered,
    "latest": Latest,
    "best-effort": BestEffort,
}
T = TypeVar("T")


class By(StrEnum):
    """How a port's messages go between watch and gateway."""

    PORT = "port"
    """As they come on the channel: exactly once from the gateway on."""
    PROFILE = "profile"
    """The values that a GATT profile tells of: exactly once from the gateway on."""
    OUTBOX = "outbox"
    """Through the outboxes of both sides: exactly once from the watch on."""


@dataclass(frozen=True, slots=True)
class Bridged:
    """One port, one way."""

    port: str
    by: By = By.OUTBOX
    schema: str = ""
    """What a message is, for subscribers; a profile's values name theirs themselves."""
    policy: str = "ordered"
    """Of an outbox: the watch's must be the same."""
    ttl_s: float | None = None
    """Of an outbox: how long a message for the watch may wait; None: for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of `gateway.toml`; `Plan.load` reads it."""

    site: str
    gateway: str
    store: Path
    outbox: Path
    broker: Broker
    up: tuple[Bridged, ...]
    down: tuple[Bridged, ...]
    keep: KeepPolicy = field(default_factory=KeepPolicy)
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read and check it; file names in it are relative to its folder.

        Raises:
            ConfigError: it is no TOML, or says what makes no sense.
            OSError: it cannot be read.
        """
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is no TOML: {error}") from error
        try:
            return _plan(_Section(document, "", path.parent))
        except (ConfigError, LocalProtocolError) as error:
            raise ConfigError(f"{path}: {error}") from error

    def policies(self) -> Mapping[str, Policy]:
        """What the phone's outbox must carry."""
        by_outbox = [each for each in (*self.up, *self.down) if each.by is By.OUTBOX]
        most_bytes = self.limits.message_bytes  # what the watch may send must fit into the gateway's own file
        return {each.port: _POLICIES[each.policy](ttl_s=each.ttl_s, max_bytes=most_bytes) for each in by_outbox}

    def changed(self, *, broker: str | None, site: str | None) -> Plan:
        """With what is given in place of the file's. Raises ConfigError."""
        if site is not None:
            check_name("site", site)
        chosen = self.broker if broker is None else replace(self.broker, url=broker)
        return replace(self, broker=chosen, site=self.site if site is None else site)


class _Section:
    """A table of the file: every key is asked for by name and kind, and none may be left over."""

    def __init__(self, table: Mapping[str, Any], name: str, folder: Path) -> None:
        self._table = dict(table)
        self._name = name
        self._folder = folder

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        value = self._table.pop(key, default)
        if value is None:
            raise ConfigError(f"{self._of(key)} is missing")
        fits = isinstance(value, (int, float) if kind is float else kind) and not (
            isinstance(value, bool) and kind is not bool
        )
        if not fits:
            raise ConfigError(f"{self._of(key)} = {value!r} must be {_WORDS[kind]}")
        return kind(value)  # type: ignore[call-arg]

    def maybe(self, key: str, kind: type[T]) -> T | None:
        return self.take(key, kind) if key in self._table else None

    def file(self, key: str, default: str | None = None) -> Path | None:
        name = self._table.pop(key, default)
        if name is None:
            return None
        if not isinstance(name, str) or not name:
            raise ConfigError(f"{self._of(key)} = {name!r} must be the name of a file")
        return self._folder / name

    def section(self, key: str) -> _Section:
        table = self._table.pop(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{self._of(key)} must be a table: [{key}]")
        return _Section(table, self._of(key), self._folder)

    def sections(self, key: str) -> list[_Section]:
        tables = self._table.pop(key, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ConfigError(f"{self._of(key)} must be tables: [[{key}]]")
        return [_Section(table, f"{self._of(key)}[{number}]", self._folder) for number, table in enumerate(tables)]

    def end(self) -> None:
        if self._table:
            where = f" in [{self._name}]" if self._name else ""
            raise ConfigError(f"unknown{where}: {', '.join(sorted(self._table))}")

    def numbers(self, defaults: object, *keys: str) -> dict[str, Any]:
        """Numbers above zero, where they are given."""
        given = {key: self.take(key, type(getattr(defaults, key)), getattr(defaults, key)) for key in keys}
        for key, value in given.items():
            if value <= 0:
                raise ConfigError(f"{self._of(key)} = {value} must be above 0")
        return given

    def _of(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


_WORDS: Final[dict[type[Any], str]] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _plan(top: _Section) -> Plan:
    broker, keep, limits = top.section("broker"), top.section("keep"), top.section("limits")
    site, gateway = top.take("site", str), top.take("gateway", str)
    check_name("site", site)
    check_name("gateway", gateway)
    plan = Plan(
        site=site,
        gateway=gateway,
        store=top.file("store", "gateway.db") or Path(),
        outbox=top.file("outbox", "gateway.outbox") or Path(),
        broker=_broker(broker),
        up=_bridged(top, "up"),
        down=_bridged(top, "down"),
        keep=KeepPolicy(**keep.numbers(KeepPolicy(), "first_s", "most_s", "factor", "jitter", "steady_s")),
        limits=Limits(**limits.numbers(Limits(), "messages", "lane_bytes", "message_bytes")),
        pace=Pace(**limits.numbers(Pace(), "window", "window_in_all", "again_s", "most_again_s")),
    )
    for section in (broker, keep, limits, top):
        section.end()
    plain_up = {each.port for each in plan.up if each.by is not By.OUTBOX}
    if both := plain_up & {each.port for each in plan.down}:
        raise ConfigError(f'port {min(both)!r} goes both ways: that takes by = "outbox" in [[up]] and [[down]]')
    if any(each.by is By.OUTBOX and each.policy == "best-effort" for each in plan.down):
        raise ConfigError('[[down]]: "best-effort" is kept in memory only; use "ordered" or "latest"')
    policies = {each.port: (each.policy, each.ttl_s) for each in plan.up}
    for each in plan.down:
        if policies.get(each.port, (each.policy, each.ttl_s)) != (each.policy, each.ttl_s):
            raise ConfigError(f"port {each.port!r} has one policy and ttl_s in [[up]] and another in [[down]]")
    if not plan.up and not plan.down:
        raise ConfigError("nothing is bridged: name a port under [[up]] or [[down]]")
    return plan


def _broker(section: _Section) -> Broker:
    password = section.file("password_file")
    return Broker(
        url=section.take("url", str),
        protocol=section.take("protocol", str, "5"),
        ca=section.file("ca"),
        certificate=section.file("certificate"),
        key=section.file("key"),
        username=section.maybe("username", str),
        password=None if password is None else _first_line(password),
        **section.numbers(Broker(url="mqtt://defaults"), "keepalive_s", "session_expiry_s", "answer_s"),
    )


def _first_line(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines()
    if not lines or len(lines[0].encode()) > MOST_PASSWORD_BYTES:
        raise ConfigError(f"broker.password_file = {str(path)!r} must have the password in its first line")
    return lines[0]


def _bridged(top: _Section, way: str) -> tuple[Bridged, ...]:
    bridged = [_port(section) for section in top.sections(way)]
    names = [each.port for each in bridged]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"[[{way}]] names port {name!r} twice")
    if way == "down" and any(each.by is By.PROFILE for each in bridged):
        raise ConfigError('[[down]]: a profile only tells; use by = "outbox" or "port"')
    return tuple(bridged)


def _port(section: _Section) -> Bridged:
    by = section.take("by", str, By.OUTBOX.value)
    if by not in [each.value for each in By]:
        raise ConfigError(f"by = {by!r} must be one of {', '.join(By)}")
    policy = section.take("policy", str, "ordered")
    if policy not in _POLICIES:
        raise ConfigError(f"policy = {policy!r} must be one of {', '.join(_POLICIES)}")
    bridged = Bridged(
        section.take("port", str), By(by), section.take("schema", str, ""), policy, section.maybe("ttl_s", float)
    )
    if not bridged.port or len(bridged.schema.encode()) > MAX_SCHEMA_BYTES:
        raise ConfigError(f"port = {bridged.port!r}: a port has a name, and a schema at most {MAX_SCHEMA_BYTES} bytes")
    section.end()
    return bridged
