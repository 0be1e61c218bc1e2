"""What docs/figures.md says runs: its commands in their order, its style sheet and its Python example."""

import re
import shlex
from pathlib import Path

import pytest

from rc_vs_snn.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "figures.md").read_text()
COMMANDS = re.findall(r"^    (rc-vs-snn .*)$", PAGE, re.MULTILINE)
(SHEET,) = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SMALL = ["--set", "training.epochs=1", "--set", "model.hidden=8"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the page presupposes: a style sheet, published runs, the first command's runs."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "paper.mplstyle").write_text(SHEET)
    (folder / "analysis").symlink_to(ROOT / "analysis", target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert COMMANDS[0].split()[1] == "compare"
        assert main([*shlex.split(COMMANDS[0])[1:], *SMALL]) == 0
    return folder


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_its_commands_run(place, monkeypatch, capsys, command):
    monkeypatch.chdir(place)
    arguments = shlex.split(command)[1:]
    assert main(arguments) == 0
    out = place / arguments[arguments.index("--out") + 1]
    assert list(out.glob("*.csv"))
    assert (out / "summary.tex").exists()
    formats = arguments[arguments.index("--formats") + 1].split(",") if "--formats" in arguments else ["png"]
    for suffix in formats:
        assert list(out.glob(f"*.{suffix}"))
    told = capsys.readouterr().err.splitlines()
    left_out = "coverage-vs-accuracy: left out: RC-LSTM (mnist), rank-SNN (mnist)"
    assert bool(told) == ("analysis/mnist-fc/runs" in arguments)
    assert not told or any(line.startswith(left_out) for line in told)


def test_its_options_are_all_there_are():
    import inspect

    from rc_vs_snn import FigureOptions
    from rc_vs_snn.cli.options import Drawing

    named = {
        f"--{name}" for name in (*inspect.signature(Drawing).parameters, "label", "order", "only", "out")
    }
    assert set(re.findall(r"--[a-z]+", PAGE)) - {"--preset"} == named
    assert set(inspect.signature(Drawing).parameters) < set(inspect.signature(FigureOptions).parameters)


def test_its_python_example_runs(place, monkeypatch):
    monkeypatch.chdir(place)
    exec(compile(EXAMPLE, "figures.md", "exec"), {})
    assert (place / "figures/python/training-history.pdf").exists()
    assert "| LSTM " in (place / "figures/python/summary.md").read_text()
