"""A run of a fleet as a picture: how late how many messages were, and how that went over time.

Raises:
    MissingExtra: on import, when matplotlib is not installed.
"""

from __future__ import annotations

from pathlib import Path

from blechannel.errors import MissingExtra
from blechannel_tools.fleet.load import PERCENTS, Served, percentile

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise MissingExtra("plot", "A plot") from error

SIZE_INCHES = (9.0, 4.2)
LINE, BAND, MARK = "#1f4e79", "#7fa8d1", "#d9822b"
FEWEST_SLICES, MOST_SLICES = 5, 60
MOST_POINTS = 500
WHOLE_MS = 100.0
ALL_BUT = (1.0, 0.1, 0.01, 0.001, 0.0001)
"""Shares of messages that are later, on the axis."""


def draw(served: Served, path: Path) -> None:
    """Write the picture, as the end of its name says; `served` has messages.

    Raises:
        OSError: the file cannot be written.
    """
    with matplotlib.rc_context({"svg.hashsalt": "blechannel", "font.family": "DejaVu Sans"}):
        figure = Figure(SIZE_INCHES, layout="constrained")
        how_late, over_time = figure.subplots(1, 2)
        offer = served.offer
        figure.suptitle(
            f"{served.watches:,} watches, {offer.rate_hz:g}/s each: "
            f"{served.messages_per_s:,.0f} messages/s, {served.cpu_s / served.wall_s:.0%} of a core"
        )
        _draw_percentiles(how_late, sorted(1000 * value for value in served.latencies_s))
        _draw_over_time(over_time, served)
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=150, metadata=metadata)


def _draw_percentiles(axes: Axes, ordered_ms: list[float]) -> None:
    """Each further step to the right leaves a tenth of the messages."""
    count = len(ordered_ms)
    kept = (round(count ** (1 - step / MOST_POINTS)) for step in range(MOST_POINTS + 1))
    ranks = sorted({count - each for each in kept})
    axes.plot([(count - rank) / count for rank in ranks], [ordered_ms[rank] for rank in ranks], color=LINE, lw=2)
    for percent in PERCENTS:
        value, share = percentile(ordered_ms, percent), 1 - percent / 100
        axes.plot([share], [value], "o", color=MARK)
        label = f"p{percent:g}\n{_in_ms(value)}"
        axes.annotate(label, (share, value), (4, -8), "data", "offset points", fontsize=8, va="top")
    shares = [share for share in ALL_BUT if share >= 1 / count]
    axes.set(xscale="log", yscale="log", title="How late how many were")
    axes.set(xlabel="of the messages are not later", ylabel="latency (ms)")
    axes.set_xticks(shares, ["0", *(f"{100 * (1 - share):g} %" for share in shares[1:])])
    axes.set_xlim(1.3, min(shares[-1], 1 / count) * 0.8)
    _tidy(axes)


def _in_ms(value_ms: float) -> str:
    """Three digits, and never a power of ten."""
    return f"{value_ms:,.0f} ms" if value_ms >= WHOLE_MS else f"{value_ms:.3g} ms"


def _draw_over_time(axes: Axes, served: Served) -> None:
    slices = max(FEWEST_SLICES, min(MOST_SLICES, round(4 * served.wall_s)))
    width_s = served.wall_s / slices
    late_ms: list[list[float]] = [[] for _ in range(slices)]
    for moment_s, latency_s in zip(served.arrived_s, served.latencies_s, strict=True):
        late_ms[min(slices - 1, max(0, int(moment_s / width_s)))].append(1000 * latency_s)
    moments = [(number + 0.5) * width_s for number, each in enumerate(late_ms) if each]
    kept = [sorted(each) for each in late_ms if each]
    lows, highs = [each[0] for each in kept], [percentile(each, 99) for each in kept]
    axes.fill_between(moments, lows, highs, color=BAND, alpha=0.5, label="up to p99", lw=0)
    axes.plot(moments, [percentile(each, 50) for each in kept], color=LINE, lw=2, label="median")
    axes.set(yscale="log", xlabel="time (s)", ylabel="latency (ms)", title="Over time")
    axes.legend(loc="upper right", frameon=False)
    _tidy(axes)


def _tidy(axes: Axes) -> None:
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)
