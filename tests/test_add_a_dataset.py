"""The page for somebody with recordings of their own, as it stands, from an empty folder."""

import re
import warnings
from pathlib import Path

from rc_vs_snn.records import read_record

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "add_a_dataset.md").read_text()


def test_ten_lines_from_an_empty_folder(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "somebody"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(example, "add_a_dataset.md", "exec"), names)
    splits = names["my_corpus"]()
    assert splits.class_names == ("rest", "run", "walk")
    assert {len(each) for each in splits.train.values} == set(range(8, 20))
    lstm, spiking = names["records"]
    assert (lstm.label, spiking.label) == ("RC-LSTM", "recurrent rank-SNN")
    for record in (lstm, spiking):
        assert record.status == "done"
        assert record.metrics["accuracy"] > 0.8
        trace = record.trace()
        assert trace.step_ms == 20.0
        assert trace.lengths.tolist() == [len(each) for each in splits.test.values]
    assert (tmp_path / "runs/mine/figures/accuracy-vs-decision-step.png").exists()
    # the same again is read, not repeated
    again = names["rv"].compare(names["comparison"].with_training(epochs=10), out="runs/mine")
    assert [record.provenance["started"] for record in again] == [
        read_record(record.folder).provenance["started"] for record in names["records"]
    ]
