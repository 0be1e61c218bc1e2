"""The report that people open: one HTML file that holds all it needs, made from run folders alone."""

from rc_vs_snn.analysis.html.page import write_html

__all__ = ["write_html"]
