"""That a watch is kept for as long as it may be, and no longer."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

KEEP, KEEPING, POLICY, SCAN = "aio/keep.py", "aio/keeping.py", "aio/keep_policy.py", "aio/shared_scan.py"
OF_KEEP, OF_MANY, OF_POLICY = "aio/test_keep.py", "aio/test_many_kept.py", "aio/test_keep_policy.py"

MUTANTS = [
    Mutant(
        "a refusal that nobody signed ends no keeping",
        POLICY,
        "(TransportError, RemoteProtocolError, PairingRefused, BondSuperseded, StoreError)",
        "(TransportError, RemoteProtocolError, BondSuperseded, StoreError)",
        f"{OF_POLICY} {OF_KEEP}",
    ),
    Mutant(
        "evidence of a copy ends the keeping",
        POLICY,
        "_FINAL: Final = (TransportGone, ReplayDetected)",
        "_FINAL: Final = (TransportGone,)",
        f"{OF_POLICY} {OF_KEEP}",
    ),
    Mutant(
        "a transport that is gone ends the keeping",
        POLICY,
        "_FINAL: Final = (TransportGone, ReplayDetected)",
        "_FINAL: Final = (ReplayDetected,)",
        f"{OF_POLICY} {OF_KEEP}",
    ),
    Mutant(
        "a bond that was copied is not used again",
        POLICY,
        "    if copied_s is not None:",
        "    if False:",
        OF_KEEP,
    ),
    Mutant(
        "waits have a most",
        POLICY,
        "most_s = min(self.most_s, self.first_s * self.factor**failed)",
        "most_s = self.first_s * self.factor**failed",
        OF_KEEP,
    ),
    Mutant(
        "waits are spread by chance",
        POLICY,
        "return most_s * (1 - self.jitter * share)",
        "return most_s",
        f"{OF_POLICY} {OF_KEEP}",
    ),
    Mutant(
        "only a channel that stood for a while makes the next wait a first one",
        KEEP,
        "        if self._now() - stood_since >= self._policy.steady_s:",
        "        if True:",
        OF_KEEP,
    ),
    Mutant(
        "a keeping is given up in time",
        KEEP,
        "        if self._give_up_at is not None and until_s >= self._give_up_at:",
        "        if False:",
        OF_KEEP,
    ),
    Mutant(
        "a search is given up in time",
        KEEP,
        "            async with asyncio.timeout_at(self._give_up_at):",
        "            async with asyncio.timeout_at(None):",
        OF_KEEP,
    ),
    Mutant(
        "what is kept no longer has no channel",
        KEEP,
        "                await self._channel.close()\n",
        "                pass\n",
        OF_KEEP,
    ),
    Mutant(
        "a keeping that ends before its first step has ended",
        KEEP,
        "        self._task.add_done_callback(self._ended)",
        "        self._task.add_done_callback(lambda _: None)",
        OF_KEEP,
    ),
    Mutant(
        "a bond that is removed is kept no longer",
        KEEPING,
        "                    watch.stop(BondNotFound",
        "                    str(BondNotFound",
        OF_KEEP,
    ),
    Mutant(
        "a bond is kept once",
        KEEPING,
        "        if any(other.bond_id == watch.bond_id for other in self._kept):",
        "        if False:",
        OF_KEEP,
    ),
    Mutant(
        "a closed phone keeps nothing",
        KEEPING,
        "        if self._is_closed:",
        "        if False:",
        OF_KEEP,
    ),
    Mutant(
        "so many are connected to at once",
        KEEPING,
        "        async with self._turns:\n",
        "        if True:\n",
        OF_MANY,
    ),
    Mutant(
        "a watch that has refused the bond is not taken for its own once more",
        KEEPING,
        "if self._reach.may_know(found, bond_id)]",
        "if found]",
        OF_KEEP,
    ),
    Mutant(
        "so many strangers are remembered during a scan",
        SCAN,
        "            while len(self.strangers) > MAX_STRANGERS:",
        "            while False:",
        "aio/test_shared_scan.py",
    ),
    Mutant(
        "a radio rests when nobody looks",
        SCAN,
        "        if not self._looking:\n",
        "        if False:\n",
        OF_MANY,
    ),
]
