"""Rank-coded recurrent networks and rank-coded spiking networks under one encoding and one decision rule.

The public names are loaded on first use, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rc_vs_snn.analysis import write_figures
    from rc_vs_snn.comparison import Comparison, load_file, load_preset
    from rc_vs_snn.config import Part, RunConfig, Training
    from rc_vs_snn.contracts import Decision, Samples, Splits, Trace
    from rc_vs_snn.decision.batch import run_to_decision
    from rc_vs_snn.decision.rules import FirstSpike, decide
    from rc_vs_snn.decision.stream import Decider
    from rc_vs_snn.encoded import Frames, SpikeTimes
    from rc_vs_snn.errors import InputError
    from rc_vs_snn.experiment import Execution, evaluate, run
    from rc_vs_snn.records import Record, find_records, read_record
    from rc_vs_snn.sweep import compare

_HOMES = {
    "analysis": ["write_figures"],
    "comparison": ["Comparison", "load_file", "load_preset"],
    "config": ["Part", "RunConfig", "Training"],
    "contracts": ["Decision", "Samples", "Splits", "Trace"],
    "decision.batch": ["run_to_decision"],
    "encoded": ["Frames", "SpikeTimes"],
    "errors": ["InputError"],
    "experiment": ["Execution", "evaluate", "run"],
    "records": ["Record", "find_records", "read_record"],
    "decision.rules": ["FirstSpike", "decide"],
    "decision.stream": ["Decider"],
    "sweep": ["compare"],
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Comparison", "Decider", "Decision", "Execution", "FirstSpike", "Frames", "InputError", "Part", "Record",
    "RunConfig", "Samples", "SpikeTimes", "Splits", "Trace", "Training", "compare", "decide", "evaluate",
    "find_records", "load_file", "load_preset", "read_record", "run", "run_to_decision", "write_figures",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rc_vs_snn' has no attribute '{name}'")
    return getattr(importlib.import_module(f"rc_vs_snn.{_HOME_OF[name]}"), name)
