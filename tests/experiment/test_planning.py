"""What is to be run, and what it costs to know it."""

import cProfile
import importlib.util
import itertools
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import rc_vs_snn as rv
from rc_vs_snn.experiment import planning
from rc_vs_snn.experiment.planning import PlannedRun, check_runs, finished, finished_record, write_plans
from rc_vs_snn.records.plans import read_plan

CPU = rv.Execution(device="cpu")


def is_finished(config, folder):
    return finished_record(config, folder) is not None


def bookkeeping():
    """Return the benchmark, whose runs sleep in place of their training."""
    path = Path(__file__).parents[2] / "benchmarks" / "bookkeeping.py"
    spec = importlib.util.spec_from_file_location("bookkeeping", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    found.SLEEP_S = 0.0
    return found


@pytest.fixture
def checked(monkeypatch):
    """The configurations that were checked, in place of checking them."""
    found = []
    monkeypatch.setattr(planning, "check_run", lambda config, execution: found.append(config))
    return found


def runs_of(axes):
    """Return one run for each combination of steps, threshold and hidden units."""
    first = rv.load_preset("digits").runs[0]
    runs = []
    for number, (n_steps, threshold, hidden) in enumerate(itertools.product(*map(range, axes))):
        config = replace(
            first,
            label=f"model {number}",
            encoder=replace(first.encoder, options={"n_steps": 3 + n_steps}),
            rule=replace(first.rule, options={"threshold": 0.5 + threshold / 100}),
            model=replace(first.model, options={"hidden": 4 + hidden}),
        )
        runs.append(PlannedRun(config, Path(f"run-{number}"), number))
    return runs


def test_runs_that_differ_in_label_seed_and_training_are_checked_once(checked):
    (run,) = runs_of((1, 1, 1))
    training = replace(run.config.training, learning_rate=0.5)
    changes = ({}, {"seed": 7}, {"label": "another"}, {"training": training})
    check_runs([replace(run, config=replace(run.config, **each)) for each in changes], CPU)
    assert checked == [run.config]


def test_as_many_as_are_few_are_all_checked(checked):
    check_runs(runs_of((4, 5, 5)), CPU)
    assert len(checked) == planning.ALL_CHECKED == 100


def test_of_very_many_every_two_parts_that_meet_are_checked_together(checked, monkeypatch):
    monkeypatch.setattr(planning, "ALL_CHECKED", 10)
    runs = runs_of((6, 7, 8))

    def pairs(config):
        return set(itertools.combinations([(name, str(part)) for name, part in config.parts.items()], 2))

    check_runs(runs, CPU)
    together = set.union(*map(pairs, checked))
    assert together == set.union(*(pairs(run.config) for run in runs))
    assert len(checked) < 1.3 * 7 * 8  # no fewer hold all pairs of two of the axes


def test_parts_that_cannot_be_told_from_others_are_each_checked(checked):
    (run,) = runs_of((1, 1, 1))

    def encoder():
        kept = []  # what it keeps, nobody can tell
        return lambda samples, seed: kept or open(os.devnull)

    parts = [rv.Part.of(encoder()) for _ in range(2)]
    parts = [replace(part, options={"source_sha256": "unknown"}) for part in parts]
    check_runs([replace(run, config=replace(run.config, encoder=part)) for part in parts], CPU)
    assert len(checked) == 2


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    book = bookkeeping()
    comparison = book.comparison(2)
    runs = planning.planned_runs(comparison, out, CPU)
    for run in runs:
        book.pretend(run.config, run.folder, CPU)
    return runs


def copied(run, folder):
    """Return the run in a copy of its folder, with the times of its files."""
    shutil.copytree(run.folder, folder / run.folder.name)
    return replace(run, folder=folder / run.folder.name)


def test_the_records_of_finished_runs_are_read_once_and_handed_back(made, tmp_path):
    missing = replace(made[1], folder=tmp_path / "absent")
    found = finished([made[0], missing])
    assert list(found) == [made[0].folder]
    assert found[made[0].folder].config == made[0].config.to_table()


@pytest.mark.parametrize("name", ["trace.npz", "weights.safetensors", "history.json"])
def test_a_file_that_was_written_to_is_seen_without_reading_those_that_were_not(made, tmp_path, name):
    run = copied(made[0], tmp_path)
    assert is_finished(run.config, run.folder)
    file = run.folder / name
    as_it_was, stamp = file.read_bytes(), file.stat().st_mtime_ns
    file.write_bytes(as_it_was[:-3] + b"abc")
    with pytest.warns(UserWarning, match=f"is run again: .*{name} is damaged"):
        assert not is_finished(run.config, run.folder)
    file.write_bytes(as_it_was)  # touched: now its checksum tells
    assert file.stat().st_mtime_ns != stamp
    assert is_finished(run.config, run.folder)
    file.unlink()
    with pytest.warns(UserWarning, match=f"{name} is damaged .it is missing"):
        assert not is_finished(run.config, run.folder)


def test_what_rots_on_the_disk_under_an_old_time_is_seen_when_it_is_read(made, tmp_path):
    """The one thing that planning does not look for: size and time are as they were written."""
    run = copied(made[0], tmp_path)
    file = run.folder / "trace.npz"
    status = file.stat()
    file.write_bytes(file.read_bytes()[:-3] + b"abc")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert is_finished(run.config, run.folder)
    with pytest.raises(rv.InputError, match=r"trace\.npz is damaged"):
        rv.read_record(run.folder)


def test_code_is_looked_up_once_for_many_runs(made, monkeypatch):
    asked = []

    def version_of(name):
        asked.append(name)
        return rv.records.provenance.package_version(name)

    monkeypatch.setattr(planning, "package_version", version_of)
    assert len(finished(made * 5)) == 2
    assert asked == ["rc_vs_snn"]


def test_a_plan_holds_all_runs_of_a_comparison_and_none_of_a_run_alone(made, tmp_path):
    runs = [replace(run, folder=tmp_path / str(number % 2) / run.folder.name) for number, run in
            enumerate(made)]  # fmt: skip
    alone = PlannedRun(made[0].config, tmp_path / "alone")
    write_plans([*runs, alone])
    assert not list(tmp_path.glob(".plan-*"))
    for number, run in enumerate(runs):
        (path,) = (tmp_path / str(number)).iterdir()
        (meant,) = read_plan(path)
        assert (meant.folder, meant.label, meant.seed) == (run.folder.name, run.config.label, 0)


def test_a_share_of_a_comparison_keeps_the_whole_plan(made, tmp_path, checked):
    from rc_vs_snn.experiment.execute import execute

    moved = [copied(run, tmp_path) for run in made]
    execute(moved[:1], CPU, plan=moved)
    (path,) = tmp_path.glob(".plan-*")
    assert [run.folder for run in read_plan(path)] == [run.folder.name for run in moved]


def test_the_cost_of_the_books_grows_as_the_number_of_runs(tmp_path, checked, monkeypatch):
    """Counted in calls, which no other process disturbs; the times are those of benchmarks/bookkeeping.py."""
    from rc_vs_snn.experiment import execute

    book = bookkeeping()
    book.N_MODELS = 5
    for module in book._modules(execute):
        if hasattr(module, "train_and_judge"):
            monkeypatch.setattr(module, "train_and_judge", book.pretend)

    def calls(stage, out, n_runs):
        profile = cProfile.Profile()
        profile.runcall(book.STAGES[stage], out, n_runs)
        return sum(entry.callcount for entry in profile.getstats())

    stages, counted = ("making", "resume", "status"), {}
    for n_runs in (5, 10, 20, 40):  # at the first some things are looked up once and for all
        out = tmp_path / str(n_runs)
        counted[n_runs] = {stage: calls(stage, out, n_runs) for stage in stages}
    for stage in stages:
        ten, twenty, forty = (counted[n_runs][stage] for n_runs in (10, 20, 40))
        assert (forty - twenty) / (twenty - ten) == pytest.approx(2, rel=0.05), stage
