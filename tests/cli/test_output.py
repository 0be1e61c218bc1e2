"""What is printed gets through whatever the locale, and what does not is told."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from rc_vs_snn.cli import COMMANDS, main
from rc_vs_snn.cli.output import one_line

COMMAND = [sys.executable, "-m", "rc_vs_snn", "list"]


def test_a_full_disk_behind_the_output_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(COMMAND, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("rc-vs-snn: error: cannot write the output: No space left on device")


def test_a_reader_that_has_gone_is_no_error():
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize("chosen", [None, "ascii"])
def test_signs_that_a_locale_lacks_are_printed(monkeypatch, chosen):
    if chosen is None:
        monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    else:
        monkeypatch.setenv("PYTHONIOENCODING", chosen)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=chosen or "cp1252"))
    monkeypatch.setitem(COMMANDS, "list", speak)
    assert main(["list"]) == 0
    assert written.getvalue() == ("0.1 ± 0.2 → \udcff\n".encode(chosen or "utf-8", "backslashreplace"))


def speak() -> None:
    """Print what no ASCII terminal has."""
    print("0.1 ± 0.2 → \udcff")


@pytest.mark.parametrize(
    "arguments",
    [["evaluate", "{}"], ["figures", "{}"], ["export", "{}", "--out", "x"], ["compare", "--config", "{}"],
     ["compare", "--pretrained", "{}"]],
)  # fmt: skip
@pytest.mark.parametrize("name", ["x" * 300, "nul\0byte", "two\nlines", "bad\udcff"])
def test_a_path_that_is_none_is_one_line(arguments, name, capsys):
    assert main([argument.format(name) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rc-vs-snn: error: ")


def test_an_error_of_the_system_that_nobody_named_is_one_line(monkeypatch, capsys):
    def fail() -> None:
        raise OSError(36, "File name too long", "x")

    monkeypatch.setitem(COMMANDS, "list", fail)
    assert main(["list"]) == 2
    assert capsys.readouterr().err == "rc-vs-snn: error: cannot use x: File name too long\n"


def test_a_line_is_one_line():
    assert one_line("a\nb\0c\udcff ± →") == "a\\nb\\x00c\\udcff ± →"
