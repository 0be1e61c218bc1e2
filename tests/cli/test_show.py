"""`rc-vs-snn show`: what it prints, what it writes, and one line for each fault."""

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import SHOW, main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("show")
    small = ["training.epochs=1", "models.rc-lstm.model.hidden=8"]
    config = rv.load_preset("digits", small).planned()[0]
    return rv.run(config, root / "rc-lstm-seed0", rv.Execution(device="cpu")).folder


def fails(capsys, *arguments):
    assert main(["show", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("rc-vs-snn: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    return err


@pytest.mark.parametrize("command", [[], *([name] for name in SHOW)], ids=lambda c: " ".join(c) or "-")
def test_help_explains_every_one(capsys, command):
    with pytest.raises(SystemExit) as stop:
        main(["show", *command, "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert f"usage: rc-vs-snn show {' '.join(command)}".rstrip() in out
    assert "--out" in out or not command


@pytest.mark.slow
def test_each_prints_the_files_it_wrote_beside_the_run(run, capsys):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    for arguments in (["samples", run, "--count", "2"], ["decision", run], ["animation", run]):
        assert main(["show", *map(str, arguments)]) == 0
        printed = capsys.readouterr().out.split()
        assert printed
        for name in printed:
            assert name.startswith(str(run.parent / "figures"))
            assert (run.parent / "figures" / name).stat().st_size > 100
    assert [record.folder for record in rv.find_records(run.parent)] == [run]
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.slow
def test_a_gallery_says_who_is_not_in_it(tmp_path, capsys):
    assert main(["show", "encoders", "--dataset", "digits", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith("encoders-digits-2.png")]
    assert any(line.startswith("left out: delta: ") for line in lines)


def test_faults(run, tmp_path, capsys):
    assert "show what? give one of samples, decision, encoders, animation" in fails(capsys)
    assert "no run folder" in fails(capsys, "decision", tmp_path)
    assert "sample 0 is not in the test split" in fails(capsys, "decision", run, "--sample", 0)
    assert "count must lie in" in fails(capsys, "samples", run, "--count", 0)
    assert "steps per second" in fails(capsys, "animation", run, "--steps-per-second", 0)
    file = tmp_path / "file"
    file.write_text("")
    assert "choose a writable --out" in fails(capsys, "decision", run, "--out", file / "below")
    assert "unknown dataset 'nope'" in fails(capsys, "encoders", "--dataset", "nope")


def test_data_that_is_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("RC_VS_SNN_DATA", raising=False)
    said = fails(capsys, "encoders", "--dataset", "mnist", "--data-root", tmp_path)
    assert "--data-root" in said or "RC_VS_SNN_DATA" in said


@pytest.mark.parametrize("arguments", [["nope"], ["decision"], ["animation", "a", "--format", "avi"]])
def test_wrong_words_are_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["show", *arguments])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("rc-vs-snn: error: ")
