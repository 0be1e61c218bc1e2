"""``rc-vs-snn judge``: a network from a file, with weights, or predictions; and every way to get it wrong."""

import sys

import numpy as np
import pytest
import safetensors.torch
import torch

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.registry import datasets

NETS = """
import beside
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.LSTM(64, beside.HIDDEN, batch_first=True), nn.Linear(beside.HIDDEN, 10)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def make():
    torch.manual_seed(0)
    return Net()


ready = make()
number = 3


def sized(hidden):
    return Net()


def other():
    return "net"


def fails():
    raise OSError("no weights here")
"""
SMALL = ["--preset", "digits", "--set", "encoder.n_steps=4"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "beside.py").write_text("HIDDEN = 6\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("nets", "beside"):
        sys.modules.pop(name, None)


def judged(capsys, *arguments):
    assert main(["judge", *arguments]) == 0
    *_, folder = capsys.readouterr().out.split()
    return rv.read_record(folder)


def refused(capsys, *arguments):
    assert main(["judge", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("rc-vs-snn: error: ")
    assert said.count("\n") == 1
    return said


def test_a_function_a_class_and_a_network_in_a_file(home, capsys):
    records = [
        judged(capsys, f"nets.py:{name}", *SMALL, "--label", name) for name in ("make", "Net", "ready")
    ]
    assert [record.folder.as_posix() for record in records] == [
        f"runs/judged/{name}-seed0" for name in ("make", "net", "ready")
    ]
    assert records[0].metrics["acs"] == records[2].metrics["acs"]
    assert records[0].config["encoder"]["n_steps"] == 4
    assert records[0].provenance["network"] == "nets:Net in nets.py"
    assert records[0].config["rule"] == {
        "name": "first-spike",
        "threshold": 0.95,
    }  # the preset's first model's


def test_weights_and_options(home, capsys):
    sys.path.append(".")
    from nets import Net

    torch.manual_seed(5)
    net = Net()
    torch.save(net.state_dict(), "a.pt")
    torch.save({"epoch": 3, "model_state_dict": net.state_dict()}, "b.pt")
    safetensors.torch.save_file(net.state_dict(), "c.safetensors")
    found = [
        judged(capsys, "nets.py:Net", "--weights", name, *SMALL, "--threshold", "0.2", "--seed", "4",
               "--out", "o", "--model", "rank-SNN", "--label", name, "--time", "second", "--shape", "64")
        for name in ("a.pt", "b.pt", "c.safetensors")
    ]  # fmt: skip
    own = rv.judge(net, "digits", {"name": "latency", "n_steps": 4, "background": "clip"},
                   rule=rv.FirstSpike(0.2), label="own", out="o")  # fmt: skip
    assert {str(record.metrics) for record in found} == {str(own.metrics)}
    assert found[0].seed == 4
    assert found[0].folder.as_posix() == "o/a-pt-seed4"


def test_code_named_by_its_module_needs_trust(home, capsys):
    sys.path.append(".")
    said = refused(capsys, "nets:make", *SMALL)
    assert "names code by its module, which would run; if you trust it, say --trust" in said
    assert judged(capsys, "nets:make", *SMALL, "--trust").status == "done"


def test_predictions(home, capsys):
    test = datasets.build("digits", {}, root=None).test
    logits = np.random.default_rng(0).normal(size=(3, len(test), 10))
    np.savez("logits.npz", readouts=logits, ids=test.ids)
    record = judged(capsys, "--predictions", "logits.npz", *SMALL, "--model", "rank-SNN",
                    "--evidence", "membrane", "--label", "mine")  # fmt: skip
    assert record.config["rule"] == {"name": "first-spike", "threshold": 4.0}
    assert record.config["dataset"] == {"name": "digits"}
    valid = datasets.build("digits", {}, root=None).valid
    np.savez("valid.npz", readouts=np.zeros((3, len(valid), 10)))
    record = judged(capsys, "--predictions", "logits.npz", *SMALL, "--valid", "valid.npz")
    np.testing.assert_array_equal(record.trace("valid").ids, valid.ids)
    np.savez("own.npz", readouts=logits, labels=test.labels)
    record = judged(capsys, "--predictions", "own.npz", "--dataset", "my digits", "--threshold", "0.4")
    assert (record.label, record.config["dataset"]) == ("own", {"name": "my digits"})
    assert record.config["rule"] == {"name": "first-spike", "threshold": 0.4}
    rows = [f"{each},1,{label}" for each, label in zip(test.ids, test.labels, strict=True)]
    (home / "d.csv").write_text("\n".join(["id,step,label", *rows]))
    record = judged(capsys, "--predictions", "d.csv", "--preset", "digits", "--n-steps", "3")
    assert (record.metrics["accuracy"], record.metrics["mean_step"]) == (1.0, 1.0)
    (home / "d.csv").write_text("\n".join(["id,step,label", *rows[:-1], "3,x,1"]))
    said = refused(capsys, "--predictions", "d.csv", "--preset", "digits", "--n-steps", "3")
    assert "d.csv, line 450, column step: 'x' is no whole number" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a network (FILE.py:NAME) or --predictions FILE, and not both"),
        (["nets.py:make", "--predictions", "a.npz"], "and not both"),
        (["nets.py"], "'nets.py' names no network; write FILE.py:NAME, such as net.py:make"),
        (["no.py:make"], "cannot read no.py: there is no such file"),
        (["nets.py:mak"], "nets.py has no 'mak'; did you mean 'make'"),
        (["nets.py:number"], "'nets.py:number' is a int, no network and nothing that makes one"),
        (["nets.py:sized"], "'nets.py:sized' needs hidden; name a function that needs no argument"),
        (["nets.py:other"], "'nets.py:other' made a str; it makes an nn.Module"),
        (["nets.py:fails"], "'nets.py:fails' raised OSError: no weights here"),
        (["broken.py:make"], "broken.py raised SyntaxError"),
        (["nets.py:make", "--weights", "no.pt"], "cannot read no.pt: there is no such file"),
        (["nets.py:make", "--weights", "beside.py"], "beside.py holds no plain weights"),
        (["nets.py:make", "--weights", "list.pt"], "list.pt holds no state_dict"),
        (["nets.py:make", "--weights", "other.pt"],
         "other.pt holds the weights of another network than Net: head.bias is missing; head.weight is "
         "missing; extra is unknown; rnn.weight_ih_l0 is (3,), not (24, 64)"),
        (["nets.py:make", "--model", "LSTM"], "no model 'LSTM'; did you mean 'RC-LSTM'"),
        (["nets.py:make", "--shape", "8,x"], "--shape must be whole numbers such as 1,28,28, got '8,x'"),
        (["nets.py:make", "--n-steps", "3"], "--n-steps is of predictions"),
        (["nets.py:make", "--dataset", "mine"], "--dataset is of predictions"),
        (["nets.py:make", "--valid", "v.npz"], "--valid is of predictions"),
        (["--predictions", "a.npz", "--weights", "a.pt"], "predictions have no network: leave out --weights"),
        (["--predictions", "a.npz", "--over", "sum"], "predictions have no network: leave out --over"),
        (["--predictions", "a.npz", "--model", "RC-LSTM"], "--set and --model are of a comparison"),
        (["--predictions", "d.csv", "--n-steps", "3", "--evidence", "membrane"], "leave out --evidence"),
        (["--predictions", "d.csv", "--n-steps", "3", "--threshold", "0.5"], "leave out the rule"),
    ],
)  # fmt: skip
def test_every_mistake_is_one_line_and_exit_code_2(home, capsys, arguments, message):
    (home / "broken.py").write_text("def make(:\n")
    (home / "d.csv").write_text("id,step,label,true_label\n1,1,1,1\n")
    torch.save([1, 2], "list.pt")
    rnn = {f"rnn.{name}_l0": torch.zeros(3) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    torch.save({**rnn, "extra": torch.zeros(1)}, "other.pt")
    assert message in refused(capsys, *arguments)
    assert not (home / "runs").exists()
