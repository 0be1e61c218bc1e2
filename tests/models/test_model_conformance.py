"""What holds for every registered model, and that none is left out."""

import pytest

from rc_vs_snn.registry import models
from rc_vs_snn.testing import check_model

BUILT_IN = [name for name in models.names() if models.get(name).__module__.startswith("rc_vs_snn.")]
SIZES = {"hidden": 12, "gain": 3.0, "recurrent_gain": 2.0, "maps": 4}
"""Options of those models that have them: small nets, whose neurons fire."""


def test_the_registry_holds_the_documented_models():
    documented = ["conv-rank-snn", "conv-rc-lstm", "rank-snn", "rc-gru", "rc-lstm", "recurrent-rank-snn"]
    assert documented == BUILT_IN


@pytest.mark.parametrize("layout", [(8, 8), (2, 9, 7)])
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_model_keeps_every_promise(name, layout):
    options = {key: value for key, value in SIZES.items() if key in models.options(name)}
    check_model(lambda **context: models.build(name, options, **context), layout=layout)


def test_a_readout_that_does_not_integrate_keeps_every_promise():
    options = {
        "maps": 4,
        "hidden": 0,
        "gain": 3.0,
        "learn_decay": False,
        "reset": "zero",
        "readout_decay": 0.0,
    }
    check_model(lambda **context: models.build("conv-rank-snn", options, **context), layout=(8, 8))


@pytest.mark.parametrize("name", ["rank-snn", "recurrent-rank-snn"])
@pytest.mark.parametrize("options", [{"neuron": "synaptic"}, {"reset": "zero"}, {"layers": 2}])
def test_every_neuron_keeps_every_promise(name, options):
    options = {key: value for key, value in SIZES.items() if key in models.options(name)} | options
    check_model(lambda **context: models.build(name, options, **context), layout=(8, 8))
