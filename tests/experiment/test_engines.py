"""Engines: the same events and the same results, whichever makes the calls; shards share a plan out."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.engines import DONE, ENDED, LOG, RETRIED, STARTED, Engine, events_of, results

slow = pytest.mark.slow
JOBLIB, DASK = Engine(joblib=True), Engine(dask="local")
ENGINES = [Engine(), JOBLIB, pytest.param(DASK, marks=slow)]
needs_proc = pytest.mark.skipif(
    not os.path.exists("/proc/self/environ"), reason="looks for processes in /proc"
)


def collected(engine, function, calls, jobs=2):
    """Return what was told of each call, in order."""
    told = {}
    with contextlib.closing(events_of(engine, function, calls, jobs)) as events:
        for number, kind, value in events:
            told.setdefault(number, []).append((kind, value))
    return told


def test_a_shard_is_every_nth_run_from_its_own_number():
    plan = [f"run {number}" for number in range(7)]
    shares = [Engine(shard=f"{number}/3").share(plan) for number in range(3)]
    assert shares == [["run 0", "run 3", "run 6"], ["run 1", "run 4"], ["run 2", "run 5"]]
    assert Engine().share(plan) == plan


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"shard": "4/4"}, "shards are counted from 0: give 0/4 to 3/4, got 4/4"),
        ({"shard": "0/0"}, "shards are counted from 0: n is at least 1, got 0/0"),
        ({"shard": "1"}, "a shard is i/n, such as 0/4, got '1'"),
        ({"shard": "-1/4"}, "a shard is i/n"),
        ({"dask": "there"}, "dask is 'local', got 'there'; give an address as scheduler"),
        ({"retries": -1}, "retries must be a whole number from 0 to 100"),
        ({"joblib": True, "scheduler": "tcp://here:1"}, "give one of --joblib and --scheduler"),
    ],
)
def test_a_faulty_engine_is_one_line(given, said):
    with pytest.raises(InputError, match=f"^{said}") as caught:
        Engine(**given)
    assert "\n" not in str(caught.value)


def test_jobs_are_the_clusters_own_affair():
    with pytest.raises(InputError, match="leave out jobs"):
        Engine(scheduler="tcp://here:1").is_serial(2, 5)
    assert Engine().is_serial(1, 5)
    assert not JOBLIB.is_serial(1, 1)


def doubled(number, say):
    say("epoch", number)
    return 2 * number


@pytest.mark.parametrize("engine", ENGINES, ids=repr)
def test_what_calls_say_and_return_is_told_in_order(engine):
    told = collected(engine, doubled, [(number,) for number in range(3)])
    assert told == {n: [(STARTED, None), ("epoch", n), (DONE, 2 * n)] for n in range(3)}


@pytest.mark.parametrize("engine", ENGINES, ids=repr)
def test_a_call_whose_process_dies_is_made_again(engine, tmp_path):
    def dies_once(number, say):
        if number == 1 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            time.sleep(0.5)  # for Dask to tell that it has begun
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    told = collected(engine, dies_once, [(number,) for number in range(3)])
    assert [each[-1] for _, each in sorted(told.items())] == [(DONE, 0), (DONE, 1), (DONE, 2)]
    kinds = [kind for kind, _ in told[1]]
    assert kinds[-3:] == [RETRIED, STARTED, DONE]
    reason = dict(told[1])[RETRIED]
    assert "died" in reason or "killed" in reason


@pytest.mark.parametrize("engine", ENGINES, ids=repr)
def test_a_call_whose_processes_all_die_is_given_up_and_the_rest_goes_on(engine):
    def dies(number, say):
        if number == 0:
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    told = collected(replace(engine, retries=1), dies, [(number,) for number in range(3)])
    assert [kind for kind, _ in told[0]][-2:] == [STARTED, ENDED]
    assert 1 <= [kind for kind, _ in told[0]].count(RETRIED) <= 2
    assert "out of memory?" in told[0][-1][1]
    assert [told[1][-1], told[2][-1]] == [(DONE, 1), (DONE, 2)]


@pytest.mark.parametrize("engine", ENGINES, ids=repr)
def test_an_exception_and_an_exit_are_raised_here(engine):
    def failing(say):
        raise ZeroDivisionError("by nothing")

    with pytest.raises(ZeroDivisionError, match="by nothing") as caught:
        collected(engine, failing, [()])
    assert "in failing" in caught.value.__notes__[0]
    with pytest.raises(InputError, match=r"called sys\.exit\(7\)"):
        results(lambda: sys.exit(7), [()], 1, engine)


@slow
def test_what_a_call_prints_elsewhere_is_told():
    def chatty(say):
        print("one")
        print("two", file=sys.stderr)

    told = collected(DASK, chatty, [()], jobs=1)
    assert told[0][1:-1] == [(LOG, "one"), (LOG, "two")]


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("rc_vs_snn.experiment.engines.clusters.PATIENCE_S", 0.5)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1; start one"):
        collected(Engine(scheduler="tcp://127.0.0.1:1"), doubled, [(1,)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "describes no cluster"),
        ('[cluster]\nclass = "SLURMCluster"', "describes no cluster"),
        ('[cluster]\nclass = "SlurmCluster"\njobs = 2', "has no cluster 'SlurmCluster'; did you"),
        ('[cluster]\nclass = "SLURMCluster"\njobs = 2\ncorse = 1', "has no option 'corse'; did you"),
    ],
)  # fmt: skip
def test_a_faulty_description_of_a_cluster_is_one_line(tmp_path, text, said):
    if importlib.util.find_spec("dask_jobqueue") is None:  # to import it here would take Ctrl-C from us
        pytest.skip("dask-jobqueue is not installed")
    (tmp_path / "cluster.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        collected(Engine(cluster=tmp_path / "cluster.toml"), doubled, [(1,)])


ENDLESS = """
import sys, os, time
from rc_vs_snn.experiment.engines import Engine, events_of
def endless(say):
    say("pid", os.getpid())
    while True:
        time.sleep(0.01)
