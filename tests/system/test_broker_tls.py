"""A real broker with mutual TLS and access rules: who is let in, and what each refusal says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from blechannel_gateway.broker import Broker
from blechannel_gateway.cloud import CloudInbox
from blechannel_gateway.errors import BrokerRefused
from blechannel_gateway.forwarder import Pace
from blechannel_gateway.messages import Lane
from blechannel_gateway.station import Address, open_station
from blechannel_gateway.topics import Way
from tests.gateway.certificates import Authority, Leaf
from tests.system.mosquitto import Mosquitto, mosquitto

pytestmark = pytest.mark.system

ACL = """
user gateway
topic write blechannel/v1/home/+/+/up/+
topic read blechannel/v1/home/+/+/up-ack/+
topic read blechannel/v1/home/+/+/down/+
topic write blechannel/v1/home/+/+/down-ack/+
topic write blechannel/v1/home/+/+/state
topic write blechannel/v1/home/gateway/+/presence

user cloud
topic read blechannel/v1/home/#
topic write blechannel/v1/home/+/+/up-ack/+

pattern write visitors/%u/#
"""
LANE = Lane("ab" * 16, "heart-rate")
AWAY_S = 15.0


@dataclass
class Secured:
    """The broker, and those who sign certificates for its site."""

    server: Mosquitto
    ours: Authority
    others: Authority

    def broker(self, leaf: Leaf | None, *, ca: Path | None = None, host: str = "127.0.0.1") -> Broker:
        return Broker(
            url=f"mqtts://{host}:{self.server.port}",
            ca=ca or self.ours.certificate,
            certificate=None if leaf is None else leaf.certificate,
            key=None if leaf is None else leaf.key,
            answer_s=3.0,
        )


@asynccontextmanager
async def secured(folder: Path, *, expired: bool = False, name: str = "127.0.0.1") -> AsyncGenerator[Secured, None]:
    ours, others = Authority(folder, "ours"), Authority(folder, "others")
    its = ours.leaf("broker", server=name, expired=expired)
    rules = folder / "acl"
    rules.write_text(ACL)
    rules.chmod(0o600)
    lines = (
        f"cafile {ours.certificate}",
        f"certfile {its.certificate}",
        f"keyfile {its.key}",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"acl_file {rules}",
    )
    async with mosquitto(folder / "broker", *lines) as server:
        yield Secured(server, ours, others)


async def _refusal(broker: Broker, folder: Path) -> str:
    """What a gateway that is not let in says."""
    address = Address(broker=broker, site="home", identifier="g", sends=Way.UP, receives=Way.DOWN)
    async with asyncio.timeout(AWAY_S), open_station(address, folder / "gateway.db") as station:
        with pytest.raises(BrokerRefused) as refused:
            await station.run()
    return str(refused.value)


async def test_who_shows_a_good_certificate_is_let_in_as_its_common_name(tmp_path: Path) -> None:
    async with secured(tmp_path) as site, asyncio.timeout(AWAY_S):
        gateway = site.broker(site.ours.leaf("gateway"))
        address = Address(broker=gateway, site="home", identifier="g", sends=Way.UP, receives=Way.DOWN)
        cloud = site.broker(site.ours.leaf("cloud"))
        async with (
            open_station(address, tmp_path / "gateway.db") as station,
            CloudInbox(tmp_path / "cloud.db", cloud, site="home", identifier="c") as inbox,
        ):
            running = asyncio.ensure_future(station.run())
            await station.add(LANE, b"72")
            assert (await anext(inbox)).body == b"72"
            running.cancel()
            await asyncio.wait([running])


async def test_without_a_certificate(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        said = await _refusal(site.broker(None), tmp_path)
    assert "wants a certificate of this side: set broker.certificate" in said


async def test_with_a_certificate_of_another_authority(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        said = await _refusal(site.broker(site.others.leaf("gateway")), tmp_path)
    assert "refuses this side's certificate" in said
    assert "its issuer is not one that the broker believes" in said


async def test_with_an_expired_certificate(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        said = await _refusal(site.broker(site.ours.leaf("gateway", expired=True)), tmp_path)
    assert "it has expired; renew it" in said


async def test_a_broker_of_another_authority(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        said = await _refusal(site.broker(site.ours.leaf("gateway"), ca=site.others.certificate), tmp_path)
    assert "its certificate is not signed by" in said


async def test_a_broker_whose_certificate_has_expired(tmp_path: Path) -> None:
    async with secured(tmp_path, expired=True) as site:
        said = await _refusal(site.broker(site.ours.leaf("gateway")), tmp_path)
    assert "its certificate has expired; it must be renewed there" in said


async def test_a_broker_of_another_name(tmp_path: Path) -> None:
    async with secured(tmp_path, name="broker.example") as site:
        said = await _refusal(site.broker(site.ours.leaf("gateway")), tmp_path)
    assert "its certificate is for another name than 127.0.0.1" in said


async def test_what_the_access_rules_forbid_to_read(tmp_path: Path) -> None:
    """Mosquitto accepts the subscription of whom it lets read nothing, so that only the silence tells."""
    async with secured(tmp_path) as site, asyncio.timeout(AWAY_S):
        gateway = site.broker(site.ours.leaf("gateway"))
        address = Address(broker=gateway, site="home", identifier="g", sends=Way.UP, receives=Way.DOWN)
        stranger = site.broker(site.ours.leaf("stranger"))
        async with (
            open_station(address, tmp_path / "gateway.db", pace=Pace(again_s=0.2)) as station,
            CloudInbox(tmp_path / "cloud.db", stranger, site="home", identifier="s") as inbox,
        ):
            running = asyncio.ensure_future(station.run())
            await station.add(LANE, b"72")
            coming = asyncio.ensure_future(anext(inbox))
            done, _ = await asyncio.wait([coming], timeout=1.5)
            assert not done
            assert station.spool.waiting(LANE) == 1, "nobody has it, so it is kept"
            for task in (running, coming):
                task.cancel()
            await asyncio.wait([running, coming])


async def test_a_port_that_speaks_no_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    async with mosquitto(tmp_path / "broker", "allow_anonymous true") as server:
        broker = Broker(url=f"mqtts://127.0.0.1:{server.port}", ca=authority.certificate, answer_s=3.0)
        async with (
            asyncio.timeout(AWAY_S),
            open_station(
                Address(broker=broker, site="home", identifier="g", sends=Way.UP), tmp_path / "gateway.db"
            ) as station,
        ):
            said: list[str] = []
            station.when_away = lambda error: said.append(str(error))
            running = asyncio.ensure_future(station.run())
            while not said and not running.done():
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.wait([running])
    assert "127.0.0.1" in (said[0] if said else str(running.exception()))
