"""The report's two kinds of pictures, as SVG: a session's sequence chart, and what passed when."""

from __future__ import annotations

from html import escape
from typing import Final

from blechannel.roles import Role
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, HandshakeVerified, OddFragment
from blechannel_capture.events import Verdict
from blechannel_capture.report.gathering import Session
from blechannel_capture.words import fields_in_words, handshake_in_words

WIDTH, STEP, TOP = 900, 30, 46
PHONE_X, WATCH_X = 190, 710
PLOT_HEIGHT, PLOT_LEFT, PLOT_RIGHT, PLOT_BOTTOM = 180, 60, 40, 28
_DETAIL: Final = 58
_COLOURS: Final = {Verdict.OK: "ok", Verdict.NO_KEY: "closed", Verdict.CAPTURE_GAP: "closed"}


def sequence(session: Session) -> str:
    """The frames of a session between the phone and the watch, one a line, with times beside them."""
    start_ns = session.steps[0].time_ns
    height = TOP + STEP * len(session.steps) + 24
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="sequence chart">']
    for x, name in ((PHONE_X, "phone"), (WATCH_X, "watch")):
        parts.append(f'<line class="life" x1="{x}" y1="{TOP - 14}" x2="{x}" y2="{height - 12}"/>')
        parts.append(f'<text class="who" x="{x}" y="{TOP - 22}" text-anchor="middle">{name}</text>')
    for number, step in enumerate(session.steps):
        y = TOP + STEP * number + 8
        time = f"{(step.time_ns - start_ns) / 1e6:.1f} ms"
        parts.append(f'<text class="time" x="{PHONE_X - 16}" y="{y + 4}" text-anchor="end">{time}</text>')
        parts.append(f'<text class="packet" x="{WATCH_X + 16}" y="{y + 4}">packet {step.packet}</text>')
        parts.append(_step(step, y))
    return "".join([*parts, "</svg>"])


def _step(step: ChannelFrame | HandshakeVerified | OddFragment | ChannelEnded, y: int) -> str:
    match step:
        case ChannelFrame():
            return _arrow(step, y)
        case HandshakeVerified():
            return _band(
                y, "good", f"{handshake_in_words(step)} verified: every tag fits, suite {step.suite.name.lower()}"
            )
        case OddFragment():
            return _band(y, "bad", f"{step.sender.value}: {step.oddity.value}")
        case ChannelEnded():
            return _band(y, "end", step.ending.value)


def _arrow(step: ChannelFrame, y: int) -> str:
    ends = (PHONE_X, WATCH_X) if step.sender is Role.PHONE else (WATCH_X, PHONE_X)
    kind = _COLOURS.get(step.verdict, "bad")
    back = 8 if ends[0] < ends[1] else -8
    head = f"{ends[1]},{y} {ends[1] - back},{y - 4} {ends[1] - back},{y + 4}"
    said = step.body or step.payload or step.frame
    detail = fields_in_words(said) if said is not None else ""
    if step.verdict is not Verdict.OK:
        detail = step.detail
    shown = f"{step.name}, {step.length} bytes"
    title = escape(f"{shown}\n{detail}")
    short = escape(detail[:_DETAIL] + ("…" if len(detail) > _DETAIL else ""))
    middle = (PHONE_X + WATCH_X) // 2
    return (
        f'<g class="{kind}"><title>{title}</title><line x1="{ends[0]}" y1="{y}" x2="{ends[1]}" y2="{y}"/>'
        f'<polygon points="{head}"/><text x="{middle}" y="{y - 4}" text-anchor="middle"><tspan class="name">'
        f'{escape(step.name)}</tspan> <tspan class="detail">{short}</tspan></text></g>'
    )


def _band(y: int, kind: str, text: str) -> str:
    middle, width = (PHONE_X + WATCH_X) // 2, WATCH_X - PHONE_X
    return (
        f'<g class="{kind}"><rect class="band" x="{PHONE_X}" y="{y - 10}" width="{width}" height="20" rx="4"/>'
        f'<text x="{middle}" y="{y + 4}" text-anchor="middle">{escape(text)}</text></g>'
    )


def traffic(session: Session) -> str:
    """Each value on a connection by time and size; the central's above the line, the peripheral's below."""
    points = session.points
    first_ns, last_ns = points[0][0], max(points[-1][0], points[0][0] + 1)
    largest = max((size for _, size, _ in points), default=0) or 1
    inner, half = WIDTH - PLOT_LEFT - PLOT_RIGHT, (PLOT_HEIGHT - PLOT_BOTTOM) / 2
    parts = [f'<svg viewBox="0 0 {WIDTH} {PLOT_HEIGHT}" role="img" aria-label="sizes of values over time">']
    parts.append(f'<line class="axis" x1="{PLOT_LEFT}" y1="{half}" x2="{WIDTH - PLOT_RIGHT}" y2="{half}"/>')
    for value, y in ((largest, 10), (0, half), (largest, 2 * half)):
        parts.append(f'<text class="tick" x="{PLOT_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{value}</text>')
    for tenth in range(0, 11, 2):
        x = PLOT_LEFT + inner * tenth / 10
        moment = _moment((last_ns - first_ns) * tenth // 10, whole_ns=last_ns - first_ns)
        parts.append(f'<text class="tick" x="{x:.0f}" y="{PLOT_HEIGHT - 6}" text-anchor="middle">{moment}</text>')
    for time_ns, size, is_central in points:
        x = PLOT_LEFT + inner * (time_ns - first_ns) / (last_ns - first_ns)
        tip = half - (half - 6) * size / largest if is_central else half + (half - 6) * size / largest
        side = "central" if is_central else "peripheral"
        parts.append(f'<line class="{side}" x1="{x:.1f}" y1="{half}" x2="{x:.1f}" y2="{tip:.1f}"/>')
    return "".join([*parts, "</svg>"])


def _moment(time_ns: int, *, whole_ns: int) -> str:
    return f"{time_ns / 1e9:.3g} s" if whole_ns >= 1_000_000_000 else f"{time_ns / 1e6:.3g} ms"
