"""What a run folder holds: its files, its schema, and the numbers a run is known by.

- ``config.json``: the full run configuration
- ``history.json``: one entry per epoch
- ``decisions.parquet``: one row per test sample
- ``trace.npz``: readout, evidence and cost of every test sample at every step
- ``trace-valid.npz``: the same of the validation samples, on which exits are calibrated
- ``metrics.json``: the numbers of the operating point
- ``weights.safetensors``: the trained parameters
- ``provenance.json``: schema, status, seeds, code version, packages, hardware, the run's place in its
  comparison, and a checksum of every other file; the marker of a run folder
- ``README.md``: the model card, only of a model that is kept
"""

from typing import Literal

SCHEMA_VERSION = 2
"""2 since weights are named by layers and traces count leaks; folders of schema 1 are read as well."""
READABLE = (1, 2)
Status = Literal["done", "failed", "skipped"]

CONFIG = "config.json"
HISTORY = "history.json"
DECISIONS = "decisions.parquet"
TRACE = "trace.npz"
VALID_TRACE = "trace-valid.npz"
METRICS = "metrics.json"
WEIGHTS = "weights.safetensors"
PROVENANCE = "provenance.json"
CARD = "README.md"
FILES = frozenset({CONFIG, HISTORY, DECISIONS, TRACE, VALID_TRACE, METRICS, WEIGHTS, PROVENANCE, CARD})
"""All that a run or model folder may hold."""
TABLES = (CONFIG, HISTORY, METRICS, PROVENANCE)

# Every number that a run may have; one that an older run lacks is NaN there.
NUMBERS = (
    "accuracy", "accuracy_decided", "coverage", "mean_step", "median_step", "mean_ms", "forced",
    "forced_accuracy", "tied", "earliness", "harmonic_mean", "acs", "macs", "leaks", "input_events",
    "accuracy_forced_at_step0", "accuracy_decided_at_step0", "share_decided_at_step0",
    "share_right_at_step0", "n_samples", "n_steps", "parameters", "train_seconds", "epochs_run",
)  # fmt: skip
