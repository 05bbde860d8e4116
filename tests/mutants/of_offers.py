"""What is offered, chosen and shown at the beginning, and what a session says of its bond later."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PAIRING, RECONNECT, GREETING = "session/pairing.py", "session/reconnect.py", "session/greeting.py"
STANDING, SESSION, CONVERSATION = "session/standing.py", "session/session.py", "session/conversation.py"
REFUSALS, HOSTILE, METHODS = "session/test_refusals.py", "session/test_hostile_peers.py", "session/test_methods.py"
OF_GREETING, OF_NEWS = "session/test_greeting.py", "session/test_news.py"
LESS = "if hello.method != RECONNECT_METHOD or hello.version < bond.version or hello.suite < bond.suite:"

MUTANTS = [
    Mutant(
        "a phone keeps to its own policy, whatever the watch offers",
        GREETING,
        "if not config.policy.allows(method) or not common:",
        "if not common:",
        METHODS,
    ),
    Mutant(
        "a suite needs frames that hold it",
        GREETING,
        "return offered and (suite is Suite.CLASSICAL or info.max_frame_bytes >= HYBRID_FRAME_BYTES)",
        "return offered",
        OF_GREETING,
    ),
    Mutant(
        "frames that just hold a suite are enough for it",
        GREETING,
        "info.max_frame_bytes >= HYBRID_FRAME_BYTES",
        "info.max_frame_bytes > HYBRID_FRAME_BYTES",
        OF_GREETING,
    ),
    Mutant(
        "a bond with hybrid keys satisfies who asks for them",
        GREETING,
        "(policy.require_hybrid and bond.suite < Suite.HYBRID)",
        "policy.require_hybrid",
        METHODS,
    ),
    Mutant(
        "a bond by a method that the policy leaves out is not used",
        GREETING,
        "if not policy.allows(bond.method) or (",
        "if (",
        METHODS,
    ),
    Mutant(
        "a bond is checked against the policy by the watch, too",
        RECONNECT,
        "    check_bond(config, bond)\n    hello",
        "    hello",
        METHODS,
    ),
    Mutant(
        "a bond is checked against the policy by the phone, too",
        GREETING,
        "    check_bond(config, bond)\n    return",
        "    return",
        METHODS,
    ),
    Mutant(
        "a reconnect is by no method of pairing",
        RECONNECT,
        LESS,
        LESS.replace("hello.method != RECONNECT_METHOD or ", ""),
        HOSTILE,
    ),
    Mutant(
        "a reconnect offers no lower version than the bond has used",
        RECONNECT,
        LESS,
        LESS.replace("hello.version < bond.version or ", ""),
        REFUSALS,
    ),
    Mutant(
        "a reconnect offers no weaker suite than the bond has used",
        RECONNECT,
        LESS,
        LESS.replace(" or hello.suite < bond.suite", ""),
        REFUSALS,
    ),
    Mutant(
        "a bond that is replaced sets the least suite",
        GREETING,
        "(version < bond.version or suite < bond.suite)",
        "version < bond.version",
        METHODS,
    ),
    Mutant(
        "a bond that is used sets the least version",
        GREETING,
        "(version < bond.version or suite < bond.suite)",
        "suite < bond.suite",
        REFUSALS,
    ),
    Mutant(
        "who pairs although no window is open is refused",
        PAIRING,
        "if window is None or not window.is_open(talk.now()):",
        "if not window.is_open(talk.now()):",
        REFUSALS,
    ),
    Mutant(
        "a window that has closed is not offered",
        "session/opening.py",
        "window.method if window is not None and window.is_open(talk.now()) else None",
        "window.method if window is not None else None",
        REFUSALS,
    ),
    Mutant(
        "a phone shows words where they are compared",
        PAIRING,
        "if side.method is Method.WORDS:\n        yield from show_words",
        "if True:\n        yield from show_words",
        METHODS,
    ),
    Mutant(
        "a watch shows words where they are compared",
        PAIRING,
        "    if compares:\n        yield from show_words",
        "    if True:\n        yield from show_words",
        METHODS,
    ),
    Mutant(
        "a window shows a code where one is typed",
        "pairing/window.py",
        'new_code(random) if method is Method.PASSKEY else ""',
        "new_code(random)",
        "pairing/test_window.py",
    ),
    Mutant(
        "a pending bond is confirmed by the m2 of its reconnect",
        RECONNECT,
        "    if bond.pending:\n        yield from store(ConfirmBond",
        "    if False:\n        yield from store(ConfirmBond",
        REFUSALS,
    ),
    Mutant(
        "who has said the last message but one declines no more",
        CONVERSATION,
        "for role in roles or (_PHONE, _WATCH)",
        "for role in (_PHONE, _WATCH)",
        REFUSALS,
    ),
    Mutant(
        "a phone has no news for the watch",
        STANDING,
        "if established and self._serves and self._stage",
        "if established and self._stage",
        f"{OF_NEWS} {REFUSALS}",
    ),
    Mutant(
        "a watch that has said CLOSE tells no news",
        STANDING,
        " and self._stage.conversation.state in SAYS_NEWS:",
        ":",
        OF_NEWS,
    ),
    Mutant(
        "a watch tells the newest key once",
        STANDING,
        "            self.told_key = self.book.discovery_key\n",
        "",
        OF_NEWS,
    ),
    Mutant(
        "a watch tells of a copy once",
        STANDING,
        "            self.told_copied = True\n",
        "",
        OF_NEWS,
    ),
    Mutant(
        "a phone keeps what its watch says of a copy once",
        SESSION,
        "        if self._books.book.bond(bond_id).copied_s is None:",
        "        if True:",
        OF_NEWS,
    ),
    Mutant(
        "a copy that tries again costs no more writes",
        RECONNECT,
        "    if bond.copied_s is None:  # a copy",
        "    if True:  # a copy",
        OF_NEWS,
    ),
    Mutant(
        "a phone that lacks the newest key gets it when it reconnects",
        RECONNECT,
        "    if not hmac.compare_digest(ready.known, keys.known(newest)):",
        "    if False:",
        OF_NEWS,
    ),
    Mutant(
        "a phone that has the newest key is not told it",
        RECONNECT,
        "    if not hmac.compare_digest(ready.known, keys.known(newest)):",
        "    if True:",
        OF_NEWS,
    ),
    Mutant(
        "a session that is over has no deadline",
        SESSION,
        "        if self._stage.conversation.is_over or self._after_store is not None:\n            return None",
        "        if self._after_store is not None:\n            return None",
        "session/test_deadlines.py",
    ),
    Mutant(
        "a session looks at the book with the next fragment",
        SESSION,
        "            return\n        if self._standing.is_news():\n            self._check_bond()\n",
        "            return\n",
        REFUSALS,
    ),
    Mutant(
        "first pairings that were cut off outlive another one",
        "pairing/apply.py",
        "older is not None and older.replaces is not None and older.replaces not in dropped",
        "older is not None and older.replaces not in dropped",
        "pairing/test_apply.py",
    ),
]
