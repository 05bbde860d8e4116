"""A pairing window: what a person opens on the watch, and how many guesses a stranger gets through it.

Odds (protocol, "Guessing"): a code is good for one m3 on each side, so a man in the middle has two guesses a code
and, with 3 attempts, 6 in 1,000,000 a window.
"""

from __future__ import annotations

from collections.abc import Callable

from blechannel.errors import LocalProtocolError
from blechannel.methods import Method
from blechannel.noise import DH_25519, KeyPair
from blechannel.pairing.out_of_band import RadioAddress, Ticket

CODE_DIGITS = 6
ATTEMPTS = 3
WINDOW_S = {Method.PASSKEY: 120.0, Method.WORDS: 120.0, Method.OUT_OF_BAND: 60.0, Method.CERTIFICATE: 60.0}
NO_SECRET = bytes(32)


class PairingWindow:
    """Open from its making for `duration_s`, for one run at a time over all links, for one bond.

    `random` gives that many secret uniform bytes. Lives in memory alone: a restart closes it. `duration_s` is by
    default that of the method.
    """

    def __init__(
        self,
        *,
        method: Method,
        random: Callable[[int], bytes],
        now: float,
        duration_s: float | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        duration_s = WINDOW_S[method] if duration_s is None else duration_s
        if attempts < 1 or duration_s <= 0:
            raise LocalProtocolError("a window needs time and at least one attempt")
        self.method = method
        self.closes_at = now + duration_s
        self.attempts_left = attempts
        self._random = random
        self._run: object | None = None
        self.code = new_code(random) if method is Method.PASSKEY else ""
        """What the person types on the phone; empty where the method has no code."""
        self.static: KeyPair | None = None
        """Out of band: the watch's static key in this window, so that its hash can be carried. Else made a run."""
        self.secret = NO_SECRET
        """Out of band: 32 random bytes to be carried; zeros where the method has no such secret."""
        if method is Method.OUT_OF_BAND:
            self.static, self.secret = DH_25519.generate(random), random(len(NO_SECRET))

    def __repr__(self) -> str:
        return f"PairingWindow({self.method.name}, {self.attempts_left} attempts left)"

    def is_open(self, now: float) -> bool:
        """Whether a new run may begin, were none under way."""
        return self.attempts_left > 0 and now < self.closes_at

    def admit(self, run: object) -> bool:
        """Reserve the window for `run`, which must end it with `end`; False while another run has it."""
        if self._run is not None:
            return False
        self._run = run
        return True

    def spend(self, run: object) -> None:
        """An m3 has come for `run`: one attempt less, before it is checked.

        Raises:
            LocalProtocolError: the window is not `run`'s.
        """
        if self._run is not run:
            raise LocalProtocolError("this run does not hold the window")
        # A person may have closed the window while the run was under way.
        self.attempts_left = max(0, self.attempts_left - 1)

    def end(self, run: object, *, bonded: bool) -> bool:
        """The run is over. A bond closes the window; anything else burns the code.

        Returns whether there is a new code to show. A run that does not hold the window changes nothing.
        """
        if self._run is not run:
            return False
        self._run = None
        if bonded:
            self.attempts_left = 0
            return False
        if self.method is not Method.PASSKEY:
            return False
        self.code = new_code(self._random)
        return True

    def ticket(self, where: RadioAddress | None = None) -> Ticket:
        """Out of band: what the tag or the QR code carries to the phone; `where` it finds the watch.

        Raises:
            LocalProtocolError: the window is open for another method.
        """
        if self.static is None:
            raise LocalProtocolError(f"a window for {self.method.name} has nothing to carry")
        return Ticket.of(self.static.public, secret=self.secret, where=where)

    def close(self) -> None:
        """A person closes it; a run under way goes on to its end."""
        self.attempts_left = 0


def new_code(random: Callable[[int], bytes]) -> str:
    """Six decimal digits, uniform; leading zeros count."""
    # 2^64 mod 10^6 leaves a bias below 10^-13, far under one guess in 10^6.
    return f"{int.from_bytes(random(8), 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def is_code(text: str) -> bool:
    """Whether a person typed something that can be a code: exactly six ASCII digits."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit()
