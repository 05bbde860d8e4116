"""A pairing code in digits that are read across a room."""

from __future__ import annotations

_PIXELS = """
###  #  ### ### # # ### ### ### ### ###
# # ##    #   # # # #   #     # # # # #
# #  #  ### ### ### ### ###   # ### ###
# #  #  #     #   #   # # #   # # #   #
### ### ### ###   # ### ###   # ### ###
""".strip("\n").split("\n")
ROWS = len(_PIXELS)
COLUMNS = 6
"""Of each digit: its three pixels are two characters wide, which makes them square."""
GROUP = 3


def large(code: str) -> list[str]:
    """The digits of `code` as `ROWS` lines of equal length, in groups of three."""
    return [
        "     ".join("  ".join(_drawn(digit, row) for digit in group) for group in _groups(code)) for row in _PIXELS
    ]


def grouped(code: str) -> str:
    """The digits of `code` in groups of three, for one line."""
    return " ".join(_groups(code))


def _groups(code: str) -> list[str]:
    return [code[at : at + GROUP] for at in range(0, len(code), GROUP)]


def _drawn(digit: str, row: str) -> str:
    start = 4 * int(digit)
    pixels = row[start : start + 3].ljust(3)
    return "".join("██" if pixel == "#" else "  " for pixel in pixels)
