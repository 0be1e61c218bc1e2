from .folders import atomic_folder, require_space
from .layout import (
    CARD,
    CONFIG,
    DECISIONS,
    HISTORY,
    METRICS,
    NUMBERS,
    PROVENANCE,
    SCHEMA_VERSION,
    TRACE,
    WEIGHTS,
    Status,
)
from .reading import Record, Records, find_records, read_record, read_weights
from .writing import Result, write_decisions, write_json, write_order, write_run, write_trace, write_weights

__all__ = [
    "CARD",
    "CONFIG",
    "DECISIONS",
    "HISTORY",
    "METRICS",
    "NUMBERS",
    "PROVENANCE",
    "SCHEMA_VERSION",
    "TRACE",
    "WEIGHTS",
    "Record",
    "Records",
    "Result",
    "Status",
    "atomic_folder",
    "find_records",
    "read_record",
    "read_weights",
    "require_space",
    "write_decisions",
    "write_json",
    "write_order",
    "write_run",
    "write_trace",
    "write_weights",
]  # fmt: skip
