"""Where a session meets its store: slow, broken and silent ones end the session by name, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from blechannel.aio.pump import STORE_S
from blechannel.errors import BlechannelError, StoreError
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Change, SetDiscoveryKey
from blechannel.stores.memory import MemoryStore
from tests.aio.rooms import room
from tests.aio.virtual import now_s, on_virtual_clock


class TroubledStore(MemoryStore):
    """Keeps what it is given until `trouble` is set, which then comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: Callable[[], object] | None = None

    async def apply(self, change: Change) -> BondBook:
        if self.trouble is not None and not isinstance(change, SetDiscoveryKey):
            trouble = self.trouble()
            if isinstance(trouble, asyncio.Future):
                await trouble
        return await super().apply(change)


def silent() -> object:
    return asyncio.get_running_loop().create_future()


def full() -> object:
    raise StoreError("the disk is full")


def broken() -> object:
    raise ValueError("written by somebody else")


@pytest.mark.parametrize("side", ["phone", "watch"])
@pytest.mark.parametrize(
    ("trouble", "says"), [(silent, "did not answer within"), (full, "disk is full"), (broken, "written by somebody")]
)
def test_a_store_that_fails_ends_its_own_session(side: str, trouble: Callable[[], object], says: str) -> None:
    @on_virtual_clock
    async def run() -> None:
        async with room(make_store=TroubledStore) as r:
            await (await r.pair()).close()
            store = (r.phone if side == "phone" else r.watch).store
            assert isinstance(store, TroubledStore)
            store.trouble = trouble
            found = await r.phone.find()
            began_s = now_s()
            with pytest.raises(BlechannelError) as raised:
                await r.phone.connect(found)
            assert now_s() - began_s <= STORE_S + 10
            if side == "phone":
                assert isinstance(raised.value, StoreError)
                assert says in str(raised.value)
            store.trouble = None
            assert (await r.connect()).is_open

    run()


@on_virtual_clock
async def test_closing_does_not_wait_for_a_silent_store_for_ever() -> None:
    async with room(make_store=TroubledStore) as r:
        await (await r.pair()).close()
        store = r.watch.store
        assert isinstance(store, TroubledStore)
        store.trouble = silent
        connecting = asyncio.create_task(r.phone.connect(await r.phone.find()))
        await asyncio.sleep(1)
        began_s = now_s()
        await r.watch.close()
        assert now_s() - began_s <= STORE_S + 10
        with pytest.raises(BlechannelError):
            await connecting
