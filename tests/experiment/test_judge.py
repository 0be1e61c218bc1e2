"""Networks made elsewhere, judged: the run folder, what is refused, and what is left as it was."""

import json

import numpy as np
import pytest
import snntorch as snn
import torch
from torch import nn

import rc_vs_snn as rv
from rc_vs_snn.experiment.neurobench import static
from rc_vs_snn.models.adapters import from_snntorch
from rc_vs_snn.records import read_weights
from rc_vs_snn.registry import datasets, encoders

N_STEPS = 6


@pytest.fixture(scope="module")
def splits():
    whole = datasets.build("digits", {}, root=None)
    parts = {name: getattr(whole, name).select(slice(0, 60)) for name in ("train", "valid", "test")}
    return rv.Splits(**parts, class_names=whole.class_names)


@pytest.fixture
def encoder():
    return encoders.build("latency", {"n_steps": N_STEPS})


def spiking():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(64, 20), snn.Leaky(beta=0.9, threshold=0.1, init_hidden=True),
        nn.Linear(20, 10), snn.Leaky(beta=0.9, init_hidden=True, output=True),
    )  # fmt: skip


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.GRU(64, 8, batch_first=True), nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def test_the_folder_is_a_run_like_any_other(splits, encoder, tmp_path):
    net = spiking()
    record = rv.judge(net, splits, encoder, rule=rv.FirstSpike(0.2), label="my net", out=tmp_path, seed=3)
    assert record.folder == tmp_path / "my-net-seed3"
    assert (record.status, record.made, record.label, record.seed) == ("done", "judged", "my net", 3)
    assert record.history == []
    assert record.config == {
        "label": "my net", "seed": 3, "dataset": {"name": "given"},
        "encoder": {"name": "latency", "n_steps": N_STEPS},
        "model": {"name": "Sequential", "time": "step", "output": -1, "over": "each"},
        "rule": {"name": "first-spike", "threshold": 0.2}, "objective": {"name": "elsewhere"},
    }  # fmt: skip
    record.require_whole()
    trace = record.trace()
    assert trace.evidence.shape == (60, N_STEPS, 10)
    np.testing.assert_array_equal(trace.labels, splits.test.labels)
    decision = rv.decide(trace.evidence, rv.FirstSpike(0.2))
    found = record.decisions()
    np.testing.assert_array_equal(found["label"], decision.label)
    assert record.metrics["accuracy"] == np.mean(decision.label == splits.test.labels)
    assert np.isnan(record.metrics["train_seconds"])
    stored = read_weights(record.folder / "weights.safetensors")
    np.testing.assert_array_equal(stored["module.0.weight"], net[0].weight.detach().numpy())
    assert record.provenance["packages"]["snntorch"] == "1.0.0"


def test_its_decisions_are_those_of_the_networks_own_forward(splits, encoder, tmp_path):
    net = Recurrent().eval()
    record = rv.judge(net, splits, encoder, label="own", out=tmp_path)
    code = encoder(splits.test, 0)
    with torch.no_grad():
        x = torch.stack([code.at(step) for step in range(N_STEPS)], 1)
        own = net(x).softmax(2).numpy()
    np.testing.assert_allclose(record.trace().evidence, own, atol=1e-5)


def test_data_encoder_and_rule_may_be_given_by_name(tmp_path):
    record = rv.judge(
        Recurrent(), "digits", {"name": "latency", "n_steps": 4},
        rule={"name": "falling-threshold", "final": 0.2}, out=tmp_path,
    )  # fmt: skip
    assert record.label == "Recurrent"
    assert record.config["dataset"] == {"name": "digits"}
    assert record.config["rule"] == {"name": "falling-threshold", "final": 0.2}
    assert record.metrics["n_samples"] == 449


def test_a_rule_may_read_another_evidence_and_valid_is_kept_to_calibrate_it(splits, encoder, tmp_path):
    record = rv.judge(
        Recurrent(), splits, encoder, rule=rv.FirstSpike(0.3), reads="margin", label="a", out=tmp_path
    )
    assert record.config["evidence"] == {"name": "margin"}
    assert record.metrics["evidence"] == "margin"
    probability = np.sort(torch.from_numpy(record.trace().readouts).softmax(2).numpy(), 2)
    margin = probability[:, :, -1] - probability[:, :, -2]
    np.testing.assert_allclose(record.trace().evidence.max(2), margin, atol=1e-6)
    valid = record.trace("valid")
    np.testing.assert_array_equal(valid.labels, splits.valid.labels)


