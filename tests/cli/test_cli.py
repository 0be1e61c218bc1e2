"""The command line as a person meets it: every fault is one line and exit code 2, nothing half-written."""

import contextlib
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from rc_vs_snn.cli import main
from rc_vs_snn.experiment.comparison_files import preset_names

QUICK = ["--set", "training.epochs=1", "--set", "models.rc-lstm.model.hidden=8",
         "--set", "models.rank-snn.model.hidden=8"]  # fmt: skip


def fails(capsys, *arguments):
    """Run the command, check that it failed as it should, and return its one line."""
    assert main([str(part) for part in arguments]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("rc-vs-snn: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    return err


@pytest.mark.parametrize(
    "command",
    [[], ["compare"], ["train"], ["evaluate"], ["figures"], ["report"], ["list"]],
    ids=lambda c: " ".join(c) or "-",
)
def test_help_explains_every_command(capsys, command):
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    assert "usage: rc-vs-snn" in capsys.readouterr().out


def test_an_unknown_option_is_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["compare", "--preste", "digits"])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "--preste", "digits"], "did you mean --preset?"),
        (["compare", "--set"], "--set"),
        (["compare", "--jobs", "two"], "two"),
        (["compare", "digits"], "digits"),
        (["evaluate"], "run"),
        (["evaluate", "a", "--split", "tset"], "valid"),
        (["evaluate", "a", "b"], "b"),
        (["export", "a"], "--out"),
        (["figures"], "runs"),
        (["report"], "runs"),
        (["comprae"], "compare"),
    ],
)
def test_a_wrong_use_is_one_line_and_exit_code_2(capsys, arguments, says):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rc-vs-snn: error: ")
    assert err.count("\n") == 1
    assert says in err.lower()


def test_no_command_is_one_line_that_names_them(capsys):
    assert "compare, reproduce, train" in fails(capsys)