if __name__ == "__main__":
    engine = Engine(joblib=True) if sys.argv[1] == "joblib" else Engine(dask="local")
    for _, kind, value in events_of(engine, endless, [()] * 2, 2):
        if kind == "pid":
            print(value, flush=True)
"""


@slow
@needs_proc
@pytest.mark.parametrize("name", ["joblib", "dask"])
def test_workers_end_with_a_parent_that_is_killed(tmp_path, name):
    (tmp_path / "endless.py").write_text(ENDLESS)
    line = [sys.executable, str(tmp_path / "endless.py"), name]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, pids))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


CPU = rv.Execution(device="cpu")


@pytest.fixture(scope="module")
def comparison():
    small = ["encoder.n_steps=8", "training.epochs=2", "models.rc-lstm.model.hidden=12"]
    return rv.load_preset("digits", [*small, "models.rank-snn.model.hidden=16"])


@pytest.fixture(scope="module")
def serial(comparison, tmp_path_factory):
    return rv.compare(comparison, tmp_path_factory.mktemp("serial"), CPU)


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_equal(one.decisions(), other.decisions())
        timeless = [{k: v for k, v in each.metrics.items() if k != "train_seconds"} for each in (one, other)]
        np.testing.assert_equal(*timeless)


def test_shards_at_once_make_the_runs_of_the_whole(comparison, serial, tmp_path):
    for number in (1, 0):
        (made,) = rv.compare(comparison, tmp_path, CPU, engine=Engine(shard=f"{number}/2"))
        assert made.label == serial[number].label
    before = [path.stat() for path in sorted(tmp_path.glob("*/decisions.parquet"))]
    assert_same(rv.compare(comparison, tmp_path, CPU), serial)
    assert [path.stat() for path in sorted(tmp_path.glob("*/decisions.parquet"))] == before


@pytest.mark.parametrize("engine", [pytest.param(each, marks=slow) for each in (JOBLIB, DASK)], ids=repr)
def test_engines_make_the_runs_of_a_serial_command(comparison, serial, tmp_path, engine):
    assert_same(rv.compare(comparison, tmp_path, CPU, jobs=2, engine=engine), serial)


def test_a_cluster_that_is_described_leaves_ctrl_c_alone():
    code = (
        "import signal\n"
        "from rc_vs_snn.experiment.engines.clusters import _dask_jobqueue\n"
        "_dask_jobqueue()\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
