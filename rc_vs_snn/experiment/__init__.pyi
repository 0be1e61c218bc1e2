from .calibrating import calibrate
from .comparison import Comparison, load_file, load_preset
from .engines import Engine
from .execute import compare
from .execution import Execution
from .foreign import judge
from .judging import evaluate, load_weights
from .notebook import NotebookProgress
from .predictions import Predictions, judge_predictions, read_predictions
from .progress import Progress, TerminalProgress, Watch
from .running import run
from .tensorboard import TensorBoard

__all__ = [
    "Comparison", "Engine", "Execution", "NotebookProgress", "Predictions", "Progress", "TensorBoard",
    "TerminalProgress", "Watch", "calibrate", "compare", "evaluate", "judge", "judge_predictions",
    "load_file", "load_preset", "load_weights", "read_predictions", "run",
]  # fmt: skip
