"""The notebook from data to figure, as it is committed: executed in an empty folder by its own kernel."""

import ast
import re
from pathlib import Path

import pytest

import rc_vs_snn as rv

nbformat = pytest.importorskip("nbformat")
PATH = Path(__file__).resolve().parent.parent / "analysis" / "from-data-to-figure.ipynb"
PUBLIC = {
    "rc_vs_snn",
    "rc_vs_snn.registry",
    "rc_vs_snn.experiment",
    "rc_vs_snn.decision",
    "rc_vs_snn.testing",
}
pytestmark = pytest.mark.skipif(not PATH.is_file(), reason="only in the checkout")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(PATH, as_version=4)


def test_it_is_kept_without_outputs(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_uses_the_public_surface_alone(notebook):
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    tree = ast.walk(ast.parse(source))
    for node in tree:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            assert all(name in PUBLIC for name in names if name.startswith("rc_vs_snn"))
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
            if isinstance(node.value, ast.Name) and node.value.id == "rv":
                assert node.attr in rv.__all__


@pytest.mark.slow
def test_it_runs_from_data_to_figure(notebook, tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a kernel shows figures in the notebook
    nbclient = pytest.importorskip("nbclient")
    resources = {"metadata": {"path": str(tmp_path)}}
    done = nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert not [
        output for output in outputs if output.output_type in ("error",) or output.get("name") == "stderr"
    ]
    shown = [output.data for output in outputs if "data" in output]
    assert sum("image/png" in data for data in shown) == 3
    tables = [data["text/html"] for data in shown if "text/html" in data]
    (progress,) = [text for text in tables if "test accuracy" in text]  # drawn anew in place: one output
    assert "<progress" not in progress
    assert "RC-LSTM seed 0: test accuracy" in progress
    assert any("digits: seeds 0" in text for text in tables)
    assert any("2 runs" in text and "rank-SNN" in text for text in tables)
    assert any("decisions, mean step" in text for text in tables)
    assert len(rv.find_records(tmp_path / "runs/from-data-to-figure")) == 2
    (printed,) = [output.text for output in outputs if output.get("name") == "stdout"]
    shares = [float(found) for found in re.findall(r"([0-9.]+)% right", printed)]
    steps = [float(found) for found in re.findall(r"mean step ([0-9.]+)", printed)]
    assert steps == sorted(steps)
    assert shares[-1] > 80
