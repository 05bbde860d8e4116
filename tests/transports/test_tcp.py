"""A watch and a phone over TCP and Unix sockets, in one process and in two."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from blechannel.aio.link import Link, PhoneTransport, Sighting, WatchTransport
from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.transports.tcp import TcpPhoneTransport, TcpWatchTransport
from blechannel.transports.tcp.link import TcpLink
from tests.transports.receivers import Receiver, numbered

KINDS = ["tcp", "unix"]


@asynccontextmanager
async def joined(tmp_path: Path, kind: str = "tcp") -> AsyncIterator[tuple[TcpLink, TcpLink]]:
    """The phone's and the watch's end of one link."""
    watch = TcpWatchTransport(f"unix:{tmp_path}/watch" if kind == "unix" else "127.0.0.1:0")
    await watch.advertise(b"data")
    phone = TcpPhoneTransport([watch.address])
    try:
        here = await phone.connect(watch.address)
        yield here, await watch.accept()
    finally:
        await phone.close()
        await watch.close()


async def sightings(phone: PhoneTransport, count: int) -> list[Sighting]:
    seen: list[Sighting] = []
    async with aclosing(phone.scan()) as scan:
        async for sighting in scan:
            seen.append(sighting)
            if len(seen) == count:
                break
    return seen


def test_they_are_transports() -> None:
    sides: tuple[PhoneTransport, WatchTransport] = (TcpPhoneTransport([]), TcpWatchTransport())
    assert len(sides) == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_fragments_cross_in_order_both_ways(tmp_path: Path, kind: str) -> None:
    async with joined(tmp_path, kind) as (phone, watch):
        link: Link = phone
        assert link.posture.transport == kind
        assert link.max_fragment_bytes == 244
        here, there = Receiver(phone), Receiver(watch)
        sent = [b"", *numbered(2000)]
        await asyncio.gather(here.send_all(sent), there.send_all(sent))
        assert await there.receive(2001) == sent
        assert await here.receive(2001) == sent


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("closer", [0, 1])
async def test_closing_sends_what_is_queued_and_tells_both(tmp_path: Path, kind: str, closer: int) -> None:
    async with joined(tmp_path, kind) as ends:
        here, there = ends[closer], ends[1 - closer]
        sends, receives = Receiver(here), Receiver(there)
        for fragment in numbered(64):
            here.send(fragment)
        there.send(b"crossing")
        await here.close()
        assert sends.lost.is_set()
        await receives.lost.wait()
        assert receives.fragments == numbered(64)
        assert str(sends.error) == "closed on this side"
        assert str(receives.error) == "the peer disconnected"
        assert isinstance(receives.error, LinkLost)
        await asyncio.gather(here.close(), there.close())
        for link in ends:
            with pytest.raises(LocalProtocolError, match="ended"):
                link.send(b"more")


async def test_what_comes_before_the_start_is_kept(tmp_path: Path) -> None:
    async with joined(tmp_path) as (phone, watch):
        sends = Receiver(phone)
        await sends.send_all(numbered(10))
        await asyncio.sleep(0.02)
        receives = Receiver(watch)
        assert await receives.receive(10) == numbered(10)
        with pytest.raises(LocalProtocolError, match="once"):
            watch.start(receives)


async def test_a_link_that_ends_before_the_start_tells_then(tmp_path: Path) -> None:
    async with joined(tmp_path) as (phone, watch):
        phone.send(b"only words")
        await phone.close()
        here, there = Receiver(phone), Receiver(watch)
        await asyncio.gather(here.lost.wait(), there.lost.wait())
        assert there.fragments == [b"only words"]


async def test_a_link_that_is_started_while_it_ends_delivers_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with joined(tmp_path) as (phone, watch):
        started: list[Receiver] = []
        hang_up = watch.eof_received

        def start_too() -> None:
            hang_up()
            started.append(Receiver(watch))

        monkeypatch.setattr(watch, "eof_received", start_too)
        phone.send(b"only words")
        await phone.close()
        await watch.lost.wait()
        await started[0].lost.wait()
        assert started[0].fragments == [b"only words"]


async def test_without_room_or_over_length_nothing_is_sent(tmp_path: Path) -> None:
    async with joined(tmp_path) as (phone, watch):
        receives = Receiver(watch)
        with pytest.raises(LocalProtocolError, match="at most 244"):
            phone.send(bytes(245))
        for fragment in numbered(phone.room):
            phone.send(fragment)
        with pytest.raises(LocalProtocolError, match="no room"):
            phone.send(b"one more")
        assert await receives.receive(64) == numbered(64)


async def no_room_for(link: TcpLink, *, turns: int) -> None:
    """Wait until the link has had no room at that many looks in a row."""
    seen = 0
    while seen < turns:
        await asyncio.sleep(0.002)
        seen = 0 if link.room else seen + 1


async def test_a_peer_that_does_not_read_stops_the_sender(tmp_path: Path) -> None:
    async with joined(tmp_path) as (phone, watch):
        sends = Receiver(phone)
        sent = numbered(100_000)
        sending = asyncio.create_task(sends.send_all(sent))
        await no_room_for(phone, turns=20)
        assert not sending.done()
        receives = Receiver(watch)
        await sending
        assert await receives.receive(100_000) == sent
        assert phone.room > 0


async def test_closing_on_a_peer_that_does_not_read_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blechannel.transports.tcp.link.FLUSH_S", 0.05)
    async with joined(tmp_path) as (phone, _):
        sends = Receiver(phone)
        sending = asyncio.create_task(sends.send_all(numbered(100_000)))
        await asyncio.sleep(0.05)
        sending.cancel()
        await asyncio.wait_for(phone.close(), 1)
        assert sends.lost.is_set()


async def test_a_cancelled_close_still_disconnects(tmp_path: Path) -> None:
    async with joined(tmp_path) as (phone, _):
        sends = Receiver(phone)
        closing = asyncio.create_task(phone.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await sends.lost.wait()


async def test_closing_in_the_middle_of_a_delivery_stops_it(tmp_path: Path) -> None:
    async with joined(tmp_path) as (phone, watch):
        sends = Receiver(phone)
        await sends.send_all(numbered(20))
        await asyncio.sleep(0.02)
        receives = Receiver(watch, answer=lambda _: watch.finish())
        await asyncio.gather(receives.lost.wait(), sends.lost.wait())
        assert receives.fragments == numbered(1)


async def test_the_smaller_size_counts_in_each_direction() -> None:
    watch = TcpWatchTransport(max_fragment_bytes=100)
    await watch.advertise(b"")
    phone = TcpPhoneTransport([], max_fragment_bytes=512)
    link = await phone.connect(watch.address)
    assert (link.max_fragment_bytes, (await watch.accept()).max_fragment_bytes) == (100, 100)
    for bad in (19, 513):
        with pytest.raises(LocalProtocolError):
            TcpPhoneTransport([], max_fragment_bytes=bad)
        with pytest.raises(LocalProtocolError):
            TcpWatchTransport(max_fragment_bytes=bad)
    await phone.close()
    await watch.close()


async def test_published_info_is_kept(tmp_path: Path) -> None:
    async with joined(tmp_path) as (_, watch):
        watch.publish_info(b"info")
        assert watch.info == b"info"


@pytest.mark.parametrize("kind", KINDS)
async def test_scanning_sees_service_data_and_is_no_link(tmp_path: Path, kind: str) -> None:
    watch = TcpWatchTransport(f"unix:{tmp_path}/watch" if kind == "unix" else "127.0.0.1:0", max_links=1)
    await watch.advertise(b"first")
    phone = TcpPhoneTransport(["127.0.0.1:1", watch.address], scan_interval_s=0.01)
    assert await sightings(phone, 3) == [Sighting(watch.address, b"first")] * 3
    await watch.advertise(b"second")
    assert await sightings(phone, 1) == [Sighting(watch.address, b"second")]
    accepting = asyncio.create_task(watch.accept())
    await sightings(phone, 1)
    assert not accepting.done()
    await phone.connect(watch.address)
    await accepting
    assert await sightings(phone, 1) == [Sighting(watch.address, b"second")]
    await phone.close()
    await watch.close()


async def test_a_busy_watch_says_so() -> None:
    watch = TcpWatchTransport(max_links=1)
    await watch.advertise(b"")
    phone = TcpPhoneTransport([])
    link = await phone.connect(watch.address)
    with pytest.raises(TransportError, match="as many phones as it can"):
        await phone.connect(watch.address)
    await link.close()
    await (await phone.connect(watch.address)).close()
    await phone.close()
    await watch.close()


async def test_nobody_listens(tmp_path: Path) -> None:
    phone = TcpPhoneTransport([])
    with pytest.raises(TransportError, match=r"blechannel watch --transport tcp:127\.0\.0\.1:1`") as tcp:
        await phone.connect("127.0.0.1:1")
    with pytest.raises(TransportError, match="blechannel watch --transport unix:/") as unix:
        await phone.connect(f"unix:{tmp_path}/nobody")
    assert isinstance(tcp.value.__cause__, OSError)
    assert isinstance(unix.value.__cause__, OSError)


async def test_an_address_that_cannot_be_listened_on() -> None:
    first = TcpWatchTransport()
    await first.advertise(b"")
    with pytest.raises(TransportError, match="cannot listen"):
        await TcpWatchTransport(first.address).advertise(b"")
    await first.close()


async def test_closing_the_watch_ends_everything() -> None:
    watch, phone = TcpWatchTransport(), TcpPhoneTransport([])
    await watch.advertise(b"")
    receives = Receiver(await phone.connect(watch.address))
    accepted = await watch.accept()
    accepting = asyncio.create_task(watch.accept())
    await asyncio.sleep(0)
    await watch.close()
    await watch.close()
    await receives.lost.wait()
    assert accepted.ended
    for closed in (accepting, watch.accept(), watch.advertise(b"")):
        with pytest.raises(TransportError, match="closed"):
            await closed
    with pytest.raises(TransportError, match="nobody answers"):
        await phone.connect(watch.address)


async def test_closing_the_phone_ends_everything() -> None:
    watch, phone = TcpWatchTransport(), TcpPhoneTransport([])
    await watch.advertise(b"")
    receives = Receiver(await phone.connect(watch.address))
    connecting = asyncio.create_task(phone.connect(watch.address))
    await asyncio.sleep(0)
    await phone.close()
    await phone.close()
    await receives.lost.wait()
    with pytest.raises(TransportError):
        await connecting
    with pytest.raises(TransportError, match="closed"):
        await phone.connect(watch.address)
    with pytest.raises(TransportError, match="closed"):
        await sightings(phone, 1)
    await watch.close()


async def test_a_closed_watch_that_never_listened() -> None:
    watch = TcpWatchTransport()
    await watch.close()
    with pytest.raises(TransportError, match="closed"):
        await watch.advertise(b"")


async def test_the_unix_socket_is_its_owners_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "watch"
    watch = TcpWatchTransport(f"unix:{path}")
    await watch.advertise(b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await watch.close()
    assert not path.exists()
    path.write_text("somebody's file")
    await watch.close()
    assert path.exists()


async def test_a_unix_socket_that_another_took_over_is_left(tmp_path: Path) -> None:
    path = tmp_path / "watch"
    watch = TcpWatchTransport(f"unix:{path}")
    await watch.advertise(b"")
    path.rename(tmp_path / "moved")
    path.write_text("somebody's file")
    await watch.close()
    assert path.read_text() == "somebody's file"


async def test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "watch"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    watch, other = TcpWatchTransport(f"unix:{path}"), TcpWatchTransport(f"unix:{path}")
    await watch.advertise(b"")
    with pytest.raises(TransportError, match="another process listens"):
        await other.advertise(b"")
    await other.close()
    assert path.exists()
    await watch.close()


async def test_a_live_unix_socket_with_a_full_queue_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "watch"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(TransportError, match="another process listens"):
            await TcpWatchTransport(f"unix:{path}").advertise(b"")


async def test_a_file_in_the_way_of_a_unix_socket_is_left(tmp_path: Path) -> None:
    path = tmp_path / "watch"
    path.write_text("somebody's file")
    with pytest.raises(TransportError, match="no socket"):
        await TcpWatchTransport(f"unix:{path}").advertise(b"")
    assert path.read_text() == "somebody's file"


@pytest.mark.parametrize("name", ["x" * 200, "no/such/folder"])
async def test_a_path_that_the_system_refuses(tmp_path: Path, name: str) -> None:
    with pytest.raises(TransportError, match="cannot listen"):
        await TcpWatchTransport(f"unix:{tmp_path}/{name}").advertise(b"")


ECHO_WATCH = """
import asyncio, sys
from blechannel.transports.tcp import TcpWatchTransport

