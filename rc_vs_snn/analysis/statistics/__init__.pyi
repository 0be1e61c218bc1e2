from .accuracy_time import AccuracyTime, at_thresholds, by_fixed_step, by_threshold, oracle
from .energy import TABLES, Energy, EnergyTable, energy_to_decision
from .estimates import Estimate, bootstrap, paired_bootstrap
from .mcnemar import McNemar, mcnemar, mcnemar_at
from .overview import statistics_markdown, statistics_table
from .reliability import confidence_at, expected_calibration_error, reliability, wilson
from .stored import decision_of, valid_trace
from .tidy import Tidy, tidy
from .trade_off import BestPoint, average_costs, best_operating_point, pareto_front
from .two_models import TwoModels, compare_two

__all__ = [
    "TABLES", "AccuracyTime", "BestPoint", "Energy", "EnergyTable", "Estimate", "McNemar", "Tidy",
    "TwoModels", "at_thresholds", "average_costs", "best_operating_point", "bootstrap",
    "by_fixed_step", "by_threshold", "compare_two", "confidence_at", "decision_of", "energy_to_decision",
    "expected_calibration_error", "mcnemar", "mcnemar_at", "oracle", "paired_bootstrap", "pareto_front",
    "reliability", "statistics_markdown", "statistics_table", "tidy", "valid_trace", "wilson",
]  # fmt: skip
