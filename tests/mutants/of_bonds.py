"""What a side remembers, and how it changes (`blechannel/pairing/bonds.py`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

BONDS = "pairing/bonds.py"
TESTS = "pairing/test_bonds.py"


def require(check: str, old: str) -> Mutant:
    """A condition that always holds."""
    return Mutant(check, BONDS, f"_require({old}, ", "_require(True, ", TESTS)


MUTANTS = [
    require("a bond's keys have 32 bytes", "all(len(key) == KEY_BYTES for key in keys)"),
    require("a bond's identity has 16 bytes", "all(len(name) == BOND_ID_BYTES for name in ids)"),
    require("an epoch's keys have 32 bytes", "len(self.psk) == len(self.hint_key) == KEY_BYTES"),
    require("a bond's candidates are bounded", "len(self.candidates) <= MAX_LINKS"),
    require("a bond's retired keys are bounded", "len(self.retired) <= RETIRED_HINT_KEYS"),
    require("a book has so many bonds", "len(self.bonds) <= MAX_BONDS"),
    require("a count of guesses is not negative", "0 <= self.guesses_spent <= MAX_COUNT"),
    require("a watch keeps so many candidates", "1 <= change.limit <= MAX_LINKS"),
    Mutant(
        "a guess is counted",
        BONDS,
        "guesses_spent=book.guesses_spent + 1",
        "guesses_spent=book.guesses_spent",
        TESTS,
    ),
    Mutant(
        "a bond gives back its own guess and no more",
        BONDS,
        "max(0, book.guesses_spent - change.gives_back_guess)",
        "0",
        TESTS,
    ),
    Mutant(
        "a bond does not take another one's place",
        BONDS,
        "if bond.bond_id in book.bonds:",
        "if False:",
        TESTS,
    ),
    Mutant(
        "a bond that replaces another keeps it until it is confirmed",
        BONDS,
        "    return _put(book, replace(bond, created_s=at_s, last_seen_s=at_s))",
        "    return _put(_without_replaced(book, bond), replace(bond, created_s=at_s, last_seen_s=at_s))",
        f"{TESTS} session model/test_commit_order_is_real.py",
    ),
    Mutant(
        "a confirmed bond drops what it replaces",
        BONDS,
        "return _put(_without_replaced(book, bond), confirmed)",
        "return _put(book, confirmed)",
        TESTS,
    ),
    Mutant(
        "a candidate is one under a key that is known",
        BONDS,
        '    raise BondSuperseded("another reconnect of this bond came first")',
        "    return bond",
        TESTS,
    ),
    Mutant(
        "a candidate that is used is moved to",
        BONDS,
        "    if not hmac.compare_digest(change.under, bond.epoch.hint_key):",
        "    if False:",
        TESTS,
    ),
    Mutant(
        "the oldest candidate makes room",
        BONDS,
        "(*bond.candidates, change.candidate)[-change.limit :]",
        "(*bond.candidates, change.candidate)[: change.limit]",
        TESTS,
    ),
    Mutant(
        "a move drops the other candidates",
        BONDS,
        "epoch=candidate, candidates=(), retired=retired",
        "epoch=candidate, retired=retired",
        TESTS,
    ),
    Mutant(
        "a key that is left is retired",
        BONDS,
        "(*bond.retired, *dropped, bond.epoch.hint_key)",
        "(*bond.retired, *dropped)",
        TESTS,
    ),
    Mutant(
        "a key that is dropped is retired",
        BONDS,
        "(*bond.retired, *dropped, bond.epoch.hint_key)",
        "(*bond.retired, bond.epoch.hint_key)",
        TESTS,
    ),
    Mutant(
        "a phone moves one epoch on",
        BONDS,
        "if epoch.number != bond.epoch.number + 1:",
        "if False:",
        TESTS,
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
        BONDS,
        "hmac.compare_digest(candidate.hint_key, hint_key)",
        "candidate.hint_key == hint_key",
        "test_constant_time.py",
    ),
    Mutant(
        "hint keys are compared in constant time: candidate",
        BONDS,
        "not hmac.compare_digest(change.under, bond.epoch.hint_key)",
        "change.under != bond.epoch.hint_key",
        "test_constant_time.py",
    ),
]
