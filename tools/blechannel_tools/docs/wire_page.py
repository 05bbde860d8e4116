"""docs/wire.md: every byte on the air, from the declarations in `blechannel.wire`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

from blechannel import gatt, limits
from blechannel.codec import FieldRow, describe, dissect, encode
from blechannel.config import Padding
from blechannel.methods import Method, Suite
from blechannel.noise import CHACHAPOLY, CipherState, Transport
from blechannel.pairing.keys import PAIR_PROTOCOL, RECONNECT_PROTOCOL
from blechannel.roles import Role
from blechannel.session.conversation import TABLE
from blechannel.session.records import TAG_BYTES, TYPE_BYTES, Records
from blechannel.wire.adverts import ADVERT_BYTES, TIME_STEP_S, Advert
from blechannel.wire.frames import (
    KINDS,
    RECORD_TYPE_OF,
    RECORD_TYPES,
    Data,
    Evidence,
    Hello,
    Mode,
    Pair1,
    Pair2,
    Pair3,
    PairAnswer,
    PairProof,
    PairShare,
    Reconnect1,
    Reconnect2,
    Record,
    Refusal,
    encode_frame,
)
from blechannel.wire.header import FRAME_HEADER_BYTES, MAX_BODY_BYTES
from blechannel_tools.docs import fragment_layout, wire_words
from blechannel_tools.docs.examples import ADVERT, ADVERTISED_AT_S, DISCOVERY_KEY, EXAMPLES, SEND_KEY
from blechannel_tools.docs.markdown import annotated, generated, table

_INSIDE: Final[dict[type[object], tuple[str, int, type[object] | None]]] = {
    Pair1: ("m1", PAIR_PROTOCOL.messages[0].overhead_bytes, PairShare),
    Pair2: ("m2", PAIR_PROTOCOL.messages[1].overhead_bytes, PairAnswer),
    Pair3: ("m3", PAIR_PROTOCOL.messages[2].overhead_bytes, PairProof),
    Reconnect1: ("m1", RECONNECT_PROTOCOL.messages[0].overhead_bytes, None),
    Reconnect2: ("m2", RECONNECT_PROTOCOL.messages[1].overhead_bytes, None),
}
"""What each handshake frame carries: the Noise message, its bytes without a payload, and the payload."""

_NUMBERS: Final[tuple[type[IntEnum], ...]] = (Method, Suite, Mode, Refusal, Evidence)
_DEFAULT_BLOCK: Final = Padding().block_bytes


def wire_page() -> str:
    """The whole page."""
    return "\n".join(
        [
            *generated("The wire"),
            wire_words.INTRODUCTION,
            *_service(),
            *_advertisement(),
            *_fragments(),
            *_frames(),
            *_payloads(),
            *_records(),
            *_numbers(),
            *_sizes(),
        ]
    )


# --- sections, in the order of the page -------------------------------------------------------------------------


def _service() -> Iterator[str]:
    rows = [
        ("service", f"`{gatt.SERVICE_UUID}`", "", ""),
        ("inbox", f"`{gatt.INBOX_UUID}`", "write, write without response", "fragments, phone → watch"),
        ("outbox", f"`{gatt.OUTBOX_UUID}`", "notify", "fragments, watch → phone; the first frame is `Info`"),
        ("info", f"`{gatt.INFO_UUID}`", "read", "the same `Info` frame, header included"),
    ]
    yield from ("## GATT service", "", wire_words.SERVICE)
    yield from table(["", "UUID", "properties", "carries"], rows)


def _advertisement() -> Iterator[str]:
    yield from ("## Advertisement", "", wire_words.ADVERTISEMENT.format(bytes=ADVERT_BYTES, step_s=TIME_STEP_S))
    yield from _fields(Advert)
    yield f"Example: discovery key `{DISCOVERY_KEY.hex()}`,"
    yield f"at {ADVERTISED_AT_S} seconds of Unix time (time step {ADVERTISED_AT_S // TIME_STEP_S}), no window open."
    yield ""
    yield from annotated(_parts(ADVERT))


def _fragments() -> Iterator[str]:
    yield from (
        "## Fragments",
        "",
        wire_words.FRAGMENTS.format(least=limits.MIN_FRAGMENT_BYTES, most=limits.MAX_FRAGMENT_BYTES),
    )
    yield from table(["field", "size", "meaning"], fragment_layout.rows())
    yield "Example: the frame `Refuse` in one fragment, the first that this side sends, and its acknowledgement."
    yield ""
    yield from annotated(fragment_layout.example())


def _frames() -> Iterator[str]:
    yield from ("## Frames", "", wire_words.FRAMES.format(most=MAX_BODY_BYTES))
    rows = [
        (f"0x{kind:02x}", _link(cls), _speakers(cls), _total(cls), _first_sentence(cls)) for kind, cls in KINDS.items()
    ]
    yield from table(["kind", "frame", "sent by", "body bytes", ""], rows)
    for kind, cls in KINDS.items():
        yield from _heading(cls, f"kind 0x{kind:02x}")
        frame = encode_frame(EXAMPLES[cls])  # type: ignore[arg-type]
        header = frame[:FRAME_HEADER_BYTES]
        meaning = f"kind 0x{kind:02x}, {len(frame) - FRAME_HEADER_BYTES} bytes follow"
        yield from annotated([(header, meaning), *_parts(EXAMPLES[cls])])


def _payloads() -> Iterator[str]:
    yield from ("## Inside the handshake frames", "", wire_words.PAYLOADS)
    for cls, where in (
        (Hello, "in the clear, in Pair1 and Reconnect1"),
        (PairShare, "inside Pair1"),
        (PairAnswer, "inside Pair2"),
        (PairProof, "inside Pair3"),
    ):
        yield from _heading(cls, where)
        yield from annotated(_parts(EXAMPLES[cls]))


def _records() -> Iterator[str]:
    yield from ("## Records", "", wire_words.RECORDS)
    yield f"Example: `Data` as the first record under the key `{SEND_KEY.hex()}`,"
    yield f"padded to a multiple of {_DEFAULT_BLOCK} bytes."
    yield ""
    yield from annotated(_sealed_example())
    rows = [
        (str(number), _link(cls), _speakers(cls), _total(cls), _first_sentence(cls))
        for number, cls in RECORD_TYPES.items()
    ]
    yield from table(["type", "record", "sent by", "body bytes", ""], rows)
    for number, cls in RECORD_TYPES.items():
        yield from _heading(cls, f"record type {number}")
        yield from annotated([*_parts(EXAMPLES[cls]), (bytes((number,)), f"record type {number}")])


def _numbers() -> Iterator[str]:
    yield from ("## Numbers", "", "A number that is not listed is refused as malformed, or as unsupported.", "")
    for members in _NUMBERS:
        yield from (f"**{members.__name__}**. {_flat(members)}", "")
        yield from table(["number", "name"], [(str(member.value), _words(member.name)) for member in members])


def _sizes() -> Iterator[str]:
    yield from ("## Sizes of the handshakes", "", wire_words.SIZES)
    rows = []
    for cls, (message, overhead_bytes, payload) in _INSIDE.items():
        body_bytes = _body_bytes(cls)
        sizes = (overhead_bytes, _payload_bytes(payload), body_bytes - _bounds(cls)[0], FRAME_HEADER_BYTES + body_bytes)
        rows.append((_link(cls), message, *map(str, sizes)))
    yield from table(["frame", "message", "Noise", "payload", "message in all", "frame in all"], rows)


# --- parts of sections ------------------------------------------------------------------------------------------


def _heading(cls: type[object], what: str) -> Iterator[str]:
    yield from (f"### {cls.__name__}", "", f"*{what[0].upper()}{what[1:]}.* {_flat(cls)}", "")
    yield from _fields(cls)


def _fields(cls: type[object]) -> list[str]:
    rows = [(f"`{row.name}`", _span((row.least_bytes, row.most_bytes)), row.meaning) for row in describe(cls)]
    if len(rows) > 1 or cls in _INSIDE:
        rows.append(("**in all**", f"**{_total(cls)}**", ""))
    return table(["field", "bytes", "meaning"], rows)


def _parts(value: object) -> Iterable[tuple[bytes, str]]:
    return [(part, f"{name}{_shown(getattr(value, name))}") for name, part in dissect(value)]


def _shown(value: object) -> str:
    match value:
        case IntEnum():
            return f" = {int(value)}, {_words(value.name)}"
        case int():
            return f" = {value}"
        case str():
            return f" = {value!r}, after its length"
        case _:
            return ""


def _sealed_example() -> list[tuple[bytes, str]]:
    """A whole frame, from the record layer itself."""
    keys = CipherState(CHACHAPOLY, SEND_KEY), CipherState(CHACHAPOLY, SEND_KEY)
    records = Records(Transport(*keys, b"", b""), padding=Padding(), max_body_bytes=limits.MIN_FRAME_BYTES)
    body = encode(EXAMPLES[Data])
    frame = records.seal(RECORD_TYPE_OF[Data], body)
    zeros = bytes(len(frame) - FRAME_HEADER_BYTES - TAG_BYTES - TYPE_BYTES - len(body))
    return [
        (body, "plaintext: body of Data"),
        (bytes((RECORD_TYPE_OF[Data],)), "           record type"),
        (zeros, "           padding"),
        (frame[:FRAME_HEADER_BYTES], "frame:     header, which is the associated data"),
        (frame[FRAME_HEADER_BYTES:-TAG_BYTES], "           ciphertext"),
        (frame[-TAG_BYTES:], "           tag"),
    ]


def _speakers(cls: type[object]) -> str:
    """Who says it, as the conversation table has it; a Record carries what either says."""
    said = {role for row in TABLE.values() for role, what in row if what is cls or cls is Record}
    return "either" if len(said) == len(Role) else said.pop().value


def _bounds(cls: type[object]) -> tuple[int, int | None]:
    rows: list[FieldRow] = list(describe(cls))
    most = [row.most_bytes for row in rows]
    return sum(row.least_bytes for row in rows), None if None in most else sum(filter(None, most))


def _body_bytes(cls: type[object]) -> int:
    """Of a handshake frame: exactly, in this suite."""
    _, overhead_bytes, payload = _INSIDE[cls]
    return _bounds(cls)[0] + overhead_bytes + _payload_bytes(payload)


def _payload_bytes(payload: type[object] | None) -> int:
    return _bounds(payload)[0] if payload else 0


def _total(cls: type[object]) -> str:
    if cls is Record:
        return f"{TYPE_BYTES + TAG_BYTES} or more"
    return str(_body_bytes(cls)) if cls in _INSIDE else _span(_bounds(cls))


def _span(bounds: tuple[int, int | None]) -> str:
    least, most = bounds
    if most is None:
        return f"{least} or more" if least else "the rest"
    return str(least) if least == most else f"{least} to {most}"


def _flat(cls: type[object]) -> str:
    return " ".join((inspect.getdoc(cls) or "").split())


def _first_sentence(cls: type[object]) -> str:
    return _flat(cls).split(". ")[0].rstrip(".")


def _link(cls: type[object]) -> str:
    return f"[{cls.__name__}](#{cls.__name__.lower()})"


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
