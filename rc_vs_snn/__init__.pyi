from .analysis import FigureOptions, write_figures
from .config import Part, RunConfig, Training
from .contracts import Decision, Samples, Splits, Trace
from .datasets.from_arrays import splits_from_arrays
from .decision import Decider, FirstSpike, decide, run_to_decision
from .encoded import Frames, SpikeTimes
from .errors import InputError
from .experiment import (
    Comparison,
    Execution,
    Predictions,
    compare,
    evaluate,
    judge,
    judge_predictions,
    load_file,
    load_preset,
    read_predictions,
    run,
)
from .records import Record, find_records, read_record

__all__ = [
    "Comparison", "Decider", "Decision", "Execution", "FigureOptions", "FirstSpike", "Frames", "InputError",
    "Part", "Predictions", "Record", "RunConfig", "Samples", "SpikeTimes", "Splits", "Trace", "Training",
    "compare", "decide", "evaluate", "find_records", "judge", "judge_predictions", "load_file",
    "load_preset", "read_predictions", "read_record", "run", "run_to_decision",
    "splits_from_arrays", "write_figures",
]  # fmt: skip
