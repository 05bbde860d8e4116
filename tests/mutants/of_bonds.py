"""What a side remembers, and how it changes (`blechannel/pairing/bonds.py`, `apply.py`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

BONDS, APPLY = "pairing/bonds.py", "pairing/apply.py"
TESTS, OF_APPLY = "pairing/test_bonds.py pairing/test_apply.py", "pairing/test_apply.py"


def require(check: str, old: str) -> Mutant:
    """A condition that always holds."""
    return Mutant(check, BONDS, f"_require({old}, ", "_require(True, ", TESTS)


MUTANTS = [
    require("a bond's keys have 32 bytes", "all(len(key) == KEY_BYTES for key in keys)"),
    require("a bond's identity has 16 bytes", "all(len(name) == BOND_ID_BYTES for name in ids)"),
    require("an epoch's keys have 32 bytes", "len(self.psk) == len(self.hint_key) == KEY_BYTES"),
    require("a bond's candidates are bounded", "len(self.candidates) <= MAX_LINKS"),
    require("a bond's retired keys are bounded", "len(self.retired) <= RETIRED_HINT_KEYS"),
    require("a watch's book has so many bonds", "of_watch <= MAX_BONDS"),
    require("a phone's book has so many bonds", "len(self.bonds) <= MAX_PHONE_BONDS"),
    require("a count of guesses is not negative", "0 <= self.guesses_spent <= MAX_COUNT"),
    Mutant(
        "a watch keeps so many candidates",
        APPLY,
        "_require(1 <= change.limit <= MAX_LINKS, ",
        "_require(True, ",
        OF_APPLY,
    ),
    Mutant(
        "a guess is counted",
        APPLY,
        "guesses_spent=book.guesses_spent + 1",
        "guesses_spent=book.guesses_spent",
        OF_APPLY,
    ),
    Mutant(
        "a bond gives back its own guess and no more",
        APPLY,
        "max(0, book.guesses_spent - change.gives_back_guess)",
        "0",
        OF_APPLY,
    ),
    Mutant(
        "a bond does not take another one's place",
        APPLY,
        '_require(bond.bond_id not in book.bonds, "a bond with this identity exists")',
        "pass",
        OF_APPLY,
    ),
    Mutant(
        "a bond that replaces another keeps it until it is confirmed",
        APPLY,
        "    return _put(book, replace(bond, created_s=at_s, last_seen_s=at_s))",
        "    return _put(_without_replaced(book, bond), replace(bond, created_s=at_s, last_seen_s=at_s))",
        f"{OF_APPLY} session model/test_commit_order_is_real.py",
    ),
    Mutant(
        "a confirmed bond drops what it replaces",
        APPLY,
        "return _put(_without_replaced(book, bond), confirmed)",
        "return _put(book, confirmed)",
        OF_APPLY,
    ),
    Mutant(
        "a candidate is one under a key that is known",
        APPLY,
        '    raise BondSuperseded("another reconnect of this bond came first")',
        "    return bond",
        OF_APPLY,
    ),
    Mutant(
        "a candidate that is used is moved to",
        APPLY,
        "    if not hmac.compare_digest(change.under, bond.epoch.hint_key):",
        "    if False:",
        OF_APPLY,
    ),
    Mutant(
        "the oldest candidate makes room",
        APPLY,
        "(*bond.candidates, change.candidate)[-change.limit :]",
        "(*bond.candidates, change.candidate)[: change.limit]",
        OF_APPLY,
    ),
    Mutant(
        "a move drops the other candidates",
        APPLY,
        "epoch=candidate, candidates=(), retired=retired",
        "epoch=candidate, retired=retired",
        OF_APPLY,
    ),
    Mutant(
        "a key that is left is retired",
        APPLY,
        "(*bond.retired, *dropped, bond.epoch.hint_key)",
        "(*bond.retired, *dropped)",
        OF_APPLY,
    ),
    Mutant(
        "a key that is dropped is retired",
        APPLY,
        "(*bond.retired, *dropped, bond.epoch.hint_key)",
        "(*bond.retired, bond.epoch.hint_key)",
        OF_APPLY,
    ),
    Mutant(
        "a phone moves one epoch on",
        APPLY,
        "if epoch.number != bond.epoch.number + 1:",
        "if False:",
        OF_APPLY,
    ),
    Mutant(
        "hint keys are compared in constant time: knows",
        BONDS,
        "hmac.compare_digest(hint_key, e.hint_key)",
        "hint_key == e.hint_key",
        "test_constant_time.py",
    ),
    Mutant(
        "hint keys are compared in constant time: promote",
        APPLY,
        "hmac.compare_digest(candidate.hint_key, hint_key)",
        "candidate.hint_key == hint_key",
        "test_constant_time.py",
    ),
    Mutant(
        "hint keys are compared in constant time: candidate",
        APPLY,
        "not hmac.compare_digest(change.under, bond.epoch.hint_key)",
        "change.under != bond.epoch.hint_key",
        "test_constant_time.py",
    ),
]
