"""A man in the middle of two live sessions, who sees and may change every frame in the clear or sealed."""

from __future__ import annotations

from collections.abc import Callable

from blechannel.limits import MAX_WINDOW, Limits, Patience
from blechannel.roles import Role
from blechannel.wire.fragments import FragmentStream
from tests.session.sides import Side

Meddle = Callable[[Role, int, bytes], list[tuple[Role, bytes]]]
"""Given who said the frame, its number in the conversation and the frame: whom to give what instead."""


def pass_on(sender: Role, _number: int, frame: bytes) -> list[tuple[Role, bytes]]:
    """An honest middle."""
    return [(sender.peer, frame)]


class Middle:
    """Ends the fragment layer on both sides, so that what is changed reaches the cryptography."""

    def __init__(self, phone: Side, watch: Side, meddle: Meddle = pass_on) -> None:
        self.sides = {Role.PHONE: phone, Role.WATCH: watch}
        self.seen: list[tuple[Role, bytes]] = []
        self._meddle = meddle
        self._streams = {role: self._stream() for role in Role}

    @staticmethod
    def _stream() -> FragmentStream:
        stream = FragmentStream(max_fragment_bytes=244, receive=Limits(), patience=Patience())
        stream.peer_limits(window=MAX_WINDOW, max_frame_bytes=Limits().max_frame_bytes)
        return stream

    def say(self, to: Role, frame: bytes) -> None:
        """Give a side a frame."""
        self._streams[to].send(frame)

    def run(self) -> None:
        """Until nothing moves."""
        while sum(map(self._step, Role)):
            """Both sides have their turn in each round."""

    def _step(self, role: Role) -> bool:
        side, stream = self.sides[role], self._streams[role]
        to_side = stream.fragments_to_send(0.0)
        side.hear(to_side)
        from_side = side.said()
        for fragment in from_side:
            frame = stream.receive(fragment, 0.0)
            if frame is not None:
                self.seen.append((role, frame))
                for to, changed in self._meddle(role, len(self.seen) - 1, frame):
                    self.say(to, changed)
        return bool(to_side or from_side)
