"""A phone or a watch as the command line's options say: store, passphrase, radio and key log."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from blechannel.aio.attributes import PlainService
from blechannel.aio.key_log import KeyLog
from blechannel.aio.link import WatchTransport
from blechannel.aio.outbox import Outbox
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.roles import Role
from blechannel.session.credentials import Credentials
from blechannel.stores.os_keyring import keyring_passphrase
from blechannel.stores.paths import default_store_path
from blechannel.stores.sqlite import SqliteStore
from blechannel_tools.radios import open_phone_radio, open_watch_radio


def store_path(options: argparse.Namespace, role: Role) -> Path:
    """Where the bond store is."""
    chosen: Path | None = options.store
    return chosen or default_store_path(role)


async def open_store(options: argparse.Namespace, role: Role) -> SqliteStore:
    """The bond store, made if there is none.

    Raises:
        StoreError: it is locked, damaged, under another passphrase, or cannot be written.
        MissingExtra: `--keyring` without the package.
    """
    path = store_path(options, role)
    return await SqliteStore.open(path, role=role, passphrase=await _passphrase(options, path))


async def _passphrase(options: argparse.Namespace, path: Path) -> str | None:
    if options.keyring:
        return await keyring_passphrase(path)
    if options.passphrase_file is not None:
        lines: list[str] = options.passphrase_file.read_text("utf-8").splitlines()
        return lines[0] if lines else ""
    asked: str | None = getattr(options, "passphrase", None)
    return asked


@asynccontextmanager
async def open_phone(
    options: argparse.Namespace, *, credentials: Credentials | None = None, outbox: Outbox | None = None
) -> AsyncGenerator[Phone, None]:
    """A phone; leaving closes its channels, its radio and its store."""
    config = Config(options.name)
    async with AsyncExitStack() as held:
        store = await held.enter_async_context(await open_store(options, Role.PHONE))
        key_log = _key_log(held)
        radio = await open_phone_radio(options.transport, snoop=options.snoop)
        phone = Phone(store, radio, config=config, key_log=key_log, credentials=credentials, outbox=outbox)
        yield await held.enter_async_context(phone)


@asynccontextmanager
async def open_watch(
    options: argparse.Namespace,
    plain_services: Sequence[PlainService] = (),
    *,
    credentials: Credentials | None = None,
) -> AsyncGenerator[tuple[Watch, WatchTransport], None]:
    """A watch that does not advertise yet: `start` it. Leaving closes its channels, its radio and its store."""
    config = Config(options.name, guest_ports=frozenset(options.guest_port))
    async with AsyncExitStack() as held:
        store = await held.enter_async_context(await open_store(options, Role.WATCH))
        key_log = _key_log(held)
        radio = await open_watch_radio(options.transport, snoop=options.snoop, plain_services=plain_services)
        watch = Watch(store, radio, config=config, key_log=key_log, credentials=credentials)
        held.push_async_callback(watch.close)
        yield watch, radio


def _key_log(held: AsyncExitStack) -> KeyLog | None:
    key_log = KeyLog.from_environment()
    if key_log is not None:
        held.callback(key_log.close)
    return key_log
