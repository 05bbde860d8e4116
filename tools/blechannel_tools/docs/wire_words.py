"""What docs/wire.md says between its tables: how the declared pieces lie in one another."""

from __future__ import annotations

from typing import Final

INTRODUCTION: Final = """\
Every byte that blechannel puts on the air, as the code declares it. Who may send what and when is in
[conversation.md](conversation.md); how keys come about, and why all this is so, is in
[protocol.md](protocol.md).

One thing lies in another:

```text
GATT value    header(2) | piece of a frame                          a fragment
frame         kind(1) | length(2) | body(length)                    joined from fragments
body          a handshake message, INFO, a refusal, or a sealed record
record        body | type(1) | zeros, sealed with a 16-byte tag
```

- Numbers are unsigned and big-endian. `‖` joins bytes; `lv(x)` is x behind its length as unsigned LEB128.
- A *text* is one byte that counts the bytes of UTF-8 after it. Its size in the tables includes that byte.
- *The rest* is all bytes up to the end of the frame or record.
- Reading is total: too few bytes, bytes left over where nothing takes the rest, a text that is no UTF-8 or too
  long, or a number that is not listed make it malformed, and the session ends. Whatever is read gives the same
  bytes when it is written again.
- The examples were made by the code that runs. Their keys and shares are bytes that count up, not results of a
  run.
"""

SERVICE: Final = """\
The watch is the peripheral and has the service; the phone is the central. Nothing depends on the link's own
encryption.
"""

ADVERTISEMENT: Final = """\
The advertisement holds flags and the service's 128-bit UUID; the scan response holds {bytes} bytes of service
data under that UUID (AD type 0x21), which only a bonded phone can tell from random bytes. They are made anew
at least every {step_s} seconds. The time step is Unix time divided by {step_s}; a phone takes the step of
its own clock and the two beside it. A watch without a bond sends a random `mac`.
"""

FRAGMENTS: Final = """\
A frame travels in pieces of what the link carries in one value: {least} to {most} bytes, ATT_MTU less 3. Each
piece is a fragment of two header bytes and data. A control fragment is the header alone; it acknowledges, or
asks for it.

- Data fragments of a direction are numbered 0, 1, … modulo 128 over the whole link, whichever frame they belong
  to. Control fragments have no number of their own. `acknowledgement` counts data fragments only, and every
  fragment has it.
- A frame starts in a fragment of its own (`mark` = 1) whose data holds at least the frame's 3-byte header; it
  ends where the length in that header says, at the end of a fragment.
- With the window W that a side declared in `Info` or `Hello`, its peer keeps at most W − 1 data fragments
  unacknowledged. The last slot is for control fragments, so that two full windows can still acknowledge each
  other. Until a side has declared W, 4 is assumed.
- A number that is not the next one, an acknowledgement of what was never sent, a start inside a frame, a
  continuation outside one, an empty data fragment and a control fragment with data each end the link.
"""

FRAMES: Final = """\
A frame is `kind(1) ‖ length(2) ‖ body(length)`, at most {most} bytes of body, and at most what the receiver
declared as `max_frame_bytes`, header included. The high half of `kind` is the version of this framing: 1.
"""

PAYLOADS: Final = """\
`Hello` travels as it stands and is hashed with the bytes that were on the air. The others are the payloads of
the Noise messages, sealed inside `noise`.
"""

RECORDS: Final = """\
After the handshake every frame is a `Record`. Its plaintext is `body ‖ type ‖ zeros`: the type is the last byte
that is not zero, so that padding needs no length and no type is 0. The sender pads to a multiple of its
choosing, up to what the receiver takes; the receiver takes any number of zeros, and refuses a plaintext of
zeros alone.

`sealed = ChaCha20-Poly1305(key of the direction, nonce = 4 zero bytes ‖ n as 8 bytes little-endian, plaintext,
associated data = the 3-byte frame header)`, with the tag at the end. n counts the records of a direction from 0
and is not sent. Before record n, where n > 0 and n is a multiple of 16384, the direction's key is replaced by
Noise's `REKEY` (the first 32 bytes of 32 zeros sealed under n = 2^64 − 1, without associated data); n goes on.
A record that does not verify ends the session.
"""

SIZES: Final = """\
Bytes of each message, exactly. *Noise* is what the pattern needs without a payload; *frame in all* adds the
payload, the fields before `noise` and the frame's header. Each fragment adds 2 bytes.
"""
