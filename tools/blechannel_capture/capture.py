"""A capture file as a stream of events: the one entrance for scripts and for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from blechannel_capture.air import frames as air_frames
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.air.link_decoder import AirDecoder
from blechannel_capture.analysis import Analysis
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.connections import Connections
from blechannel_capture.containers.formats import Format, open_container
from blechannel_capture.containers.source import never
from blechannel_capture.events import Event
from blechannel_capture.host.hci import HciDecoder
from blechannel_capture.host.hci_packets import NOT_HCI, UNWRAP
from blechannel_capture.ledger import Ledger


class Capture(AbstractContextManager["Capture"]):
    """Iterate over it once: events in the order of the file. `ledger` fills as reading goes on."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        strict: bool = False,
        wait: Callable[[], bool] = never,
        link_keys: KeyRing | None = None,
        key_log: KeyLog | None = None,
    ) -> None:
        """Read `file`, which stays the caller's.

        Raises:
            NotACapture: no format that is known.
        """
        self.ledger = Ledger(strict=strict)
        self._container = open_container(file, self.ledger, wait=wait)
        self._connections = Connections()
        self._hosts: dict[int, HciDecoder] = {}
        self.link_keys = link_keys or KeyRing()
        self._air: dict[int, AirDecoder] = {}
        self._file = file
        self._analysis = Analysis(key_log or {})
        self.gatt = self._analysis.gatt
        """The attributes that are known on a connection."""

    @property
    def format(self) -> Format:
        """What the file's first bytes say that it is."""
        return self._container.format

    def __iter__(self) -> Iterator[Event]:
        """The events, once.

        Raises:
            DamagedCapture: reading is strict, and the file is damaged.
        """
        return self._analysis.follow(self._decoded())

    def _decoded(self) -> Iterator[Event]:
        for packet in self._container.packets:
            if packet.missing_bytes:
                continue  # entered into the ledger; half a packet says half a thing
            if (unwrap := UNWRAP.get(packet.link_type)) is not None:
                hci = unwrap(packet)
                if hci.kind != NOT_HCI:
                    yield from self._host(hci.controller).feed(hci, packet.number, packet.time_ns)
            elif (frame := air_frames.UNWRAP[packet.link_type](packet)) is not None:
                yield from self._sniffer(packet.interface).feed(frame, packet.number, packet.time_ns)
        for host in self._hosts.values():
            host.end()
        for sniffer in self._air.values():
            sniffer.end()

    def _host(self, controller: int) -> HciDecoder:
        host = self._hosts.get(controller)
        if host is None:
            host = self._hosts[controller] = HciDecoder(self._connections, self.ledger)
        return host

    def _sniffer(self, interface: int) -> AirDecoder:
        sniffer = self._air.get(interface)
        if sniffer is None:
            sniffer = self._air[interface] = AirDecoder(self._connections, self.ledger, self.link_keys)
        return sniffer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def open_capture(
    path: str | Path, *, strict: bool = False, link_keys: KeyRing | None = None, key_log: KeyLog | None = None
) -> Capture:
    """The capture in that file, to be used in a `with` statement.

    Raises:
        NotACapture: no format that is known.
        OSError: the file cannot be read.
    """
    file = Path(path).open("rb")  # noqa: SIM115 - the capture closes it
    try:
        return Capture(file, strict=strict, link_keys=link_keys, key_log=key_log)
    except BaseException:
        file.close()
        raise
