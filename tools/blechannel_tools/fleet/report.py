"""What a fleet's run tells: a table for people, and the same as facts."""

from __future__ import annotations

from blechannel_tools.fleet.load import PERCENTS, Served
from blechannel_tools.fleet.rest import Rested
from blechannel_tools.output import Table


def table_of(served: Served) -> Table:
    """A line a figure."""
    offer = served.offer
    every = f"{offer.rate_hz:g} messages/s of {offer.message_bytes} bytes from each, for {offer.seconds:g} s"
    rows = [
        (
            "served",
            f"{len(served.latencies_s):,} of {served.offered:,} messages, {served.messages_per_s:,.0f} a second",
        ),
        (
            "processor",
            f"{served.cpu_s / served.wall_s:.0%} of a core, {_cpu_us(served):.0f} µs a message, {_whose(served)}",
        ),
        ("fairness", f"{served.fairness:.4f} (Jain's index); of one watch {_spread(served)} messages in time"),
    ]
    if served.latencies_s:
        latencies = ((name, served.percentile_s(percent)) for name, percent in _named())
        rows += [(f"latency {name}", f"{value_s * 1000:.1f} ms") for name, value_s in latencies]
    through = "" if served.broker is None else f", through the broker {served.broker}"
    return Table(f"{served.watches:,} watches, {every}{through}", ("", ""), rows)


def facts_of(served: Served) -> dict[str, object]:
    """The same for programs."""
    offer = served.offer
    latencies = {name: served.percentile_s(percent) for name, percent in _named() if served.latencies_s}
    return {
        "watches": served.watches,
        "rate_hz": offer.rate_hz,
        "seconds": offer.seconds,
        "message_bytes": offer.message_bytes,
        "offered": served.offered,
        "served": len(served.latencies_s),
        "messages_per_s": served.messages_per_s,
        "cpu_share": served.cpu_s / served.wall_s,
        "cpu_s_each": served.cpu_s / max(1, len(served.latencies_s)),
        "fairness": served.fairness,
        "latency_s": latencies,
        "broker": served.broker,
    }


def _named() -> list[tuple[str, float]]:
    return [*((f"p{percent:g}", percent) for percent in PERCENTS), ("max", 100.0)]


def _cpu_us(served: Served) -> float:
    return served.cpu_s / max(1, len(served.latencies_s)) * 1e6


def _whose(served: Served) -> str:
    """What shares this process."""
    return "both ends" if served.broker is None else "watches, gateway and subscriber"


def _spread(served: Served) -> str:
    return f"{min(served.of_each)} to {max(served.of_each)}"


def rest_table_of(rested: Rested) -> Table:
    """A line a figure."""
    rows = [
        ("a channel's end, awake", f"{rested.hot_bytes:,} bytes with a port open both ways"),
        ("the same, at rest", f"{rested.parked_bytes:,} bytes"),
        ("processor", f"{rested.cpu_share:.1%} of a core for all, both ends: probes are sent and answered"),
    ]
    if rested.rss_bytes is not None:
        rows.append(("the whole process", f"{rested.rss_bytes / 1e6:,.0f} MB, both ends, with stores and links"))
    return Table(f"{rested.watches:,} watches at rest, for {rested.seconds:.0f} s", ("", ""), rows)


def rest_facts_of(rested: Rested) -> dict[str, object]:
    """The same for programs."""
    return {
        "watches": rested.watches,
        "seconds": rested.seconds,
        "hot_bytes": rested.hot_bytes,
        "parked_bytes": rested.parked_bytes,
        "cpu_share": rested.cpu_share,
        "rss_bytes": rested.rss_bytes,
    }
