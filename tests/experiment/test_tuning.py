"""Searches: what is drawn, that test is not read before its time, and that nothing is lost or done twice."""

import dataclasses
import json
import subprocess
import sys
import time

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn import InputError, registry
from rc_vs_snn.cli import main
from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.digits import digits
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.locks import locked_run
from rc_vs_snn.experiment.progress import Progress
from rc_vs_snn.experiment.search import Choices, Range, search_of
from rc_vs_snn.experiment.study import Study
from rc_vs_snn.experiment.tuning import tune
from rc_vs_snn.records.on_valid import valid_number

CPU = Execution(device="cpu")
SMALL = ["training.epochs=1", "model.hidden=6", "augmentation.name=none", "encoder.n_steps=4"]
SPACE = {
    "training": {"learning_rate": {"from": 1e-3, "to": 1e-1, "log": True}},
    "model.hidden": {"from": 4, "to": 8},
    "rule": {"threshold": {"from": 0.2, "to": 0.9}},
    "objective": {"name": ["rank-coding", "every-step"]},
}


def base(*settings):
    return rv.load_preset("digits", [*SMALL, *settings]).planned()[0]


def search(table=SPACE, *settings):
    return search_of(base(*settings), table)


def told(found):
    return [
        (record.config, valid_number(record, "valid_accuracy"), record.status == "failed")
        for record in found.trials
    ]


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """Five trials, made at one go."""
    return tune(search(), tmp_path_factory.mktemp("five"), CPU, trials=5)


class TestSplit:
    """Samples of a test split that remember being read, and cannot be read while the search goes on."""

    __test__ = False

    def __init__(self, values):
        self.values, self.reads, self.is_open = values, 0, False

    def __len__(self):
        return len(self.values)

    def __getitem__(self, row):
        self.reads += 1
        if not self.is_open:
            raise AssertionError("the test split was read")
        return self.values[row]


@pytest.fixture
def guarded(monkeypatch):
    """The digits with such a test split, as a dataset called "guarded"."""
    splits = digits()
    test = TestSplit(splits.test.values)

    def made(root=None) -> Splits:
        samples = dataclasses.replace(splits.test, values=test, whole=None)
        return dataclasses.replace(splits, test=samples)

    registry.datasets.names()
    monkeypatch.setitem(registry.datasets._factories, "guarded", made)
    return test


class Opens(Progress):
    """Opens the test split when the last trial has ended."""

    def __init__(self, test, trials):
        self.test, self.left = test, trials

    def finished(self, record):
        assert record.metrics == {}
        self.left -= 1
        self.test.is_open = self.left == 0


def test_a_search_never_reads_test_and_its_end_reads_it_for_the_front_once(guarded, tmp_path):
    found = tune(search(SPACE, "dataset.name=guarded"), tmp_path, CPU, trials=4, progress=Opens(guarded, 4))
    assert [record.status for record in found.trials].count("failed") == 0
    assert guarded.reads == len(found.front) * len(guarded)
    judged = {record.label for record in found.trials if record.status == "done"}
    assert judged == {record.label for record in found.front}
    assert 1 <= len(judged) < 4
    before = guarded.reads
    guarded.is_open = False
    again = tune(search(SPACE, "dataset.name=guarded"), tmp_path, CPU, trials=4)
    assert guarded.reads == before
    assert told(again) == told(found)


def test_a_trial_of_the_front_is_what_the_same_run_would_have_been(five, tmp_path):
    for record in five.front:
        config = rv.RunConfig.from_table(record.config)
        ordinary = rv.run(config, tmp_path / config.folder_name, CPU)
        timed = ("train_seconds",)
        assert {key: value for key, value in record.metrics.items() if key not in timed} == {
            key: value for key, value in ordinary.metrics.items() if key not in timed
        }
        ours, theirs = record.decisions(), ordinary.decisions()
        assert all(np.array_equal(ours[name], theirs[name], equal_nan=True) for name in theirs)
        for split in ("valid", "test"):
            np.testing.assert_array_equal(record.trace(split).evidence, ordinary.trace(split).evidence)
        assert set(record.provenance["files"]) == set(ordinary.provenance["files"])
        record.require_whole()


