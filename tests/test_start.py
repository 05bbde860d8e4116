"""What a program loads before its first line runs."""

from __future__ import annotations

from functools import cache

import pytest

from tests.unmeasured import run_unmeasured


@cache
def loaded_by(program: str) -> set[str]:
    shown = f"{program}\nimport sys\nprint(*sys.modules)"
    return set(run_unmeasured(shown).stdout.split())


def test_the_version_alone_loads_nothing_else() -> None:
    loaded = loaded_by("from blechannel import __version__")
    assert {name for name in loaded if name.startswith("blechannel")} == {"blechannel"}
    assert not {"asyncio", "construct", "cryptography", "dataclasses"} & loaded


@pytest.mark.parametrize(
    "later",
    [
        pytest.param({"bleak", "bumble", "blechannel.transports"}, id="radios"),
        pytest.param({"rich"}, id="terminal"),
        pytest.param({"sqlite3", "blechannel.stores", "blechannel.delivery", "blechannel.aio.outbox"}, id="stores"),
    ],
)
def test_both_sides_load_only_what_they_use(later: set[str]) -> None:
    loaded = loaded_by("from blechannel import Phone, Watch")
    assert {"blechannel.aio.phone", "blechannel.aio.watch"} <= loaded
    assert not later & loaded
