"""What is counted of sessions, and what of it reaches the log: facts, once, and no secret."""

from __future__ import annotations

import asyncio
import logging

import pytest

from blechannel.aio.counters import kind_of
from blechannel.aio.journal import LINES, PERIOD_S, Journal
from blechannel.aio.port import Port
from blechannel.errors import (
    AuthenticationFailed,
    FragmentFault,
    FragmentRefused,
    PairingRefused,
    PeerTimedOut,
    RemoteProtocolError,
)
from blechannel.services import echo
from tests.aio.rooms import room, typing, wrong
from tests.aio.virtual import on_virtual_clock


def test_an_error_has_a_word_for_programs() -> None:
    assert kind_of(PairingRefused("busy", "later")) == "busy"
    assert kind_of(FragmentRefused(FragmentFault.WINDOW_OVERRUN)) == "window-overrun"
    assert kind_of(AuthenticationFailed()) == "authentication-failed"
    assert kind_of(PeerTimedOut("silent")) == "peer-timed-out"


@on_virtual_clock
async def test_sessions_and_handshakes_are_counted_on_both_sides() -> None:
    async with room() as r:
        window = r.watch.open_pairing()
        with pytest.raises(PairingRefused):
            await r.phone.pair(await r.phone.find(), typing(lambda: wrong(window.code)))
        channel = await r.pair()
        await channel.close()
        channel = await r.connect()
        r.links[-1].drop("out of reach")
        await channel.wait_over()
        for side in (r.phone, r.watch):
            counted = side.counters
            assert (counted.handshakes_begun, counted.paired, counted.resumed) == (3, 1, 1)
            assert sum(counted.handshakes_failed.values()) == 1
            assert counted.sessions_ended == {"closed": 1, "link-lost": 1}


@on_virtual_clock
async def test_what_goes_through_is_counted_while_a_session_stands_and_after_it() -> None:
    async with room() as r:
        r.watch.serve(echo.PORT, echo.echo)
        channel = await r.pair()
        before = r.phone.figures
        assert (before.links, before.sessions) == (1, 1)
        async with channel.port(echo.PORT) as port:
            for _ in range(10):
                await port.send(bytes(100))
                await port.receive()
        during = r.phone.figures
        assert during.volume.records_sent - before.volume.records_sent >= 10
        assert during.volume.received_bytes - before.volume.received_bytes >= 1000
        await channel.close()
        after = r.phone.figures
        assert (after.links, after.sessions, after.queued_bytes) == (0, 0, 0)
        assert after.volume.records_sent > during.volume.records_sent
        theirs = r.watch.figures
        assert after.volume.sent_bytes == theirs.volume.received_bytes
        assert after.volume.records_sent == theirs.volume.records_received
        assert theirs.events_waiting > 0


@on_virtual_clock
async def test_what_repeats_is_logged_a_few_times_and_then_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "blechannel")
    journal = Journal(logging.getLogger("blechannel.test"))
    for count in range(1000):
        journal.say("knock", f"knock {count}", {"peer": "x"})
    assert len(caplog.records) == LINES
    await asyncio.sleep(PERIOD_S + 1)
    assert caplog.records[-1].getMessage() == f"{1000 - LINES} more of knock within 60 s"
    journal.say("knock", "again", {})
    assert caplog.records[-1].getMessage() == "again"
    journal.sum_up()
    assert len(caplog.records) == LINES + 2


@on_virtual_clock
async def test_a_session_is_told_of_with_its_fields_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with room() as r:
        channel = await r.pair()
        bonds = {bond_id.hex()[:8] for side in (r.phone, r.watch) for bond_id in side.store.book.bonds}
        keys = [key for bond in r.phone.store.book.bonds.values() for key in (bond.own_static, bond.epoch.psk)]
        await channel.close()
    fields = [record.__dict__["fields"] for record in caplog.records if "fields" in record.__dict__]
    assert {each["kind"] for each in fields} == {"paired", "session-ended"}
    assert {each["bond"] for each in fields} == bonds
    told = "".join(str(record.__dict__) for record in caplog.records)
    assert not any(key.hex() in told or str(key) in told for key in keys)


@on_virtual_clock
async def test_a_peer_that_makes_a_service_fail_again_and_again_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "blechannel")

    async def fragile(port: Port) -> None:
        if await port.receive() == b"expected":
            raise RemoteProtocolError("not like this")
        raise ZeroDivisionError

    async with room() as r:
        r.watch.serve("fragile", fragile)
        channel = await r.pair()
        for message in (b"expected", b"unexpected") * 3 * LINES:
            async with channel.port("fragile") as port:
                await port.send(message)
                with pytest.raises(EOFError):
                    await port.receive()
        assert channel.is_open
    of_services = [record for record in caplog.records if "service of port" in record.getMessage()]
    assert len(of_services) == 2 * LINES
    assert {record.levelno for record in of_services} == {logging.INFO, logging.ERROR}
    assert all(bool(record.exc_info) is (record.levelno == logging.ERROR) for record in of_services)
    assert f"{2 * LINES} more of port-ended" in caplog.text
    assert f"{2 * LINES} more of service-failed" in caplog.text
