"""Names, options and their faults."""

from typing import Any, Literal

import pytest

from rc_vs_snn import InputError
from rc_vs_snn.registry import Registry, datasets, encoders, models
from rc_vs_snn.registry.values import fits


@pytest.fixture
def registry():
    empty = Registry("gadget", "rc_vs_snn.errors", context=("size",))

    @empty.register("press")
    def press(size, force: int = 1, mode: Literal["soft", "hard"] = "soft", note: str | None = None):
        """Press it.

        More about it.
        """
        return size, force, mode

    return empty


def test_builds_with_checked_options_and_context(registry):
    assert registry.build("press", {"force": 3}, size=7) == (7, 3, "soft")
    assert registry.names() == ["press"]
    assert registry.summary("press") == "Press it."
    assert list(registry.options("press")) == ["force", "mode", "note"]


def test_a_whole_number_where_a_real_one_is_meant_is_a_real_one():
    for decay in (0, 1):  # was a tensor of integers, which takes no gradient
        models.build("rank-snn", {"decay": decay, "threshold": 1}, layout=(3,), n_classes=2)
        models.build("conv-rank-snn", {"decay": decay}, layout=(8, 8), n_classes=2)


def test_a_second_of_one_name_is_refused(registry):
    with pytest.raises(InputError, match="already registered"):
        registry.register("press")(lambda: None)


def test_unknown_names_name_the_nearest_and_all(registry):
    with pytest.raises(InputError, match="unknown gadget 'pres'; did you mean 'press'\\? allowed: press"):
        registry.get("pres")


def test_all_faults_of_the_options_are_told_at_once(registry):
    faults = registry.check("press", {"forse": 1, "force": "big", "mode": "medium", "note": 3})
    assert len(faults) == 4
    assert "no option 'forse'; did you mean 'force'?" in faults[0]
    assert "force must be a whole number, got 'big'" in faults[1]
    assert "mode must be one of 'soft', 'hard', got 'medium'" in faults[2]
    with pytest.raises(InputError, match=r"forse.*force must"):
        registry.build("press", {"forse": 1, "force": "big"}, size=0)


def test_a_truth_value_is_no_number(registry):
    assert registry.check("press", {"force": True})


def test_a_module_path_is_imported(registry):
    assert encoders.get("rc_vs_snn.encoders:Latency").__name__ == "Latency"
    with pytest.raises(InputError, match="cannot be imported"):
        registry.get("rc_vs_snn.encoders:NoSuchThing")
    with pytest.raises(InputError, match="cannot be imported"):
        registry.get("no_such_module:x")


@pytest.mark.parametrize(
    "kind", ["datasets", "augmentations", "encoders", "models", "rules", "objectives", "figures"]
)
def test_every_built_in_has_a_one_line_description(kind):
    import rc_vs_snn.registry as home

    known = getattr(home, kind)
    assert known.names()
    for name in known.names():
        assert 15 < len(known.summary(name)) < 120
        assert known.summary(name).endswith((".", "?", ")."))


def test_a_factory_that_takes_any_option_is_handed_those_it_does_not_name():
    registry = Registry("thing", "rc_vs_snn.errors")
    registry.register("open")(lambda size=1, **others: (size, others))
    assert registry.build("open", {"class": "A", "size": 2}) == (2, {"class": "A"})
    assert registry.check("open", {"class": "A"}) == []


def test_an_option_may_be_annotated_with_any():
    assert all(fits(value, Any) for value in (None, 1, "text", [1]))
    assert datasets.check("tonic", {"class": "SHD", "arguments": None}) == []  # as its **arguments are
