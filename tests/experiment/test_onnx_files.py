"""ONNX files of runs: what they say, what is checked, what is refused, and the loop that a page shows."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from pages import DOCS, blocks
from torch import nn

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.decision.batch import run_to_decision
from rc_vs_snn.decision.evidence import Consecutive, Membrane
from rc_vs_snn.decision.rules import PerStep, Reading
from rc_vs_snn.encoded import Frames
from rc_vs_snn.encoders.images import latency_steps
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment import onnx_files
from rc_vs_snn.experiment.judging import restore, stored_config
from rc_vs_snn.experiment.onnx_files import export_onnx, onnx_of
from rc_vs_snn.experiment.onnx_running import TOLERANCE, compare, joined
from rc_vs_snn.experiment.pretrained import default_folder
from rc_vs_snn.models.adapters import from_onnx
from rc_vs_snn.models.adapters.onnx_file import session_of
from rc_vs_snn.testing.models import check_steps
from rc_vs_snn.training.task import Task

CPU = rv.Execution(device="cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    small = ["training.epochs=12", "models.rc-lstm.model.hidden=16", "models.rc-lstm.rule.threshold=0.4"]
    config = rv.load_preset("digits", small).planned()[0]
    return rv.run(config, tmp_path_factory.mktemp("runs") / "rc-lstm-seed0", CPU)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    (found,) = export_onnx([run], tmp_path_factory.mktemp("elsewhere"), CPU, checked=200)
    return found


@pytest.fixture
def remade(exported, monkeypatch):
    """The file as it was made, for exports that are about what comes after."""
    content = exported.path.read_bytes()
    monkeypatch.setattr(onnx_files, "onnx_of", lambda *arguments: content)
    return content


def test_the_command_writes_a_file_and_says_how_it_agrees(run, remade, exported, tmp_path, capsys):
    assert (
        main(["export", str(run.folder), "--format", "onnx", "--out", str(tmp_path / "new" / "there")]) == 0
    )
    assert sorted(path.name for path in (tmp_path / "new" / "there").iterdir()) == [
        "rc-lstm-samples.npz", "rc-lstm.onnx"
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "there/rc-lstm.onnx: " in said
    assert "samples decided alike (label and step); largest difference of evidence " in said
    assert exported.agreement.n == 200
    assert exported.agreement.different == []
    assert exported.agreement.largest < 5e-6
    assert exported.agreement.beyond == 0


def test_the_file_tells_all_that_is_needed(run, exported):
    session = onnxruntime.InferenceSession(exported.path)
    told = session.get_modelmeta().custom_metadata_map
    assert told["label"] == "RC-LSTM"
    assert told["run"] == run.folder.name
    assert json.loads(told["encoder"]) == run.config["encoder"]
    assert json.loads(told["rule"]) == run.config["rule"]
    assert len(json.loads(told["thresholds"])) == int(told["n_steps"]) == run.metrics["n_steps"]
    assert int(told["n_classes"]) == session.get_outputs()[0].shape[1] == 10
    assert int(told["n_channels"]) == session.get_inputs()[0].shape[1] == 64
    assert told["evidence"] == "Probability()"
    assert told["input"] == "1 for a channel at the step of its spike, else 0"
    assert [each.name for each in session.get_outputs()] == [
        "readout", "evidence", "next.cell1.h", "next.cell1.c"
    ]  # fmt: skip
    assert str(run.folder.parent) not in str(told)


PROGRAM = """
import runpy, sys
class Refused:
    def find_spec(self, name, path=None, target=None):
        assert name.partition(".")[0] not in ("torch", "rc_vs_snn"), name
sys.meta_path.insert(0, Refused())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_loop_on_the_page_runs_as_it_is_written_without_torch_and_us(exported, tmp_path):
    (block,) = (
        each for each in blocks(DOCS / "take_a_net_elsewhere.md") if each.title == "decide_elsewhere.py"
    )
    assert len([line for line in block.text.splitlines() if line]) <= 20
    (tmp_path / block.title).write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, block.title, str(exported.path), str(exported.samples)],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 10
    for line in lines:
        assert line[:2] == line[-2:], done.stdout
    with np.load(exported.samples) as kept:
        assert kept["inputs"].shape == (10, 10, 64)
        assert len(set(kept["step"].tolist())) > 1


