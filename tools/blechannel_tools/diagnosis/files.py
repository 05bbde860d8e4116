"""Reading what a kernel and a system keep in small files, which may be gone or closed to us at any moment."""

from __future__ import annotations

from pathlib import Path


def word(path: Path) -> str:
    """What a file of one line says; nothing where it is gone meanwhile or closed to us."""
    return text(path).strip()


def text(path: Path) -> str:
    """What a file says; nothing where it is gone meanwhile or closed to us."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def is_running(root: Path, command: str) -> bool:
    """Whether a process of that name runs; the kernel keeps its first 15 characters."""
    return any(word(process / "comm") == command[:15] for process in (root / "proc").glob("[0-9]*"))
