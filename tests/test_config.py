"""The configuration of one run: its stored form, its identity, and that reading one costs little."""

import subprocess
import sys
from dataclasses import dataclass

from rc_vs_snn import Part, RunConfig, load_preset
from rc_vs_snn.config import differences, slug


def test_a_run_survives_the_round_trip_through_its_stored_form():
    for run in load_preset("digits").runs:
        assert RunConfig.from_table(run.to_table()) == run


def test_an_option_that_came_later_changes_no_stored_form_until_it_is_used():
    (run, _) = load_preset("digits").runs
    assert "keep" not in run.to_table()["training"]
    other = load_preset("digits").with_training(keep="last").runs[0]
    assert other.to_table()["training"]["keep"] == "last"
    assert RunConfig.from_table(other.to_table()) == other


def test_a_callable_is_known_by_its_source():
    def one(samples, seed=0):
        return 1

    def two(samples, seed=0):
        return 2

    @dataclass(frozen=True)
    class Configured:
        width: int = 3

    assert Part.of(one) != Part.of(two)
    assert Part.of(one) == Part.of(one)
    assert Part.of(one).target is one
    assert Part.of(Configured(4)).options["width"] == 4


def test_slug_and_differences():
    assert slug("RC-LSTM (T = 10)") == "rc-lstm-t-10"
    assert list(differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}, "d": 4})) == [
        "a.c: 2 -> 3", "d: None -> 4",
    ]  # fmt: skip


def test_reading_a_configuration_imports_no_torch():
    code = "import sys, rc_vs_snn as rv; rv.load_preset('digits'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
