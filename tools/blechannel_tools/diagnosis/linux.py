"""All that is looked at on Linux alone."""

from __future__ import annotations

import os
from pathlib import Path

from blechannel_tools.board import Board, Daemon, Nfc
from blechannel_tools.diagnosis.adapters import adapter_names, adapters
from blechannel_tools.diagnosis.bluez import bluez
from blechannel_tools.diagnosis.bus import bluez_on_bus
from blechannel_tools.diagnosis.files import is_running
from blechannel_tools.diagnosis.finding import Finding, fail, ok
from blechannel_tools.diagnosis.nfc import nfc_readers
from blechannel_tools.diagnosis.permissions import devices, hci_sockets
from blechannel_tools.diagnosis.software import installed_version


async def linux(root: Path = Path("/"), *, bus_address: str | None = None, board: Board | None = None) -> list[Finding]:
    """What the files under `root`, and the bus at `bus_address` or the system's, say; nothing is changed."""
    daemon_runs = is_running(root, "bluetoothd")
    findings = [
        *adapters(root, daemon_runs=daemon_runs),
        *([hci_sockets(root)] if adapter_names(root) else []),
        *devices(root),
        *bluez(root, daemon_runs=daemon_runs, groups=own_groups(), is_root=os.geteuid() == 0),
    ]
    if daemon_runs:
        findings += await bluez_on_bus(bus_address)
    if board is not None:
        findings.append(wants(board, daemon_runs))
    is_wanted = board is not None and board.nfc is Nfc.READER
    return [*findings, *nfc_readers(root, nfcpy=installed_version("nfcpy"), is_wanted=is_wanted)]


def own_groups() -> set[str]:
    """The names of this process's groups; of those without a name nobody speaks."""
    import grp

    numbers = {os.getegid(), *os.getgroups()}
    return {group.gr_name for group in grp.getgrall() if group.gr_gid in numbers}


def wants(board: Board, daemon_runs: bool) -> Finding:
    """Whether bluetoothd is as the board wants it."""
    subject = "board"
    if board.bluetoothd is Daemon.STOPPED and daemon_runs:
        return fail(subject, f"{board.name} wants bluetoothd stopped", "sudo systemctl stop bluetooth")
    if board.bluetoothd is Daemon.RUNNING and not daemon_runs:
        return fail(subject, f"{board.name} wants bluetoothd", "sudo systemctl start bluetooth")
    return ok(subject, board.title if board.tried else f"{board.title}; not tried by this project")
