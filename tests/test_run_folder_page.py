"""docs/run_folder.md is what runs write: every file, key, column and array, and nothing that no run has."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.datasets.digits import digits
from rc_vs_snn.errors import DivergedError
from rc_vs_snn.models import rc_gru
from rc_vs_snn.records import layout

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "run_folder.md").read_text(encoding="utf-8")
RARE = {"not_counted"}  # of networks that use their weights in ways of their own; their test looks at it


def table(section, head):
    """Return the rows of a table by their first cell, each as the other cells."""
    text = PAGE if section is None else PAGE.partition(f"\n## {section}")[2].partition("\n## ")[0]
    (body,) = re.findall(rf"^\| {re.escape(head)} \|.*\n\| --- .*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines()]
    return {row[0].strip("` "): row[1:] for row in rows}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Digits, other evidence, signals of different lengths in time, a failed run, a model that is kept."""
    out = tmp_path_factory.mktemp("runs")
    models = rv.load_preset("digits").with_training(epochs=1)
    models = models.add("margin", evidence="margin", rule="first-spike", training={"keep": "last"})
    models = models.add("diverging", objective=diverging)
    rv.compare(models, out / "digits")
    rng = np.random.default_rng(0)
    signals = [rng.normal(k % 2, 1, (8 + k % 5, 1)) for k in range(60)]

    def corpus(root=None):
        return rv.splits_from_arrays(signals, [k % 2 for k in range(60)], rate_hz=100.0)

    timed = rv.load_preset("time-series", ["encoder.n_steps=12"]).with_dataset(corpus).with_training(epochs=1)
    rv.compare(replace(timed, runs=timed.runs[:1]), out / "timed")
    assert main(["export", str(out / "digits" / "rc-lstm-seed0"), "--out", str(out / "kept")]) == 0
    assert (
        main(["compare", "--pretrained", str(out / "kept"), "--formats", "png", "--out", str(out / "judged")])
        == 0
    )
    judge_elsewhere(out / "elsewhere")
    found = sorted(path.parent for path in out.rglob("provenance.json"))
    assert len(found) == 10
    statuses = {json.loads((path / "provenance.json").read_text())["status"] for path in found}
    assert statuses == {"done", "failed"}
    return found


def judge_elsewhere(out):
    """Judge a network, readouts and decisions, as if they had been made elsewhere."""
    test, rng = digits().test, np.random.default_rng(0)
    rv.judge(rc_gru((8, 8), 10, hidden=4), "digits", "step", label="network", out=out)
    out.mkdir(exist_ok=True)
    np.savez(
        out / "logits.npz", readouts=rng.normal(size=(4, len(test), 10)).astype(np.float32), ids=test.ids
    )
    rows = "".join(f"{name},{number % 4},{number % 10}\n" for number, name in enumerate(test.ids))
    (out / "decisions.csv").write_text("id,step,label\n" + rows)
    for file, more in (("logits.npz", {}), ("decisions.csv", {"n_steps": 4})):
        found = rv.read_predictions(out / file, labels=test, **more)
        rv.judge_predictions(found, label=file, dataset="digits", out=out)


def diverging(model, encoded, labels, rule):
    """An objective of a training that fails."""
    raise DivergedError("the loss became nan")


def tables(runs, name):
    return [json.loads((run / name).read_text()) for run in runs]


def written(runs, name):
    return {key for each in tables(runs, name) for key in each}


def test_every_file_is_named(runs):
    assert set(table(None, "file")) == layout.FILES
    assert {path.name for run in runs for path in run.iterdir()} == layout.FILES
    for row in table(None, "file").values():
        assert row[-1] in ("1", "2", "2+")


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "provenance.json"])
def test_every_key_is_named(runs, name):
    rows = table(name, "key")
    assert set(rows) - RARE == written(runs, name)
    required = {key for key, row in rows.items() if "when" not in row[1] and key != "export"}
    trained = [
        run for run, marker in zip(runs, tables(runs, "provenance.json"), strict=True) if "made" not in marker
    ]
    for content in filter(None, tables(trained, name)):
        assert required <= set(content)


def test_every_number_of_a_run_is_named():
    assert set(layout.NUMBERS) | {"evidence"} <= set(table("metrics.json", "key"))


def test_every_field_of_a_training_and_an_epoch_is_named(runs):
    trainings = [config.get("training", {}) for config in tables(runs, "config.json")]
    assert set(table("config.json", "key of `training`")) == {key for each in trainings for key in each}
    epochs = [epoch for history in tables(runs, "history.json") for epoch in history]
    for epoch in epochs:
        assert set(table("history.json", "key of an epoch")) == set(epoch)


def test_every_column_of_the_decisions_is_named_with_its_type(runs):
    rows = table("decisions.parquet", "column")
    for path in (run / "decisions.parquet" for run in runs):
        if path.exists():
            fields = {field.name: str(field.type) for field in pq.read_schema(path)}
            assert list(fields) == list(rows)
            for name, kind in fields.items():
                assert kind in rows[name][0].split(" or "), name


def test_every_array_of_a_trace_is_named_with_type_and_shape(runs):
    rows = table("trace.npz and trace-valid.npz", "array")
    met = set()
    for path in (run / name for run in runs for name in (layout.TRACE, layout.VALID_TRACE)):
        if path.exists():
            with np.load(path) as stored:
                n, t, k = stored["evidence"].shape
                for name in stored.files:
                    kind, shape = rows[name][:2]
                    assert str(stored[name].dtype) in kind.split(" or "), name
                    assert stored[name].shape == eval(shape, {"N": n, "T": t, "K": k}), name
                    met.add(name)
                assert {name for name, row in rows.items() if "when" not in row[2]} <= set(stored.files)
    assert met == set(rows)


def test_the_schema_version_is_the_one_that_is_written():
    assert f"`schema_version` in `provenance.json` is {layout.SCHEMA_VERSION};" in PAGE
