"""The figures, one module each; importing this package registers them all."""

from rc_vs_snn.analysis.figures import (
    accuracy_vs_decision_step,
    confusion,
    cost_to_decision,
    coverage_vs_accuracy,
    decision_step_histograms,
    decision_step_vs_noise,
    decision_time_per_class,
    decision_time_vs_property,
    energy_vs_accuracy,
    example_sequences,
    first_crossings,
    objective_trade_off,
    operating_points,
    pareto,
    reliability,
    training_history,
)
from rc_vs_snn.analysis.figures.protocol import ComparisonFigure

__all__ = [
    "ComparisonFigure",
    "accuracy_vs_decision_step",
    "confusion",
    "cost_to_decision",
    "coverage_vs_accuracy",
    "decision_step_histograms",
    "decision_step_vs_noise",
    "decision_time_per_class",
    "decision_time_vs_property",
    "energy_vs_accuracy",
    "example_sequences",
    "first_crossings",
    "objective_trade_off",
    "operating_points",
    "pareto",
    "reliability",
    "training_history",
]
