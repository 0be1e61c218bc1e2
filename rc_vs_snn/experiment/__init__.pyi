from .calibrating import calibrate
from .comparison import Comparison, load_file, load_preset
from .execute import compare
from .execution import Execution
from .foreign import judge
from .judging import evaluate, load_weights
from .predictions import Predictions, judge_predictions, read_predictions
from .running import run

__all__ = [
    "Comparison", "Execution", "Predictions", "calibrate", "compare", "evaluate", "judge",
    "judge_predictions", "load_file", "load_preset", "load_weights", "read_predictions", "run",
]  # fmt: skip
