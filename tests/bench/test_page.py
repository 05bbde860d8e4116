"""The table of what was measured, in its place on a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.page import BEGIN, BEGIN_SIZES, END, END_SIZES, write
from tests.bench.ratio import Figures, Sizes

BATCHES = ({"floor": 1e-6, "ours": 1.25e-6}, {"floor": 2e-6, "ours": 3e-6}, {"floor": 1e-6, "ours": 2e-6})
FIGURES = Figures("record", BATCHES, {"ours": 1.4}, moved_bytes=100)


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"above\n\n{BEGIN}\nold\n{END}\n\nbelow\n", encoding="utf-8")
    write(page, [FIGURES], ["TShark 4.0"])
    once = page.read_text(encoding="utf-8")
    assert once.startswith(f"above\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nbelow\n")
    assert "old" not in once
    assert "TShark 4.0." in once
    assert "| record | floor | 1.00 |  |  |  | 1.0 | 1,000,000; 100.0 MB |\n" in once
    assert "| record | ours | 1.25 | 1.50 | 1.25–2.00 | 1.40 | 1.2 | 800,000; 80.0 MB |\n" in once
    write(page, [FIGURES], ["TShark 4.0"])
    assert page.read_text(encoding="utf-8") == once


def test_sizes_have_a_table_of_their_own_and_leave_that_of_times_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nkept\n{END}\n{BEGIN_SIZES}\nold\n{END_SIZES}\nbelow\n", encoding="utf-8")
    write(page, [Sizes("memory", {"awake": 9631, "at rest": 1834}, {"awake": 12000, "at rest": 2000})])
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"{BEGIN}\nkept\n{END}\n{BEGIN_SIZES}\n")
    assert "| memory | awake | 9,631 | 12,000 |\n| memory | at rest | 1,834 | 2,000 |\n" in text
    assert "old" not in text
    assert text.endswith(f"{END_SIZES}\nbelow\n")


def test_a_size_over_its_bound_is_missed() -> None:
    assert Sizes("memory", {"awake": 12000, "at rest": 2001}, {"awake": 12000, "at rest": 2000}).missed() == ["at rest"]


@pytest.mark.parametrize("text", ["no place", f"{BEGIN}\n", f"{END}\n"])
def test_a_page_without_a_place_is_left_alone(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no place for a table"):
        write(page, [FIGURES])
    assert page.read_text(encoding="utf-8") == text
