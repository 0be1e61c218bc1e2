"""What the README says runs: its commands, its Python example and its links."""

import re
import shlex
from pathlib import Path

import matplotlib.image
import pytest

from rc_vs_snn.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [line.split("#")[0].strip() for line in README.splitlines() if line.startswith("    rc-vs-snn ")]
# The commands as they stand, on networks and trainings small enough for a test.
SMALL = ["--set", "training.epochs=1", "--set", "model.hidden=8"]
NEEDS_DATA = [command for command in COMMANDS if "mnist" in command]


def small(command):
    arguments = shlex.split(command)[1:]
    if arguments[0] in ("compare", "reproduce"):
        arguments += ["--formats", "png"]  # a third of the drawing, which is most of their time
    if arguments[0] == "reproduce":
        return [*arguments, *SMALL, "--only", "mnist-fc"]
    trains = arguments[0] in ("compare", "train") and "--pretrained" not in arguments
    return arguments + SMALL if trains else arguments


def test_the_readme_has_commands_of_every_kind():
    kinds = {
        "compare", "train", "evaluate", "calibrate", "exits", "figures", "show", "report", "tidy",
        "reproduce", "export", "list", "status",
    }  # fmt: skip
    assert {command.split()[1] for command in COMMANDS} == kinds
    assert NEEDS_DATA


def test_its_commands_run_in_their_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        if command not in NEEDS_DATA:
            assert main(small(command)) == 0, command
    assert (tmp_path / "runs/digits/figures/accuracy-vs-decision-step.png").exists()
    assert len(list((tmp_path / "runs/three-seeds").glob("*-seed2"))) == 2


def is_long(command):
    return "reproduce" in command  # three seeds of what `compare` runs


@pytest.mark.parametrize(
    "command",
    [pytest.param(each, marks=pytest.mark.slow) if is_long(each) else each for each in NEEDS_DATA],
)
def test_its_commands_on_real_corpora_run(tmp_path, monkeypatch, capsys, data_root, command):
    monkeypatch.chdir(tmp_path)
    few = ["--set", "dataset.n_train=300", "--data-root", str(data_root), "--out", "runs/few"]
    assert main(small(command) + few) == 0
    part = "mnist-fc" if "reproduce" in command else "."
    assert (tmp_path / "runs/few" / part / "figures/summary.md").exists()


def test_its_python_example_runs(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    quick = example.replace('load_preset("digits")', 'load_preset("digits").with_training(epochs=1)')
    assert quick != example
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(quick, "README.md", "exec"), names)
    assert [record.label for record in names["records"]] == ["RC-LSTM", "rank-SNN", "RC-LSTM, two looks"]
    picture = matplotlib.image.imread(tmp_path / "runs/two-looks/figures/accuracy-vs-decision-step.png")
    assert picture.std() > 0.01  # something is drawn


def test_its_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:|^test slow:.*\n\n{target}:|\n{target}: ", makefile, re.MULTILINE), (
            target
        )


PAGES = ["README.md", "analysis/README.md", "datasets/README.md", "CONTRIBUTING.md"]
PAGES += sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_everything_registered_that_the_readme_names_exists():
    import rc_vs_snn.registry as home

    for kind in ("encoders", "datasets", "models", "objectives", "evidence", "rules"):
        (row,) = re.findall(rf"^\| {kind} \| (.*) \|$", README, re.MULTILINE)
        known = home.evidences if kind == "evidence" else getattr(home, kind)
        assert set(re.findall(r"`([a-z-]+)`", row)) <= set(known.names())