class Echo:
    def __init__(self, link):
        self.link, self.lost = link, asyncio.Event()
        link.start(self)
    def fragment_received(self, fragment):
        self.link.send(fragment)
    def resume_sending(self): ...
    def link_lost(self, error):
        self.lost.set()

async def main():
    watch = TcpWatchTransport(sys.argv[1])
    await watch.advertise(b"other process")
    print(watch.address, flush=True)
    await Echo(await watch.accept()).lost.wait()
    await watch.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_two_processes(tmp_path: Path, kind: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ECHO_WATCH,
        f"unix:{tmp_path}/watch" if kind == "unix" else "127.0.0.1:0",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().strip()
    phone = TcpPhoneTransport([address])
    assert await sightings(phone, 1) == [Sighting(address, b"other process")]
    link = await phone.connect(address)
    here = Receiver(link)
    for start in range(0, 500, 50):
        await here.send_all(numbered(500)[start : start + 50])
        await here.receive(start + 50)
    assert here.fragments == numbered(500)
    await link.close()
    assert await process.wait() == 0
    await phone.close()


async def test_a_peer_process_that_is_killed(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ECHO_WATCH,
        f"unix:{tmp_path}/watch",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().strip()
    phone = TcpPhoneTransport([address])
    here = Receiver(await phone.connect(address))
    process.kill()
    await process.wait()
    await here.lost.wait()
    assert isinstance(here.error, LinkLost)
    again = TcpWatchTransport(address)
    await again.advertise(b"")
    await again.close()
