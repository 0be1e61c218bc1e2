"""Reads run folders, makes tables and figures. Imports no torch."""

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.curves import forced_at_step, oracle_exit, threshold_sweep
from rc_vs_snn.analysis.figure_options import FigureOptions
from rc_vs_snn.analysis.intervals import Interval, mean_interval, paired_difference
from rc_vs_snn.analysis.tables import summary_markdown, summary_table
from rc_vs_snn.analysis.writing import write_figures

__all__ = [
    "FigureOptions", "Interval", "Table", "forced_at_step", "mean_interval", "oracle_exit",
    "paired_difference", "summary_markdown", "summary_table", "threshold_sweep", "write_figures",
]  # fmt: skip
