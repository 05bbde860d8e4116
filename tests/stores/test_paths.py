"""Where stores are kept by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel.roles import Role
from blechannel.stores.paths import default_store_path


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for variable in ("BLECHANNEL_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("linux", ".local/share/blechannel"),
        ("freebsd14", ".local/share/blechannel"),
        ("darwin", "Library/Application Support/blechannel"),
        ("win32", "AppData/Local/blechannel"),
    ],
)
def test_each_platform_has_its_folder(home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, folder: str) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert default_store_path(Role.PHONE) == home / folder / "phone.db"
    assert default_store_path(Role.WATCH) == home / folder / "watch.db"
    assert not list(home.iterdir())


@pytest.mark.parametrize(("platform", "variable"), [("linux", "XDG_DATA_HOME"), ("win32", "LOCALAPPDATA")])
def test_the_platforms_variable_is_heard(
    home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv(variable, str(home / "data"))
    assert default_store_path(Role.PHONE) == home / "data" / "blechannel" / "phone.db"


def test_a_relative_data_home_is_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert default_store_path(Role.PHONE) == home / ".local/share/blechannel/phone.db"


def test_our_own_variable_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("BLECHANNEL_HOME", str(home / "here"))
    assert default_store_path(Role.WATCH) == home / "here" / "watch.db"
