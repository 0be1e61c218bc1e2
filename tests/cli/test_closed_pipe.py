"""A reader that goes away (head, less) is no fault, of nobody: not of a plug-in, either."""

import subprocess
import sys

import pytest

from rc_vs_snn.cli import main


@pytest.mark.parametrize("arguments", [["exits", "--help"], ["--help"]])
def test_help_that_nobody_reads_to_its_end_blames_no_plug_in(arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "rc_vs_snn", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()  # before a word is printed
    _, told = process.communicate(timeout=120)
    assert told.decode() == ""
    assert process.returncode == 0


def test_a_plug_in_that_leaves_is_still_named(monkeypatch, capsys):
    from rc_vs_snn.cli import judging

    monkeypatch.setattr(judging, "read_runs", lambda runs: sys.exit(1))
    assert main(["exits", "anywhere"]) == 2
    assert "a plug-in called sys.exit(1)" in capsys.readouterr().err