def test_the_front_is_that_of_valid_alone(five):
    points = {
        record.label: (valid_number(record, "valid_accuracy"), valid_number(record, "valid_mean_step"))
        for record in five.trials
    }
    front = {
        label
        for label, (accuracy, step) in points.items()
        if not any(
            other != (accuracy, step) and other[0] >= accuracy and other[1] <= step
            for other in points.values()
        )
    }
    assert {record.label for record in five.front} == front
    steps = [points[record.label][1] for record in five.front]
    assert steps == sorted(steps)


def test_trials_are_drawn_from_the_space(five):
    for record in five.trials:
        assert 1e-3 <= record.config["training"]["learning_rate"] <= 1e-1
        assert record.config["model"]["hidden"] in range(4, 9)
        assert 0.2 <= record.config["rule"]["threshold"] <= 0.9
        assert record.config["objective"]["name"] in ("rank-coding", "every-step")
    assert len({json.dumps(record.config["training"]) for record in five.trials}) == 5
    assert [record.label for record in five.trials] == [f"RC-LSTM, trial {number}" for number in range(5)]


def test_the_same_command_twice_gives_the_same_trials_and_one_that_was_stopped_goes_on(five, tmp_path):
    class Stops(Progress):
        left = 3

        def finished(self, record):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    class StopsWithin(Progress):
        def watching(self, config, folder):
            raise KeyboardInterrupt

    for progress in (Stops(), StopsWithin()):  # between two trials, and in one
        with pytest.raises(KeyboardInterrupt):
            tune(search(), tmp_path, CPU, trials=5, progress=progress)
    assert len(rv.find_records(tmp_path)) == 3
    fewer = tune(search(), tmp_path, CPU, trials=4)
    assert len(fewer.trials) == 4
    assert told(tune(search(), tmp_path, CPU, trials=5))[:4] == told(five)[:4]
    seeded = tune(search_of(dataclasses.replace(base(), seed=1), SPACE), tmp_path / "other", CPU, trials=1)
    assert seeded.trials[0].config["training"] != five.trials[0].config["training"]


def test_a_trial_of_another_process_is_left_to_it_and_taken_over_when_that_has_ended(tmp_path):
    space = search()
    first = Study(space, tmp_path).ask()
    with locked_run(tmp_path / space.config(0, first.drawn).folder_name):
        found = tune(space, tmp_path, CPU, trials=2)
        assert [record.label for record in found.trials] == ["RC-LSTM, trial 1"]
        assert (found.underway, found.front) == (1, [])
    found = tune(space, tmp_path, CPU, trials=2)
    assert [record.label for record in found.trials] == ["RC-LSTM, trial 0", "RC-LSTM, trial 1"]
    assert found.underway == 0
    assert found.front


