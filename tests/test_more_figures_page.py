"""What docs/more_figures.md says runs, and it names every figure and every thing that can be shown."""

import shlex
import shutil
from pathlib import Path

import pytest

from rc_vs_snn.cli import SHOW, main

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "more_figures.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in PAGE.splitlines() if line.startswith("    rc-vs-snn ")]
SMALL = ["--set", "training.epochs=1", "--set", "model.hidden=8"]
NAMED = ["pareto", "energy-vs-accuracy", "decision-time-per-class", "reliability", "confusion",
         "decision-time-vs-property", *(f"show {name}" for name in SHOW)]  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_everything_is_explained(name):
    assert f"\n**{name}**: " in PAGE


@pytest.mark.slow
def test_its_commands_run_in_their_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert {command.split()[2] for command in COMMANDS if command.split()[1] == "show"} == set(SHOW)
    for command in COMMANDS:
        if "mp4" in command and shutil.which("ffmpeg") is None:
            continue
        arguments = shlex.split(command)[1:]
        assert main(arguments + (SMALL if arguments[0] == "compare" else [])) == 0, command
    drawn = {path.name for path in (tmp_path / "runs/digits/figures").iterdir()}
    for name in NAMED[:6]:
        assert f"{name}.svg" in drawn
    assert {"samples-rc-lstm-seed0.png", "decision-rank-snn-seed0-500.svg",
            "decision-rank-snn-seed0-500.gif"} <= drawn  # fmt: skip
    assert (tmp_path / "figures" / "encoders-digits-2.csv").is_file()
