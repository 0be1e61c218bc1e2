"""Run folders appear whole or not at all."""

import errno
import json
import os
import socket

import numpy as np
import pytest

from rc_vs_snn import InputError, find_records, read_record
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import DamagedError
from rc_vs_snn.records import NUMBERS, PROVENANCE, Record, Result, atomic_folder, read_weights, write_run
from rc_vs_snn.records.owners import host_tag


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def interrupted():
        with atomic_folder(tmp_path / "runs" / "a") as working:
            (working / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "runs").iterdir()) == []


def test_an_interrupted_replacement_keeps_the_old_one(tmp_path):
    target = tmp_path / "a"
    with atomic_folder(target) as working:
        (working / PROVENANCE).write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(target, replace=True) as working:
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == [PROVENANCE]
    assert (target / PROVENANCE).read_text() == "old"
    with atomic_folder(target, replace=True) as working:
        (working / "metrics.json").write_text("x")
    assert [path.name for path in target.iterdir()] == ["metrics.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("foreign", ["main.py", "notes/run.txt", "provenance.json/x"])
def test_a_folder_that_holds_anything_else_is_never_replaced(tmp_path, foreign):
    target = tmp_path / "rc-lstm"
    (target / foreign).parent.mkdir(parents=True)
    (target / foreign).write_text("mine")
    if not foreign.startswith(PROVENANCE):
        (target / PROVENANCE).write_text("{}")
    with pytest.raises(InputError, match="is not replaced"), atomic_folder(target, replace=True):
        pytest.fail("the body must not run")
    assert (target / foreign).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["rc-lstm"]


def test_what_comes_into_a_folder_meanwhile_is_not_lost(tmp_path):
    target = tmp_path / "a"
    with atomic_folder(target) as working:
        (working / PROVENANCE).write_text("old")

    def replaced_meanwhile():
        with atomic_folder(target, replace=True) as working:
            (working / PROVENANCE).write_text("new")
            (target / "main.py").write_text("mine")

    with pytest.raises(InputError, match=r"main\.py"):
        replaced_meanwhile()
    assert (target / "main.py").read_text() == "mine"
    assert (target / PROVENANCE).read_text() == "old"


def test_a_link_and_a_file_are_not_replaced_and_an_empty_folder_is(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises(InputError, match="is not replaced"), atomic_folder(tmp_path / name, replace=True):
            pytest.fail("the body must not run")
    with atomic_folder(tmp_path / "elsewhere", replace=True) as working:
        (working / PROVENANCE).write_text("new")
    assert (tmp_path / "link" / PROVENANCE).read_text() == "new"
    assert (tmp_path / "file").read_text() == "mine"


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    target = tmp_path / "a"
    with atomic_folder(target) as working:
        (working / PROVENANCE).write_text("old")
    rename = type(target).rename

    def refuse(path, to):
        if "partial" in path.parent.name and "replaced" not in path.name:
            raise OSError(28, "No space left on device")
        return rename(path, to)

    monkeypatch.setattr(type(target), "rename", refuse)
    with pytest.raises(InputError, match="No space left"), atomic_folder(target, replace=True) as working:
        (working / PROVENANCE).write_text("new")
    assert (target / PROVENANCE).read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_existing_folder_is_not_overwritten(tmp_path):
    with pytest.raises(InputError, match="exists already"), atomic_folder(tmp_path):
        pass


def left_behind(folder, *names):
    """Make what processes leave in ``folder`` that were killed, and return it."""
    for name in names:
        made = folder / name
        if made.suffix == ".json":
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text("{}")
        else:
            (made / "half").mkdir(parents=True)
    return [folder / name for name in names]


def test_leftovers_of_a_killed_process_are_cleared(tmp_path):
    host = host_tag(socket.gethostname())
    gone = left_behind(tmp_path / ".a.partial", f"999999999@{host}", f"999999999@{host}.json")
    (alive,) = left_behind(tmp_path / ".a.partial", f"{os.getppid()}@{host}")
    (elsewhere,) = left_behind(tmp_path / ".a.partial", "999999999@node-b")
    with atomic_folder(tmp_path / "a"):
        pass
    assert not any(path.exists() for path in gone)
    assert alive.exists()  # another run of the same name may be going on
    assert elsewhere.exists()  # and on another machine: its number says nothing here
    with atomic_folder(tmp_path / "a", replace=True, held=True):  # then it may not
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_was_to_be_replaced_comes_back_if_the_machine_stopped_in_between(tmp_path):
    (old,) = left_behind(tmp_path / ".a.partial", "replaced-7@node-b")
    (old / "half").rmdir()
    (old / PROVENANCE).write_text("old")

    def fails():
        with atomic_folder(tmp_path / "a", replace=True, held=True):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert (tmp_path / "a" / PROVENANCE).read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_leftovers_of_older_versions_are_cleared_by_who_holds_the_run(tmp_path):
    gone = left_behind(tmp_path, ".a.partial-999999999", ".a.replaced-999999999")
    (alive,) = left_behind(tmp_path, f".a.partial-{os.getppid()}")
    with atomic_folder(tmp_path / "a"):
        pass
    assert all(path.exists() for path in gone)  # their number tells no machine
    with atomic_folder(tmp_path / "a", replace=True, held=True):
        pass
    assert not any(path.exists() for path in gone)
    assert alive.exists()


def test_a_renaming_whose_answer_was_lost_is_done(tmp_path, monkeypatch):
    rename = type(tmp_path).rename

    def answer_lost(path, to):
        rename(path, to)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(type(tmp_path), "rename", answer_lost)
    with atomic_folder(tmp_path / "a") as working:
        (working / PROVENANCE).write_text("new")
    assert (tmp_path / "a" / PROVENANCE).read_text() == "new"


def test_what_appeared_meanwhile_is_not_replaced(tmp_path, monkeypatch):
    def too_late(path, to):
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    with pytest.raises(InputError, match="has appeared meanwhile"), atomic_folder(tmp_path / "a"):
        monkeypatch.setattr(type(tmp_path), "rename", too_late)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_removed_while_somebody_reads_it_is_not_foreign(tmp_path):
    """Over a network it stays for a while, under a name of the system's."""
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "a", replace=True) as working:
            (working / PROVENANCE).write_text(text)
            (working / ".nfs000000000001").write_text("read by somebody")
    assert (tmp_path / "a" / PROVENANCE).read_text() == "new"


def test_an_unwritable_place_is_told_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"), atomic_folder(tmp_path / "file" / "a"):
        pytest.fail("the body must not run")


def test_a_full_disk_is_told_and_nothing_stays(tmp_path):
    with pytest.raises(InputError, match="No space left"), atomic_folder(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_reading_what_is_no_run_folder_says_so(tmp_path):
    with pytest.raises(InputError, match="no run folder"):
        read_record(tmp_path)
    with pytest.raises(InputError, match="holds no run folder"):
        find_records(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        find_records(tmp_path / "absent")


def test_a_damaged_or_newer_run_folder_is_told(tmp_path):
    for name in ("config.json", "history.json", "metrics.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / PROVENANCE).write_text(json.dumps({"schema_version": 99, "status": "done"}))
    with pytest.raises(InputError, match="schema 99") as raised:
        read_record(tmp_path)
    assert not isinstance(raised.value, DamagedError)  # which would be run again, and replaced
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DamagedError, match=r"config\.json is damaged"):
        read_record(tmp_path)


CONFIG = {
    "label": "a",
    "seed": 0,
    **{name: {"name": "x"} for name in ("dataset", "encoder", "model", "rule", "objective")},
}
HISTORY = [{"epoch": 0, "valid_accuracy": 0.5, "valid_mean_step": 1.0}]


@pytest.fixture
def trace():
    evidence = np.array([[[0.2, 0.8], [0.1, 0.9]], [[0.5, 0.5], [0.6, 0.4]]], dtype=np.float32)
    counts = np.array([[1.0, 2.0], [3.0, 4.0]])
    return Trace(
        evidence=evidence, labels=np.array([1, 0]), ids=np.arange(2), acs=counts, macs=counts,
        input_events=counts.astype(np.int64),
    )  # fmt: skip


def test_what_is_written_is_read_back(trace, tmp_path):
    decision = decide(trace.evidence, FirstSpike(0.7))
    weights = {"layer.weight": np.arange(6, dtype=np.float16).reshape(2, 3).T, "steps": np.array(7)}
    metrics = {**summarise(trace, decision), "forced_accuracy": float("nan"), "evidence": "probability"}
    write_run(
        tmp_path, CONFIG, HISTORY, {"schema_version": 1, "status": "done"},
        Result(metrics, weights, (trace, decision)),
    )  # fmt: skip
    record = read_record(tmp_path)
    assert record.status == "done"
    assert record.metrics == pytest.approx(metrics, nan_ok=True)
    assert np.isnan(record.metric("forced_accuracy"))
    assert list(record.decisions()["label"]) == list(decision.label)
    np.testing.assert_array_equal(record.trace().evidence, trace.evidence)
    stored = read_weights(tmp_path / "weights.safetensors")
    assert stored.keys() == weights.keys()
    for name, value in weights.items():
        assert stored[name].dtype == value.dtype
        np.testing.assert_array_equal(stored[name], value)


def test_every_number_of_a_run_is_known_by_name(trace):
    assert set(summarise(trace, decide(trace.evidence, FirstSpike(0.7)))) <= set(NUMBERS)


def test_a_mistyped_number_raises_and_one_an_older_run_lacks_is_nan(tmp_path):
    record = Record(tmp_path, {}, [], {"accuracy": 0.5}, {})
    assert record.metric("accuracy") == 0.5
    assert np.isnan(record.metric("tied"))
    with pytest.raises(InputError, match="unknown metric 'acuracy'; did you mean 'accuracy'"):
        record.metric("acuracy")


def test_leftovers_of_odd_names_are_left_alone(tmp_path):
    odd = ["abc", "@", "-5@node-b", "mine/5@node-b", "5@"]
    left_behind(tmp_path, ".[a].partial-5", *(f".a.partial/{name}" for name in odd))
    with atomic_folder(tmp_path / "a", held=True):
        pass
    assert sorted(path.name for path in (tmp_path / ".a.partial").iterdir()) == sorted(
        name.partition("/")[0] for name in odd
    )
    assert (tmp_path / ".[a].partial-5").exists()


def test_a_name_that_no_system_takes_is_told(tmp_path):
    for name in ("x" * 300, "nul\0byte"):
        with pytest.raises(InputError, match="cannot write"), atomic_folder(tmp_path / name):
            pytest.fail("the body must not run")
