from .calibrating import calibrate
from .comparison import Comparison, load_file, load_preset
from .execute import compare
from .execution import Execution
from .judging import evaluate, load_weights
from .notebook import NotebookProgress
from .progress import Progress, TerminalProgress, Watch
from .running import run
from .tensorboard import TensorBoard

__all__ = [
    "Comparison", "Execution", "NotebookProgress", "Progress", "TensorBoard", "TerminalProgress", "Watch",
    "calibrate", "compare", "evaluate", "load_file", "load_preset", "load_weights", "run",
]  # fmt: skip
