"""That whoever attacks costs little, and that nobody is kept out."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

WATCH, JOURNAL, COUNTERS = "aio/watch.py", "aio/journal.py", "aio/counters.py"
OF_STALLS, OF_FLOODS, OF_COUNTERS = "hostile/test_stalls.py", "hostile/test_floods.py", "aio/test_counters.py"

MUTANTS = [
    Mutant(
        "an error that is kept keeps no frame alive",
        "session/session.py",
        "Failed(without_frames(error))",
        "Failed(error)",
        OF_STALLS,
    ),
    Mutant(
        "a session that is over is kept alive by no timer",
        "aio/pump.py",
        "            running_wheel().drop(self._tick, self)\n",
        "            pass\n",
        OF_STALLS,
    ),
    Mutant(
        "who has left before it was accepted is not accepted",
        "transports/bumble/peripheral.py",
        "            self._arrived.remove(link)\n",
        "            pass\n",
        "transports/bumble/test_links.py",
    ),
    Mutant(
        "a house full of silent strangers makes room",
        WATCH,
        "            strangers[0].act(strangers[0].session.abandon(error))\n",
        "            pass\n",
        OF_STALLS,
    ),
    Mutant(
        "while people pair nobody gives way",
        WATCH,
        "if self.window is None and len(self._channels) >= MAX_LINKS and strangers:",
        "if len(self._channels) >= MAX_LINKS and strangers:",
        OF_STALLS,
    ),
    Mutant(
        "a stranger has a person's time only while somebody pairs",
        "session/opening.py",
        "person=pairing is not None",
        "person=True",
        OF_STALLS,
    ),
    Mutant(
        "what repeats is logged a bounded number of times",
        JOURNAL,
        "        if self._said[kind] <= LINES:",
        "        if True:",
        f"{OF_COUNTERS} {OF_FLOODS}",
    ),
    Mutant(
        "what was not logged is summed up",
        JOURNAL,
        "            if count > LINES:",
        "            if False:",
        OF_COUNTERS,
    ),
    Mutant(
        "a flood is counted as one",
        COUNTERS,
        "error.fault is FragmentFault.WINDOW_OVERRUN",
        "False",
        OF_FLOODS,
    ),
]
