from .comparison import Comparison, load_file, load_preset
from .execute import compare
from .execution import Execution
from .foreign import judge
from .judging import evaluate, load_weights
from .running import run

__all__ = [
    "Comparison", "Execution", "compare", "evaluate", "judge", "load_file", "load_preset", "load_weights",
    "run",
]  # fmt: skip
