"""A file that names code runs none of it unless the user says so, and never what is no plug-in."""

import json
import shutil

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.pretrained import export, judge_pretrained

CPU = rv.Execution(device="cpu")
TRUSTING = rv.Execution(device="cpu", trust=True)
QUICK = rv.load_preset("digits", ["model.hidden=4"]).with_training(epochs=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return rv.run(QUICK.runs[0], tmp_path_factory.mktemp("runs") / "run", CPU)


@pytest.fixture
def hostile(finished, tmp_path):
    """A stored run whose configuration names a command; returns the run and the file it would make."""
    folder, made = tmp_path / "run", tmp_path / "made"
    shutil.copytree(finished.folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["encoder"] = {"name": "os:system", "command": f"touch {made}"}
    (folder / "config.json").write_text(json.dumps(config))
    marker = folder / "provenance.json"  # whoever plants code can write checksums too
    provenance = json.loads(marker.read_text(encoding="utf-8"))
    provenance.pop("files", None)
    marker.write_text(json.dumps(provenance), encoding="utf-8")
    return rv.read_record(folder), made


def test_a_stored_run_names_no_code_unless_it_is_trusted(hostile, tmp_path):
    record, made = hostile
    for attempt in (
        lambda: rv.evaluate(record, CPU),
        lambda: export([record], tmp_path / "out", CPU),
        lambda: judge_pretrained([record.folder], tmp_path / "out", CPU),
    ):
        with pytest.raises(rv.InputError, match=r"names code .*--trust"):
            attempt()
    with pytest.raises(rv.InputError, match="standard library"):  # and never this
        rv.evaluate(record, TRUSTING)
    assert not made.exists()


@pytest.mark.parametrize("trust", [[], ["--trust"]])
def test_the_command_line_refuses_it_in_one_line(hostile, capsys, trust):
    record, made = hostile
    assert main(["evaluate", str(record.folder), *trust]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not made.exists()


@pytest.mark.parametrize(
    "path", ["os:system", "subprocess:run", "builtins:exec", "numpy:save", "torch.hub:load"]
)
def test_what_holds_no_plug_ins_is_never_called(path, tmp_path):
    file = tmp_path / "comparison.toml"
    file.write_text(f'extends = "digits"\nencoder = "{path}"\n')
    with pytest.raises(rv.InputError, match=r"standard library|registers no plug-in"):
        rv.compare(rv.load_file(file), tmp_path / "out", CPU)
    assert not (tmp_path / "out").exists()


def test_ones_own_code_runs_when_it_is_trusted(tmp_path, monkeypatch):
    (tmp_path / "my_own_code.py").write_text("from rc_vs_snn.encoders.latency import Latency as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = QUICK.with_encoder("my_own_code:Mine").runs[0]
    record = rv.run(config, tmp_path / "run", CPU)
    with pytest.raises(rv.InputError, match="encoder = 'my_own_code:Mine'"):
        rv.evaluate(record, CPU)
    assert rv.evaluate(record, TRUSTING)["accuracy"] == record.metrics["accuracy"]
