"""The benchmarks run, and leave JSON, a table and figures with medians and ratios behind."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


def check(folder, name):
    content = json.loads((folder / f"{name}.json").read_text())
    assert content["benchmark"] == name
    assert {"command", "code", "packages", "hardware"} <= set(content["provenance"])
    assert content["rows"]
    for row in content["rows"]:
        low, high = row["quartiles"]
        assert 0 < low <= row["median"] <= high
        assert row["n"] >= 7 or row["unit"] == "MB"
        assert row["ratio"] > 0
        assert math.isfinite(row["ratio"])
        assert row["ratio"] == 1 or row["contender"] != content["baseline"]
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / f"{name}.svg").read_text()
    table = (folder / "table.md").read_text()
    assert f"## {name}" in table
    return content, table


@pytest.mark.slow
def test_a_quick_run_writes_figures_table_and_json(tmp_path):
    done = run("--quick", "--only", "streaming", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    content, table = check(tmp_path, "streaming")
    assert {row["contender"] for row in content["rows"]} == {
        "ours (Decider)", "snnTorch loop, early break", "nn.LSTMCell loop, early break",
    }  # fmt: skip
    assert "skipped" in content
    assert "| baseline |" in table


@pytest.mark.slow
def test_recordings_on_disk_are_trained_on_within_bounds(tmp_path):
    done = run("--quick", "--only", "recordings", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "recordings.json").read_text())["rows"]
    ratio = {(row["case"], row["contender"]): row["ratio"] for row in rows}
    for kind in ("events", "wav"):
        assert ratio[f"{kind}, time", "reading"] < 1
        assert ratio[f"{kind}, memory", "peak of the process"] < 1
        assert ratio[f"{kind}, time", "the epoch"] == pytest.approx(2)


@pytest.mark.slow
def test_every_benchmark_runs_quickly(tmp_path):
    done = run("--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in (
        "training-step",
        "frames",
        "inference",
        "streaming",
        "efficiency",
        "growth",
        "encoding",
        "onnx",
    ):
        check(tmp_path, name)
