"""The direct-coded net with TET's loss learns, and says so at every step: the row of the early exits."""

import pytest

import rc_vs_snn as rv


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_both_rows_learn_digits_in_seconds(tmp_path, number):
    run = rv.load_preset("mnist-direct", ["model.maps=16"]).runs[number]
    digits = rv.load_preset("digits")
    made = digits.add(
        run.label, encoder=run.encoder, model=run.model, objective=run.objective, rule=run.rule,
        training={"epochs": 30, "learning_rate": 1e-2},
    )  # fmt: skip
    record = rv.run(made.runs[-1], tmp_path / "run", rv.Execution(device="cpu"))
    assert record.metrics["accuracy"] >= 0.95
    assert record.metrics["mean_step"] < 1
    assert record.metrics["macs"] > 0  # the analogue image, at every step
    trace = record.trace()
    assert trace.n_steps == 4
    by_step = (trace.evidence.argmax(2) == trace.labels[:, None]).mean(0)
    assert min(by_step) >= (0.95 if number == 0 else 0.9)


def test_the_rows_differ_in_their_training_alone():
    one, other = (run.to_table() for run in rv.load_preset("mnist-direct").runs)
    same = {"dataset", "augmentation", "encoder", "model", "rule", "seed"}
    assert {key for key in one if one[key] == other[key]} == same
    assert one["training"] | {"threshold_warmup": 8} == other["training"]
