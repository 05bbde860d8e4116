"""The page itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from statistics import median
from typing import Final

from blechannel import __version__
from blechannel_capture.findings import Certainty, Finding
from blechannel_capture.report.drawing import sequence, traffic
from blechannel_capture.report.gathering import Gathered, Session
from blechannel_capture.report.histogram import histogram
from blechannel_capture.timing import LinkTiming

_STYLE: Final = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
LEDGER_LINES: Final = 50


def page(gathered: Gathered) -> str:
    """The HTML document."""
    title = escape(f"Capture {gathered.name}")
    certain = [each for each in gathered.findings if _is_attack(each)]
    verdict = f"{len(certain)} {'attack' if len(certain) == 1 else 'attacks'} found" if certain else "no attack found"
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>',
        f'<h1>{title}</h1><div class="verdict{" bad" if certain else ""}">{verdict}</div>',
        _summary(gathered),
        _findings(gathered),
        _excerpts(gathered),
        _ledger(gathered),
        "<h2>Connections</h2>",
        *(_session(gathered, each) for each in gathered.sessions),
        "" if gathered.sessions else '<p class="soft">None.</p>',
        f'<p class="soft">Made by blechannel {escape(__version__)}.</p></body></html>\n',
    ]
    return "\n".join(parts)


def _is_attack(finding: Finding) -> bool:
    return finding.level.value == "attack" and finding.certainty is Certainty.CERTAIN


def _summary(gathered: Gathered) -> str:
    begins = datetime.fromtimestamp(gathered.first_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    lasts = f"{(gathered.last_ns - gathered.first_ns) / 1e9:.3f} s"
    kinds = ", ".join(f"{count:,} {name}" for name, count in gathered.kinds.most_common())
    return _facts(
        [
            ("format", gathered.format),
            ("packets", f"{gathered.packets:,}"),
            ("begins", begins),
            ("lasts", lasts),
            ("events", kinds or "none"),
        ]
    )


def _findings(gathered: Gathered) -> str:
    if not gathered.findings:
        return '<h2>Findings</h2><p class="soft">None.</p>'
    shown = {row.packet for row in gathered.rows}
    rows = [
        f'<tr><td class="number">{_packets(each, shown)}</td><td>{escape(each.kind.value)}</td>'
        f'<td class="{each.level.value}">{each.level.value}</td>'
        f"<td>{'certain' if each.certainty is Certainty.CERTAIN else 'inconclusive: a gap, or damage'}</td>"
        f"<td>{escape(each.detail)}{_whose(each)}</td></tr>"
        for each in gathered.findings
    ]
    table = _table(("packet", "what", "level", "certainty", "detail"), rows)
    return f'<h2>Findings</h2><div class="wide">{table}</div>{_more(gathered.left_out)}'


def _more(left_out: int) -> str:
    return f'<p class="soft">{left_out:,} further findings are like these.</p>' if left_out else ""


def _packets(finding: Finding, shown: set[int]) -> str:
    return ", ".join(f'<a href="#packet-{each}">{each}</a>' if each in shown else str(each) for each in finding.packets)


def _whose(finding: Finding) -> str:
    number = finding.connection
    return f' <a href="#connection-{number}">connection {number}</a>' if number else ""


def _excerpts(gathered: Gathered) -> str:
    if not gathered.rows:
        return ""
    rows, next_order = [], gathered.rows[0].order
    for row in gathered.rows:
        if row.order > next_order:
            rows.append('<tr class="skip"><td></td><td></td><td>…</td></tr>')
        next_order = row.order + 1
        words = "<br>".join(map(escape, row.words))
        time = f"{(row.time_ns - gathered.first_ns) / 1e9:.6f}"
        kind = ' class="found"' if row.is_found else ""
        rows.append(
            f'<tr id="packet-{row.packet}"{kind}><td class="number">{row.packet}</td><td class="number">{time}</td>'
            f'<td class="words">{words}</td></tr>'
        )
    heading = "<h2>The packets around the findings</h2>"
    return heading + '<div class="wide">' + _table(("packet", "seconds", "what was said"), rows) + "</div>"


def _ledger(gathered: Gathered) -> str:
    ledger = gathered.ledger
    if not ledger.counts:
        return '<h2>What is missing or damaged</h2><p class="soft">Nothing: the capture is whole.</p>'
    rows = [
        f'<tr><td class="number">{count:,}</td><td>{escape(each.value)}</td></tr>'
        for each, count in ledger.counts.most_common()
    ]
    lines = "".join(f"<li>{escape(str(entry))}</li>" for entry in ledger.entries[:LEDGER_LINES])
    more = f"<details><summary>the first of them</summary><ul>{lines}</ul></details>"
    return "<h2>What is missing or damaged</h2>" + _table(("count", "what"), rows) + more


def _session(gathered: Gathered, session: Session) -> str:
    link, times = session.connection, gathered.timing.links.get(session.connection.number)
    facts = [
        ("central", link.central or "this host, or unknown"),
        ("peripheral", link.peripheral or "this host, or unknown"),
        ("interval", f"{link.interval_us / 1000:g} ms" if link.interval_us else "not in the capture"),
        ("ATT PDUs", f"{session.att_pdus:,}"),
    ]
    if times is not None and times.att_round_trips_ns:
        facts.append(("ATT round trip, median", f"{median(times.att_round_trips_ns) / 1e6:.2f} ms"))
    if times is not None and times.handshake_ns is not None:
        facts.append(("handshake, from INFO", f"{times.handshake_ns / 1e6:.1f} ms"))
    parts = [f'<div class="card" id="connection-{link.number}"><h3>Connection {link.number}</h3>{_facts(facts)}']
    if not session.beginning_seen:
        parts.append('<p class="soft">Its beginning is not in the capture.</p>')
    if session.steps:
        parts.append(sequence(session))
        if session.more_steps:
            parts.append(f'<p class="soft">{session.more_steps:,} further frames are not drawn.</p>')
    if len(session.points) > 1:
        keys = (
            '<span class="key" style="background: var(--accent)"></span>central, above'
            '<span class="key" style="background: var(--other)"></span>peripheral, below'
        )
        parts.append(f'<p class="soft">Bytes of each value over time {keys}</p>{traffic(session)}')
    if times is not None:
        parts.append(_durations(times))
    return "".join([*parts, "</div>"])


def _durations(times: LinkTiming) -> str:
    """How long requests took, and how far apart the central's packets are."""
    declared_ns = times.connection.interval_us * 1000
    plots = histogram(times.att_round_trips_ns, "ATT round trips")
    plots += histogram(times.observed_ns, "between the central's packets", expected_ns=declared_ns)
    return f'<div class="plots">{plots}</div>' if plots else ""


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows) + "</dl>"


def _table(columns: Sequence[str], rows: Sequence[str]) -> str:
    heads = "".join(f"<th>{escape(each)}</th>" for each in columns)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
