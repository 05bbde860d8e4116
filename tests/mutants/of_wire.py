"""Fragments, frames and advertisements (`blechannel/wire`, `codec`, `values`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

FRAGMENTS, FLOW, ADVERTS = "wire/fragments.py", "wire/flow.py", "wire/adverts.py"
REFUSED = "raise FragmentRefused(FragmentFault.{})".format
SOME, VALUES = "wire/test_fragments.py", "test_values.py"


def fault(name: str, file: str, tests: str = SOME) -> Mutant:
    """The refusal by that name, gone."""
    return Mutant(f"fragments: {name}", file, REFUSED(name), "pass", tests)


MUTANTS = [
    Mutant("a secret field is not shown", "values.py", " if f.repr)", ")", VALUES),
    Mutant("a frozen value refuses assignment", "values.py", '"__setattr__": _refuse_set, ', "", VALUES),
    Mutant("a frozen value refuses deletion", "values.py", '"__delattr__": _refuse_delete, ', "", VALUES),
    Mutant("a value is checked when it is made", "values.py", 'yield "self.__post_init__()"', 'yield "pass"', VALUES),
    Mutant(
        "values of two classes are not equal",
        "values.py",
        " if other.__class__ is self.__class__ else NotImplemented",
        "",
        VALUES,
    ),
    *(fault(name, FRAGMENTS) for name in ("TOO_SHORT", "TOO_LONG", "EMPTY", "CONTROL_WITH_DATA", "SECOND_START")),
    *(fault(name, FRAGMENTS) for name in ("FRAME_TOO_SLOW", "PAYLOAD_TOO_SMALL")),
    *(fault(name, FLOW) for name in ("WINDOW_INVALID", "WINDOW_OVERRUN", "ACK_OF_UNSENT")),
    Mutant(
        "fragments: NO_START",
        FRAGMENTS,
        "        if partial is None:\n            raise FragmentRefused(FragmentFault.NO_START)",
        "        if partial is None:\n            return None",
        SOME,
    ),
    Mutant(
        "a gap between data fragments ends the link",
        FLOW,
        "if number != received & NUMBER_MASK:",
        "if False:",
        SOME,
    ),
    Mutant(
        "a control fragment that tells of a gap ends the link",
        FLOW,
        "if following != self.received & NUMBER_MASK:",
        "if False:",
        SOME,
    ),
    Mutant(
        "a frame over the limit is refused at its first fragment",
        FRAGMENTS,
        "        if frame_bytes > self._max_receive_bytes:",
        "        if False:",
        SOME,
    ),
    Mutant(
        "a first fragment with more than its frame is refused",
        FRAGMENTS,
        "        if len(data) > frame_bytes:",
        "        if False:",
        SOME,
    ),
    Mutant(
        "a last fragment with more than its frame is refused",
        FRAGMENTS,
        "if size > self._frame_bytes:",
        "if False:",
        SOME,
    ),
    Mutant(
        "no peer declares frames over the limit",
        FRAGMENTS,
        "if not MIN_FRAME_BYTES <= max_frame_bytes <= MAX_FRAME_BYTES:",
        "if not MIN_FRAME_BYTES <= max_frame_bytes:",
        SOME,
    ),
    Mutant(
        "a stream that failed stays so",
        FRAGMENTS,
        "            raise self._failure.with_traceback(None)",
        "            pass",
        SOME,
    ),
    Mutant(
        "a stream that failed says nothing",
        FRAGMENTS,
        "        if self._failure is not None:\n            return []",
        "        if False:\n            return []",
        SOME,
    ),
    Mutant(
        "a peer that acknowledges nothing is given up",
        FLOW,
        "if self.sent != self._acknowledged and now >= self._progress_s + stall_s:",
        "if False:",
        SOME,
    ),
    Mutant(
        "a peer that answers no probe is given up",
        FLOW,
        "return self._asked_s > self._heard_s and now >= self._asked_s + stall_s",
        "return False",
        SOME,
    ),
    Mutant(
        "integers alone have one length",
        "codec.py",
        "integers.unpack(data)",
        "integers.unpack_from(data)",
        "test_codec.py",
    ),
    Mutant(
        "bytes behind a value are refused",
        "codec.py",
        "if encode(value) != data:",
        "if False:",
        "test_codec.py wire/test_frames.py",
    ),
    Mutant(
        "a text that was sent is bounded",
        "codec.py",
        "        if len(obj) > self.max_bytes:",
        "        if False:",
        "test_codec.py",
    ),
    Mutant(
        "byte strings that were sent are bounded",
        "codec.py",
        "if len(blobs) > self.max_count or any(len(blob) > self.max_bytes for blob in blobs):",
        "if False:",
        "test_codec.py pairing/test_attestation.py",
    ),
    Mutant(
        "a flag of an advertisement that is not defined is refused",
        ADVERTS,
        '            raise MalformedFrame("no Advert: a flag that is not defined")',
        "            pass",
        "wire/test_adverts.py",
    ),
    Mutant(
        "an advertisement's code covers its flags",
        ADVERTS,
        "_LABEL + bytes((flags,)) + nonce + step",
        "_LABEL + nonce + step",
        "wire/test_adverts.py",
    ),
    Mutant(
        "an advertisement of another time is not resolved",
        ADVERTS,
        '_acceptable_steps(unix_time_s) if advert.timed else [b""]',
        '[_STEP.pack(step) for step in range(1_800_000, 2_200_000)] if advert.timed else [b""]',
        "wire/test_adverts.py",
    ),
    Mutant(
        "a phone without a clock resolves no timed advertisement",
        ADVERTS,
        "    if unix_time_s is None:\n        return []",
        "    if False:\n        return []",
        "wire/test_adverts.py",
    ),
    Mutant(
        "an advertisement's code is compared in constant time",
        ADVERTS,
        "hmac.compare_digest(code, advert.mac)",
        "code == advert.mac",
        "test_constant_time.py",
    ),
    Mutant(
        "a frame's length does not lie",
        "wire/frames.py",
        'raise MalformedFrame("no frame: its length lies")',
        "pass",
        "wire/test_frames.py",
    ),
    Mutant(
        "a message has its port's number",
        "wire/frames.py",
        'raise MalformedFrame("no Data: too short")',
        "pass",
        "wire/test_frames.py session",
    ),
]
