"""What the watch seals for the cloud, gateway and broker do not see; nor who anybody is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from blechannel_gateway.cloud import CloudInbox
from blechannel_gateway.embedded import embedded_broker
from blechannel_gateway.errors import ConfigError, SealBroken
from blechannel_gateway.gateway import open_gateway
from blechannel_gateway.sealing import OVERHEAD_BYTES, CloudKey, Seal
from tests.gateway.homes import PHONE_NAME, WATCH_NAME, home, plan_for
from tests.gateway.tap import Tap

SECRET = b"blood pressure 131 over 84"
IN_THE_CLEAR = b"the battery is low"


async def test_no_byte_at_the_broker_tells_what_or_who(tmp_path: Path) -> None:
    key = CloudKey.generate()
    async with (
        asyncio.timeout(15),
        embedded_broker() as broker,
        Tap(broker) as tap,
        home(tmp_path) as ours,
        open_gateway(ours.phone, plan_for(tap.broker, tmp_path), ours.phone_outbox) as gateway,
        CloudInbox(tmp_path / "in.db", tap.broker, site="home", identifier="in") as inbox,
    ):
        running = asyncio.ensure_future(gateway.run())
        [bond] = ours.watch.store.book.bonds.values()
        queue = ours.watch_outbox.queue(bond.bond_id, "journal")
        await queue.send(key.seal.seal(SECRET, port="journal"))
        await queue.send(IN_THE_CLEAR)
        bodies: list[bytes] = []
        while len(bodies) < 2:
            delivery = await anext(inbox)
            await delivery.taken()
            if delivery.lane.port == "journal":
                bodies.append(delivery.body)
        running.cancel()
        await asyncio.wait([running])
    assert key.open(bodies[0], port="journal") == SECRET
    seen = bytes(tap.seen)
    assert IN_THE_CLEAR in seen, "the tap sees everything, so that what it does not see was not there"
    assert bodies[0] in seen
    secrets = (SECRET, WATCH_NAME.encode(), PHONE_NAME.encode(), bond.bond_id, bond.bond_id.hex().encode())
    for secret in secrets:
        assert secret not in seen
    for file in tmp_path.iterdir():
        assert SECRET not in file.read_bytes(), file


def test_a_sealed_message_opens_with_its_key_for_its_port_only() -> None:
    key, other = CloudKey.generate(), CloudKey.generate()
    sealed = key.seal.seal(b"72", port="heart-rate")
    assert len(sealed) == 2 + OVERHEAD_BYTES
    assert key.open(sealed, port="heart-rate") == b"72"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for opener, what, port in (
        (other, sealed, "heart-rate"),
        (key, sealed, "steps"),
        (key, changed, "heart-rate"),
        (key, b"72", "heart-rate"),
        (key, b"\x02" + sealed[1:], "heart-rate"),
        (key, sealed[:20], "heart-rate"),
    ):
        with pytest.raises(SealBroken):
            opener.open(what, port=port)
    assert key.seal.seal(b"72", port="heart-rate") != sealed, "none tells that two messages are the same"


def test_keys_come_from_files(tmp_path: Path) -> None:
    key = CloudKey.generate()
    file = tmp_path / "cloud.key"
    file.write_bytes(key.private_pem())
    sealed = Seal.load(key.public_pem()).seal(b"72", port="p")
    assert CloudKey.load(file).open(sealed, port="p") == b"72"
    assert repr(key) == "CloudKey(…)"
    file.write_bytes(b"no key")
    for load in (lambda: CloudKey.load(file), lambda: Seal.load(b"no key")):
        with pytest.raises(ConfigError, match="PEM"):
            load()