@pytest.mark.parametrize("command", ["compare", "evaluate", "report", "list"])
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom rc_vs_snn.cli import main\n"
        f"try:\n    main(['{command}', '--help'])\nexcept SystemExit:\n"
        "    sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'matplotlib', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_compare_writes_runs_figures_and_table_then_figures_and_evaluate_read_them(capsys, tmp_path):
    out = tmp_path / "runs"
    assert main(["compare", *QUICK, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "RC-LSTM" in printed.out
    assert "rank-SNN seed 0: test accuracy" in printed.err
    figures = out / "figures"
    for ending in ("png", "svg", "pdf", "csv"):
        assert (figures / f"accuracy-vs-decision-step.{ending}").stat().st_size > 500
    assert (figures / "summary.md").read_text() in printed.out
    assert {path.name for path in out.glob("[!.]*")} == {"rc-lstm-seed0", "rank-snn-seed0", "figures"}

    assert main(["figures", str(out), "--out", str(tmp_path / "again"), "--only", "cost-to-decision"]) == 0
    assert (tmp_path / "again" / "cost-to-decision.pdf").exists()
    assert not (tmp_path / "again" / "coverage-vs-accuracy.pdf").exists()

    assert main(["evaluate", str(out / "rc-lstm-seed0"), "--split", "valid", "--threshold", "0.5"]) == 0
    assert '"split": "valid"' in capsys.readouterr().out
    assert main(["evaluate", str(out / "rc-lstm-seed0"), "--split", "valid", "--mean-step", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out)["mean_step"] <= 0.5

    assert main(["compare", *QUICK, "--formats", "png", "--out", str(out)]) == 0
    assert "2 of 2 runs are finished already" in capsys.readouterr().err
    assert "holds another run (training.epochs: 1 -> 2)" in fails(
        capsys, "compare", *QUICK, "--set", "training.epochs=2", "--out", out
    )


def test_train_makes_one_run_folder_and_goes_on_from_it(capsys, tmp_path):
    out = tmp_path / "run"
    train = ["train", "--model", "rank-SNN", *QUICK, "--seed", "3", "--out", str(out)]
    assert main(train) == 0
    assert (out / "weights.safetensors").exists()
    made = (out / "provenance.json").stat()
    capsys.readouterr()

    assert main(train) == 0
    printed = capsys.readouterr()
    assert "1 of 1 runs are finished already" in printed.err
    assert printed.out == f"{out}\n"
    assert (out / "provenance.json").stat() == made

    other = [*train, "--set", "training.epochs=2"]
    assert "holds another run (training.epochs: 1 -> 2)" in fails(capsys, *other)
    assert (out / "provenance.json").stat() == made
    assert main([*other, "--overwrite"]) == 0
    assert len(json.loads((out / "history.json").read_text())) == 2


def test_train_leaves_a_folder_that_is_no_run_alone(capsys, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "main.py").write_text("mine")
    assert "no run folder" in fails(capsys, "train", *QUICK, "--out", tmp_path / "run")
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "main.py"]


@pytest.mark.parametrize("command", ["compare", "train"])
def test_a_place_that_cannot_be_written_is_told_before_training(capsys, tmp_path, command):
    (tmp_path / "file").write_text("not a folder")
    line = fails(capsys, command, "--set", "training.epochs=100000", "--out", tmp_path / "file" / "runs")
    assert "cannot write" in line
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_list_shows_everything_and_the_options_of_one(capsys):
    assert main(["list"]) == 0
    everything = capsys.readouterr().out
    for name in (
        "latency",
        "rank-order",
        "rc-lstm",
        "rank-snn",
        "digits",
        "mnist",
        "first-spike",
        *preset_names(),
    ):
        assert f"  {name} " in everything
    assert main(["list", "encoders"]) == 0
    assert "rc-lstm" not in capsys.readouterr().out
    assert main(["list", "encoders", "latency"]) == 0
    assert "n_steps: int = 10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "--preset", "digit"], "unknown preset 'digit'; did you mean 'digits'?"),
        (["compare", "--set", "encoder.name=latensy"], "did you mean 'latency'?"),
        (["compare", "--set", "encoder.name=nothing-like-it"], "allowed: delta, direct, events"),
        (["compare", "--set", "model.name=rc-lstn"], "did you mean 'rc-lstm'?"),
        (["compare", "--set", "encoder.n_step=3"], "did you mean 'n_steps'?"),
        (["compare", "--set", "encoder.n_steps=0"], "n_steps must be a whole number of at least 1"),
        (["compare", "--set", "encoder.n_steps=2.5"], "n_steps must be a whole number"),
        (["compare", "--set", "models.rc-lstm.rule.threshold=1.2"], "cannot be met by a probability"),
        (["compare", "--set", "models.rc-lstm.rule.threshold=0"], "cannot be met by a probability"),
        (["compare", "--set", "models.rank-snn.rule.threshold=-1"], "choose one above 0"),
        (["compare", "--set", "training.batch_size=0"], "training.batch_size"),
        (["compare", "--config", "absent.toml"], "cannot read absent.toml"),
        (["compare", "--seed", "1", "--seeds", "1,2"], "either --seed or --seeds"),
        (["compare", "--seeds", "1,x"], "such as 0,1,2, got '1,x'"),
        (["train", "--preset", "digits", "--config", "a.toml"], "either --preset or --config"),
        (["evaluate", "nowhere", "--threshold", "-1"], "no run folder"),
        (["compare", "--jobs", "0"], "jobs must be at least 1"),
        (["compare", "--shard", "2/2"], "shards are counted from 0: give 0/2 to 1/2"),
        (["compare", "--pretrained", "--shard", "0/2"], "trains nothing: leave out --shard"),
        (["compare", "--dask", "local", "--joblib"], "give one of --joblib and --dask"),
        (["compare", "--jobs", "2", "--cluster", "slurm.toml"], "leave out jobs"),
        (["compare", "--cluster", "absent.toml"], "cannot read absent.toml"),
        (["compare", "--threads", "0"], "threads must be at least 1"),
        (["compare", "--device", "tpu"], "available here: auto, cpu"),
        (["train", "--model", "RC-LSTN"], "did you mean 'RC-LSTM'?"),
        (["evaluate", "nowhere"], "no run folder"),
        (["figures", "nowhere"], "does not exist"),
        (["list", "encoder"], "did you mean 'encoders'?"),
        (["list", "encoders", "latensy"], "did you mean 'latency'?"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert says in fails(capsys, *arguments)
    assert list(tmp_path.rglob("*")) == []


def mnist_copy(data_root, target):
    folder = target / "mnist"
    shutil.copytree(data_root / "mnist", folder, copy_function=os.symlink)
    return folder


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("missing", "t10k-labels-idx1-ubyte"),
        ("truncated", "train-labels-idx1-ubyte"),
        ("wrong md5", "md5"),
    ],
)
def test_harmed_mnist_files_are_told(capsys, tmp_path, data_root, harm, says):
    folder = mnist_copy(data_root, tmp_path)
    labels = folder / "train-labels-idx1-ubyte.gz"
    if harm == "missing":
        (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    else:
        content = bytearray(gzip.decompress(labels.read_bytes()))
        labels.unlink()
        content[100] ^= 1
        labels.write_bytes(gzip.compress(bytes(content if harm == "wrong md5" else content[:5000])))
    out = tmp_path / "out"
    line = fails(capsys, "compare", "--preset", "mnist-fc", "--set", "dataset.download=false",
                 "--data-root", tmp_path, "--out", out)  # fmt: skip
    assert says in line
    assert not out.exists()


@contextlib.contextmanager
def underway(command, out, partial):
    """Start the command, wait until a run of it is underway, and leave no process behind."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not list(out.glob(partial)) and time.monotonic() < deadline:
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_no_half_run_and_the_same_command_goes_on(tmp_path):
    out = tmp_path / "runs"
    command = [sys.executable, "-m", "rc_vs_snn", "compare", *QUICK, "--formats", "png", "--out", str(out)]
    endless = [*command, "--set", "models.rank-snn.training.epochs=100000"]
    with underway(endless, out, ".rank-snn-seed0.partial/*@*") as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "finished runs are kept" in err
    assert "Traceback" not in err
    assert [path.name for path in out.glob("[!.]*")] == ["rc-lstm-seed0"]
    assert [path.suffix for path in out.glob(".*")] == [".json"]  # what was meant
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "1 of 2 runs are finished already" in done.stderr


@pytest.mark.slow
def test_a_killed_run_is_cleared_and_made_again(tmp_path):
    out = tmp_path / "runs"
    command = [sys.executable, "-m", "rc_vs_snn", "train", *QUICK, "--out", str(out / "run")]
    with underway([*command, "--set", "training.epochs=100000"], out, ".run.partial/*@*"):
        pass  # killed
    assert list(out.glob(".run.partial/*@*"))
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert [path.name for path in out.iterdir()] == ["run"]


def test_a_pipe_closed_early_is_no_error():
    command = f"{sys.executable} -m rc_vs_snn list | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