def test_a_function_as_encoder_is_recorded_with_its_identity(splits, tmp_path):
    def held(samples, seed):
        pixels = torch.from_numpy(samples.intensities().reshape(len(samples), 64))
        return rv.Frames(pixels.expand(3, -1, -1), (8, 8))

    record = rv.judge(Recurrent(), splits, held, out=tmp_path)
    assert record.config["encoder"]["name"].endswith(":test_a_function_as_encoder_is_recorded_with_its_"
                                                     "identity.<locals>.held")  # fmt: skip
    assert record.metrics["macs"] > 3 * 64 * 24 * 0.99  # real pixels cost multiply-accumulates
    assert record.metrics["acs"] == 0


def test_a_network_with_a_step_of_its_own_is_taken_as_it_is(splits, encoder, tmp_path):
    from rc_vs_snn.models import rc_lstm

    own = rc_lstm(layout=(8, 8), n_classes=10, hidden=6)
    record = rv.judge(own, splits, encoder, label="ours", out=tmp_path)
    assert record.config["model"] == {"name": "Stack"}
    assert record.metrics["acs"] > 0
    with pytest.raises(
        rv.InputError, match="Stack has a step of its own and is taken as it is; leave out over"
    ):
        rv.judge(own, splits, encoder, over="sum", out=tmp_path)
    with pytest.raises(rv.InputError, match="Stack says that its evidence is 'probability'"):
        rv.judge(own, splits, encoder, evidence="membrane", out=tmp_path)


def test_modes_and_weights_are_left_as_they_were(splits, encoder, tmp_path):
    net = spiking().train()
    net[1].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    rv.judge(net, splits, encoder, label="a", out=tmp_path)
    assert [part.training for part in net] == [True, False, True, True]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_seeds_are_repetitions(splits, encoder, tmp_path):
    from rc_vs_snn.analysis.groups import group_runs

    for seed in (0, 1):
        rv.judge(spiking(), splits, encoder, label="a", out=tmp_path, seed=seed)
    (group,) = group_runs(rv.find_records(tmp_path))
    assert len(group.runs) == 2


def test_what_was_judged_is_replaced_and_what_was_trained_is_not(splits, encoder, tmp_path):
    first = rv.judge(spiking(), splits, encoder, label="a", out=tmp_path)
    again = rv.judge(Recurrent(), splits, encoder, label="a", out=tmp_path)
    assert first.folder == again.folder
    assert rv.read_record(first.folder).config["model"]["name"] == "Recurrent"
    marker = first.folder / "provenance.json"
    told = json.loads(marker.read_text())
    marker.write_text(json.dumps({key: value for key, value in told.items() if key != "made"}))
    with pytest.raises(rv.InputError, match="holds a run that was trained; choose another label or out"):
        rv.judge(spiking(), splits, encoder, label="a", out=tmp_path)
    record = rv.judge(spiking(), splits, encoder, label="a", out=tmp_path, overwrite=True)
    assert record.made == "judged"


def test_it_can_be_neither_evaluated_nor_exported(splits, encoder, tmp_path):
    from rc_vs_snn.experiment.pretrained import export

    record = rv.judge(spiking(), splits, encoder, label="a", out=tmp_path)
    with pytest.raises(rv.InputError, match="is of a network that was made elsewhere"):
        rv.evaluate(record)
    with pytest.raises(rv.InputError, match="was not trained there"):
        export([record], tmp_path / "models")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"module": "net.pt"}, r"a network must be an nn\.Module with its weights, got str"),
        ({"label": "///"}, "label must be one line of text with letters or digits, got '///'"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"overr": "sum"}, "unknown option 'overr'; did you mean 'over'"),
        ({"evidence": "softmax"}, r"there is no evidence 'softmax'; .*allowed: membrane, .*"),
        ({"rule": rv.FirstSpike(1.5)}, "threshold 1.5 at step 0 cannot be met by a probability"),
        ({"rule": "fast"}, "unknown rule 'fast'"),
        ({"encoder": "latnecy"}, "unknown encoder 'latnecy'; did you mean 'latency'"),
        ({"encoder": lambda samples, seed: samples.values}, "returned ndarray for 7 samples; it returns"),
        ({"encoder": lambda samples, seed: 1 / 0}, "raised ZeroDivisionError"),
        ({"splits": "digitz"}, "unknown dataset 'digitz'; did you mean 'digits'"),
        ({"module": nn.Sequential(nn.Linear(64, 10))}, "holds no module that is known to keep a state"),
        ({"adapter": lambda net, example: net}, "a: a model's attribute `evidence` must be 'probability'"),
        ({"module": nn.Sequential(nn.Linear(64, 7), snn.Leaky(beta=0.9, init_hidden=True, output=True))},
         r"a: the readout of a step must be finite and of shape \(7, 10\) \(batch, class\), got \(7, 7\)"),
        ({"module": nn.Sequential(nn.Linear(9, 10), snn.Leaky(beta=0.9, init_hidden=True, output=True))},
         "cannot tell how Sequential reads time; .* shapes cannot be multiplied"),
    ],
)  # fmt: skip
def test_every_fault_is_told_in_one_line_and_nothing_is_written(splits, encoder, tmp_path, given, message):
    arguments = {"module": spiking(), "splits": splits, "encoder": encoder, "label": "a", **given}
    with pytest.raises(rv.InputError, match=message) as told:
        rv.judge(**arguments, out=tmp_path / "runs")
    assert "\n" not in str(told.value)
    assert not (tmp_path / "runs" / "a-seed0").exists()


