"""The public names: one list, every name there, and none loaded before it is used."""

import subprocess
import sys

import rc_vs_snn as rv

NAMES = {
    "Comparison", "Decider", "Decision", "Execution", "FigureOptions", "FirstSpike", "Frames", "InputError",
    "Part", "Predictions", "Record", "RunConfig", "Samples", "SpikeTimes", "Splits", "Trace", "Training",
    "compare", "decide", "evaluate", "find_records", "judge", "judge_predictions", "load_file",
    "load_preset", "read_predictions", "read_record", "run", "run_to_decision",
    "splits_from_arrays", "write_figures",
}  # fmt: skip


def test_the_list_is_complete_and_every_name_is_there():
    assert set(rv.__all__) == NAMES
    assert all(getattr(rv, name).__name__ == name for name in NAMES)


def test_what_the_documents_teach_of_a_room_is_there():
    from rc_vs_snn import experiment, records

    assert experiment.run is rv.run
    assert callable(experiment.load_weights)
    assert records.Record is rv.Record


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, rc_vs_snn; sys.exit(any(name in sys.modules for name in ('numpy', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
