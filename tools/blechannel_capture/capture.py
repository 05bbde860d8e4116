"""A capture file as a stream of events: the one entrance for scripts and for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from itertools import chain
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.analysis import Analysis
from blechannel_capture.channel.key_log import KeyLog, read_key_log
from blechannel_capture.connections import Connections
from blechannel_capture.containers.formats import Format, open_container
from blechannel_capture.containers.source import never
from blechannel_capture.errors import CaptureError
from blechannel_capture.events import Event
from blechannel_capture.gatt_map import GattMap
from blechannel_capture.host.hci import HciDecoder
from blechannel_capture.host.hci_packets import NOT_HCI, UNWRAP
from blechannel_capture.ledger import Ledger
from blechannel_capture.packet import Packet

if TYPE_CHECKING:
    from blechannel_capture.air.sniffers import Sniffers


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
        """Read `file`, which is closed when the `with` statement ends.

        `wait` is asked at the end of the file whether to look for more: how a growing file is followed.

        Raises:
            NotACapture: no format that is known.
        """
        self.ledger = Ledger(strict=strict)
        self._container = open_container(file, self.ledger, wait=wait)
        self._connections = Connections()
        self._hosts: dict[int, HciDecoder] = {}
        self.link_keys = link_keys or KeyRing()
        self._air: Sniffers | None = None
        self._file = file
        self._key_log: KeyLog = {nonce: list(secrets) for nonce, secrets in (key_log or {}).items()}
        self._analysis = Analysis(self._key_log)
        self.packets = 0
        """How many were read so far."""
        self.on_packet: Callable[[Packet], None] | None = None
        """Called with each packet before its events."""
        self.gatt = self._analysis.gatt
        """The attributes that are known on a connection."""

    @property
    def format(self) -> Format:
        """What the file's first bytes say that it is."""
        return self._container.format

    @property
    def comments(self) -> list[tuple[int, str]]:
        """Of a pcapng file, as far as it was read: the packet's number (0 for the file) and the text."""
        return self._container.remarks.comments

    def __iter__(self) -> Iterator[Event]:
        """The events, once. A key log in a pcapng file's secrets is used from where it stands.

        Raises:
            DamagedCapture: reading is strict, and the file is damaged.
        """
        return chain.from_iterable(map(itemgetter(1), self.steps()))

    def steps(self) -> Iterator[tuple[Packet | None, list[Event]]]:
        """Every packet with what it says, once, instead of iterating; at the end None with what only the end tells.

        Raises:
            DamagedCapture: reading is strict, and the file is damaged.
        """
        secrets, known_secrets, follow = self._container.remarks.secrets, 0, self._analysis.follow
        for packet in self._container.packets:
            self.packets += 1
            if self.on_packet is not None:
                self.on_packet(packet)
            if len(secrets) > known_secrets:
                self._learn(b"\n".join(data for _, data in secrets[known_secrets:]))
                known_secrets = len(secrets)
            yield packet, follow(self._decoded(packet))
        for host in self._hosts.values():
            host.end()
        if self._air is not None:
            self._air.end()
        yield None, self._analysis.end()

    def import_gatt(self, known: GattMap) -> None:
        """Attributes that are known from elsewhere, for every connection from now on."""
        self._analysis.known = known

    def _decoded(self, packet: Packet) -> Iterable[Event]:
        if packet.missing_bytes:
            return ()  # entered into the ledger; half a packet says half a thing
        if (unwrap := UNWRAP.get(packet.link_type)) is not None:
            hci = unwrap(packet)
            if hci.kind == NOT_HCI:
                return ()
            return (self._hosts.get(hci.controller) or self._begin_host(hci.controller)).feed(
                hci, packet.number, packet.time_ns
            )
        return (self._air or self._begin_air()).feed(packet)

    def _learn(self, lines: bytes) -> None:
        """Secrets that the file itself carries; those of other protocols are skipped."""
        with suppress(CaptureError):
            for nonce, found in read_key_log(lines.decode("ascii", "replace").splitlines()).items():
                self._key_log.setdefault(nonce, []).extend(found)

    def _begin_host(self, controller: int) -> HciDecoder:
        host = self._hosts[controller] = HciDecoder(self._connections, self.ledger)
        return host

    def _begin_air(self) -> Sniffers:
        from blechannel_capture.air.sniffers import Sniffers  # most captures are a host's, and do without

        self._air = Sniffers(self._connections, self.ledger, self.link_keys)
        return self._air

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
