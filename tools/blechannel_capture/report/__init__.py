"""One self-contained HTML page about a capture: no script, nothing fetched."""

from blechannel_capture.report.gathering import Gathered, gather
from blechannel_capture.report.page import page

__all__ = ["Gathered", "gather", "page"]
