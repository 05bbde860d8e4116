"""A watch that runs: what its person does, what its phones do, and how both are shown."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from blechannel.aio.channel import Channel
from blechannel.aio.link import WatchTransport
from blechannel.aio.watch import CodeHidden, CodeShown, CopyDetected, Declined, Joined, Left, Watch, WatchEvent
from blechannel.errors import BlechannelError, BondNotFound, PairingLocked
from blechannel_tools.digits import grouped
from blechannel_tools.keys import key_presses
from blechannel_tools.output import Event, HumanOutput, Lines, Output
from blechannel_tools.radios import address_of
from blechannel_tools.selection import label
from blechannel_tools.sensors import Sensors
from blechannel_tools.watch_household import WatchHousehold
from blechannel_tools.watch_pairing import WatchPairing
from blechannel_tools.watch_services import Arrived, WatchServices
from blechannel_tools.watch_state import Shown
from blechannel_tools.ways import ON_WATCH, word_of
from gatt_profiles.immediate_alert import Level

if TYPE_CHECKING:
    from blechannel_tools.watch_face import WatchFace

REFRESH_S = 0.5


@contextmanager
def _when_terminated(quit_now: Callable[[], None]) -> Iterator[None]:
    """What a service manager sends ends the watch as a person would; Windows knows no such signal."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGTERM, quit_now)
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


