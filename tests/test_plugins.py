"""An encoder from outside: a function in a script, and an installed package, as the guide tells it."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from installing import installed_into

import rc_vs_snn as rv
from rc_vs_snn.testing import check_encoder

TESTS = Path(__file__).parent
PACKAGE = TESTS / "external_encoder"
GUIDE = TESTS.parent / "docs" / "add_an_encoder.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example package is installed into, as a user would, but without a network."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip; `python -m ensurepip` adds it")
    return installed_into(tmp_path_factory, PACKAGE)


def _python(installed: Path, folder: Path, *arguments: str) -> str:
    """Run a fresh interpreter that sees the installed package; return what it prints."""
    paths = [str(installed), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guide_quotes_the_package() -> None:
    quoted = {*_blocks("python"), *_blocks("toml")}
    for name in ("burst_code.py", "pyproject.toml", "test_burst_code.py"):
        assert (PACKAGE / name).read_text() in quoted, f"{GUIDE.name} and {name} have drifted apart"


def test_the_script_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = _blocks("python")[0]
    drawn = []
    # Figures have their own tests, and take longer to draw than the models to train.
    monkeypatch.setattr(
        rv, "write_figures", lambda records, folder: drawn.append((records, folder)), raising=False
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "script"}
    exec(compile(script, str(GUIDE), "exec"), names)
    check_encoder(names["two_looks"])  # type: ignore[arg-type]
    ((records, folder),) = drawn
    assert len(list(records)) == 2
    assert folder == "runs/mine/figures"
    assert (tmp_path / "runs" / "mine").is_dir()


def test_an_installed_encoder_is_found_built_and_used(installed: Path, tmp_path: Path) -> None:
    program = """
from rc_vs_snn.registry import encoders
from rc_vs_snn.testing import check_encoder

assert encoders.broken() == {}, encoders.broken()
assert "burst" in encoders.names() and "latency" in encoders.names()
burst = encoders.build("burst", {"n_steps": 6, "max_spikes": 3})
check_encoder(burst)
print(burst)
print(encoders.check("burst", {"max_spike": 3, "min_gap": "one"}))
"""
    printed = _python(installed, tmp_path, "-c", program)
    assert "Burst(n_steps=6, max_spikes=3, min_gap=1)" in printed
    assert "did you mean 'max_spikes'" in printed
    assert "min_gap must be a whole number" in printed


def test_an_installed_encoder_is_listed(installed: Path, tmp_path: Path) -> None:
    printed = _python(installed, tmp_path, "-m", "rc_vs_snn", "list", "encoders")
    (line,) = [line for line in printed.splitlines() if line.split()[:1] == ["burst"]]
    assert "the brighter, the more spikes" in line


def test_an_installed_encoder_runs_a_comparison(installed: Path, tmp_path: Path) -> None:
    settings = ["--set", "encoder.name=burst", "--set", "training.epochs=1", "--out", "mine"]
    _python(
        installed, tmp_path, "-m", "rc_vs_snn", "compare", "--preset", "digits", *settings, "--formats", "png"
    )
    configurations = [path.read_text() for path in (tmp_path / "mine").glob("*/config.json")]
    assert len(configurations) == 2
    assert all('"burst"' in text for text in configurations)
    for path in (tmp_path / "mine").glob("*/provenance.json"):
        assert json.loads(path.read_text())["packages"]["rc-vs-snn-burst"] == "0.1.0"


@pytest.mark.slow
def test_the_comparison_file_of_the_guide_puts_it_beside_ours(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "bursts.toml").write_text(_blocks("toml")[-1])
    arguments = ["--config", "bursts.toml", "--set", "training.epochs=1", "--out", "mine"]
    _python(installed, tmp_path, "-m", "rc_vs_snn", "compare", *arguments, "--formats", "png")
    encoders = {
        path.parent.name: json.loads(path.read_text())["encoder"]["name"]
        for path in (tmp_path / "mine").glob("*/config.json")
    }
    assert encoders == {"rc-lstm-seed0": "latency", "rc-lstm-bursts-seed0": "burst"}
