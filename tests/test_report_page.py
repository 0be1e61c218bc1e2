"""What docs/report.md says runs: its commands, in their order, and its Python."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from rc_vs_snn.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "report.md").read_text()
COMMANDS = re.findall(r"^    (rc-vs-snn .*)$", PAGE, re.MULTILINE)
SMALL = ["--set", "training.epochs=1", "--set", "model.hidden=8"]
NEEDS_DATA = [command for command in COMMANDS if "ours" in command]


def run(command, *more):
    assert main([*shlex.split(command)[1:], *more]) == 0, command


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with what the commands read of a checkout."""
    for name in ("analysis", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_its_commands_and_its_python_run_in_their_order(checkout, capsys):
    assert len(COMMANDS) == 6
    for command in COMMANDS:
        if command not in NEEDS_DATA:
            run(command, *SMALL if " compare " in command else ())
    pages = [
        checkout / "runs/two-seeds/report.html",
        checkout / "report.html",
        checkout / "runs/published.html",
    ]
    assert all(page.read_text().startswith("<!DOCTYPE html>") for page in pages)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/report.md", "exec"), {})
    assert pages[1].read_bytes() == pages[0].read_bytes()


@pytest.mark.slow
def test_the_kept_models_judged_make_a_page(checkout, capsys, data_root):
    compare, report = NEEDS_DATA
    # one model of the six: what the command does is the same
    (checkout / "models").unlink()
    shutil.copytree(ROOT / "models" / "mnist-fc" / "rc-lstm", checkout / "models" / "rc-lstm")
    run(compare, "--data-root", str(data_root))
    run(report)
    assert (checkout / "runs/ours/report.html").stat().st_size < 5_000_000
