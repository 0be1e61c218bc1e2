"""What holds for every registered encoder, and that none is left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rc_vs_snn.contracts import SampleKind, Samples, Sensor
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders
from rc_vs_snn.testing import check_encoder

# The signals that `check_encoder` makes are longer than some of the codes here.
pytestmark = pytest.mark.filterwarnings("ignore:.*signals are cut by encoder")

KIND_OF: dict[str, SampleKind] = {
    "delta": "signals",
    "events": "events",
    "log-mel": "signals",
    "mel-delta": "signals",
    "mel-latency": "signals",
    "population": "signals",
    "raw": "signals",
}
BUILT_IN = [name for name in encoders.names() if encoders.get(name).__module__.startswith("rc_vs_snn.")]
OTHER_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "latency": [{"background": "spike"}, {"n_steps": 300}],
    "step": [{"background": "spike"}],
    "direct": [{"n_steps": 1}],
    "hybrid": [{"background": "spike", "n_steps": 2}],
    "log-latency": [{"tau_steps": 3.0, "threshold": 0.1}, {"epsilon": 1e-3}, {"n_steps": 1}],
    "log-mel": [
        {"n_steps": 3, "past": 2},
        {"hop_ms": 7.5, "window_ms": 64.0, "n_mels": 4, "f_max_hz": 400.0},
    ],
    "mel-delta": [{"n_steps": 3, "threshold_db": 0.5}],
    "mel-latency": [{"n_steps": 9, "substeps": 2, "fields": 3}],
    "rank-order": [{"n_steps": 1}],
    "rate": [{"gain": 2.5}],
    "phase": [{"weighted": False, "period": 3}],
    "delta": [
        {"n_steps": 128, "threshold": 2.0},
        {"n_steps": 32, "window": 4},
        {"n_steps": 128, "window": 1, "hysteresis": 0.5},
        {"n_steps": 5, "window": 3},
    ],
    "population": [
        {"n_steps": 128, "low": -9.0, "high": 9.0},
        {"n_steps": 96, "substeps": 4, "window": 6, "neurons": 3},
    ],
    "raw": [{"n_steps": 128}, {"n_steps": 19, "window": 7}, {"n_steps": 3, "window": 50}],
    "events": [
        {"align_first": True},
        {"n_steps": 25, "dt_us": 4_000, "height": 8, "width": 8},
        {"pool": 3, "most": 1},
        {"own_length": True, "n_steps": 12},
    ],
}


def test_the_registry_holds_the_documented_encoders() -> None:
    documented = [
        "delta",
        "direct",
        "events",
        "hybrid",
        "latency",
        "log-latency",
        "log-mel",
        "mel-delta",
        "mel-latency",
        "phase",
        "population",
        "rank-order",
        "rate",
        "raw",
        "step",
    ]
    assert documented == BUILT_IN
    assert sorted(OTHER_OPTIONS) == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_has_a_test_file(name: str) -> None:
    assert (Path(__file__).parent / f"test_{name.replace('-', '_')}.py").is_file()


@pytest.mark.parametrize("name", encoders.names())
def test_defaults_keep_the_promises(name: str) -> None:
    check_encoder(encoders.build(name, {}), kind=KIND_OF.get(name, "images"))


@pytest.mark.parametrize(("name", "options"), [(n, o) for n, sets in OTHER_OPTIONS.items() for o in sets])
def test_other_options_keep_the_promises(name: str, options: dict[str, Any]) -> None:
    check_encoder(encoders.build(name, options), kind=KIND_OF.get(name, "images"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_fields_are_the_configuration(name: str) -> None:
    assert next(iter(encoders.options(name))) == "n_steps"
    encoder = encoders.build(name, {"n_steps": 12})
    assert encoder == encoders.build(name, {"n_steps": 12})
    assert "n_steps=12" in repr(encoder)
    assert 20 < len(encoders.summary(name)) < 110


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_empty_set_has_an_empty_code(name: str) -> None:
    """Built empty, not only selected from a full one."""
    kind = KIND_OF.get(name, "images")
    shape = {"images": (0, 4, 4), "signals": (0, 64, 2), "events": (0,)}[kind]
    dtype = object if kind == "events" else np.float32
    sensor = Sensor((2, 4, 4), rate_hz=8000.0)
    code = encoders.build(name, {"n_steps": 10})(Samples(np.zeros(shape, dtype), [], [], kind, 2, sensor))
    assert (len(code), code.n_steps) == (0, 10)
    assert tuple(code.at(0).shape) == (0, code.n_channels)
    assert code.events_at(9).tolist() == []


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("n_steps", [0, -1, 2.0, True])
def test_a_wrong_number_of_steps_is_refused(name: str, n_steps: Any) -> None:
    with pytest.raises(InputError, match="n_steps must be a whole number of at least 1"):
        encoders.get(name)(n_steps=n_steps)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_wrong_kind_is_refused_with_a_way_out(name: str) -> None:
    values: dict[SampleKind, np.ndarray] = {
        "images": np.zeros((1, 4, 4), np.uint8),
        "signals": np.zeros((1, 64, 2)),
        "events": np.array([np.zeros(0, [(f, int) for f in "txyp"]), None], dtype=object)[:1],
    }
    takes = KIND_OF.get(name, "images")
    instead = {"images": "latency", "signals": "delta", "events": "events"}
    for kind, value in values.items():
        if kind != takes:
            samples = Samples(value, [0], [0], kind, 1)
            with pytest.raises(
                InputError, match=f"'{name}' takes {takes}, got {kind}.*use '{instead[kind]}'"
            ):
                encoders.build(name, {})(samples)
