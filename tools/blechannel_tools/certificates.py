"""A certificate in words for people, and as facts for programs."""

from __future__ import annotations

from blechannel.stores.certificate_file import Leaf
from blechannel_tools.selection import moment

GROUP_DIGITS = 4
GROUPS_BRIEFLY = 4


def groups(fingerprint: bytes) -> list[str]:
    """A fingerprint as people compare it: 16 groups of four hexadecimal digits."""
    digits = fingerprint.hex()
    return [digits[at : at + GROUP_DIGITS] for at in range(0, len(digits), GROUP_DIGITS)]


def beginning(leaf: Leaf) -> str:
    """Enough of a fingerprint to choose a certificate by; never enough to believe it."""
    return " ".join(groups(leaf.fingerprint)[:GROUPS_BRIEFLY])


def briefly(leaf: Leaf) -> str:
    """A certificate in a few words; the name is what it says of itself."""
    return f"{leaf.name or 'without a name'}, fingerprint {beginning(leaf)} …"


def why_not_now(leaf: Leaf, now_s: float) -> str:
    """Why a certificate is not valid at this moment of Unix time, after "it"; nothing where it is."""
    if leaf.not_after_s < now_s:
        return f"expired on {moment(leaf.not_after_s)}"
    if now_s < leaf.not_before_s:
        return f"is valid only from {moment(leaf.not_before_s)} (are both clocks right?)"
    return ""


def in_lines(leaf: Leaf) -> list[str]:
    """All that people need to know of a certificate."""
    digits = groups(leaf.fingerprint)
    half = len(digits) // 2
    return [
        f"  name         {leaf.name}",
        f"  fingerprint  {' '.join(digits[:half])}",
        f"               {' '.join(digits[half:])}",
        f"  valid        {moment(leaf.not_before_s)} to {moment(leaf.not_after_s)}",
    ]


def facts_of_leaf(leaf: Leaf) -> dict[str, object]:
    """A certificate for programs."""
    return {
        "name": leaf.name,
        "fingerprint": leaf.fingerprint.hex(),
        "not_before_s": leaf.not_before_s,
        "not_after_s": leaf.not_after_s,
    }
