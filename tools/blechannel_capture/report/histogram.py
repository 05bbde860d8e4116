"""How long something took, as bars: SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

WIDTH, HEIGHT = 430, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 22, 34
BARS: Final = 30
MIN_SAMPLES: Final = 8
"""Fewer tell nothing."""


def histogram(samples_ns: Sequence[int], title: str, *, expected_ns: int = 0) -> str:
    """Bars up to the 98th of a hundred samples, what is longer in the last one; a line where it was to be expected.

    Empty where there are fewer than `MIN_SAMPLES`.
    """
    if len(samples_ns) < MIN_SAMPLES:
        return ""
    ordered = sorted(samples_ns)
    longest_ns = max(ordered[(len(ordered) - 1) * 98 // 100] * 1.05, expected_ns * 1.25, 1.0)
    counts = [0] * BARS
    for each in ordered:
        counts[min(BARS - 1, int(max(each, 0) * BARS / longest_ns))] += 1
    inner, floor = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM
    step, most = inner / BARS, max(counts)
    label = escape(title)
    parts = [
        f'<svg class="bars" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">',
        f'<text class="who" x="{LEFT}" y="14">{label}</text>',
        f'<line class="axis" x1="{LEFT}" y1="{floor}" x2="{WIDTH - RIGHT}" y2="{floor}"/>',
        f'<text class="tick" x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{most:,}</text>',
    ]
    for number, count in enumerate(counts):
        height = (floor - TOP) * count / most
        if count:
            parts.append(
                f'<rect class="bar" x="{LEFT + number * step:.1f}" y="{floor - height:.1f}" '
                f'width="{step - 1:.1f}" height="{height:.1f}"/>'
            )
    for quarter in range(5):
        moment = f"{longest_ns * quarter / 4e6:.3g}{' ms' if quarter == 4 else ''}"
        anchor = "end" if quarter == 4 else "middle"
        x = LEFT + inner * quarter / 4
        parts.append(f'<text class="tick" x="{x:.0f}" y="{floor + 16}" text-anchor="{anchor}">{moment}</text>')
    if expected_ns:
        x = LEFT + inner * expected_ns / longest_ns
        parts.append(f'<line class="expected" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{floor}"/>')
    return "".join([*parts, "</svg>"])
