"""What the command line's watch serves beside its sensors: echo, transfer and its household."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.services import echo, household, transfer


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file came whole; `saved` is where it is, None where it is not kept."""

    sender: str
    size_bytes: int
    sha256: str
    saved: Path | None
    problem: str = ""
    """Why it could not be saved."""


class WatchServices:
    """The services of one watch; `arrived` tells of each file."""

    def __init__(self, watch: Watch, save: Path | None) -> None:
        self._watch = watch
        self._save = save
        self._receivers: dict[bytes, transfer.Receiver] = {}
        self.arrived: asyncio.Queue[Arrived] = asyncio.Queue()
        serving = {
            echo.PORT: echo.echo,
            transfer.PORT: self._transfer,
            household.PORT: household.serving(watch.members),
        }
        self.ports = tuple(serving)
        """The ports that are served, by name."""
        for name, service in serving.items():
            watch.serve(name, service)

    @property
    def under_way_bytes(self) -> int:
        """Bytes of files that are not whole yet."""
        return sum(receiver.offset for receiver in self._receivers.values())

    async def _transfer(self, port: Port) -> None:
        """A receiver for each bond: what one phone has half sent is not another's."""
        bond = port.channel.bond
        bonds = self._watch.store.book.bonds
        self._receivers = {known: receiver for known, receiver in self._receivers.items() if known in bonds}
        receiver = self._receivers.setdefault(bond.bond_id, transfer.Receiver())
        receiver.received = None
        await receiver.serve(port)
        if receiver.received is not None:
            self.arrived.put_nowait(await asyncio.to_thread(self._keep, bond.peer_name, receiver.received))
            receiver.received = None

    def _keep(self, sender: str, blob: bytes) -> Arrived:
        digest = hashlib.sha256(blob).hexdigest()
        arrived = Arrived(sender, len(blob), digest, None)
        if self._save is None:
            return arrived
        try:
            return Arrived(sender, len(blob), digest, _written(self._save, digest, blob))
        except OSError as error:
            return Arrived(sender, len(blob), digest, None, f"it cannot be saved: {error}")


def _written(folder: Path, digest: str, blob: bytes) -> Path:
    """A new file for its owner alone, under a name that the peer has no say in."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{digest[:8]}.bin"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(blob)
    return path
