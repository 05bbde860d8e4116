"""The names under which a site's gateways, watches and ports are at the broker.

::

    blechannel/v1/SITE/gateway/GATEWAY/presence      retained; last will
    blechannel/v1/SITE/SHARD/WATCH/state             retained
    blechannel/v1/SITE/SHARD/WATCH/up/PORT           Post, gateway → cloud
    blechannel/v1/SITE/SHARD/WATCH/up-ack/PORT       Ack,  cloud → gateway
    blechannel/v1/SITE/SHARD/WATCH/down/PORT         Post, cloud → gateway
    blechannel/v1/SITE/SHARD/WATCH/down-ack/PORT     Ack,  gateway → cloud

WATCH is a pseudonym of the bond, SHARD its first two digits: 256 parts by which subscribers divide the work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote, unquote

from blechannel_gateway.errors import ConfigError
from blechannel_gateway.messages import Lane

ROOT: Final = "blechannel/v1"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_WATCH: Final = re.compile(r"[0-9a-f]{32}")
SHARD_DIGITS: Final = 2


class Way(StrEnum):
    """Of messages."""

    UP = "up"
    DOWN = "down"

    @property
    def acks(self) -> str:
        """The level of its acknowledgements."""
        return f"{self.value}-ack"


@dataclass(frozen=True, slots=True)
class Topics:
    """Those of one site. Raises ConfigError for a name that is no site's."""

    site: str

    def __post_init__(self) -> None:
        check_name("site", self.site)

    def presence(self, gateway: str) -> str:
        """Of a gateway; "+" means every one."""
        return f"{ROOT}/{self.site}/gateway/{gateway}/presence"

    def state(self, watch: str) -> str:
        """Of a watch; "+" means every one."""
        return f"{self._of(watch)}/state"

    def posts(self, way: Way, lane: Lane) -> str:
        """Where a lane's messages go."""
        return f"{self._of(lane.watch)}/{way.value}/{quote(lane.port, safe='')}"

    def acks(self, way: Way, lane: Lane) -> str:
        """Where they are acknowledged."""
        return f"{self._of(lane.watch)}/{way.acks}/{quote(lane.port, safe='')}"

    def every(self, level: str, shard: str = "+") -> str:
        """The filter for all watches' and ports' topics of one level, such as "up" or "down-ack"."""
        return f"{ROOT}/{self.site}/{shard}/+/{level}/+"

    def every_port(self, level: str, watch: str) -> str:
        """The filter for one watch's topics of one level."""
        return f"{self._of(watch)}/{level}/+"

    def lane(self, topic: str) -> tuple[str, Lane] | None:
        """The level and the lane of a topic, or None where it is none of a lane of this site."""
        prefix = f"{ROOT}/{self.site}/"
        parts = topic.removeprefix(prefix).split("/")
        if not topic.startswith(prefix) or len(parts) != 4:
            return None
        shard, watch, level, port = parts
        if not _WATCH.fullmatch(watch) or shard != watch[:SHARD_DIGITS]:
            return None
        return level, Lane(watch, unquote(port))

    def watch_of_state(self, topic: str) -> str | None:
        """Whose state it is."""
        watch = topic.split("/")[-2] if topic.endswith("/state") else ""
        return watch if _WATCH.fullmatch(watch) and topic == self.state(watch) else None

    def gateway_of_presence(self, topic: str) -> str | None:
        """Whose presence it is."""
        name = topic.split("/")[-2] if topic.endswith("/presence") else ""
        return name if _NAME.fullmatch(name) and topic == self.presence(name) else None

    def _of(self, watch: str) -> str:
        shard = "+" if watch == "+" else watch[:SHARD_DIGITS]
        return f"{ROOT}/{self.site}/{shard}/{watch}"


def check_name(what: str, name: str) -> None:
    """Raises ConfigError unless it may be a level of a topic."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{what} = {name!r} must be 1 to 63 of a-z, 0-9, '.', '_' and '-', and begin with a letter or digit"
        )


def check_watch(watch: str) -> None:
    """Raises ConfigError unless it is a pseudonym."""
    if not _WATCH.fullmatch(watch):
        raise ConfigError(f"watch {watch!r} must be 32 hexadecimal digits, as messages of that watch have it")
