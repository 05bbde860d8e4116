"""Captures written in other formats."""

from __future__ import annotations

import csv
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from blechannel.codec import encode
from blechannel.errors import MissingExtra
from blechannel.roles import Role
from blechannel.wire.frames import RECORD_TYPE_OF
from blechannel_capture import att
from blechannel_capture.capture import Capture
from blechannel_capture.channel.events import ChannelFrame
from blechannel_capture.containers.pcapng_writer import EXPORTED_PDU, PcapngWriter
from blechannel_capture.events import AttPdu, Event
from blechannel_capture.gatt_map import short_uuid
from blechannel_capture.json_lines import as_line

COLUMNS: Final = ("packet", "time_ns", "connection", "sender", "opcode", "name", "handle", "uuid", "value")
ROWS_AT_ONCE: Final = 10_000
DISSECTOR: Final = b"blechannel.record"
_TAG_DISSECTOR, _TAG_PACKET, _TAG_END = 12, 30, 0


def write_json_lines(capture: Capture, path: Path, *, show_keys: bool = False) -> int:
    """One object an event; the number of lines. Raises OSError, CaptureError."""
    count = 0
    with path.open("x", encoding="ascii") as file:
        for count, event in enumerate(capture, 1):  # noqa: B007 - the last one is what is returned
            file.write(as_line(event, show_keys=show_keys) + "\n")
    return count


def write_csv(capture: Capture, path: Path) -> int:
    """One row an ATT PDU, with a heading; the number of rows. Raises OSError, CaptureError."""
    count = 0
    with path.open("x", encoding="ascii", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for row in _rows(capture):
            rows.writerow(row)
            count += 1
    return count


def write_parquet(capture: Capture, path: Path) -> int:
    """The same rows as Parquet.

    Raises:
        MissingExtra: pyarrow is not installed.
        OSError, CaptureError: as everywhere.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtra("parquet", "a Parquet file") from error
    kinds = {"packet": pa.int64(), "time_ns": pa.timestamp("ns", tz="UTC")} | {
        name: pa.int32() for name in ("connection", "opcode", "handle")
    }
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    count = 0
    with path.open("xb") as file, parquet.ParquetWriter(file, schema) as writer:
        batch: list[tuple[Any, ...]] = []
        for row in _rows(capture):
            batch.append(row)
            if len(batch) == ROWS_AT_ONCE:
                writer.write_table(_table(pa, schema, batch))
                count, batch = count + len(batch), []
        writer.write_table(_table(pa, schema, batch))
    return count + len(batch)


def _table(pa: Any, schema: Any, rows: list[tuple[Any, ...]]) -> Any:
    columns = zip(*rows, strict=True) if rows else [() for _ in COLUMNS]
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _rows(capture: Capture) -> Iterator[tuple[Any, ...]]:
    for event in capture:
        if type(event) is AttPdu:
            attribute = capture.gatt(event.connection).attributes.get(event.handle)
            uuid = short_uuid(attribute.uuid) if attribute is not None else ""
            where = (event.packet, event.time_ns, event.connection.number, event.sender.value)
            yield (*where, event.opcode, att.name_of(event.opcode), event.handle, uuid, event.value.hex())


def write_pcapng(capture: Capture, path: Path) -> int:
    """Every packet as it was, and behind it the records that were opened, as exported PDUs; the number of both."""
    count = 0
    with path.open("xb") as file:
        writer = PcapngWriter(file)
        for packet, events in capture.steps():
            if packet is None:
                continue
            count += writer.packet(packet)
            for event in events:
                if (opened := exported(event)) is not None:
                    writer.raw(EXPORTED_PDU, opened, event.time_ns)
                    count += 1
    return count


def exported(event: Event) -> bytes | None:
    """A record that was opened, behind the tags that tell Wireshark who reads it; None for anything else.

    The PDU is `role(1: 0 phone, 1 watch) ‖ record number(8) ‖ record type(1) ‖ body`, big-endian.
    """
    if not isinstance(event, ChannelFrame) or event.body is None or event.record is None:
        return None
    role = 0 if event.sender is Role.PHONE else 1
    kind = RECORD_TYPE_OF[type(event.body)]
    pdu = struct.pack(">BQB", role, event.record, kind) + encode(event.body)
    tags = _tag(_TAG_DISSECTOR, DISSECTOR) + _tag(_TAG_PACKET, struct.pack(">I", event.packet)) + _tag(_TAG_END, b"")
    return tags + pdu


def _tag(number: int, value: bytes) -> bytes:
    padded = value + bytes(-len(value) % 4)
    return struct.pack(">HH", number, len(padded)) + padded
