"""Predictions alone: what may be in a file, what is wrong with one and where, and the folder made of it."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rc_vs_snn as rv

LABELS = np.array([0, 2, 1, 1])


def split(ids=(10, 11, 12, 13)):
    return rv.Samples(np.zeros((4, 2, 2), np.uint8), LABELS, np.array(ids), "images", 3)


def readouts(n_steps=2, n_samples=4, n_classes=3):
    """Logits (T, N, K): at step 0 nobody is sure; at step 1 sample 3 says 2 and the others their label."""
    found = np.zeros((n_steps, n_samples, n_classes))
    found[1, np.arange(4), [0, 2, 1, 2]] = 5.0
    return found


def stored(path, **arrays):
    np.savez(path, **{"readouts": readouts(), **arrays})
    return path


# --- readouts ---


def test_readouts_are_judged_by_any_rule(tmp_path):
    found = rv.read_predictions(stored(tmp_path / "a.npz"), labels=LABELS)
    assert (len(found), found.n_steps, found.decision) == (4, 2, None)
    record = rv.judge_predictions(found, rule=rv.FirstSpike(0.9), label="mine", out=tmp_path, dataset="four")
    assert record.made == "predictions"
    assert record.config == {
        "label": "mine", "seed": 0, "dataset": {"name": "four"}, "encoder": {"name": "elsewhere"},
        "model": {"name": "elsewhere"}, "rule": {"name": "first-spike", "threshold": 0.9},
        "objective": {"name": "elsewhere"}, "evidence": {"name": "probability"},
    }  # fmt: skip
    assert record.metrics["accuracy"] == 0.75
    assert record.metrics["mean_step"] == 1.0
    assert record.metrics["coverage"] == 1.0
    assert record.metrics["accuracy_forced_at_step0"] == 0.25  # all zero: class 0
    assert record.metrics["neurobench"] == {"classification_accuracy": 0.75}
    for name in ("acs", "macs", "leaks", "input_events", "parameters", "train_seconds"):
        assert np.isnan(record.metric(name))
    sure = np.exp(5) / (np.exp(5) + 2)
    other = (1 - sure) / 2
    np.testing.assert_allclose(record.trace().evidence[0], [[1 / 3] * 3, [sure, other, other]], rtol=1e-5)
    record.require_whole()
    assert record.provenance["predictions"]["file"] == "a.npz"
    assert len(record.provenance["predictions"]["sha256"]) == 64


def test_a_plain_array_and_potentials(tmp_path):
    np.save(tmp_path / "a.npy", readouts().astype(np.float32))
    found = rv.read_predictions(tmp_path / "a.npy", labels=LABELS.tolist())
    record = rv.judge_predictions(found, rule=rv.FirstSpike(4.0), evidence="membrane", out=tmp_path)
    np.testing.assert_array_equal(record.trace().evidence, readouts().transpose(1, 0, 2))
    assert record.metrics["evidence"] == "membrane"


def test_any_other_evidence_can_be_made_of_readouts(tmp_path):
    found = rv.read_predictions(stored(tmp_path / "a.npz"), labels=LABELS)
    record = rv.judge_predictions(found, rule=rv.FirstSpike(0.9), evidence="margin", out=tmp_path)
    assert record.metrics["evidence"] == "margin"
    sure = np.exp(5) / (np.exp(5) + 2)
    assert record.trace().evidence[0, 1].max() == pytest.approx(sure - (1 - sure) / 2, rel=1e-5)
    np.testing.assert_array_equal(record.trace().readouts, readouts().transpose(1, 0, 2).astype(np.float32))


def test_validation_readouts_let_a_rule_be_calibrated(tmp_path):
    from rc_vs_snn.cli import main

    test = rv.read_predictions(stored(tmp_path / "a.npz"), labels=LABELS)
    path = stored(tmp_path / "v.npz", ids=[4, 5, 6, 7], labels=[0, 2, 1, 2])
    valid = rv.read_predictions(path)
    record = rv.judge_predictions(test, valid=valid, rule=rv.FirstSpike(0.2), out=tmp_path)
    np.testing.assert_array_equal(record.trace("valid").labels, [0, 2, 1, 2])
    assert record.metrics["mean_step"] == 0.0
    assert main(["calibrate", str(record.folder), "--loss", "0", "--out", str(tmp_path / "rule.json")]) == 0
    found = json.loads((tmp_path / "rule.json").read_text())
    assert found["valid"]["accuracy"] == 1.0  # nobody is right at step 0, all are at step 1
    assert found["test"]["mean_step"] == 1.0
    without = rv.judge_predictions(test, label="b", out=tmp_path)
    with pytest.raises(rv.InputError, match="judge predictions, with their validation readouts, again"):
        rv.evaluate(without)
    for faulty, message in (
        (test, "sample 0 is in valid and in test"),
        (rv.read_predictions(stored(tmp_path / "w.npz", readouts=readouts()[:1], labels=LABELS)),
         r"must be of \(T, K\) = \(2, 3\) as those of test, got \(1, 3\)"),
        (rv.read_predictions(written(tmp_path / "d.csv"), n_steps=2 + 3), "got None"),
    ):  # fmt: skip
        with pytest.raises(rv.InputError, match=message):
            rv.judge_predictions(test, valid=faulty, out=tmp_path)
    decisions = rv.read_predictions(tmp_path / "d.csv", n_steps=5)
    with pytest.raises(rv.InputError, match="leave out the validation readouts"):
        rv.judge_predictions(decisions, valid=valid, out=tmp_path)


def test_samples_are_matched_by_their_ids(tmp_path):
    order = [2, 0, 3, 1]
    path = stored(tmp_path / "a.npz", readouts=readouts()[:, order], ids=np.array([10, 11, 12, 13])[order])
    found = rv.read_predictions(path, labels=split())
    np.testing.assert_array_equal(found.ids, [10, 11, 12, 13])
    np.testing.assert_array_equal(found.readouts, readouts().transpose(1, 0, 2).astype(np.float32))
    without = rv.read_predictions(stored(tmp_path / "b.npz"), labels=split())  # in the order of the split
    np.testing.assert_array_equal(without.ids, [10, 11, 12, 13])


def test_labels_ids_lengths_and_costs_may_be_in_the_file(tmp_path):
    late = readouts()
    late[1, 0] = np.nan  # behind its length, where nothing is read
    acs = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    path = stored(
        tmp_path / "a.npz", readouts=late, labels=LABELS, ids=[7, 5, 3, 1], lengths=[1, 2, 2, 2], acs=acs
    )
    record = rv.judge_predictions(rv.read_predictions(path), rule=rv.FirstSpike(0.9), out=tmp_path)
    decisions = record.decisions()
    np.testing.assert_array_equal(decisions["id"], [7, 5, 3, 1])
    np.testing.assert_array_equal(decisions["step"], [0, 1, 1, 1])
    np.testing.assert_array_equal(decisions["decided"], [False, True, True, True])
    assert record.metrics["acs"] == (1 + 6 + 7 + 8) / 4
    assert record.metrics["earliness"] == 1.0
    trace = record.trace()
    np.testing.assert_array_equal(trace.evidence[0, 1], trace.evidence[0, 0])  # stands still behind its end
    assert trace.acs[0, 1] == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"readout": np.zeros(3)}, r"a\.npz: unknown array 'readout'; did you mean 'readouts'"),
        ({"readouts": np.zeros((4, 3))}, r"the shape must be \(T, N, K\), time first, got \(4, 3\)"),
        ({"readouts": np.zeros((0, 4, 3))}, r"time first, got \(0, 4, 3\)"),
        ({"readouts": np.full((2, 4, 3), "a")}, "logits, potentials or spike counts are numbers, got <U1"),
        ({"readouts": np.zeros((2, 4, 1))}, "K = 1 class leaves nothing to decide"),
        ({"readouts": np.where(np.arange(24).reshape(2, 4, 3) == 20, np.nan, 0)},
         r"readouts: nan at step 1, sample 2, class 2 \(1 such in all\); a readout is a finite number"),
        ({"readouts": np.full((2, 4, 3), 1e300)}, "a number is too large for 32 bits"),
        ({"labels": [0, 2, 1]}, r"labels: must be whole numbers of shape \(4,\), .* of shape \(3,\)"),
        ({"labels": [0.0, 2, 1, 1]}, "labels: must be whole numbers .* got float64"),
        ({"labels": [0, 2, 1, 3]}, r"labels: entry 3 is 3; a class of the readouts lies in 0\.\.2"),
        ({"ids": [4, 5, 4, 7]}, "ids: entry 2 is 4, as is entry 0; each sample is predicted once"),
        ({"ids": [4, 5, -1, 7]}, "ids: entry 2 is -1; ids are at least 0"),
        ({"lengths": [1, 2, 3, 2]}, r"lengths: entry 2 is 3; a number of steps lies in 1\.\.2"),
        ({"acs": np.zeros((4, 2))}, r"acs: must be numbers of shape \(T, N\) = \(2, 4\), summed from step 0"),
        ({"macs": [[1, 2, 3, 4], [1, 2, 2, 4]]}, "macs: 2 at step 1, sample 2; what was spent up to a step"),
        ({"leaks": [[1, -2, 3, 4], [1, 2, 2, 4]]}, "leaks: -2 at step 0, sample 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_arrays_is_told_with_its_place(tmp_path, arrays, message):
    path = stored(tmp_path / "a.npz", **{"labels": LABELS, **arrays})
    with pytest.raises(rv.InputError, match=message) as told:
        rv.read_predictions(path)
    assert str(tmp_path / "a.npz") in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("arrays", "labels", "message"),
    [
        ({}, None, "holds no array 'labels'; give the true labels by labels="),
        ({}, LABELS[:3], "4 samples for 3 labels; give an array 'ids'"),
        ({"ids": [10, 11, 99, 13]}, split(), "ids: entry 2: 99 is none of the 4 samples with a label"),
        ({"readouts": readouts()[:, :3], "ids": [10, 11, 13]}, split(),
         "there are 3 predictions for 4 samples; the first without one is id 12"),
        ({"labels": [0, 2, 1, 0]}, LABELS, "labels: sample 3 has the label 0, and 1 in labels="),
        ({}, [0, -1, 1, 1], "labels must be class indices from 0, got -1"),
        ({}, ["a", "b"], "labels must be a one-dimensional integer array"),
        ({}, [0, 1, 2, 7], r"labels: entry 3 is 7; a class of the readouts lies in 0\.\.2"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit_are_told(tmp_path, arrays, labels, message):
    with pytest.raises(rv.InputError, match=message):
        rv.read_predictions(stored(tmp_path / "a.npz", **arrays), labels=labels)


def test_other_files_are_refused(tmp_path):
    for name, content, message in (
        ("a.txt", b"", r"no file of predictions ends with '\.txt'; allowed: \.npy, \.npz, \.csv, \.parquet"),
        ("b.npz", b"PK\x03\x04 broken", "is no NumPy file of plain arrays"),
        ("c.npy", b"nothing", "is no NumPy file of plain arrays"),
        ("e.parquet", b"PAR1", "is no Parquet file"),
        ("f.csv", b"\xff\xfe", "is no CSV file in UTF-8"),
        ("g.csv", b"", "is empty; its first line names the columns: id, step, label"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(rv.InputError, match=message):
            rv.read_predictions(tmp_path / name, labels=LABELS, n_steps=3)
    for name in ("no.npz", "no.csv", "no.parquet"):
        with pytest.raises(rv.InputError, match=f"cannot read .*{name}: .*no such file|No such file"):
            rv.read_predictions(tmp_path / name, labels=LABELS, n_steps=3)
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(rv.InputError, match="without objects in it"):
        rv.read_predictions(tmp_path / "o.npy", labels=LABELS)
    np.savez(tmp_path / "n.npz", labels=LABELS)
    with pytest.raises(rv.InputError, match=r"holds no array 'readouts' of shape \(T, N, K\); it holds"):
        rv.read_predictions(tmp_path / "n.npz")
    with pytest.raises(rv.InputError, match="holds 2 steps, and n_steps is 3; leave it out"):
        rv.read_predictions(stored(tmp_path / "a.npz"), labels=LABELS, n_steps=3)


# --- decisions ---

TABLE = "id,step,label,true_label\n10,0,0,0\n11,4,2,2\n12,2,1,1\n13,1,2,1\n"


def written(path, text=TABLE):
    path.write_text(text, encoding="utf-8")
    return path


def test_decisions_alone(tmp_path):
    found = rv.read_predictions(written(tmp_path / "d.csv"), n_steps=5)
    record = rv.judge_predictions(found, label="rows", out=tmp_path)
    assert record.made == "predictions"
    assert record.config["rule"] == {"name": "elsewhere"}
    assert sorted(path.name for path in record.folder.iterdir()) == [
        "config.json", "decisions.parquet", "history.json", "metrics.json", "provenance.json",
    ]  # fmt: skip
    assert record.metrics["accuracy"] == 0.75
    assert record.metrics["mean_step"] == 7 / 4
    assert record.metrics["median_step"] == 1.5
    assert record.metrics["earliness"] == pytest.approx((1 + 5 + 3 + 2) / 4 / 5)
    assert (record.metrics["coverage"], record.metrics["forced"]) == (1.0, 0.0)
    assert record.metrics["share_decided_at_step0"] == record.metrics["share_right_at_step0"] == 0.25
    for name in ("tied", "acs", "accuracy_forced_at_step0", "forced_accuracy"):
        assert np.isnan(record.metric(name))
    np.testing.assert_array_equal(record.decisions()["true_label"], [0, 2, 1, 1])
    record.require_whole()
    with pytest.raises(rv.InputError, match=r"trace\.npz"):
        record.trace()


def test_columns_in_any_order_with_all_that_is_known(tmp_path):
    text = (
        "label,id,evidence,step,decided,acs,macs,leaks\r\n"
        "0,13,0.75,4,false,7,0,1\r\n\r\n2,12,0.5,1,TRUE,3.5,0,1\r\n1,11,-2e-1,0,1,1,0,1\r\n0,10,1,2,0,4.5,0,1\r\n"
    )
    path = tmp_path / "d.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    record = rv.judge_predictions(rv.read_predictions(path, labels=split(), n_steps=5), out=tmp_path)
    found = record.decisions()
    np.testing.assert_array_equal(found["id"], [10, 11, 12, 13])
    np.testing.assert_array_equal(found["label"], [0, 1, 2, 0])
    np.testing.assert_array_equal(found["decided"], [False, True, True, False])
    np.testing.assert_array_equal(found["evidence"], [1, -0.2, 0.5, 0.75])
    assert record.metrics["acs"] == 4.0
    assert record.metrics["macs"] == 0.0
    assert record.metrics["coverage"] == 0.5
    assert record.metrics["accuracy_decided"] == 0.0


def test_parquet_holds_the_same(tmp_path):
    columns = {
        "id": [10, 11, 12, 13],
        "step": [0, 4, 2, 1],
        "label": [0, 2, 1, 2],
        "true_label": [0, 2, 1, 1],
    }
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    one = rv.judge_predictions(
        rv.read_predictions(tmp_path / "d.parquet", n_steps=5), label="a", out=tmp_path
    )
    csv = rv.read_predictions(written(tmp_path / "d.csv"), n_steps=5)
    other = rv.judge_predictions(csv, label="b", out=tmp_path)
    assert str(one.metrics) == str(other.metrics)


def with_row(line):
    return f"id,step,label,evidence\n10,0,0,1\n11,4,2,1\n12,2,1,1\n{line}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (with_row("13,x,2,1"), r"d\.csv, line 5, column step: 'x' is no whole number"),
        (with_row("13,1.0,2,1"), "line 5, column step: '1.0' is no whole number"),
        (with_row("13,,2,1"), "line 5, column step: nothing is no whole number"),
        (with_row("13,5,2,1"), r"line 5, column step: a decision step, 0-based, lies in 0\.\.4, got 5"),
        (with_row("13,-1,2,1"), r"line 5, column step: a decision step, 0-based, lies in 0\.\.4, got -1"),
        (with_row("13,1,3,1"), r"line 5, column label: a class lies in 0\.\.2, got 3"),
        (with_row("13,1,2,nan"), "line 5, column evidence: 'nan' is no finite number"),
        (with_row("13,1,2,inf"), "line 5, column evidence: 'inf' is no finite number"),
        (with_row("11,1,2,1"), r"line 5, column id: 11 is there already \(line 3\)"),
        (with_row("14,1,2,1"), "line 5, column id: 14 is none of the 4 samples with a label"),
        (with_row("-4,1,2,1"), "line 5, column id: -4 is below 0"),
        (with_row("13,1,2"), r"d\.csv, line 5: 3 values for 4 columns"),
        (with_row(""), "there are 3 predictions for 4 samples; the first without one is id 13"),
        (with_row("99999999999999999999,1,2,1"), "line 5, column id: '9{20}' is no whole number"),
        (with_row('"13"x,1,2,1'), "is no CSV file"),
        ("id,step\n1,2\n", "lacks the column label; it needs id, step, label, and has id, step"),
        ("id,step,label,lable\n1,2,0,0\n", r"unknown column 'lable'; did you mean 'label'"),
        ("id,step,label,id\n1,2,0,0\n", "line 1: the column 'id' is there twice"),
        ("id,step,label\n", "holds no row below its header"),
        ("id,step,label,decided\n10,0,0,perhaps\n", "line 2, column decided: 'perhaps' is no true or false"),
        ("id,step,label,acs\n10,0,0,-1\n", "line 2, column acs: -1 is below 0"),
        ("id,step,label,true_label\n10,0,0,0\n11,0,0,1\n12,0,0,1\n13,0,0,1\n",
         "line 3, column true_label: 1, and 2 in labels="),
    ],
)  # fmt: skip
def test_what_is_wrong_with_rows_is_told_with_line_and_column(tmp_path, text, message):
    with pytest.raises(rv.InputError, match=message) as told:
        rv.read_predictions(written(tmp_path / "d.csv", text), labels=split(), n_steps=5)
    assert "\n" not in str(told.value)


def test_in_parquet_it_is_the_row(tmp_path):
    for column, value, message in (
        ("step", [0, None, 1, 2], "row 1, column step: nothing is no whole number"),
        ("step", [0.0, 1.0, 1.0, 2.0], "row 0, column step: 0.0 is no whole number"),
        ("label", [0, 1, 2, 9], r"row 3, column label: a class lies in 0\.\.2, got 9"),
        ("decided", ["true", "False", "no", "1"], "row 2, column decided: 'no' is no true or false"),
        ("evidence", ["a", "b", "c", "d"], "row 0, column evidence: 'a' is no finite number"),
        ("evidence", [True, True, True, True], "row 0, column evidence: True is no finite number"),
    ):
        columns = {"id": [10, 11, 12, 13], "step": [0] * 4, "label": [0] * 4, column: value}
        pq.write_table(pa.table(columns), tmp_path / "d.parquet")
        with pytest.raises(rv.InputError, match=message):
            rv.read_predictions(tmp_path / "d.parquet", labels=split(), n_steps=5)


def test_what_is_missing_must_be_given(tmp_path):
    path = written(tmp_path / "d.csv", "id,step,label\n10,0,0\n11,3,0\n")
    with pytest.raises(
        rv.InputError, match=r"the number of steps T is not in it \(the latest .* at step 3\)"
    ):
        rv.read_predictions(path, labels=[0, 1])
    with pytest.raises(rv.InputError, match="has no column true_label; give the true labels by labels="):
        rv.read_predictions(path, n_steps=5)
    with pytest.raises(rv.InputError, match="n_steps must be at least 1, got 0"):
        rv.read_predictions(path, n_steps=0)
    negative = written(tmp_path / "e.csv", "id,step,label,true_label\n10,0,0,-1\n")
    with pytest.raises(rv.InputError, match="line 2, column true_label: a class is at least 0, got -1"):
        rv.read_predictions(negative, n_steps=5)


def test_a_rule_decides_readouts_and_not_decisions(tmp_path):
    decisions = rv.read_predictions(written(tmp_path / "d.csv"), n_steps=5)
    with pytest.raises(rv.InputError, match="decisions have been made already; leave out the rule"):
        rv.judge_predictions(decisions, rule="first-spike", out=tmp_path)
    logits = rv.read_predictions(stored(tmp_path / "a.npz"), labels=LABELS)
    with pytest.raises(rv.InputError, match="threshold 0 at step 0 is no firing threshold"):
        rv.judge_predictions(logits, rule=rv.FirstSpike(0.0), evidence="membrane", out=tmp_path)
    with pytest.raises(rv.InputError, match="unknown evidence 'logit'; allowed"):
        rv.judge_predictions(logits, evidence="logit", out=tmp_path)


def test_old_folders_are_read_and_new_ones_checked(tmp_path):
    record = rv.judge_predictions(rv.read_predictions(written(tmp_path / "d.csv"), n_steps=5), out=tmp_path)
    marker = record.folder / "provenance.json"
    told = json.loads(marker.read_text())
    del told["files"]
    marker.write_text(json.dumps({**told, "made": "guessed"}))
    with pytest.raises(rv.InputError, match="made must be trained, judged or predictions"):
        rv.read_record(record.folder)
    marker.write_text(json.dumps(told))
    metrics = record.folder / "metrics.json"
    numbers = json.loads(metrics.read_text())
    metrics.write_text(json.dumps({**numbers, "neurobench": {"footprint": "large"}}))
    with pytest.raises(rv.InputError, match="footprint must be a number"):
        rv.read_record(record.folder)
    metrics.write_text(json.dumps({key: value for key, value in numbers.items() if key != "neurobench"}))
    assert rv.read_record(record.folder).metrics["accuracy"] == 0.75
