"""A comparison file may name code of a module that lies beside it, a class, a function or an object."""

import json
import os
import subprocess
import sys

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.registry import encoders, models, rules

MODULE = """
from pathlib import Path
from rc_vs_snn.encoders.latency import Latency

class Mine(Latency):
    "Another name."

def plain(samples, seed):
    return Latency(n_steps=4)(samples, seed)

def with_option(samples, seed, n_steps=4):
    return Latency(n_steps=n_steps)(samples, seed)

def make(n_steps=3) -> Latency:
    return Latency(n_steps=n_steps)

ready = Latency(n_steps=6)

def remove(path):
    Path(path).unlink()

def one_default(samples=None, seed=0):
    raise SystemExit

number = 3

class NoEncoder:
    def __init__(self, path=""):
        Path(path).unlink()
"""


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder with the module and a function that writes a comparison file naming an encoder of it."""
    name = f"beside_{tmp_path.name.replace('-', '_')}"
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / f"{name}.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)

    def write(attribute, options=""):
        path = tmp_path / "files" / "mine.toml"
        path.write_text(
            f'extends = "digits"\nencoder = {{ name = "{name}:{attribute}"{options} }}\n'
            "training = { epochs = 1 }\nmodels = [{ like = 'RC-LSTM', label = 'A', model = { hidden = 4 } },"
            "{ like = 'rank-SNN', label = 'B', model = { hidden = 4 } }]\n"
        )
        return path

    return write


@pytest.mark.parametrize(
    ("attribute", "options", "n_steps"),
    [
        ("Mine", "", 10),
        ("Mine", ", n_steps = 7", 7),
        ("plain", "", 4),
        ("with_option", "", 4),
        ("with_option", ", n_steps = 2", 2),
        ("make", "", 3),
        ("make", ", n_steps = 5", 5),
        ("ready", "", 6),
    ],
)
def test_its_encoder_is_used(beside, tmp_path, attribute, options, n_steps) -> None:
    config = rv.load_file(beside(attribute, options)).runs[0]
    record = rv.run(config, tmp_path / "run", rv.Execution(device="cpu"))
    assert record.trace().n_steps == n_steps
    assert record.config["encoder"]["name"].endswith(f":{attribute}")


@pytest.mark.parametrize(
    ("attribute", "options", "says"),
    [
        ("with_option", ", n_step = 2", "did you mean 'n_steps'"),
        ("with_option", ", samples = 2", "no option 'samples'"),
        ("ready", ", n_steps = 2", "no option 'n_steps'"),
        ("remove", ", path = 'kept'", r"is no encoder, which is a function \(samples, seed\)"),
        ("NoEncoder", ", path = 'kept'", "is no encoder"),
        ("one_default", "", "is no encoder"),
        ("number", "", "is no encoder"),
        ("absent", "", "cannot be imported"),
    ],
)
def test_what_is_no_encoder_is_refused_before_any_of_it_runs(
    beside, tmp_path, attribute, options, says
) -> None:
    (tmp_path / "kept").write_text("")
    with pytest.raises(rv.InputError, match=says):
        rv.compare(rv.load_file(beside(attribute, options)), tmp_path / "out", rv.Execution(device="cpu"))
    assert (tmp_path / "kept").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_workers_find_it_too(beside, tmp_path) -> None:
    command = [sys.executable, "-m", "rc_vs_snn", "compare", "--config", str(beside("plain")), "--jobs", "2"]
    done = subprocess.run(
        [*command, "--out", "out"], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(path.read_text())["status"] for path in tmp_path.glob("out/*/provenance.json")] == [
        "done", "done",
    ]  # fmt: skip


def test_the_path_is_widened_only_by_a_file_that_names_code(beside, tmp_path) -> None:
    before = [*sys.path]
    path = beside("plain")
    (tmp_path / "files" / "plain.toml").write_text('extends = "digits"\n')
    rv.load_file(tmp_path / "files" / "plain.toml")
    assert sys.path == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "over.toml").write_text('extends = "../files/mine.toml"\n')
    rv.load_file(tmp_path / "other" / "over.toml")
    assert set(sys.path) - set(before) == {str(path.parent), str(tmp_path / "other")}


def test_a_module_that_leaves_the_program_is_one_line(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "leaves_at_once.py").write_text("import sys\nsys.exit(7)\n")
    (tmp_path / "a.toml").write_text('extends = "digits"\nencoder = "leaves_at_once:Code"\n')
    assert main(["compare", "--config", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out")]) == 2
    assert "'leaves_at_once:Code' cannot be imported: SystemExit: 7" in capsys.readouterr().err


def test_a_rule_and_a_model_are_told_from_others_too() -> None:
    with pytest.raises(rv.InputError, match="is no rule"):
        rules.get("rc_vs_snn.encoders:Latency")
    with pytest.raises(rv.InputError, match="is no encoder"):
        encoders.get("rc_vs_snn.decision.rules:FirstSpike")
    with pytest.raises(
        rv.InputError, match="is no model, which is a callable that takes layout and n_classes"
    ):
        models.get("rc_vs_snn.seeds:seed_for")
    assert rules.get("rc_vs_snn.decision.rules:FirstSpike").__name__ == "FirstSpike"


def test_a_byte_order_mark_is_read_and_other_faults_of_a_file_are_named(tmp_path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b'\xef\xbb\xbfextends = "digits"\n')
    assert rv.load_file(path).runs == rv.load_preset("digits").runs
    for content, says in (
        ('extends = "digits"\n'.encode("utf-16"), "is not in UTF-8"),
        (b'name = "caf\xe9"\n', "is not in UTF-8"),
        (b'extends = "digits"\nname = "a\\u0000b"\n', "name must be"),
        (b'extends = "digits"\nencoder = "a\\u0000b:c"\n', "without NUL"),
        (b'extends = "digits"\nseeds = [' + b"9" * 5000 + b"]\n", "cannot read"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"a = \0", "not valid TOML"),
    ):
        path.write_bytes(content)
        with pytest.raises(rv.InputError, match=says):
            rv.load_file(path)
    with pytest.raises(rv.InputError, match=r"cannot read .a.x00b\.toml.: embedded null byte"):
        rv.load_file("a\0b.toml")
