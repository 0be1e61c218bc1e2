"""The page about notebooks and logs: its commands and snippets, and the numbers that it names."""

import re
import shlex
from pathlib import Path

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main

pytest.importorskip("tensorboard")
ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "notebooks_and_logs.md").read_text()
SMALL = ["--set", "training.epochs=1", "--set", "model.hidden=8"]


def tags(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return set(EventAccumulator(str(folder)).Reload().Tags()["scalars"])


@pytest.mark.slow
def test_its_command_runs_and_writes_the_scalars_of_its_table(tmp_path, monkeypatch, capsys):
    commands = [line.strip() for line in PAGE.splitlines() if line.startswith("    rc-vs-snn ")]
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert main([*shlex.split(command)[1:], *SMALL]) == 0
    (table,) = re.findall(r"\| scalar \| what \|\n(.*?)\n\n", PAGE, re.DOTALL)
    named = set(re.findall(r"`([a-z_/]+)`", table))
    for run in ("rc-lstm-seed0", "rank-snn-seed0"):
        assert tags(tmp_path / "runs/tensorboard" / run) == named


def test_its_snippets_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "somebody"}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(snippet.replace("epochs=5", "epochs=1"), "notebooks_and_logs.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert [line.rsplit(" ", 2)[:2] for line in printed] == [["RC-LSTM", "0"], ["rank-SNN", "0"]]
    assert tags(tmp_path / "runs/events/rc-lstm-seed0") >= {"loss/train", "accuracy/valid"}
    (first, _) = rv.find_records(tmp_path / "runs/printed")
    assert float(printed[0].rsplit(" ", 1)[1]) == first.history[0]["valid_accuracy"]


def test_every_extra_and_file_it_names_is_there():
    project = (ROOT / "pyproject.toml").read_text()
    for extra in re.findall(r"rc_vs_snn\[(\w+)\]", PAGE):
        assert f"\n{extra} = [" in project
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists()
