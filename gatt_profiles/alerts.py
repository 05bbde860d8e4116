"""The serving side of Alert Notification: counts what is new and unread, and tells of what was enabled.

Source: Alert Notification Service 1.0, section 3 (a category is told of from when a client enables it).
"""

from __future__ import annotations

from blechannel.errors import AttributeRefused, LocalProtocolError
from gatt_profiles.alert_notification import (
    COMMAND_NOT_SUPPORTED,
    CONTROL_POINT,
    MAX_TEXT_BYTES,
    NEW_ALERT,
    SUPPORTED_NEW,
    SUPPORTED_UNREAD,
    UNREAD_STATUS,
    Categories,
    Category,
    Command,
    ControlPoint,
    NewAlert,
    UnreadStatus,
)
from gatt_profiles.server import Server


class Alerts:
    """Counts of one server; what a client enables, it enables for all clients."""

    def __init__(self, server: Server, *categories: Category) -> None:
        self._server = server
        self._new = {category: NewAlert(category, 0, "") for category in categories}
        self._unread = {category: UnreadStatus(category, 0) for category in categories}
        self._tells_new: set[Category] = set()
        self._tells_unread: set[Category] = set()
        server.set(SUPPORTED_NEW, Categories.of(*categories))
        server.set(SUPPORTED_UNREAD, Categories.of(*categories))
        server.on_write(CONTROL_POINT, self._commanded)

    def came(self, category: Category, text: str) -> None:
        """Something came in; `text` is cut to 18 bytes.

        Raises:
            LocalProtocolError: a category that is not among those of this server.
        """
        self._check(category)
        cut = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
        self._new[category] = NewAlert(category, min(255, self._new[category].count + 1), cut)
        self._set_unread(category, min(255, self._unread[category].count + 1))
        if category in self._tells_new:
            self._server.set(NEW_ALERT, self._new[category])

    def was_read(self, category: Category) -> None:
        """All of a category was read; raises as `came`."""
        self._check(category)
        self._new[category] = NewAlert(category, 0, "")
        self._set_unread(category, 0)

    def _check(self, category: Category) -> None:
        if category not in self._new:
            raise LocalProtocolError(f"these alerts have no category {category.name}")

    def _set_unread(self, category: Category, count: int) -> None:
        self._unread[category] = UnreadStatus(category, count)
        if category in self._tells_unread:
            self._server.set(UNREAD_STATUS, self._unread[category])

    def _commanded(self, written: ControlPoint) -> None:
        meant = set(self._new) if written.category is Category.ALL else {written.category} & set(self._new)
        if not meant:
            raise AttributeRefused(COMMAND_NOT_SUPPORTED, f"no alerts of category {written.category.name}")
        match written.command:
            case Command.ENABLE_NEW:
                self._tells_new |= meant
            case Command.ENABLE_UNREAD:
                self._tells_unread |= meant
            case Command.DISABLE_NEW:
                self._tells_new -= meant
            case Command.DISABLE_UNREAD:
                self._tells_unread -= meant
            case Command.NOTIFY_NEW_NOW:
                for category in sorted(meant & self._tells_new):
                    self._server.set(NEW_ALERT, self._new[category])
            case Command.NOTIFY_UNREAD_NOW:
                for category in sorted(meant & self._tells_unread):
                    self._server.set(UNREAD_STATUS, self._unread[category])
            case _:
                raise AttributeRefused(COMMAND_NOT_SUPPORTED, f"no command {written.command}")
