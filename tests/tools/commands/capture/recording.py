"""What a captured world leaves in a folder, and the command that reads it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from blechannel.roles import Role
from tests.capture.channel_traffic import CapturedWorld
from tests.capture.writing import HCI_FILES

LINK_KEY: Final = bytes(range(0x10, 0x20))


class Pipe:
    """Standard input, as far as a command sees it."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BufferedReader(io.BytesIO(content))


class Recording:
    """Both sides' captures as files, and one key log of both."""

    def __init__(self, folder: Path, world: CapturedWorld) -> None:
        self.world = world
        self.phone, self.watch, self.keys = (folder / name for name in ("phone.btsnoop", "watch.btsnoop", "keys.log"))
        for role, path in ((Role.PHONE, self.phone), (Role.WATCH, self.watch)):
            path.write_bytes(HCI_FILES["btsnoop H4"](world.taps[role].said))
        self.keys.write_text("".join(line + "\n" for role in Role for line in world.lines[role]))

    @property
    def opened(self) -> tuple[str, str, str]:
        """Arguments: the phone's capture, with the keys."""
        return str(self.phone), "--keys", str(self.keys)

    @property
    def opened_watch(self) -> tuple[str, str, str]:
        """Arguments: the watch's capture, with the keys."""
        return str(self.watch), "--keys", str(self.keys)
