import os
import threading
from pathlib import Path

import pytest

from rc_vs_snn.analysis import write_figures
from rc_vs_snn.errors import InputError

ALL = [
    "accuracy-vs-decision-step",
    "cost-to-decision",
    "coverage-vs-accuracy",
    "decision-step-histograms",
    "training-history",
]


def test_every_figure_in_all_formats_with_its_numbers_beside_it(one_seed, tmp_path):
    written = write_figures(one_seed, tmp_path / "out")
    expected = [f"{name}.{suffix}" for name in ALL for suffix in ("png", "svg", "pdf", "csv")]
    texts = ["summary.md", "summary.csv", "statistics.md", "statistics.csv"]
    assert [path.name for path in written] == [*expected, *texts]
    assert sorted(os.listdir(tmp_path / "out")) == sorted(path.name for path in written), "no leftovers"
    for path in written:
        assert path.stat().st_size > 100


def test_the_same_records_give_the_same_bytes(one_seed, tmp_path):
    name = "accuracy-vs-decision-step"
    first = write_figures(one_seed, tmp_path / "a", only=[name])
    second = write_figures(one_seed, str(tmp_path / "b"), only=[name])
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_text_stays_text_and_no_date_is_written(one_seed, tmp_path):
    name = "accuracy-vs-decision-step"
    write_figures(one_seed, tmp_path, only=[name])
    svg = (tmp_path / f"{name}.svg").read_text()
    assert "Test accuracy</text>" in svg
    assert "<dc:date>" not in svg
    pdf = (tmp_path / f"{name}.pdf").read_bytes()
    assert b"CreationDate" not in pdf
    assert b"/Type3" not in pdf
    png = (tmp_path / f"{name}.png").read_bytes()
    width = int.from_bytes(png[16:20], "big")
    assert width == 700  # 3.5 inches at 200 dots per inch


def test_existing_files_are_replaced(one_seed, tmp_path):
    (tmp_path / "summary.md").write_text("old")
    write_figures(one_seed, tmp_path, only=["training-history"])
    assert (tmp_path / "summary.md").read_text().startswith("| model")


def test_a_failed_run_is_in_no_figure_but_in_the_summary(make_run, tiny_trace, tmp_path):
    done = make_run(tiny_trace)
    failed = make_run(tiny_trace, label="RC-SNN", status="failed", reason="loss became NaN")
    write_figures([done, failed], tmp_path / "out", only=["decision-step-histograms"])
    assert "RC-SNN, seed 0: failed: loss became NaN" in (tmp_path / "out" / "summary.md").read_text()
    assert "RC-SNN" not in (tmp_path / "out" / "decision-step-histograms.csv").read_text()


def test_no_finished_run_is_an_error_and_writes_nothing(make_run, tiny_trace, tmp_path):
    failed = make_run(tiny_trace, status="failed", reason="no memory")
    for records in ([], [failed]):
        with pytest.raises(InputError, match="no finished run"):
            write_figures(records, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_figure_names_the_nearest(one_seed, tmp_path):
    with pytest.raises(InputError, match="did you mean 'cost-to-decision'"):
        write_figures(one_seed, tmp_path / "out", only=["cost-of-decision"])
    assert not (tmp_path / "out").exists()


def test_a_history_that_was_never_recorded_is_left_out_unless_asked_for(make_run, tiny_trace, tmp_path):
    record = make_run(tiny_trace, history=False)
    assert "training-history.csv" not in [path.name for path in write_figures([record], tmp_path / "out")]
    with pytest.raises(InputError, match="no numbers for the figure 'training-history'"):
        write_figures([record], tmp_path / "out", only=["training-history"])


def test_an_unwritable_place_is_named(one_seed, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write .*file"):
        write_figures(one_seed, tmp_path / "file")
    (tmp_path / "out" / "summary.md").mkdir(parents=True)
    with pytest.raises(InputError, match=r"cannot write .*summary\.md"):
        write_figures(one_seed, tmp_path / "out", only=["training-history"])
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith(".")], "no leftovers"


def test_threads_do_not_disturb_each_other(one_seed, tmp_path):
    name = "training-history"
    alone = [path.read_bytes() for path in write_figures(one_seed, tmp_path / "alone", only=[name])]
    folders = [tmp_path / "one", tmp_path / "two"]
    threads = [
        threading.Thread(target=write_figures, args=(one_seed, folder), kwargs={"only": [name]})
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for folder in folders:
        got = [(folder / path.name).read_bytes() for path in sorted(folder.iterdir())]
        assert sorted(got) == sorted(alone)


def test_a_run_that_cannot_be_read_leaves_every_old_file_as_it_was(make_run, tiny_trace, tmp_path):
    good, bad = make_run(tiny_trace), make_run(tiny_trace, label="RC-SNN")
    write_figures([good], tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (bad.folder / "trace.npz").unlink()
    with pytest.raises(InputError, match=r"trace\.npz is damaged"):
        write_figures([good, bad], tmp_path / "out", only=["training-history", "coverage-vs-accuracy"])
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_disk_that_fills_leaves_every_old_file_as_it_was(one_seed, tmp_path, monkeypatch):
    write_figures(one_seed[:1], tmp_path, only=["training-history"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write = Path.write_bytes

    def full(path, content):
        if path.name == "summary.md":
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot write .*No space left"):
        write_figures(one_seed, tmp_path, only=["training-history"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
