"""The log as JSON, one object a line, for machines that collect it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from blechannel.errors import LocalProtocolError

STANDARD_ERROR: Final = "-"
OWN_LOGGERS: Final = ("blechannel", "blechannel_tools")
FIELDS: Final = frozenset({"kind", "bond", "peer", "port", "error", "left_out"})
"""What a record's own `fields` may hold; anything else stays out of the log."""


class JsonLines(logging.Formatter):
    """`time` (UTC, ISO 8601), `level`, `logger`, `message`, `FIELDS` where they are known, and `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, in ASCII: what a peer calls itself cannot begin another."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields: dict[str, object] = getattr(record, "fields", {})
        entry |= {name: value for name, value in fields.items() if name in FIELDS}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def add_log_json(parser: argparse.ArgumentParser) -> None:
    """Declare `--log-json`."""
    about = "log as JSON, one object a line, to this file, or with - to standard error"
    parser.add_argument("--log-json", metavar="FILE", help=about)


@contextmanager
def logging_as(options: argparse.Namespace) -> Iterator[None]:
    """Log as the options say, till the block is left.

    Raises:
        LocalProtocolError: the file cannot be written.
    """
    path: str | None = getattr(options, "log_json", None)
    if path is None:
        yield
        return
    handler = _open(path)
    handler.setFormatter(JsonLines())
    own = [logging.getLogger(name) for name in OWN_LOGGERS]
    for logger in own:
        logger.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for logger in own:
            logger.setLevel(logging.NOTSET)
        handler.close()


def _open(path: str) -> logging.Handler:
    if path == STANDARD_ERROR:
        return logging.StreamHandler(sys.stderr)
    try:
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise LocalProtocolError(f"the log {path} cannot be written ({error.strerror}): choose another file") from error