def test_the_latency_code_on_the_page_is_ours():
    text = (DOCS / "take_a_net_elsewhere.md").read_text(encoding="utf-8")
    (formula,) = (each for each in text.split("`") if each.startswith("np.arange(T)"))
    image = np.arange(256, dtype=np.uint8)
    for n_steps in (5, 10, 17):
        expected = latency_steps(image / 255, n_steps, "clip")
        found = eval(formula, {"np": np, "T": n_steps, "image": image.reshape(16, 16)})
        np.testing.assert_array_equal(found, np.arange(n_steps)[:, None] == expected)


def test_a_full_disk_loses_nothing(run, remade, tmp_path, monkeypatch):
    (first,) = export_onnx([run], tmp_path, CPU, checked=20)
    before = first.samples.read_bytes()

    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="No space left on device; choose a writable folder"):
            list(export_onnx([run], tmp_path, CPU, checked=9))
    assert first.path.read_bytes() == remade
    assert first.samples.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == sorted([first.path, first.samples])


def test_a_file_that_says_otherwise_is_not_written(run, remade, tmp_path, monkeypatch, capsys):
    graph = onnx.load_from_string(remade)
    bias = next(each for each in graph.graph.initializer if each.name.endswith("readout.bias"))
    changed = onnx.numpy_helper.to_array(bias) + np.eye(10, dtype=np.float32)[3]
    bias.CopyFrom(onnx.numpy_helper.from_array(changed, bias.name))
    monkeypatch.setattr(onnx_files, "onnx_of", lambda *arguments: graph.SerializeToString())
    assert main(["export", str(run.folder), "--format", "onnx", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("rc-vs-snn: error: RC-LSTM: in onnxruntime the evidence of ")
    assert "nothing was written" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_net_that_cannot_be_written_is_named(run, tmp_path, monkeypatch, capsys):
    def refused(*arguments):
        raise InputError("cell1 (LSTM) cannot be written as ONNX: nothing can")

    monkeypatch.setattr(onnx_files, "step_graph", refused)
    assert main(["export", str(run.folder), "--format", "onnx", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == "rc-vs-snn: error: RC-LSTM: cell1 (LSTM) cannot be written as ONNX: nothing can\n"


def test_a_number_of_samples_that_is_none_is_refused(run, tmp_path, capsys):
    assert (
        main(["export", str(run.folder), "--format", "onnx", "--samples", "0", "--out", str(tmp_path)]) == 2
    )
    assert "samples must be a whole number of at least 1, got 0" in capsys.readouterr().err


def test_without_the_extra_the_command_says_what_to_install(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert main(["export", str(run.folder), "--format", "onnx", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "rc-vs-snn: error: to write ONNX files install what is missing (onnxscript): pip install "
        "'rc_vs_snn[onnx]'\n"
    )


class Counting(nn.Module):
    """Weighs its input by the number of the step, a number in its state."""

    evidence = "membrane"

    def __init__(self):
        super().__init__()
        self.weigh = nn.Linear(4, 3)

    def initial_state(self, batch, device):
        return torch.zeros(batch, 3), 0

    def step(self, x, state):
        membrane = 0.9 * state[0] + self.weigh(x) * state[1]
        return membrane, (membrane, state[1] + 1)


class Leaking(Counting):
    def step(self, x, state):
        return super().step(x, (state[0], 1))


def task_of(model, rule):
    torch.manual_seed(0)
    return Task(model().eval(), None, None, None, rule, 0, torch.device("cpu"))


def code_of(lengths=None):
    values = np.random.default_rng(0).integers(0, 2, (6, 40, 4)).astype(np.float32)
    if lengths is not None:
        values[np.arange(6)[:, None] >= lengths] = np.nan
    return Frames(values, (4,), lengths=lengths)


@pytest.fixture(scope="module")
def counting():
    task = task_of(Counting, rv.FirstSpike(0.5))
    return task, session_of(onnx_of(task, code_of(), 3, {}))


def test_a_number_in_the_state_that_matters_is_found_out(counting):
    task, session = counting
    found = compare(session, task.model, task.rule, code_of())
    assert found.beyond > 20
    assert found.different
    worst = found.different[0]
    assert worst.ours != worst.theirs
    assert worst.threshold == 0.5
    with pytest.raises(
        InputError, match=r"mine: .* on the tensors in its state alone, not on a number in it"
    ):
        found.require("mine")


def test_batches_are_joined_in_their_order(counting):
    (task, session), code = counting, code_of()
    whole = compare(session, task.model, task.rule, code)
    parts = [code.select(np.arange(start, start + 20)) for start in (0, 20)]
    found = joined([compare(session, task.model, task.rule, part) for part in parts])
    assert [each.row for each in found.different] == [each.row for each in whole.different]
    assert (found.n, found.beyond) == (whole.n, whole.beyond)
    np.testing.assert_array_equal(found.ours.step, whole.ours.step)


def test_an_evidence_that_remembers_own_lengths_and_values_behind_them():
    rule = Reading(rv.FirstSpike(1.0), Consecutive())
    task, code = task_of(Leaking, rule), code_of(np.arange(40) % 6 + 1)
    content = onnx_of(task, code, 3, {})
    session = session_of(content)
    told = session.get_modelmeta().custom_metadata_map
    assert [each["name"] for each in json.loads(told["state"])] == [
        "state.0", "state.evidence.best", "state.evidence.count"
    ]  # fmt: skip
    assert told["input"] == "the value of each channel at this step"
    found = compare(session, task.model, rule, code)
    assert (found.different, found.beyond) == ([], 0)
    ours = run_to_decision(task.model, code, rule).decision()
    np.testing.assert_array_equal(found.ours.label, ours.label)
    np.testing.assert_array_equal(found.ours.step, ours.step)


def test_an_evidence_of_a_plug_in_is_made_of_the_readouts():
    class Mine(Membrane):
        def step(self, readout, state):
            return readout - readout.min(1, keepdims=True), None

    rule = Reading(PerStep(("never", 0.8, 0.8, 0.8, 0.5, 0.5)), Mine())
    task, code = task_of(Leaking, rule), code_of()
    session = session_of(onnx_of(task, code, 3, {}))
    assert [each.name for each in session.get_outputs()] == ["readout", "next.0"]
    thresholds = json.loads(session.get_modelmeta().custom_metadata_map["thresholds"])
    assert np.array(thresholds, np.float32).tolist() == [np.inf, *np.float32([0.8, 0.8, 0.8, 0.5, 0.5])]
    found = compare(session, task.model, rule, code)
    assert (found.different, found.beyond) == ([], 0)
    assert found.ours.step.min() == 1


def test_a_file_is_judged_like_any_network(run, exported, tmp_path, capsys):
    given = ["--preset", "digits", "--threshold", "0.4", "--out", str(tmp_path)]
    assert main(["judge", str(exported.path), *given]) == 0
    (found,) = rv.find_records(tmp_path)
    for name in ("id", "label", "step", "decided"):
        np.testing.assert_array_equal(found.decisions()[name], run.decisions()[name])
    assert found.label == "rc-lstm"
    assert found.metrics["parameters"] == run.metrics["parameters"]


def foreign(path, sides=(3,), outputs=("readout", "level")):
    """A net of somebody else: its input is an image, its state two numbers a class in float64."""
    info, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    nodes = [
        onnx.helper.make_node("Flatten", ["image"], ["flat"]),
        onnx.helper.make_node("Gemm", ["flat", "w"], ["current"]),
        onnx.helper.make_node("Cast", ["current"], ["exact"], to=kinds.DOUBLE),
        onnx.helper.make_node("Add", ["before", "exact"], ["level"]),
        onnx.helper.make_node("Cast", ["level"], ["readout"], to=kinds.FLOAT),
    ]
    weights = onnx.numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(4, 3), "w")
    shapes = {"readout": (kinds.FLOAT, ["n", 3]), "level": (kinds.DOUBLE, ["n", 3])}
    graph = onnx.helper.make_graph(
        nodes, "theirs",
        [info("image", kinds.FLOAT, ["n", 1, 2, 2]), info("before", kinds.DOUBLE, ["n", *sides])],
        [info(name, *shapes[name]) for name in outputs], [weights],
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 18)]
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString())
    return path


def test_a_step_of_somebody_else(tmp_path):
    model = from_onnx(foreign(tmp_path / "theirs.onnx"), "membrane")
    assert model.n_channels == 4
    state = model.initial_state(2, "cpu")
    x = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 1]])
    for count in (1, 2):  # it adds the rows of the channels that are on
        readout, state = model.step(x, state)
        assert readout.tolist() == [[0, count, 2 * count], [12 * count, 14 * count, 16 * count]]
    assert state["before"].dtype == torch.float64
    check_steps(model, torch.randint(0, 2, (3, 5, 4)).float(), 3)
    code = Frames(np.random.default_rng(0).integers(0, 2, (4, 6, 4)), (4,))
    decision = run_to_decision(model, code, rv.FirstSpike(9.0)).decision()
    sums = np.cumsum(code.values.numpy() @ np.arange(12).reshape(4, 3), 0)[:, :, 2]
    expected = np.where((sums >= 9).any(0), (sums >= 9).argmax(0), 3)
    assert decision.step.tolist() == expected.tolist()


