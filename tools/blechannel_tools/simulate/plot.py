"""The figures as a picture: one line for each set of terms, every run a dot, beside what is physically possible.

Raises:
    MissingExtra: on import, when matplotlib is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from blechannel.errors import MissingExtra
from blechannel_tools.simulate.report import percents, row_names, title
from blechannel_tools.simulate.runs import Plan, Sample, What, percentile

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise MissingExtra("plot", "A plot") from error

WIDTH_INCHES = 8.0
ROW_INCHES = 0.5
AROUND_INCHES = 1.7
RUN_COLOUR, MEDIAN_COLOUR, LIMIT_COLOUR, LINK_COLOUR = "#7fa8d1", "#1f4e79", "#222222", "#d9822b"
JITTER = 0.22
"""How far dots stray from their line, in lines."""


def draw(plan: Plan, samples: Sequence[Sample], path: Path) -> None:
    """Write the picture, as the end of its name says.

    Raises:
        OSError: the file cannot be written.
    """
    # The same figures give the same file, with a font that matplotlib brings along.
    with matplotlib.rc_context({"svg.hashsalt": "blechannel", "font.family": "DejaVu Sans"}):
        figure = Figure((WIDTH_INCHES, AROUND_INCHES + ROW_INCHES * len(samples)), layout="constrained")
        axes = figure.add_subplot()
        for line, sample in enumerate(samples):
            _draw_line(axes, plan, line, sample)
        _label(axes, plan, samples)
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=4, frameon=False)
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=150, metadata=metadata)


def _draw_line(axes: Axes, plan: Plan, line: int, sample: Sample) -> None:
    scale = _scale(plan)
    what = "physical limit" if plan.what is What.TRANSFER else "least possible"
    _mark(axes, line, sample.limit * scale, LIMIT_COLOUR, label=what)
    if sample.bare:
        _mark(axes, line, percentile(sample.bare, 50) * scale, LINK_COLOUR, label="bare link", style="dotted")
    if not sample.values:
        axes.text(0, line, "  no run ended well", va="center")
        return
    _draw_runs(axes, line, [value * scale for value in sample.values])
    beside = axes.get_yaxis_transform()
    axes.annotate(_words(plan, sample), (1.01, line), xycoords=beside, va="center", color=MEDIAN_COLOUR)


def _mark(
    axes: Axes, line: int, value: float, colour: str, *, label: str, style: Literal["solid", "dotted"] = "solid"
) -> None:
    axes.vlines([value], line - 0.38, line + 0.38, colors=colour, linewidth=2, linestyles=style, label=label)


def _draw_runs(axes: Axes, line: int, values: Sequence[float]) -> None:
    # Strayed by the golden ratio: even, and the same in each picture.
    strayed = [line + JITTER * (2 * (number * 0.618034 % 1) - 1) for number in range(len(values))]
    axes.scatter(values, strayed, s=14, color=RUN_COLOUR, alpha=0.5, linewidths=0, label="one run")
    spread = [percentile(values, percent) for percent in (10, 50, 90)]
    axes.plot(spread, [line] * 3, "o-", markevery=[1], color=MEDIAN_COLOUR, lw=2.5, label="median, p10 to p90")


def _label(axes: Axes, plan: Plan, samples: Sequence[Sample]) -> None:
    axes.set_title(title(plan, samples), loc="left", fontsize=11, wrap=True)
    axes.set_yticks(range(len(samples)), row_names(samples))
    axes.set_ylim(len(samples) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.margins(x=0.04)
    axes.set_xlabel("kB/s of message bytes" if plan.what is What.TRANSFER else "ms")
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _words(plan: Plan, sample: Sample) -> str:
    """The median, in the unit that says most: intervals for a latency, a share of the limit for a rate."""
    median = percentile(sample.values, percents(plan.what)[0])
    if plan.what is What.TRANSFER:
        return f"{median / 1000:.1f} kB/s, {100 * median / sample.limit:.0f} % of the limit"
    return f"{median * 1000:.0f} ms, {median / sample.terms.interval_s:.1f} intervals"


def _scale(plan: Plan) -> float:
    """From seconds to ms, or from bytes to kB."""
    return 0.001 if plan.what is What.TRANSFER else 1000.0
