"""How one sample was decided: recorded or judged anew, and what cannot be shown."""

import csv
import json
import shutil

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.showing import show_decision
from rc_vs_snn.showing.decision import decision_table, draw_decision
from rc_vs_snn.showing.subjects import open_run

CPU = rv.Execution(device="cpu")


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("which", ["lstm_run", "snn_run"])
def test_the_numbers_are_those_of_the_records(which, request, tmp_path):
    run = request.getfixturevalue(which)
    trace, judged = run.trace(), run.decisions()
    place = int(np.argmax(judged["step"]))
    sample = int(trace.ids[place])
    files = show_decision(run, sample, tmp_path, CPU)
    assert files[0].name == f"decision-{run.folder.name}-{sample}.png"
    rows = read(files[-1])
    assert [int(row["step"]) for row in rows] == list(range(6))
    evidence = [[float(row[f"evidence_{label}"]) for label in range(10)] for row in rows]
    np.testing.assert_array_equal(np.array(evidence, np.float32), trace.evidence[place])
    assert {int(row["decision_step"]) for row in rows} == {judged["step"][place]}
    assert {int(row["label"]) for row in rows} == {judged["label"][place]}
    assert {row["decided"] for row in rows} == {str(bool(judged["decided"][place]))}
    assert np.cumsum([int(row["new_events"]) for row in rows]).tolist() == trace.input_events[place].tolist()


def test_without_a_trace_the_weights_say_the_same(lstm_run, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(lstm_run.folder, copied)
    (copied / "trace.npz").unlink()
    sample = int(lstm_run.trace().ids[7])
    recorded = read(show_decision(lstm_run, sample, tmp_path / "a", CPU)[-1])
    anew = read(show_decision(rv.read_record(copied), sample, tmp_path / "b", CPU)[-1])
    assert recorded == anew
    (copied / "weights.safetensors").unlink()
    with pytest.raises(rv.InputError, match=r"neither|no trace\.npz .* and no weights\.safetensors"):
        show_decision(rv.read_record(copied), sample, tmp_path / "c", CPU)


def test_the_drawing_shows_threshold_decision_and_both_classes(snn_run):
    judged = snn_run.decisions()
    wrong = int(np.flatnonzero(judged["label"] != judged["true_label"])[0])
    sample = int(judged["id"][wrong])
    with open_run(snn_run, CPU) as opened:
        (subject,) = opened.subjects([sample])
        said = opened.judge(sample)
        figure = draw_decision(opened, subject, said)
        table = decision_table(subject, said)
    curves = next(axes for axes in figure.axes if axes.get_ylabel() == "Output membrane potential")
    lines = {line.get_label(): line for line in curves.get_lines()}
    for label in range(10):
        drawn = lines[f"class {label}"]
        assert drawn.get_xdata().tolist() == list(range(said.step + 1)), "up to the decision"
        assert drawn.get_ydata().tolist() == table[f"evidence_{label}"][: said.step + 1].tolist()
    assert lines["threshold"].get_ydata().tolist() == [2.0] * 6
    assert lines["decision"].get_xdata() == [judged["step"][wrong]]
    legend = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    assert f"true: {subject.label}" in legend
    assert f": {judged['label'][wrong]}" in legend
    assert f"wrong, it is {subject.label}" in figure.get_suptitle().replace("\n", " ")
    raster = next(axes for axes in figure.axes if axes.get_ylabel() == "Input channel")
    seen = max(
        (line for line in raster.get_lines() if line.get_color() == "black"), key=lambda x: len(x.get_xdata())
    )
    assert len(seen.get_xdata()) == table["new_events"][: said.step + 1].sum()
    assert (seen.get_xdata() <= said.step).all()


def test_twice_the_same_bytes(snn_run, tmp_path):
    first = show_decision(snn_run, None, tmp_path / "a", CPU)
    second = show_decision(snn_run, None, tmp_path / "b", CPU)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_sample_that_is_not_in_the_test_split(lstm_run, tmp_path):
    with pytest.raises(
        rv.InputError, match=r"sample 0 is not in the test split of digits; its 449 ids run from"
    ):
        show_decision(lstm_run, 0, tmp_path, CPU)
    assert not list(tmp_path.iterdir())


def test_an_unfinished_run_and_code_that_is_not_trusted(lstm_run, tmp_path):
    for name, change in {
        "failed": ("provenance.json", {"status": "failed", "reason": "no memory", "files": {}}),
        "hostile": ("config.json", {"encoder": {"name": "evil_module:Encoder"}}),
    }.items():
        folder = tmp_path / name
        shutil.copytree(lstm_run.folder, folder)
        file = folder / change[0]
        file.write_text(json.dumps({**json.loads(file.read_text()), **change[1]}))
        marker = folder / "provenance.json"
        marker.write_text(json.dumps({**json.loads(marker.read_text()), "files": {}}))
    with pytest.raises(rv.InputError, match="is a failed run"):
        show_decision(rv.read_record(tmp_path / "failed"), None, tmp_path, CPU)
    with pytest.raises(rv.InputError, match=r"names code .*--trust"):
        show_decision(rv.read_record(tmp_path / "hostile"), None, tmp_path, CPU)


def test_a_random_code_is_drawn_as_it_was_judged(quick_run):
    run = quick_run("rate-seed0", encoder={"name": "rate", "n_steps": 4})
    trace = run.trace()
    for place in (0, 100, 448):
        with open_run(run, CPU) as opened:
            (subject,) = opened.subjects([int(trace.ids[place])])
        assert subject.code.n_events().cumsum().tolist() == trace.input_events[place].tolist()


def test_signals_are_drawn_over_time(quick_run):
    table = {"name": "noisy-sign", "n_train": 40, "n_valid": 10, "n_test": 10, "length": 12}
    run = quick_run("toy-seed0", dataset=table, encoder={"name": "raw", "n_steps": 12})
    with open_run(run, CPU) as opened:
        sample = int(run.trace().ids[0])
        (subject,) = opened.subjects([sample])
        figure = draw_decision(opened, subject, opened.judge(sample))
    assert len(figure.axes) == 3
    np.testing.assert_array_equal(subject.code.values[:, 0], subject.value[:, 0])
