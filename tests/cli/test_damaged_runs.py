"""What the commands do with run folders that are damaged: one line, exit code 2, nothing half made."""

import shutil

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main

CPU = rv.Execution(device="cpu")
SMALL = ["training.epochs=1", "models.rc-lstm.model.hidden=8", "models.rank-snn.model.hidden=8"]
JSON = ("config.json", "history.json", "metrics.json", "provenance.json")
BINARY = ("decisions.parquet", "trace.npz", "weights.safetensors")


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    assert main(["compare", *settings, "--seeds", "0,1", "--formats", "svg", "--out", str(out)]) == 0
    return out


def damage(path, how):
    content = path.read_bytes()
    if how == "swapped":
        shutil.copy(path.parent.parent / "rank-snn-seed0" / path.name, path)
    else:
        path.write_bytes({"emptied": b"", "truncated": content[: len(content) // 2], "a list": b"[]"}[how])


CASES = [(name, how) for name in JSON for how in ("emptied", "truncated", "swapped", "a list")]
CASES += [(name, how) for name in BINARY for how in ("emptied", "truncated", "swapped")]


@pytest.mark.parametrize(("name", "how"), CASES)
def test_every_command_that_reads_runs_names_the_damaged_file(compared, tmp_path, capsys, name, how):
    runs, out = tmp_path / "runs", tmp_path / "out"
    shutil.copytree(compared, runs, ignore=shutil.ignore_patterns("figures"))
    damage(runs / "rc-lstm-seed0" / name, how)
    one = str(runs / "rc-lstm-seed0")
    for command in (["figures", str(runs), "--out", str(out)], ["evaluate", one],
                    ["export", str(runs), "--out", str(out)],
                    ["compare", "--pretrained", str(runs), "--out", str(out)]):  # fmt: skip
        assert main(command) == 2, command
        (line,) = capsys.readouterr().err.splitlines()
        assert "rc-lstm-seed0/" in line
        # the checksums of another run fit none of this one's files
        assert name in line or (name, how) == ("provenance.json", "swapped")
        assert "is damaged" in line
        assert not out.exists() or not list(out.rglob("*"))


@pytest.mark.parametrize(
    ("name", "how"),
    [("config.json", "a list"), ("provenance.json", "truncated"), ("decisions.parquet", "truncated")],
)
def test_a_damaged_run_is_trained_again_and_said_to_be(compared, tmp_path, name, how):
    shutil.copytree(compared, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "rc-lstm-seed0"
    before = rv.read_record(folder).trace().evidence
    untouched = (tmp_path / "rank-snn-seed0" / "provenance.json").stat().st_mtime_ns
    damage(folder / name, how)
    comparison = rv.load_preset("digits", SMALL).with_seeds(0, 1)
    with pytest.warns(UserWarning, match=rf"RC-LSTM is run again: .*rc-lstm-seed0/{name} is damaged"):
        records = rv.compare(comparison, tmp_path, CPU)
    np.testing.assert_array_equal(records[0].trace().evidence, before)
    records[0].require_whole()
    assert (tmp_path / "rank-snn-seed0" / "provenance.json").stat().st_mtime_ns == untouched


def test_a_damaged_run_that_is_not_ours_alone_is_not_replaced(compared, tmp_path):
    shutil.copytree(compared, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "rc-lstm-seed0"
    (folder / "notes.txt").write_text("mine")
    damage(folder / "trace.npz", "emptied")
    comparison = rv.load_preset("digits", SMALL).with_seeds(0, 1)
    with pytest.warns(UserWarning, match="run again"), pytest.raises(rv.InputError, match=r"notes\.txt"):
        rv.compare(comparison, tmp_path, CPU)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "trace.npz").read_bytes() == b""


def test_figures_keep_the_order_of_the_comparison(compared, tmp_path, capsys):
    # by name rank-SNN comes first, in the preset RC-LSTM does
    figure = "accuracy-vs-decision-step"
    assert main(["figures", str(compared), "--only", figure, "--out", str(tmp_path)]) == 0
    for name in (f"{figure}.svg", f"{figure}.csv", "summary.md", "summary.csv"):
        assert (tmp_path / name).read_bytes() == (compared / "figures" / name).read_bytes(), name
    assert "| minus RC-LSTM" in capsys.readouterr().out


def test_figures_of_several_folders_keep_the_order_of_the_command_line(compared, tmp_path, capsys):
    folders = [str(compared / f"{name}-seed{seed}") for name in ("rank-snn", "rc-lstm") for seed in (0, 1)]
    assert main(["figures", *folders, "--only", "training-history", "--out", str(tmp_path)]) == 0
    assert "| minus rank-SNN" in capsys.readouterr().out


def test_another_order_of_the_same_comparison_is_the_one_that_is_kept(compared, tmp_path):
    shutil.copytree(compared, tmp_path, dirs_exist_ok=True)
    comparison = rv.load_preset("digits", SMALL).with_seeds(0, 1)
    turned = rv.Comparison("turned", comparison.runs[::-1], (0, 1))
    rv.compare(turned, tmp_path, CPU)
    assert [record.label for record in rv.find_records(tmp_path)][:2] == ["rank-SNN", "RC-LSTM"]
