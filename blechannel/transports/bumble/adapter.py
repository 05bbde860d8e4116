"""One powered controller and bumble's host on it: what phones and watches have in common."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from bumble import hci
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.transport import open_transport
from bumble.transport.common import Transport

from blechannel.errors import LocalProtocolError, TransportError, TransportGone
from blechannel.gatt import MAX_ATTRIBUTE_BYTES, MIN_ATT_MTU_BYTES
from blechannel.transports.bumble.failures import CONTROLLER_LOST, answered, explained
from blechannel.transports.bumble.gate import AttGate
from blechannel.transports.bumble.host import CountingHost
from blechannel.transports.bumble.snoop import SnoopFile
from blechannel.values import dataclass

_log = logging.getLogger(__name__)

OPEN_S = 10.0
POWER_ON_S = 10.0
COMMAND_S = 5.0
DISCONNECT_S = 3.0
CLOSE_S = 5.0
MAX_ATT_MTU_BYTES = MAX_ATTRIBUTE_BYTES + 5
"""The MTU at which every operation carries the longest value."""


@dataclass(frozen=True, slots=True)
class RadioOptions:
    """How a radio is used.

    Raises:
        LocalProtocolError: the MTU is outside what BLE allows.
    """

    snoop: Path | None = None
    """Where a btsnoop capture goes."""
    att_mtu_bytes: int = MAX_ATT_MTU_BYTES
    advertising_interval_ms: float = 100.0

    def __post_init__(self) -> None:
        if not MIN_ATT_MTU_BYTES <= self.att_mtu_bytes <= MAX_ATT_MTU_BYTES:
            raise LocalProtocolError(f"an ATT_MTU is {MIN_ATT_MTU_BYTES} to {MAX_ATT_MTU_BYTES} bytes")


def fresh_address() -> hci.Address:
    """A random address under a key that nobody has: it cannot be told from any other device's private one."""
    return hci.Address.generate_private_address(secrets.token_bytes(16))


class Adapter:
    """A controller that is powered on; made by `open_adapter` or `power_on`."""

    def __init__(self, transport: Transport, options: RadioOptions, snooper: SnoopFile | None) -> None:
        self._transport = transport
        self._snooper = snooper
        self._chores: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._gone: TransportError | None = None
        self._reachable = True
        self.on_gone: Callable[[], None] | None = None
        self.options = options
        self.host = CountingHost()
        self.host.snooper = snooper
        self.host.set_packet_source(transport.source)
        self.host.set_packet_sink(transport.sink)
        self.device = _device(self.host, options)
        self.gate = AttGate(self.device)
        self.device.on(self.device.EVENT_FLUSH, self._lost)

    async def power_on(self) -> None:
        """Reset the controller and set it up.

        Raises:
            TransportError: it does not answer, or refuses.
        """
        doing = "the controller is switched on"
        await answered(self.device.power_on(), within_s=POWER_ON_S, doing=doing)

    def check(self) -> None:
        """Nothing, while the adapter can be used.

        Raises:
            TransportError: it was closed, or is gone.
        """
        if self._gone is not None:
            raise TransportGone(str(self._gone))

    def later(self, chore: Coroutine[object, object, None]) -> None:
        """Run something in the background, until the adapter is closed."""
        self._chores.add(task := asyncio.ensure_future(chore))
        task.add_done_callback(self._chores.discard)

    async def insist(self, chore: Coroutine[object, object, None]) -> None:
        """Run something to its end, also when the caller is cancelled meanwhile."""
        self._chores.add(task := asyncio.ensure_future(chore))
        task.add_done_callback(self._chores.discard)
        await asyncio.shield(task)

    async def rotate_address(self) -> None:
        """Be somebody else from now on, where the controller allows it; nothing else may be going on."""
        address = fresh_address()
        try:
            await self.device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=address))
        except hci.HCI_Error as error:
            _log.warning("the controller keeps its address: %s", explained(error, "a new address"))
        else:
            self.device.random_address = address

    async def hang_up(self, connection: Connection) -> None:
        """Disconnect, if it is connected; never raises."""
        if self._reachable and self.device.lookup_connection(connection.handle) is connection:
            with suppress(TransportError):
                await answered(connection.disconnect(), within_s=DISCONNECT_S, doing="disconnecting")

    async def close(self) -> None:
        """Power off and free the controller. Safe to call again; never raises."""
        if self._closing is None:
            self._gone = self._gone or TransportGone("this transport was closed")
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        for chore in self._chores:
            chore.cancel()
        if self._chores:
            await asyncio.wait(self._chores)
        if self._reachable:
            await asyncio.gather(*(self.hang_up(left) for left in self.device.connections.values()))
        self.device.remove_listener(self.device.EVENT_FLUSH, self._lost)
        for last in (self._reset(), self.device.power_off(), self._transport.close()):
            try:
                await answered(last, within_s=CLOSE_S, doing="closing the controller")
            except TransportError as error:
                _log.warning("%s", error)
        if self._snooper is not None:
            self._snooper.close()

    async def _reset(self) -> None:
        """Leave the controller with nothing going on: it may live on without us."""
        if self._reachable and self.device.powered_on:
            await self.device.send_sync_command(hci.HCI_Reset_Command())

    def _lost(self) -> None:
        """Bumble flushes when the way to the controller is lost."""
        self._reachable = False
        self._gone = TransportGone(CONTROLLER_LOST)
        if self.on_gone is not None:
            self.on_gone()


def _device(host: CountingHost, options: RadioOptions) -> Device:
    # A name or an identity key would tell devices apart; bumble's default key is all zeros.
    config = DeviceConfiguration(name="", address=fresh_address(), irk=secrets.token_bytes(16))
    device = Device(config=config, host=host)
    device.gatt_server.max_mtu = options.att_mtu_bytes
    device.advertising_interval_min = options.advertising_interval_ms
    device.advertising_interval_max = options.advertising_interval_ms
    return device


async def power_on(transport: Transport, options: RadioOptions) -> Adapter:
    """An adapter over an HCI transport that is open; on failure the transport is closed.

    Raises:
        TransportError: the controller does not answer or refuses, or the capture cannot be written.
    """
    adapter = None
    try:
        snooper = SnoopFile(options.snoop) if options.snoop else None
        adapter = Adapter(transport, options, snooper)
        await adapter.power_on()
    except BaseException:
        await (adapter or transport).close()
        raise
    return adapter


async def open_adapter(spec: str, options: RadioOptions) -> Adapter:
    """The controller behind a bumble transport string.

    Raises:
        TransportError: there is none, it is busy or forbidden, or it does not answer; the text says what to do.
    """
    doing = f"the transport {spec!r} cannot be opened"
    transport = await answered(open_transport(spec), within_s=OPEN_S, doing=doing)
    return await power_on(transport, options)
