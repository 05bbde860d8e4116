"""What the runs have shown, as a table for people and as facts for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from blechannel_tools.output import Table
from blechannel_tools.simulate.goodput import Way
from blechannel_tools.simulate.runs import Plan, Sample, What, percentile
from blechannel_tools.simulate.terms import Terms

LATENCY_PERCENTS = (50, 90, 99)
GOODPUT_PERCENTS = (50, 10, 1)
"""Of a rate the slow runs matter: p10 is what nine runs in ten reach."""
NO_RUN = "none"

Facts = dict[str, Any]


def percents(what: What) -> tuple[int, ...]:
    """Which percentiles are told, the median first."""
    return GOODPUT_PERCENTS if what is What.TRANSFER else LATENCY_PERCENTS


def facts_of(plan: Plan, sample: Sample) -> Facts:
    """One row for programs: seconds for latencies, bytes a second for a transfer."""
    terms = sample.terms
    facts: Facts = {
        "phy": terms.phy,
        "interval_ms": terms.interval_ms,
        "loss_percent": terms.loss_percent,
        "mtu_bytes": terms.mtu_bytes,
        "handles_known": terms.handles_known,
        "failed_runs": len(sample.failures),
        "limit": round(sample.limit, 6),
    }
    if sample.failures:
        facts["first_failure"] = sample.failures[0]
    if sample.bare:
        facts["bare_link"] = round(percentile(sample.bare, 50), 6)
    if sample.values:
        facts |= {f"p{percent}": round(percentile(sample.values, percent), 6) for percent in percents(plan.what)}
    return facts


def table(plan: Plan, samples: Sequence[Sample]) -> Table:
    """All rows for people. What is the same in each is in the title alone."""
    row, columns = (_goodput_row, _GOODPUT_COLUMNS) if plan.what is What.TRANSFER else (_latency_row, _LATENCY_COLUMNS)
    named = bool(_varying(samples))
    failed = any(sample.failures for sample in samples)
    rows = [
        (*((name,) if named else ()), *row(sample), *((str(len(sample.failures)),) if failed else ()))
        for name, sample in zip(row_names(samples), samples, strict=True)
    ]
    return Table(title(plan, samples), (*(("",) if named else ()), *columns, *(("failed",) if failed else ())), rows)


def title(plan: Plan, samples: Sequence[Sample]) -> str:
    """What the figures are, and the terms that all rows share."""
    varying = _varying(samples)
    shared = [words(samples[0].terms) for name, words in _WORDS.items() if name not in varying]
    runs = "one run" if plan.runs == 1 else f"{plan.runs} runs"
    return f"{_headline(plan, samples[0].terms)}: {', '.join([*shared, runs])}"


def row_names(samples: Sequence[Sample]) -> list[str]:
    """Each row by what tells it from the others."""
    varying = _varying(samples)
    return [", ".join(_WORDS[name](sample.terms) for name in varying) for sample in samples]


_WORDS: dict[str, Callable[[Terms], str]] = {
    "PHY": lambda terms: terms.phy,
    "interval": lambda terms: f"{terms.interval_ms:g} ms",
    "loss": lambda terms: f"{terms.loss_percent:g} % loss",
    "MTU": lambda terms: f"MTU {terms.mtu_bytes}",
}
_LATENCY_COLUMNS = ("least", *(f"p{percent}" for percent in LATENCY_PERCENTS), "intervals")
_GOODPUT_COLUMNS = ("limit", "link", *(f"p{percent}" for percent in GOODPUT_PERCENTS), "of limit", "of link")
_WAYS = {Way.TO_WATCH: "to the watch", Way.TO_PHONE: "to the phone", Way.BOTH: "both ways together"}


def _headline(plan: Plan, terms: Terms) -> str:
    if plan.what is What.TRANSFER:
        return f"Transfer {_WAYS[plan.way]}, kB/s"
    handles = "known handles" if terms.handles_known else "unknown handles"
    person = ", without the person" if plan.what is What.PAIRING else ""
    return f"{plan.what.value.capitalize()} with {handles}{person}, ms"


def _varying(samples: Sequence[Sample]) -> list[str]:
    return [name for name, words in _WORDS.items() if len({words(sample.terms) for sample in samples}) > 1]


def _latency_row(sample: Sample) -> tuple[str, ...]:
    least = f"{sample.limit * 1000:.0f}"
    if not sample.values:
        return least, *_nothing(len(LATENCY_PERCENTS) + 1)
    shown = (f"{percentile(sample.values, percent) * 1000:.0f}" for percent in LATENCY_PERCENTS)
    median, least_count = (value / sample.terms.interval_s for value in (percentile(sample.values, 50), sample.limit))
    return least, *shown, f"{median:.1f} of {least_count:.0f}"


def _goodput_row(sample: Sample) -> tuple[str, ...]:
    limit = f"{sample.limit / 1000:.1f}"
    if not sample.values:
        return limit, *_nothing(len(GOODPUT_PERCENTS) + 3)
    link, median = percentile(sample.bare, 50), percentile(sample.values, 50)
    shown = (f"{percentile(sample.values, percent) / 1000:.1f}" for percent in GOODPUT_PERCENTS)
    return limit, f"{link / 1000:.1f}", *shown, _share(median / sample.limit), _share(median / link)


def _share(part: float) -> str:
    return f"{100 * part:.1f} %"


def _nothing(columns: int) -> tuple[str, ...]:
    return (NO_RUN,) * columns