@pytest.mark.slow
def test_processes_share_a_search_and_one_that_is_killed_loses_nothing(tmp_path):
    out = tmp_path / "shared"
    command = [sys.executable, "-m", "rc_vs_snn", "tune", "--preset", "digits", "--trials", "8"]
    command += ["--out", str(out), "--formats", "png", "--search", "model.hidden={from=4,to=40}"]
    command += [word for setting in (*SMALL[1:], "training.epochs=12") for word in ("--set", setting)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    deadline = time.monotonic() + 120
    while len(list(out.glob("*-seed0"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    both[0].kill()
    both[0].communicate()
    said, _ = both[1].communicate()
    assert both[1].returncode == 0, said
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    records = rv.find_records(out)
    assert sorted(record.label for record in records) == [f"RC-LSTM, trial {number}" for number in range(8)]
    assert {record.status for record in records} == {"done", "skipped"}
    assert "8 trials, 0 failed" in done.stdout
    assert not list(out.glob(".*partial*"))


def test_a_trial_that_cannot_be_trained_is_kept_as_failed_and_the_search_goes_on(tmp_path, capsys):
    command = ["tune", "--preset", "digits", "--trials", "5", "--out", str(tmp_path), "--formats", "png"]
    command += [word for setting in SMALL for word in ("--set", setting)]
    command += ["--search", "training.learning_rate=0.01,9e5", "--search", "rule.threshold=0.5,1.5"]
    assert main(command) == 0
    records = rv.find_records(tmp_path)
    reasons = [record.reason for record in records if record.status == "failed"]
    assert any("threshold" in reason for reason in reasons) or any(
        "loss became" in reason for reason in reasons
    )
    assert 0 < len(reasons) < 5
    shown, told = capsys.readouterr()
    assert told.count(" seed 0: valid accuracy ") == 5 - len(reasons)
    assert f"5 trials, {len(reasons)} failed" in shown
    assert "test accuracy %" in shown
    table = (tmp_path / "figures" / "search.csv").read_text().splitlines()
    assert table[0].startswith(
        "label,status,training.learning_rate,rule.threshold,valid_accuracy,valid_mean_step"
    )
    assert len(table) == 6
    assert (tmp_path / "figures" / "search.png").is_file()
    assert main(["figures", str(tmp_path), "--out", str(tmp_path / "more"), "--only", "pareto"]) == 0


def test_what_is_in_the_folder_is_not_overwritten(five, tmp_path):
    out = five.trials[0].folder.parent
    with pytest.raises(InputError, match="holds another search"):
        tune(search(SPACE, "training.epochs=2"), out, CPU, trials=5)
    (tmp_path / "study.journal").write_text("no journal\n")
    with pytest.raises(InputError, match="is no journal of a search"):
        tune(search(), tmp_path, CPU, trials=1)
    (tmp_path / "study.journal").unlink()
    rv.run(dataclasses.replace(base(), label="RC-LSTM, trial 0"), tmp_path / "rc-lstm-trial-0-seed0", CPU)
    with pytest.raises(InputError, match="holds another run"):
        tune(search(), tmp_path, CPU, trials=1)


def test_a_space_as_it_is_written_and_typed():
    typed = [
        "model.hidden={from=4, to=8}", "objective.name=rank-coding,every-step",
        "training.learning_rate={from=1e-3,to=1e-1,log=true}", "rule.threshold={from=0.2,to=0.9,step=0.1}",
    ]  # fmt: skip
    found = search_of(base(), {}, typed)
    assert found.space == (
        Range("model.hidden", 4, 8), Choices("objective.name", ("rank-coding", "every-step")),
        Range("training.learning_rate", 1e-3, 1e-1, log=True), Range("rule.threshold", 0.2, 0.9, step=0.1),
    )  # fmt: skip
    assert found.space[0].is_whole
    parts = search_of(base(), {"encoder": [{"name": "rate", "gain": 0.5}, {"n_steps": 3}]})
    (encoder,) = parts.space
    config = parts.config(0, {"encoder": json.dumps(encoder.values[1])})
    assert config.encoder.options["n_steps"] == 3
    assert config.encoder.name == "latency"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "nothing to search"),
        (3, "search must be a table"),
        ({"modl.hidden": [1, 2]}, "search: modl.hidden: unknown key"),
        ({"model.hidden": [1]}, "at least two values"),
        ({"model.hidden": [1, 1]}, "has the value 1 twice"),
        ({"model.hidden": 3}, "must be a list of choices or a range"),
        ({"model.hidden": {"from": 3}}, "from must be a number below to, got 3 and None"),
        ({"model.hidden": {"from": 3, "to": 3}}, "from must be a number below to"),
        ({"model.hidden": {"from": 3, "to": 5, "lg": True}}, "unknown key 'lg'; did you mean 'log'"),
        ({"model.hidden": {"from": 0, "to": 5, "log": True}}, "log must be .* from above 0"),
        ({"model.hidden": {"from": 1, "to": 5, "step": 0.5}}, "step must be a number above 0, whole"),
        ({"training.learning_rate": [0.1, 1e30]}, "training.learning_rate must be a number above 0"),
        ({"seed": [1, 2]}, "no axis can be over the label"),
    ],
)
def test_faulty_spaces_say_what_is_wrong(table, says):
    with pytest.raises(InputError, match=says):
        search_of(base(), table)


def test_a_search_is_of_one_seed_and_of_models_as_they_are_drawn(capsys):
    assert main(["tune", "--preset", "digits", "--model", "RC-LST", "--search", "model.hidden=4,8"]) == 2
    assert "did you mean 'RC-LSTM'" in capsys.readouterr().err
    assert main(["tune", "--preset", "digits", "--trials", "0", "--search", "model.hidden=4,8"]) == 2
    assert "trials must be 1 to" in capsys.readouterr().err
    assert main(["tune", "--preset", "digits"]) == 2
    assert "give [search] in the file, or --search" in capsys.readouterr().err


def test_without_optuna_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'rc_vs_snn\[tune\]'"):
        tune(search(), tmp_path, CPU, trials=1)
