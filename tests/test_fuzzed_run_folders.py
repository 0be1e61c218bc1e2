"""Whatever the files of a run folder hold, what reads them answers or raises InputError."""

import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rc_vs_snn as rv
from rc_vs_snn.analysis.figures.training_history import TrainingHistory
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.tables import summary_markdown
from rc_vs_snn.experiment.judging import evaluate
from rc_vs_snn.experiment.planning import finished_record

JSON = ("config.json", "history.json", "metrics.json", "provenance.json")
FILES = (*JSON, "decisions.parquet", "trace.npz", "weights.safetensors")
CPU = rv.Execution(device="cpu")

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    small = ["training.epochs=1", "models.rc-lstm.model.hidden=4"]
    comparison = rv.load_preset("digits", small)
    one = rv.Comparison("one", comparison.runs[:1])
    (record,) = rv.compare(one, tmp_path_factory.mktemp("fuzzed"), CPU)
    return record.folder, one.planned()[0]


def said_of(folder, config, judged=False):
    """Read a run folder in every way; return what is said of it if it is refused. Any other error fails."""
    try:
        record = rv.read_record(folder)
        record.require_whole()
        groups = group_runs([record])
        summary_markdown(groups)
        TrainingHistory().table(groups)
        finished_record(config, folder)
        if judged:
            evaluate(record, CPU)
    except rv.InputError as error:
        return str(error)
    return None


def nested_paths(value, path=()):
    """Yield the path of every value in nested tables and lists."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nested_paths(inner, (*path, key))


def changed(table, path, value):
    """Return a table with the value at a path replaced; ``...`` takes it out."""
    if not path:
        return None if value is ... else value
    copy = table.copy()
    if value is ... and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(table[path[0]], path[1:], value)
    return copy


@given(data=st.data())
@settings(max_examples=150)
def test_bytes_that_are_not_those_written_are_told(run, tmp_path_factory, data):
    folder, config = run
    copy = tmp_path_factory.mktemp("copy") / "run"
    shutil.copytree(folder, copy)
    path = copy / data.draw(st.sampled_from(FILES))
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(start + 50, len(content))))
    path.write_bytes(content[:start] + data.draw(st.binary(max_size=20)) + content[stop:])
    after = {file.name: file.read_bytes() for file in copy.iterdir()}
    told = said_of(copy, config)
    # the marker has no checksum, and its times and packages may be anything
    assert told is not None or path.name == "provenance.json" or path.read_bytes() == content
    assert told is None or str(copy) in told
    assert {file.name: file.read_bytes() for file in copy.iterdir()} == after
    shutil.rmtree(copy)


@given(data=st.data())
@settings(max_examples=200)
def test_json_of_another_shape_is_told_without_checksums_too(run, tmp_path_factory, data):
    folder, config = run
    copy = tmp_path_factory.mktemp("copy") / "run"
    shutil.copytree(folder, copy)
    provenance = json.loads((copy / "provenance.json").read_text(encoding="utf-8"))
    del provenance["files"]
    (copy / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
    path = copy / data.draw(st.sampled_from(JSON))
    table = json.loads(path.read_text(encoding="utf-8"))
    where = data.draw(st.sampled_from(list(nested_paths(table))))
    value = data.draw(st.just(...) | plain)
    path.write_text(json.dumps(changed(table, where, value)), encoding="utf-8")
    told = said_of(copy, config, judged=path.name == "config.json")
    if not where and value is ...:
        assert f"{path.name} is damaged" in told
    shutil.rmtree(copy)
