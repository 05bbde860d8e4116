"""What Linux calls its Bluetooth adapters."""

from __future__ import annotations

import re

from blechannel.errors import LocalProtocolError


def check_adapter_name(name: str) -> str:
    """The same name; it becomes part of a D-Bus path.

    Raises:
        LocalProtocolError: it is none.
    """
    if not re.fullmatch(r"hci[0-9]{1,3}", name):
        raise LocalProtocolError(f"{name!r} is no Bluetooth adapter of Linux: write hci0, hci1, …")
    return name
