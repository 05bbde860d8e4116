"""Where a bond store is kept when nobody says where."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from blechannel.roles import Role

HOME_VARIABLE: Final = "BLECHANNEL_HOME"
"""Environment variable: the folder to use instead of the platform's."""


def default_store_path(role: Role) -> Path:
    """`phone.db` or `watch.db` in the folder for application data of this platform. Nothing is created."""
    return _folder() / f"{role.value}.db"


def _folder() -> Path:
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen)
    return _data_folder(sys.platform) / "blechannel"


def _data_folder(platform: str) -> Path:
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    chosen = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification: a path that is not absolute is to be ignored.
    return Path(chosen) if os.path.isabs(chosen) else Path.home() / ".local" / "share"
