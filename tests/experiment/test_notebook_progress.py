"""What a notebook shows while runs go on, without a notebook."""

import sys
from types import SimpleNamespace

import pytest

import rc_vs_snn as rv
from rc_vs_snn.experiment import NotebookProgress, Progress, notebook

display = pytest.importorskip("IPython.display")
CPU = rv.Execution(device="cpu")


@pytest.fixture
def cell(monkeypatch):
    """Return what a cell's output showed, draw by draw."""
    drawn = []

    def show(bundle, *, raw, display_id):
        assert raw
        assert display_id
        drawn.append(bundle)
        return SimpleNamespace(update=lambda bundle, *, raw: drawn.append(bundle))

    monkeypatch.setattr(display, "display", show)
    monkeypatch.setattr(notebook, "DRAWN_EVERY_S", 0.0)
    return drawn


@pytest.fixture
def comparison():
    preset = rv.load_preset("digits", ["model.hidden=8"]).with_training(epochs=2, batch_size=256)
    renamed = preset.add("a < b", like="RC-LSTM").runs[-1]
    return rv.Comparison("two", (renamed, preset.runs[1]))


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_bars_come_and_lines_are_left(cell, comparison, tmp_path, jobs):
    rv.compare(comparison, tmp_path, CPU, jobs=jobs, progress=NotebookProgress())
    htmls = [bundle["text/html"] for bundle in cell]
    for count in range(3):
        assert any(f'<progress value="{count}" max="2"></progress> a &lt; b seed 0' in each for each in htmls)
    assert any("a &lt; b seed 0: epoch 1/2 train" in each and "| valid" in each for each in htmls)
    assert not any("a < b" in each for each in htmls)
    assert "<progress" not in htmls[-1]
    assert htmls[-1].count("test accuracy") == 2
    assert cell[-1]["text/plain"].count("test accuracy") == 2
    assert "a < b seed 0" in cell[-1]["text/plain"]
    rv.compare(comparison, tmp_path, CPU, progress=NotebookProgress())
    assert cell[-1]["text/plain"] == "2 of 2 runs are finished already and are read, not repeated"


def test_it_is_not_drawn_at_every_batch(cell, comparison, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook, "DRAWN_EVERY_S", 1000.0)
    rv.compare(comparison, tmp_path, CPU, progress=NotebookProgress())
    assert len(cell) == 1 + 1 + 2 + 1  # at first, when a bar comes, for two finished runs, at the end


def test_it_is_what_a_kernel_shows_by_default(cell, comparison, tmp_path, monkeypatch):
    assert type(notebook.fitting_progress()) is Progress
    shell = SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell, display=display))
    rv.compare(comparison, tmp_path, CPU)
    assert "test accuracy" in cell[-1]["text/plain"]
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object, display=display))
    assert not notebook.in_notebook()  # a terminal's IPython


def test_without_ipython_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(rv.InputError, match=r"pip install 'rc_vs_snn\[notebook\]'"):
        NotebookProgress()
