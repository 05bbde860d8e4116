"""Wrong codes lock pairing on both sides, for longer each time, over restarts, and never a bonded phone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from blechannel.aio.person import Certificate, OutOfBand, Passkey, Words
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import BlechannelError, LocalProtocolError, PairingLocked, PairingRefused
from blechannel.methods import Method
from blechannel.stores.memory import MemoryStore
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import House, house, typing, wrong
from tests.session.test_certificates import PHONE, STRANGER, WATCH, trusting


async def yes(_words: tuple[str, ...]) -> bool:
    return True


async def no(_words: tuple[str, ...]) -> bool:
    return False


async def fail(h: House, phone: Phone, watch: Watch) -> BlechannelError:
    """One try with a wrong code, in the window that is open or in a new one."""
    window = watch.window or watch.open_pairing()
    with pytest.raises(PairingRefused) as refused:
        await phone.pair(await h.seen(phone, watch), typing(lambda: wrong(window.code)))
    return refused.value


def test_three_wrong_codes_lock_the_watch_for_half_a_minute_and_then_for_twice_that() -> None:
    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch()
            for seconds in (30, 60):
                for _ in range(3):
                    assert watch.locked_for_s == 0
                    await fail(h, await h.add_phone(), watch)
                assert watch.window is None
                with pytest.raises(PairingLocked, match=f"{seconds} s more") as locked:
                    watch.open_pairing()
                assert locked.value.reason == "locked"
                assert seconds - 1 < locked.value.wait_s <= seconds
                await asyncio.sleep(watch.locked_for_s)
            watch.open_pairing()

    run_virtual(main())


def test_two_wrong_codes_in_each_of_many_windows_lock_as_well() -> None:
    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch()
            for _ in range(2):
                await fail(h, await h.add_phone(), watch)
            watch.close_pairing()
            assert watch.open_pairing().attempts_left == 1
            await fail(h, await h.add_phone(), watch)
            with pytest.raises(PairingLocked):
                watch.open_pairing()

    run_virtual(main())


def test_power_cycling_the_watch_begins_the_wait_again() -> None:
    async def main() -> None:
        store = MemoryStore()
        async with house() as h:
            watch = await h.add_watch(store)
            for _ in range(3):
                await fail(h, await h.add_phone(), watch)
            await asyncio.sleep(29)
            assert 0 < watch.locked_for_s <= 1
        async with house() as h:
            watch = await h.add_watch(store)
            await asyncio.sleep(10)
            assert watch.locked_for_s == 20
            await asyncio.sleep(19)
            with pytest.raises(PairingLocked):
                watch.open_pairing()
            await asyncio.sleep(1)
            watch.open_pairing()

    run_virtual(main())


def test_a_locked_watch_lets_its_bonded_phone_in() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner = await h.add_watch(), await h.add_phone()
            await (await h.pair(owner, watch)).close()
            for _ in range(3):
                await fail(h, await h.add_phone(), watch)
            assert watch.locked_for_s > 0
            assert (await owner.connect(await owner.find())).is_open

    run_virtual(main())


def test_a_lock_on_either_side_keeps_nobody_from_what_costs_no_guess() -> None:
    """A stranger who tries codes cannot take the tag or the QR code away from the owner."""

    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            for _ in range(3):
                await fail(h, phone, watch)
            assert watch.locked_for_s > 0
            assert phone.locked_for_s > 0
            for method, compare in ((Method.PASSKEY, None), (Method.WORDS, yes)):
                with pytest.raises(PairingLocked):
                    watch.open_pairing(method, compare=compare)
            window = watch.open_pairing(Method.OUT_OF_BAND)
            assert window.attempts_left == 3
            found = await h.seen(phone, watch)
            for way in (Passkey(typing(lambda: "000000")), Words(yes)):
                with pytest.raises(PairingLocked):
                    await phone.pair(found, way)
            await phone.pair(found, OutOfBand(window.ticket()))
            assert watch.store.book.guesses_spent == phone.store.book.guesses_spent == 3

    run_virtual(main())


def test_certificates_cost_no_guess_and_are_never_locked() -> None:
    """Nor does the one that is right give back a guess that something else had cost."""

    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch(credentials=trusting(WATCH, PHONE))
            phone = await h.add_phone(credentials=trusting(PHONE, WATCH))
            for _ in range(3):
                await fail(h, phone, watch)
            assert watch.locked_for_s > 0
            assert phone.locked_for_s > 0
            window = watch.open_pairing(Method.CERTIFICATE)
            for _ in range(4):
                stranger = await h.add_phone(credentials=trusting(STRANGER, WATCH))
                with pytest.raises(PairingRefused):
                    await stranger.pair(await h.seen(stranger, watch), Certificate())
                assert stranger.store.book.guesses_spent == 0
            assert window.attempts_left == 3
            await phone.pair(await h.seen(phone, watch), Certificate())
            assert watch.store.book.guesses_spent == phone.store.book.guesses_spent == 3

    run_virtual(main())


def test_a_failure_that_costs_no_guess_is_told_as_it_is_while_the_phone_is_locked() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            for _ in range(3):
                await fail(h, phone, watch)
            window = watch.open_pairing(Method.OUT_OF_BAND)
            wrong_ticket = replace(window.ticket(), secret=bytes(32))
            with pytest.raises(PairingRefused) as refused:
                await phone.pair(await h.seen(phone, watch), OutOfBand(wrong_ticket))
            assert not isinstance(refused.value, PairingLocked)

    run_virtual(main())


def test_words_that_differ_lock_as_wrong_codes_do() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            for _ in range(3):
                if watch.window is None:
                    watch.open_pairing(Method.WORDS, compare=yes)
                with pytest.raises(PairingRefused):
                    await phone.pair(await h.seen(phone, watch), Words(no))
            assert watch.store.book.guesses_spent == phone.store.book.guesses_spent == 3
            assert watch.locked_for_s > 0
            assert phone.locked_for_s > 0

    run_virtual(main())


def test_the_third_guess_does_not_lock_when_it_is_right() -> None:
    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch()
            for _ in range(2):
                await fail(h, await h.add_phone(), watch)
            window = watch.window
            assert window is not None
            phone = await h.add_phone()
            await phone.pair(await h.seen(phone, watch), typing(lambda: window.code))
            assert watch.locked_for_s == 0
            assert watch.store.book.guesses_spent == 2
            assert watch.open_pairing().attempts_left == 1

    run_virtual(main())


def test_the_owner_and_a_factory_reset_forget_the_guesses() -> None:
    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch()
            for reset in (watch.members.reset_guesses, watch.members.factory_reset):
                for _ in range(3):
                    await fail(h, await h.add_phone(), watch)
                assert watch.locked_for_s > 0
                await reset()
                assert watch.locked_for_s == 0
                assert watch.open_pairing().attempts_left == 3
                watch.close_pairing()

    run_virtual(main())


def test_a_phone_whose_tries_fail_says_that_somebody_may_be_in_between_and_waits() -> None:
    """Three watches, so that none of them is what locks."""

    async def main() -> None:
        async with house() as h:
            phone = await h.add_phone()
            for number in range(3):
                error = await fail(h, phone, await h.add_watch())
                assert isinstance(error, PairingLocked) == (number == 2)
            assert "3 tries failed: somebody may be between you and the watch" in str(error)
            assert isinstance(error.__cause__, PairingRefused)
            watch = await h.add_watch()
            window = watch.open_pairing()
            found = await h.seen(phone, watch)
            with pytest.raises(PairingLocked, match="3 tries failed"):
                await phone.pair(found, typing(lambda: window.code))
            assert watch.store.book.guesses_spent == 0
            await asyncio.sleep(phone.locked_for_s)
            await phone.pair(found, typing(lambda: window.code))

    run_virtual(main())


def test_a_phones_wait_begins_again_with_the_program_and_its_person_may_end_it() -> None:
    async def main() -> None:
        store = MemoryStore()
        async with house() as h:
            phone = await h.add_phone(store)
            for _ in range(3):
                await fail(h, phone, await h.add_watch())
            await asyncio.sleep(25)
        async with house() as h:
            phone = await h.add_phone(store)
            await asyncio.sleep(10)
            assert phone.locked_for_s == 20
            await phone.reset_guesses()
            assert phone.locked_for_s == 0
            await h.pair(phone, await h.add_watch())

    run_virtual(main())


def test_a_phone_pairs_one_at_a_time_so_that_none_escapes_the_count() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            window = watch.open_pairing()
            found = await h.seen(phone, watch)
            asked, typed = asyncio.Event(), asyncio.Event()

            async def slowly() -> str:
                asked.set()
                await typed.wait()
                return window.code

            first = asyncio.create_task(phone.pair(found, slowly))
            await asked.wait()
            with pytest.raises(LocalProtocolError, match="pairing already"):
                await phone.pair(found, typing(lambda: window.code))
            typed.set()
            assert (await first).is_open

    run_virtual(main())
