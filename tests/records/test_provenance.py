"""Where a run came from: our packages, and those of the people whose plug-ins it used."""

import shlex
from importlib.metadata import version

import rc_vs_snn as rv
from rc_vs_snn.records.provenance import PACKAGES, plugin_packages, provenance, run_provenance
from rc_vs_snn.registry import datasets


def test_every_package_that_makes_the_numbers_is_named():
    config = rv.load_preset("digits").runs[0]
    facts = run_provenance(config, 0.0, "cpu", 1, {"status": "done"})
    assert set(facts["packages"]) == set(PACKAGES)
    assert {"numpy", "numba", "scipy", "torch"} <= set(PACKAGES)
    assert facts["packages"]["numpy"] == version("numpy")
    assert "not installed" not in facts["packages"].values()


def test_a_part_given_by_its_path_names_its_distribution():
    comparison = rv.load_preset("digits").with_dataset("sklearn.datasets:load_digits")
    assert plugin_packages(comparison.runs[0]) == ["scikit-learn"]


def test_our_own_parts_and_those_of_a_script_name_none():
    assert datasets.distributions("digits") == []
    assert datasets.distributions("rc_vs_snn.datasets.digits:digits") == []
    assert datasets.distributions("__main__:mine") == []


def test_our_own_package_is_no_plug_in_however_it_is_installed(monkeypatch):
    monkeypatch.setattr("rc_vs_snn.registry.distributions_of", lambda top: [top])
    assert datasets.distributions("digits") == []
    assert datasets.distributions("rc_vs_snn.datasets.digits:digits") == []
    assert datasets.distributions("another.module:code") == ["another"]


def test_the_command_can_be_typed_again_as_it_is_stored(monkeypatch):
    typed = ["/usr/bin/rc-vs-snn", "train", "--model", "a label, two words", "--seed", "0"]
    monkeypatch.setattr("sys.argv", typed)
    stored = provenance(0.0)["command"]
    assert stored == "rc-vs-snn train --model 'a label, two words' --seed 0"
    assert shlex.split(stored)[1:] == typed[1:]


def test_a_module_is_stored_as_it_was_started(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/somewhere/rc_vs_snn/__main__.py", "train", "--model", "two words"])
    assert provenance(0.0)["command"] == "python -m rc_vs_snn train --model 'two words'"
