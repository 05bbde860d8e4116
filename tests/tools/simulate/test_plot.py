"""The picture, by what is in it."""

from __future__ import annotations

from pathlib import Path

from blechannel_tools.simulate.plot import draw
from blechannel_tools.simulate.runs import Plan, Sample, What
from blechannel_tools.simulate.terms import Terms

LOST = Sample(Terms(loss_percent=90.0), 170_800.0, (), (), ("the link was lost",))
CLEAR = Sample(Terms(), 170_800.0, (165_000.0, 168_000.0), (170_000.0, 170_100.0), ())


def test_a_transfer_as_svg(tmp_path: Path) -> None:
    """Text is drawn as shapes, and told in a comment."""
    plan = Plan(what=What.TRANSFER, runs=2)
    draw(plan, [LOST, CLEAR], tmp_path / "one.svg")
    picture = (tmp_path / "one.svg").read_text()
    for words in (
        "Transfer to the phone, kB/s: 2M, 30 ms, MTU 247, 2 runs",
        "0 % loss",
        "90 % loss",
        "no run ended well",
        "physical limit",
        "bare link",
        "one run",
        "median, p10 to p90",
        "165.0 kB/s, 97 % of the limit",
        "kB/s of message bytes",
    ):
        assert f"<!-- {words} -->" in picture or f"<!--   {words} -->" in picture, words
    draw(plan, [LOST, CLEAR], tmp_path / "two.svg")
    assert (tmp_path / "two.svg").read_text() == picture, "the same figures, the same file"
