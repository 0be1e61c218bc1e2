from .calibrating import calibrate
from .comparison import Comparison, load_file, load_preset
from .execute import compare
from .execution import Execution
from .judging import evaluate, load_weights
from .running import run

__all__ = [
    "Comparison", "Execution", "calibrate", "compare", "evaluate", "load_file", "load_preset", "load_weights",
    "run",
]  # fmt: skip