class WatchRun:
    """One run of a watch that has started to advertise."""

    def __init__(
        self, watch: Watch, radio: WatchTransport, options: argparse.Namespace, output: Output, *, sensors: Sensors
    ) -> None:
        self._watch = watch
        self._output = output
        self._services = WatchServices(watch, options.save)
        self._shown = Shown(options.name, address_of(radio, options.transport))
        self._shown.methods = tuple(map(word_of, options.methods))
        self._names: dict[Channel, str] = {}
        self._face: WatchFace | None = None
        self._quit = asyncio.Event()
        self._opens_at_once: bool = options.pair
        self._pairing = WatchPairing(watch, options, output)
        self._sensors = sensors
        sensors.on_ring = self._rings
        sensors.serve(watch)
        served = (*self._services.ports, *sensors.ports)
        guest_ports = frozenset(options.guest_port)
        self._household = WatchHousehold(watch.members, served=served, guest_ports=guest_ports)

    async def until_quit(self) -> None:
        """Run until a person quits.

        Raises:
            TransportError: the adapter is gone.
        """
        with key_presses(self._pressed) as keys, _when_terminated(self._quit.set), self._faced():
            self._shown.keys = keys
            self._tell_start()
            self._pairing.asks_keys = keys
            if self._opens_at_once:
                self._open(0)
            work = (
                self._events(),
                self._files(),
                self._decided(),
                self._refresh(),
                self._sensors.run(),
                self._quitting(),
            )
            jobs = [asyncio.ensure_future(job) for job in work]
            try:
                await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for job in jobs:
                    job.cancel()
                ended = await asyncio.gather(*jobs, return_exceptions=True)
            for how in ended:
                if isinstance(how, Exception):
                    raise how

    async def _quitting(self) -> None:
        await self._quit.wait()

    @contextmanager
    def _faced(self) -> Iterator[None]:
        """A face where people look at a terminal; lines elsewhere."""
        output = self._output
        if not isinstance(output, HumanOutput) or not output.console.is_terminal:
            yield
            return
        from blechannel_tools.watch_face import WatchFace

        with WatchFace(output.console, self._look) as face:
            self._face = face
            yield

    def _pressed(self, key: str) -> None:
        if self._pairing.words:
            self._pairing.answered(key)
        elif self._household.is_open:
            self._household.pressed(key)
            self._redraw()
        elif key in "hH" and self._face is not None:
            self._household.open()
            self._redraw()
        elif key in "pP\r\n" and self._watch.window is None:
            self._open(0)
        elif key.isdigit() and self._watch.window is None:
            self._open(int(key) - 1)
        elif key in "qQ":
            self._quit.set()

    def _open(self, which: int) -> None:
        """A window for the method of that place in the list, if there is one."""
        try:
            told = self._pairing.open(which)
        except PairingLocked as error:
            self._say(Event.PAIRING_LOCKED, str(error), wait_s=round(error.wait_s, 1))
            return
        if self._face is not None:
            self._face.refresh()  # which shows what to do as long as the window is open
        elif told is not None:
            self._output.say(told.event, told.shown, **told.facts)

    def _look(self) -> Shown:
        """The state of now."""
        window, shown = self._watch.window, self._shown
        shown.code = window.code if window else ""
        shown.ticket = self._pairing.ticket if window else ""
        shown.words = self._pairing.words
        shown.menu = self._household.menu()
        shown.what_to_do = ON_WATCH[window.method] if window else ""
        shown.attempts_left = window.attempts_left if window and window.method.costs_a_guess else 0
        shown.seconds_left = self._seconds_left()
        shown.locked_s = math.ceil(self._watch.locked_for_s)
        shown.bonds = len(self._watch.store.book.bonds)
        shown.connected = [self._name(channel) for channel in self._watch.channels]
        shown.receiving_bytes = self._services.under_way_bytes
        return shown

    def _seconds_left(self) -> int:
        window = self._watch.window
        return 0 if window is None else max(0, round(window.closes_at - asyncio.get_running_loop().time()))

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            self._redraw()

    def _redraw(self) -> None:
        if self._face is not None:
            self._face.refresh()

    async def _events(self) -> None:
        async with aclosing(self._watch.events()) as events:
            async for event in events:
                self._happened(event)

    async def _decided(self) -> None:
        await self._household.run(lambda told: self._say(told.event, told.shown, **told.facts))

    async def _files(self) -> None:
        while True:
            self._arrived(await self._services.arrived.get())

    # --- what is told ---

    def _say(self, event: Event, shown: str | Lines, **facts: object) -> None:
        if self._face is None:
            self._output.say(event, shown, **facts)
            return
        if isinstance(shown, str):  # lines are on the face already
            self._shown.news.append(shown)
        self._face.refresh()

    def _tell_start(self) -> None:
        shown = self._shown
        bonds = len(self._watch.store.book.bonds)
        if self._face is None:  # which shows all this anyway
            text = f"{shown.name} advertises at {shown.address}; bonds: {bonds}"
            self._output.say(Event.ADVERTISING, text, name=shown.name, address=shown.address, bonds=bonds)

    def _happened(self, event: WatchEvent) -> None:
        match event:
            case CodeShown():
                self._code_shown(event)
            case CodeHidden():
                self._say(Event.PAIRING_CLOSED, "the pairing window is closed")
            case Joined():
                self._joined(event.channel)
            case Left():
                self._left(event.channel, event.error)
            case CopyDetected():
                name = label(event.bond)
                text = f"the bond of {name} was copied or put back: forget it, and pair that phone again"
                self._say(Event.COPIED, text, id=event.bond.bond_id.hex(), name=name)
            case Declined():
                why = self._pairing.in_words(event.error)
                self._say(Event.DECLINED, f"{event.peer} got no channel: {why}", peer=event.peer, message=why)

    def _code_shown(self, event: CodeShown) -> None:
        if not event.code:
            return  # the window is open for a method without a code, and `_open` has told
        left_s = self._seconds_left()
        text = f"the code is {grouped(event.code)} (attempts left: {event.attempts_left}, seconds left: {left_s})"
        if self._face is not None:  # it shows the code itself, and what is burned shall not stay on a screen
            text = "a new code is shown"
        self._say(Event.CODE, text, code=event.code, attempts_left=event.attempts_left, seconds_left=left_s)

    def _joined(self, channel: Channel) -> None:
        name = self._name(channel)
        how = "reconnected" if channel.resumed else "paired"
        self._say(Event.JOINED, f"{name} has {how}", name=name, peer=channel.peer, resumed=channel.resumed)

    def _left(self, channel: Channel, error: BlechannelError | None) -> None:
        name = self._name(channel)
        self._names.pop(channel, None)
        text = f"{name} has left" if error is None else f"{name} was cut off: {error}"
        self._say(Event.LEFT, text, name=name, peer=channel.peer, message=None if error is None else str(error))

    def _arrived(self, file: Arrived) -> None:
        where = f" in {file.saved}" if file.saved else (f"; {file.problem}" if file.problem else "")
        self._say(
            Event.RECEIVED,
            f"{file.size_bytes:,} bytes came whole from {file.sender}{where}",
            name=file.sender,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            saved=str(file.saved) if file.saved else None,
            problem=file.problem or None,
        )

    def _rings(self, level: Level) -> None:
        text = "it is quiet again" if level is Level.NO_ALERT else f"it rings: {level.name.lower().replace('_', ' ')}"
        self._say(Event.RINGING, text, level=level.value)

    def _name(self, channel: Channel) -> str:
        """What the peer is called; kept for when its bond is gone."""
        try:
            self._names[channel] = label(channel.bond)
        except BondNotFound:
            self._names.setdefault(channel, channel.peer)
        return self._names[channel]