def test_what_is_no_step_is_refused_on_one_line(tmp_path, capsys):
    (tmp_path / "text.onnx").write_text("no net")
    with pytest.raises(InputError, match=r"text\.onnx is no ONNX file that onnxruntime runs: "):
        from_onnx(tmp_path / "text.onnx")
    with pytest.raises(InputError, match=r"none\.onnx is no ONNX file .* FileNotFoundError"):
        from_onnx(tmp_path / "none.onnx")
    with pytest.raises(InputError, match=r"input before has the shape \['n', 'width'\]; all sides but"):
        from_onnx(foreign(tmp_path / "open.onnx", ("width",)))
    with pytest.raises(InputError, match="has 1 inputs besides the first, its state, and 1 outputs"):
        from_onnx(foreign(tmp_path / "short.onnx", outputs=("readout",)))
    theirs = foreign(tmp_path / "theirs.onnx")
    with pytest.raises(InputError, match="unknown evidence 'membran'; did you mean 'membrane'"):
        from_onnx(theirs, "membran")
    assert main(["judge", str(theirs), "--weights", "w.pt", "--out", str(tmp_path)]) == 2
    assert "an ONNX file holds its weights; leave out --weights" in capsys.readouterr().err


SHIPPED = [
    "mnist-fc/rc-lstm", "mnist-fc/rank-snn", "mnist-conv/conv-rc-lstm", "mnist-conv/conv-rank-snn"
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_nets_decide_the_test_images_of_mnist_alike(name, data_root):
    execution = rv.Execution(device="cpu", data_root=data_root)
    record = rv.read_record(default_folder() / name)
    splits, task = restore(stored_config(record, execution), record.folder, execution)
    task.model.eval()
    session, parts = None, []
    for code, _ in task.batches(splits.test, np.arange(10_000), 1000, "test"):
        session = session or session_of(onnx_of(task, code, 10, {}))
        parts.append(compare(session, task.model, task.rule, code))
    found = joined(parts)
    assert found.n == 10_000
    for each in found.different:  # only rounding: the evidence lies on the threshold
        assert abs(each.evidence[0] - each.threshold) <= TOLERANCE, each
    assert len(found.different) <= 1
    assert found.largest < TOLERANCE
    assert found.beyond == 0
