"""``blechannel simulate``: how long things take on a radio with these properties, without a radio."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import get_args

from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel.gatt import MIN_ATT_MTU_BYTES
from blechannel.transports.airtime import MAX_INTERVAL_S, MIN_INTERVAL_S, Phy
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, positive
from blechannel_tools.output import Event, Output
from blechannel_tools.simulate import report
from blechannel_tools.simulate.goodput import Way
from blechannel_tools.simulate.runs import Plan, Sample, What, sample
from blechannel_tools.simulate.terms import Terms

EPILOG = """examples:
  blechannel simulate reconnect --known-handles
  blechannel simulate pairing --interval 15 30 50 --loss 0 5
  blechannel simulate transfer --phy 1M 2M --way both --runs 20 --plot goodput.png

Every combination of PHYs, intervals, losses and MTUs is a row. What the columns mean: docs/simulate.md."""

RUNS = {What.PAIRING: 100, What.RECONNECT: 100, What.TRANSFER: 10}
MAX_ATT_MTU_BYTES = 517
MAX_LOSS_PERCENT = 90.0
INTERVAL_STEP_MS = 1.25
PHYS: tuple[Phy, ...] = get_args(Phy)


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "how long pairing, reconnecting or a transfer takes on a radio with these properties"
    parser = add_command(commands, "simulate", run, help=about, epilog=EPILOG)
    parser.add_argument("what", choices=[what.value for what in What], help="what is simulated")
    parser.add_argument("--phy", type=phy, nargs="+", default=["2M"], metavar="PHY", help=f"{', '.join(PHYS)} (2M)")
    parser.add_argument(
        "--interval", type=interval_ms, nargs="+", default=[30.0], metavar="MS", help="connection interval (30)"
    )
    parser.add_argument(
        "--loss", type=loss_percent, nargs="+", default=[0.0], metavar="PERCENT", help="of the exchanges that fail (0)"
    )
    parser.add_argument("--mtu", type=mtu_bytes, nargs="+", default=[247], metavar="BYTES", help="ATT_MTU (247)")
    parser.add_argument("--known-handles", action="store_true", help="the phone remembers the watch's handles")
    parser.add_argument("--way", choices=[way.value for way in Way], help="of a transfer (to-phone)")
    parser.add_argument("--message", type=positive, metavar="BYTES", help="of a transfer (the longest there is)")
    parser.add_argument("--runs", type=positive, metavar="N", help="for each row (100; of a transfer 10)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed, the same figures (1)")
    parser.add_argument("--plot", type=picture, metavar="FILE", help="draw the figures as .png or .svg")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    what = What(options.what)
    runs = options.runs or RUNS[what]
    if what is not What.TRANSFER and (options.way or options.message):
        raise LocalProtocolError(f"--way and --message are a transfer's: a {what.value} has neither")
    way = Way(options.way or Way.TO_PHONE)
    plan = Plan(what=what, runs=runs, seed=options.seed, way=way, message_bytes=options.message)
    if options.plot is not None:
        from blechannel_tools.simulate import plot  # found missing before the runs and not after them
    samples = _samples(plan, list(_rows(options)), output)
    if options.plot is not None:
        plot.draw(plan, samples, options.plot)
    output.say(
        Event.SIMULATED,
        report.table(plan, samples),
        what=what.value,
        way=way.value if what is What.TRANSFER else None,
        unit="bytes/s" if what is What.TRANSFER else "s",
        runs=runs,
        seed=plan.seed,
        plot=None if options.plot is None else str(options.plot),
        rows=[report.facts_of(plan, each) for each in samples],
    )
    _check_some_ended_well(samples)
    return Exit.DONE


def phy(text: str) -> Phy:
    """A PHY by its name, for argparse."""
    for name in PHYS:
        if text.lower() == name.lower():
            return name
    raise argparse.ArgumentTypeError(f"there is no PHY {text}: choose from {', '.join(PHYS)}")


def interval_ms(text: str) -> float:
    """A connection interval that a phone could ask for, for argparse."""
    value = _number(text)
    if not MIN_INTERVAL_S * 1000 <= value <= MAX_INTERVAL_S * 1000 or value % INTERVAL_STEP_MS:
        raise argparse.ArgumentTypeError(f"{text} is no connection interval: 7.5 to 4000 ms, in steps of 1.25")
    return value


def loss_percent(text: str) -> float:
    """How many exchanges fail, for argparse."""
    value = _number(text)
    if not 0 <= value <= MAX_LOSS_PERCENT:
        raise argparse.ArgumentTypeError(f"{text} is no loss between 0 and {MAX_LOSS_PERCENT:g} percent")
    return value


def mtu_bytes(text: str) -> int:
    """An ATT_MTU, for argparse."""
    value = _number(text)
    if not MIN_ATT_MTU_BYTES <= value <= MAX_ATT_MTU_BYTES or value % 1:
        raise argparse.ArgumentTypeError(f"{text} is no MTU: {MIN_ATT_MTU_BYTES} to {MAX_ATT_MTU_BYTES} bytes")
    return int(value)


def picture(text: str) -> Path:
    """A file that can be drawn into, for argparse: found out before the runs and not after them."""
    path = Path(text)
    if path.suffix.lower() not in (".png", ".svg"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .png or .svg")
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    return path


def _number(text: str) -> float:
    """Not a number where the text is none: it is outside every bound."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _rows(options: argparse.Namespace) -> Iterable[Terms]:
    for each in product(options.phy, options.interval, options.loss, options.mtu):
        phy, interval_ms, loss_percent, mtu_bytes = each
        yield Terms(
            phy=phy,
            interval_ms=interval_ms,
            loss_percent=loss_percent,
            mtu_bytes=mtu_bytes,
            handles_known=options.known_handles,
        )


def _samples(plan: Plan, rows: list[Terms], output: Output) -> list[Sample]:
    done = 0
    with output.counting("runs", plan.runs * len(rows)) as show:

        def ran() -> None:
            nonlocal done
            done += 1
            show(done)

        return [sample(plan, terms, ran=ran) for terms in rows]


def _check_some_ended_well(samples: list[Sample]) -> None:
    for each in samples:
        if not each.values:
            terms = each.terms
            row = f"{terms.phy}, {terms.interval_ms:g} ms, {terms.loss_percent:g} % loss, MTU {terms.mtu_bytes}"
            raise BlechannelError(f"no run ended well with {row}: {each.failures[0]}")
