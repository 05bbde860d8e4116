"""Every way to pair, through the asyncio shell: what people are asked, and what their answers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from blechannel.aio.person import Compare, OutOfBand, Passkey, Words
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config, Policy
from blechannel.errors import AuthenticationFailed, LinkLost, LocalProtocolError, PairingRefused, PeerTimedOut
from blechannel.limits import Patience
from blechannel.methods import Method, Suite
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir


@asynccontextmanager
async def room(config: Config = Config("side")) -> AsyncGenerator[tuple[Watch, Phone], None]:  # noqa: B008 - frozen
    air = LoopbackAir()
    watch = Watch(MemoryStore(), air.watch(), config=config)
    phone = Phone(MemoryStore(), air.phone(), config=config)
    async with watch, phone:
        yield watch, phone
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Screen:
    """What a person saw, and what they will say."""

    def __init__(self, *, says: bool) -> None:
        self.shown: list[tuple[str, ...]] = []
        self._says = says

    async def compare(self, words: tuple[str, ...]) -> bool:
        self.shown.append(words)
        return self._says


async def test_words_are_compared_on_both_sides() -> None:
    async with room() as (watch, phone):
        on_watch, on_phone = Screen(says=True), Screen(says=True)
        watch.open_pairing(Method.WORDS, compare=on_watch.compare)
        channel = await phone.pair(await phone.find(), Words(on_phone.compare))
        assert on_watch.shown == on_phone.shown
        assert len(on_phone.shown[0]) == 3
        assert channel.bond.method is Method.WORDS
        assert channel.bond.suite is Suite.HYBRID


@pytest.mark.parametrize(("watch_says", "phone_says"), [(True, False), (False, True), (False, False)])
async def test_one_no_is_enough(watch_says: bool, phone_says: bool) -> None:
    async with room() as (watch, phone):
        watch.open_pairing(Method.WORDS, compare=Screen(says=watch_says).compare)
        with pytest.raises(PairingRefused):
            await phone.pair(await phone.find(), Words(Screen(says=phone_says).compare))
        assert not watch.store.book.bonds
        assert watch.store.book.guesses_spent == 1


async def never(_words: tuple[str, ...]) -> bool:
    await asyncio.Event().wait()
    return True


async def broken(_words: tuple[str, ...]) -> bool:
    raise RuntimeError("no screen")


async def yes(_words: tuple[str, ...]) -> bool:
    return True


async def truthy(_words: tuple[str, ...]) -> bool:
    return 1  # type: ignore[return-value]


@pytest.mark.parametrize("silent", ["phone", "watch"])
async def test_nobody_waits_for_ever(silent: str) -> None:
    config = Config("side", patience=Patience(handshake_s=0.05, person_s=0.05))
    async with room(config) as (watch, phone):
        watch.open_pairing(Method.WORDS, compare=never if silent == "watch" else yes)
        with pytest.raises((PairingRefused, PeerTimedOut)):
            await phone.pair(await phone.find(), Words(never if silent == "phone" else yes))
        assert not watch.store.book.bonds


@pytest.mark.parametrize("answer", [broken, truthy])
async def test_only_a_yes_is_a_yes(answer: Compare) -> None:
    async with room() as (watch, phone):
        watch.open_pairing(Method.WORDS, compare=yes)
        with pytest.raises(PairingRefused):
            await phone.pair(await phone.find(), Words(answer))
        assert not watch.store.book.bonds


@pytest.mark.parametrize("says_no", ["phone", "watch"])
async def test_nobody_goes_on_comparing_once_the_other_one_has_said_no(says_no: str) -> None:
    stopped = asyncio.Event()

    async def ponder(_words: tuple[str, ...]) -> bool:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return True

    async def no(_words: tuple[str, ...]) -> bool:
        return False

    async with room() as (watch, phone):
        watch.open_pairing(Method.WORDS, compare=no if says_no == "watch" else ponder)
        with pytest.raises(PairingRefused):
            await phone.pair(await phone.find(), Words(no if says_no == "phone" else ponder))
        async with asyncio.timeout(5):
            await stopped.wait()


async def test_a_watch_that_is_closed_while_somebody_compares() -> None:
    async with room() as (watch, phone):
        watch.open_pairing(Method.WORDS, compare=never)
        pairing = asyncio.create_task(phone.pair(await phone.find(), Words(yes)))
        await asyncio.sleep(0.05)
        await watch.close()
        with pytest.raises(LinkLost):
            await pairing


async def test_a_secret_is_carried() -> None:
    async with room() as (watch, phone):
        window = watch.open_pairing(Method.OUT_OF_BAND)
        channel = await phone.pair(await phone.find(), OutOfBand(window.ticket()))
        assert channel.bond.method is Method.OUT_OF_BAND
        assert watch.window is None, "a ticket serves one bond"


async def test_the_ticket_of_another_window() -> None:
    async with room() as (watch, phone):
        strange = watch.open_pairing(Method.OUT_OF_BAND).ticket()
        watch.close_pairing()
        watch.open_pairing(Method.OUT_OF_BAND)
        with pytest.raises(AuthenticationFailed):
            await phone.pair(await phone.find(), OutOfBand(strange))


async def test_a_way_that_the_window_is_not_open_for() -> None:
    async with room() as (watch, phone):
        watch.open_pairing(Method.OUT_OF_BAND)
        with pytest.raises(PairingRefused) as refused:
            await phone.pair(await phone.find(), Words(yes))
        assert refused.value.reason == "unsupported"


async def test_a_watch_needs_what_its_method_needs() -> None:
    async with room(Config("side", policy=Policy(methods=frozenset(Method) - {Method.PASSKEY}))) as (watch, phone):
        with pytest.raises(LocalProtocolError, match="policy"):
            watch.open_pairing()
        with pytest.raises(LocalProtocolError, match="compare"):
            watch.open_pairing(Method.WORDS)
        with pytest.raises(LocalProtocolError, match="compare"):
            watch.open_pairing(Method.OUT_OF_BAND, compare=yes)
        with pytest.raises(LocalProtocolError, match="identity"):
            watch.open_pairing(Method.CERTIFICATE)
        assert watch.window is None
        assert not phone.channels


async def test_a_passkey_can_be_named() -> None:
    async with room() as (watch, phone):
        window = watch.open_pairing()

        async def ask_code() -> str:
            return window.code

        channel = await phone.pair(await phone.find(), Passkey(ask_code))
        assert channel.bond.method is Method.PASSKEY
