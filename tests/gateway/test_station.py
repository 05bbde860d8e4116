"""Whose business a lane is, and what a bond is called."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from blechannel.codec import encode
from blechannel_gateway import pseudonyms
from blechannel_gateway.broker import Broker
from blechannel_gateway.courier import Letter
from blechannel_gateway.database import Database
from blechannel_gateway.frames import Ack, Base, Post, Version, Wish
from blechannel_gateway.messages import Lane
from blechannel_gateway.pseudonyms import Pseudonyms
from blechannel_gateway.station import Address, open_station
from blechannel_gateway.topics import Way
from tests.gateway.traffic import WATCHES


def _address(**more: object) -> Address:
    broker = Broker(url="mqtt://127.0.0.1:1")
    return Address(broker=broker, site="s", identifier="g", sends=Way.UP, receives=Way.DOWN, **more)  # type: ignore[arg-type]


def test_what_a_station_subscribes_to() -> None:
    assert _address().filters() == ["blechannel/v1/s/+/+/down/+", "blechannel/v1/s/+/+/up-ack/+"]
    assert _address(shards=("0a", "f3")).filters()[:2] == ["blechannel/v1/s/0a/+/down/+", "blechannel/v1/s/f3/+/down/+"]
    one = _address(watches=frozenset({WATCHES[0]}), extra_filters=("x",)).filters()
    assert one == [f"blechannel/v1/s/0a/{WATCHES[0]}/down/+", f"blechannel/v1/s/0a/{WATCHES[0]}/up-ack/+", "x"]


async def test_what_is_for_another_gateways_watch_is_not_stored(tmp_path: Path) -> None:
    async with open_station(_address(watches=frozenset({WATCHES[0]})), tmp_path / "f") as station:
        other: list[Letter] = []
        station.other = other.append
        payload = encode(Post(Version.ONE, Base.KEPT, b"s" * 16, 1, 0, "", b"x"))
        for watch in WATCHES[::-1]:
            letter = Letter(station.topics.posts(Way.DOWN, Lane(watch, "p")), payload)
            coming = asyncio.ensure_future(station.arrived([letter]))
            await asyncio.wait([coming])
            coming.exception()  # that there is no broker to be told is as it should be
        assert (await anext(station.inbox)).lane.watch == WATCHES[0]
        assert other == []


async def test_acknowledgements_that_came_together_are_stored_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes = [Lane(f"{number:032x}", "p") for number in range(50)]
    commits: list[int] = []
    commit = Database._commit

    def counted(self: Database, acts: list[Any]) -> list[Any]:
        commits.append(len(acts))
        return commit(self, acts)

    async with open_station(_address(), tmp_path / "f") as station:
        ids = await asyncio.gather(*(station.add(lane, b"x") for lane in lanes))
        acks = [
            Letter(station.topics.acks(Way.UP, lane), encode(Ack(Version.ONE, Wish.NOTHING, stream, 1)))
            for lane, (stream, _) in zip(lanes, ids, strict=True)
        ]
        monkeypatch.setattr(Database, "_commit", counted)
        await station.arrived(acks)
        assert station.spool.lanes == []
        assert len(commits) <= 2, "one at a time would hold a gateway of many watches up"


async def test_a_bonds_pseudonym_is_the_same_after_a_restart_and_another_at_another_gateway(tmp_path: Path) -> None:
    called: list[str] = []
    for name in ("one", "one", "two"):
        async with await Database.open(tmp_path / name, pseudonyms.SCHEMA) as database:
            names = await Pseudonyms.open(database)
            called.append(names.of(b"b" * 16))
            assert names.of(b"c" * 16) != called[-1]
            assert repr(names) == "Pseudonyms(…)"
    assert called[0] == called[1] != called[2]
    assert all(len(name) == 32 and b"b".hex() * 8 not in name for name in called)
