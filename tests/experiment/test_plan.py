"""A plan of comparisons: what it holds, that it resumes, and what its command writes."""

import pytest

import rc_vs_snn as rv
from rc_vs_snn.analysis.published import load_published
from rc_vs_snn.analysis.report import write_report
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.comparison_files import preset_names
from rc_vs_snn.experiment.plan import (
    Plan,
    PlannedComparison,
    load_reproduction,
    reproduce,
    reproduction_names,
)

SMALL = ["training.epochs=1", "models.rc-lstm.model.hidden=8", "models.rank-snn.model.hidden=8"]
CPU = rv.Execution(device="cpu")


@pytest.fixture
def parts():
    digits = rv.load_preset("digits", SMALL)
    late = rv.load_preset("digits", [*SMALL, "encoder.n_steps=4"])
    return [
        PlannedComparison("ten steps", rv.Comparison("ten", digits.runs, seeds=(0, 1))),
        PlannedComparison("four steps", rv.Comparison("four", late.runs[:1])),
    ]


def test_every_plan_names_presets_and_several_seeds():
    assert "mnist" in reproduction_names()
    for name in reproduction_names():
        found = load_reproduction(name).parts
        assert {part.comparison.name for part in found} <= set(preset_names())
        assert all(len(part.comparison.seeds) >= 3 for part in found)


def test_published_numbers_are_those_the_plan_names():
    for name in reproduction_names():
        published = load_reproduction(name).published
        if published is None:  # of a part of a corpus, with which nothing published compares
            continue
        assert len(published.results) >= 10
        assert {entry.checked for entry in published.results} == {"source", "literature"}
        assert all(90 < entry.accuracy_percent < 100 for entry in published.results)
    with pytest.raises(rv.InputError, match="did you mean 'mnist'"):
        load_published("mnits")


def test_parts_can_be_chosen_and_set():
    (part,) = load_reproduction("mnist", ["mnist-fc"], ["training.epochs=1"]).parts
    assert part.comparison.name == "mnist-fc"
    assert {run.training.epochs for run in part.comparison.runs} == {1}
    assert part.comparison.seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "says"), [(("mnits",), "mnist"), (("mnist", ["mnist-fcc"]), "mnist-fc")]
)
def test_what_is_unknown_is_named_with_the_nearest(arguments, says):
    with pytest.raises(rv.InputError, match=says):
        load_reproduction(*arguments)


def test_a_stopped_plan_goes_on_and_repeats_no_finished_run(parts, tmp_path):
    done = reproduce(parts, tmp_path, CPU)
    assert [len(records) for records in done.values()] == [4, 1]
    stamps = {record.folder: (record.folder / "metrics.json").stat().st_mtime_ns for record in done["ten"]}
    # as after a kill: one run is missing, another left a working folder of a dead process
    lost = done["ten"][2].folder
    for file in lost.iterdir():
        file.unlink()
    lost.rmdir()
    leftover = lost.parent / f".{lost.name}.partial" / "999999999@here"
    leftover.mkdir(parents=True)
    again = reproduce(parts, tmp_path, CPU)
    assert [record.folder for record in again["ten"]] == [record.folder for record in done["ten"]]
    assert not leftover.parent.exists()
    for record in again["ten"]:
        stamp = (record.folder / "metrics.json").stat().st_mtime_ns
        assert (stamp == stamps[record.folder]) == (record.folder != lost)
    assert again["ten"][2].metrics["accuracy"] == done["ten"][2].metrics["accuracy"]


@pytest.mark.slow
def test_the_command_writes_figures_of_every_part_and_a_report(tmp_path, monkeypatch, capsys, parts):
    monkeypatch.setattr("rc_vs_snn.experiment.plan.load_reproduction", lambda *_: Plan(tuple(parts)))
    assert main(["reproduce", "mnist", "--out", str(tmp_path), "--formats", "png"]) == 0
    for name in ("ten", "four"):
        assert (tmp_path / name / "figures" / "accuracy-vs-decision-step.png").is_file()
        assert (tmp_path / name / "figures" / "summary.md").is_file()
    report = (tmp_path / "report.md").read_text()
    assert str(tmp_path / "report.md") in capsys.readouterr().out
    after_first_step = report.partition("## After the first step")[2]
    (row,) = [line for line in after_first_step.splitlines() if "four steps" in line]
    record = rv.read_record(tmp_path / "four" / "rc-lstm-seed0")
    assert f"{100 * record.metrics['accuracy_forced_at_step0']:.2f}" in row
    assert f"{100 * record.metrics['share_right_at_step0']:.2f}" in row
    assert "published" not in report
    beside = write_report({"four steps": [record]}, tmp_path, load_published("mnist")).read_text()
    assert "Comsa et al." in beside
    assert "99.19 % is an accuracy after the first input step" in beside


def test_an_unknown_plan_is_one_line(capsys):
    assert main(["reproduce", "nmist"]) == 2
    assert "mnist" in capsys.readouterr().err
