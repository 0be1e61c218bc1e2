"""A file of a run folder that is not what was written is named, and its run is not taken as finished."""

import json
import shutil

import numpy as np
import pytest

from rc_vs_snn import InputError, find_records, read_record
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import DamagedError
from rc_vs_snn.records import (
    CONFIG,
    DECISIONS,
    HISTORY,
    METRICS,
    PROVENANCE,
    TRACE,
    WEIGHTS,
    Result,
    write_order,
    write_run,
)

JSON = (CONFIG, HISTORY, METRICS, PROVENANCE)
BINARY = (DECISIONS, TRACE, WEIGHTS)


def make(folder, label, level, order=None):
    evidence = np.full((3, 2, 2), level, dtype=np.float32)
    counts = np.ones((3, 2))
    trace = Trace(evidence, np.array([0, 1, 0]), np.arange(3), counts, counts, counts)
    decision = decide(evidence, FirstSpike(0.7))
    parts = {name: {"name": "x"} for name in ("dataset", "encoder", "model", "rule", "objective")}
    history = [{"epoch": 0, "valid_accuracy": level, "valid_mean_step": 1.0}]
    provenance = {"schema_version": 2, "status": "done"} | ({} if order is None else {"order": order})
    metrics = {**summarise(trace, decision), "evidence": "probability"}
    weights = {"weight": np.full(4, level, dtype=np.float32)}
    folder.mkdir(parents=True)
    outcome = Result(metrics, weights, (trace, decision))
    write_run(folder, {"label": label, "seed": 0, **parts}, history, provenance, outcome)
    return folder


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "runs" / "a", "a", 0.6)


def whole(folder):
    record = read_record(folder)
    record.require_whole()
    return record


def without_checksums(folder):
    """Make a run folder as they were before checksums."""
    path = folder / PROVENANCE
    provenance = json.loads(path.read_text())
    del provenance["files"]
    path.write_text(json.dumps(provenance))


def test_an_unharmed_folder_is_whole(folder):
    assert whole(folder).provenance["files"].keys() == {*JSON, *BINARY} - {PROVENANCE}
    without_checksums(folder)
    whole(folder)


SHAPES = [
    b"[]",
    b"{}",
    b"5",
    b"null",
    b"",
    b'{"label": "\xff"}',
    b"NaN",
    b"[" * 100_000,
    b"[{}]",
    b'{"a": 1e999}',
]


@pytest.mark.parametrize("checked", [True, False], ids=["checksums", "older"])
@pytest.mark.parametrize("name", JSON)
def test_json_of_another_shape_is_named(folder, name, checked):
    if not checked:
        without_checksums(folder)
    good = (folder / name).read_bytes()
    shapes = [*SHAPES, good[: len(good) // 2], good.replace(b'"', b"")]
    if name == HISTORY and not checked:
        shapes.remove(b"[]")  # an empty history is one
    if name == PROVENANCE:
        shapes = [shape for shape in shapes if shape not in (b"{}", b'{"a": 1e999}')]  # of no schema: below
    for shape in shapes:
        (folder / name).write_bytes(shape)
        with pytest.raises(DamagedError, match=rf"a.{name} is damaged \(.*put back the file"):
            read_record(folder)


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        (CONFIG, "label", 7, "label must be a text"),
        (CONFIG, "seed", "0", "seed must be a whole number"),
        (CONFIG, "model", "rc-lstm", "model must be a table with a name"),
        (METRICS, "accuracy", "high", "accuracy must be a number"),
        (METRICS, "n_samples", None, "n_samples must be a number"),
        (METRICS, "evidence", 7, "evidence must be named"),
        (METRICS, "mean_step", True, "mean_step must be a number"),
        (METRICS, "acs", 10**400, "acs must be a number"),
        (PROVENANCE, "status", "finished", "status must be done, failed or skipped"),
        (PROVENANCE, "files", {"../../x": "0"}, "files must give checksums by name"),
        (PROVENANCE, "order", "first", "order must be int"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_named(folder, name, key, value, told):
    without_checksums(folder)
    table = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**table, key: value}))
    with pytest.raises(DamagedError, match=rf"{name} is damaged \({told}"):
        read_record(folder)
    if name != PROVENANCE:
        del table[key]
        (folder / name).write_text(json.dumps(table))
        if key not in ("acs",):  # which an older run may lack
            with pytest.raises(DamagedError, match=rf"{name} is damaged \({told}"):
                read_record(folder)


@pytest.mark.parametrize("name", [CONFIG, HISTORY, METRICS, *BINARY])
@pytest.mark.parametrize("damage", ["emptied", "truncated", "swapped", "one bit", "missing"])
def test_a_file_that_is_not_what_was_written_is_named(folder, tmp_path, name, damage):
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "swapped":
        other = make(tmp_path / "b", "b", 0.9)
        shutil.copy(other / name, path)
    else:
        flipped = bytes([*content[:-3], content[-3] ^ 1, *content[-2:]])
        path.write_bytes({"emptied": b"", "truncated": content[:-10], "one bit": flipped}[damage])
    with pytest.raises(DamagedError, match=f"{name} is damaged"):
        whole(folder)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("damage", ["emptied", "truncated", "missing"])
def test_a_file_of_an_older_run_is_opened_to_see(folder, name, damage):
    without_checksums(folder)
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    record = read_record(folder)
    with pytest.raises(DamagedError, match=f"{name} is damaged"):
        record.require_whole()


def test_a_byte_order_mark_in_the_marker_is_read(folder):
    path = folder / PROVENANCE
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert whole(folder).status == "done"


def test_a_folder_that_has_lost_its_marker_does_not_go_missing(folder):
    make(folder.parent / "b", "b", 0.4)
    (folder / PROVENANCE).unlink()
    with pytest.raises(InputError, match=r"a is no run folder \(no provenance\.json\)"):
        find_records(folder.parent)


def test_runs_are_in_the_order_of_their_comparison_whatever_their_names(tmp_path):
    for name, order in (("a", 2), ("b", 0), ("c", 1), ("d", None)):
        make(tmp_path / name, name, 0.6, order)
    assert [record.label for record in find_records(tmp_path)] == ["b", "c", "a", "d"]
    last = write_order(read_record(tmp_path / "a"), -1)
    assert last.provenance["order"] == -1
    assert [record.label for record in find_records(tmp_path)] == ["a", "b", "c", "d"]
    assert not [path for path in (tmp_path / "a").iterdir() if path.name.startswith(".")]
    whole(tmp_path / "a")


@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte"])
def test_a_path_that_no_system_takes_is_told(tmp_path, name):
    for read in (read_record, find_records):
        with pytest.raises(InputError, match="give"):
            read(tmp_path / name)
