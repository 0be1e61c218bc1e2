"""Whatever a comparison file, ``--set`` or Python says is taken, or refused by InputError; nothing is left.

900 inputs a run: 300 tables, 150 each of settings, files through the command line, calls and options.
"""

import contextlib
import copy
import json
import tomllib

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rc_vs_snn as rv
from rc_vs_snn import registry
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.comparison import Comparison, load_preset
from rc_vs_snn.experiment.parts import check_config
from rc_vs_snn.registry import packaged_table

TABLE = packaged_table("presets", "digits", "preset")
KINDS = ("datasets", "augmentations", "encoders", "models", "rules", "objectives")

odd = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.integers(-2, 12), st.floats(),
    st.sampled_from([0.0, -0.0, 1e-320, 1e308, "", " ", "..", "../x", "/etc", "a\0b", "os:system", "digits"]),
    st.sampled_from(["é", "x" * 300]),
    st.text(max_size=6),
)  # fmt: skip
anything = st.recursive(
    odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def paths(value, path=()):
    """Yield the path of every value in nested tables and lists."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def put(table, path, value):
    """Return a copy with the value at a path replaced, or gone if it is ``...``."""
    table = copy.deepcopy(table)
    at = table
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return table


@st.composite
def tables(draw):
    table = TABLE
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(table)) or [("name",)]))
        table = put(table, path, draw(st.just(...) | anything))
    if draw(st.booleans()):
        table = {**table, draw(st.text(max_size=10)): draw(anything)}
    return table


def taken(build):
    """Return whether it is taken; anything but InputError fails."""
    try:
        for run in build().planned():
            check_config(run)
    except rv.InputError:
        return False
    return True


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_any_table_is_a_comparison_or_refused(table):
    taken(lambda: Comparison.from_table(table))


@settings(max_examples=150)
@given(st.sampled_from([".".join(map(str, path)) for path in paths(TABLE)]) | st.text(max_size=12),
       odd.map(str) | st.text(max_size=12), st.sampled_from(["=", "", ".x=", "=="]))  # fmt: skip
def test_any_setting_is_applied_or_refused(key, value, between):
    taken(lambda: load_preset("digits", [f"{key}{between}{value}"]))


def as_toml(table):
    """Return a table as TOML, as far as it has a form there."""
    lines, later = [], []
    for key, value in table.items():
        name = json.dumps(key)
        if isinstance(value, dict):
            later.append(f"[{name}]\n{as_toml(value)}")
        elif isinstance(value, bool):
            lines.append(f"{name} = {str(value).lower()}")
        elif isinstance(value, int | float):
            lines.append(f"{name} = {value}")
        elif isinstance(value, str):
            lines.append(f"{name} = {json.dumps(value)}")
    return "\n".join([*lines, *later])


def utf_8(text):
    return text.encode("utf-8", "ignore")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | tables().map(as_toml).map(utf_8))
def test_any_file_is_read_or_refused_in_one_line(tmp_path, capsys, content):
    """None of them has models, so that nothing is trained whatever else is said."""
    path, out = tmp_path / "comparison.toml", tmp_path / "out"
    path.write_bytes(content)
    try:
        models = tomllib.loads(content.decode()).get("models")
    except (ValueError, RecursionError):
        models = None
    if models:
        return
    capsys.readouterr()
    assert main(["compare", "--config", str(path), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.strip()
    assert not out.exists()


numbers = st.sampled_from([
    None, 0, -1, 3, 2.5, np.nan, np.inf, "x", [], [1, 2], np.zeros((2, 3)), np.full((2, 3), np.nan),
    np.zeros((2, 3, 4)), np.ones((2, 3, 4), np.float32), np.zeros((0, 3)), np.array([None, 1], object),
    np.array(["a"]), torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.int64), torch.zeros(3, 2, 4),
    np.int64(2), True, np.zeros(2, int), np.array([2, -1]), (2, 3), (3,),
])  # fmt: skip
CALLS = {
    "SpikeTimes": lambda a, b, c, d: rv.SpikeTimes(a, b, c, lengths=d),
    "Frames": lambda a, b, c, d: rv.Frames(a, b, lengths=c, step_ms=d),
    "decide": lambda a, b, c, d: rv.decide(a, rv.FirstSpike(b if isinstance(b, int | float) else 0.5), c),
    "Samples": lambda a, b, c, d: rv.Samples(a, b, c, d, 3),
    "signals": lambda a, b, c, d: rv.Samples(a, b, c, "signals", d),
    "images": lambda a, b, c, d: rv.Samples(a, b, c, "images", d),
    "events": lambda a, b, c, d: rv.Samples(a, b, c, "events", d),
    "Training": lambda a, b, c, d: rv.Training(epochs=a, learning_rate=b, ema_decay=c, schedule=d),
    "add": lambda a, b, c, d: load_preset("digits").add("another", like="RC-LSTM", encoder=a, training=b),
    "with_seeds": lambda a, b, c, d: load_preset("digits").with_seeds(a, b),
    "with_training": lambda a, b, c, d: load_preset("digits").with_training(epochs=a, batch_size=b),
    "Execution": lambda a, b, c, d: rv.Execution(device=a, threads=b, data_root=c, trust=d),
    "read_record": lambda a, b, c, d: rv.read_record(str(a)[:20]),
}


@settings(max_examples=150)
@given(st.sampled_from(sorted(CALLS)), st.tuples(numbers, numbers, numbers, numbers))
def test_any_call_is_answered_or_refused(name, values):
    with contextlib.suppress(rv.InputError):
        CALLS[name](*values)


@settings(max_examples=150)
@given(st.data())
def test_any_option_of_any_plug_in_is_taken_or_refused(data):
    kind = getattr(registry, data.draw(st.sampled_from(KINDS)))
    name = data.draw(st.sampled_from(sorted(kind.names())))
    keys = [key for key in kind.options(name) if key not in kind.context]
    key = data.draw(st.sampled_from(keys) if keys else st.text(max_size=8))
    options = {key: data.draw(anything)}
    with contextlib.suppress(rv.InputError):
        if not kind.check(name, options) and not kind.context:
            kind.build(name, options)