def test_an_adapter_of_ones_own(splits, encoder, tmp_path):
    record = rv.judge(
        spiking(), splits, encoder, out=tmp_path, rule=rv.FirstSpike(2.0),
        adapter=lambda net, example: from_snntorch(net, example, output=0, over="sum", evidence="membrane"),
    )  # fmt: skip
    assert record.metrics["evidence"] == "membrane"
    counts = record.trace().evidence
    assert (counts == counts.round()).all()
    assert (np.diff(counts, axis=1) >= 0).all()


class TestNeuroBench:
    def test_static_metrics(self):
        net = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
        with torch.no_grad():
            net[0].weight[0] = 0
        # 20 + 5 weights, 10 of the norm, its 10 means and variances, and a counter of 8 bytes
        assert static(net) == {
            "footprint": 4 * (25 + 10 + 10) + 8, "parameter_count": 35, "connection_sparsity": 0.2,
        }  # fmt: skip

    def test_names_beside_ours(self, splits, encoder, tmp_path):
        record = rv.judge(spiking(), splits, encoder, rule=rv.FirstSpike(0.15), label="a", out=tmp_path)
        found = record.metrics["neurobench"]
        assert set(found) == {
            "classification_accuracy", "footprint", "parameter_count", "connection_sparsity",
            "synaptic_operations", "activation_sparsity",
        }  # fmt: skip
        assert found["classification_accuracy"] == record.metrics["accuracy"]
        operations = found["synaptic_operations"]
        assert set(operations) == {"Effective_MACs", "Effective_ACs", "Dense"}
        # all its values are spikes, and no weight is 0: then ours are the effective ones
        assert operations["Effective_ACs"] == pytest.approx(record.metrics["acs"])
        assert operations["Effective_MACs"] == record.metrics["macs"] == 0
        assert operations["Dense"] == pytest.approx((record.metrics["mean_step"] + 1) * (64 * 20 + 20 * 10))
        assert 0 < found["activation_sparsity"] < 1
        spikes = (record.metrics["acs"] - record.metrics["input_events"] * 20) / 10  # of the hidden layer
        outputs = found["activation_sparsity"] * (record.metrics["mean_step"] + 1) * 30
        silent_output = outputs - ((record.metrics["mean_step"] + 1) * 20 - spikes)
        assert -1e-6 < silent_output < (record.metrics["mean_step"] + 1) * 10 + 1e-6

    def test_what_cannot_be_computed_is_left_out(self, splits, encoder, tmp_path):
        record = rv.judge(Recurrent(), splits, encoder, label="a", out=tmp_path)
        assert "activation_sparsity" not in record.metrics["neurobench"]  # nothing fires in it

        class Mixing(Recurrent):
            def __init__(self):
                super().__init__()
                self.mix = nn.Parameter(torch.eye(10))

            def forward(self, x):
                return super().forward(x) @ self.mix

        record = rv.judge(Mixing(), splits, encoder, label="b", out=tmp_path)
        assert "synaptic_operations" not in record.metrics["neurobench"]
        assert np.isnan(record.metrics["acs"])
        assert "mix in no Linear" in record.provenance["not_counted"]

    def test_runs_that_were_trained_here_have_what_is_known_of_them(self, tmp_path):
        small = ["training.epochs=1", "models.rc-lstm.model.hidden=8", "models.rank-snn.model.hidden=8"]
        for record in rv.compare(rv.load_preset("digits", small), tmp_path):
            found = record.metrics["neurobench"]
            assert set(found) == {
                "classification_accuracy", "footprint", "parameter_count", "connection_sparsity",
            }  # fmt: skip
            assert found["classification_accuracy"] == record.metrics["accuracy"]
            assert record.made == "trained"
