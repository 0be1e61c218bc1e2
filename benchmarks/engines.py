"""What it costs to spread runs: time beside the work, memory of a worker, and whether results stay the same.

    python -m benchmarks.engines

Every engine makes runs with two workers. *Between runs*: calls that sleep for a known time are made; how
long the workers wait between one call's end and the next one's begin, in percent of the sleep. *A worker's
memory*: its proportional set size when it is there and has run nothing, and after a run. *The grid*: 60 runs
on embedded digits (two models, 30 seeds), one after another and by every engine, all at the same time;
decisions and metrics must be equal.
"""

import argparse
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import rc_vs_snn as rv
from rc_vs_snn.experiment.engines import DONE, Engine, events_of
from rc_vs_snn.records.provenance import code_version

ENGINES = {"processes": [], "joblib": ["--joblib"], "Dask": ["--dask", "local"]}
JOBS = 2
SMALL = (
    "encoder.n_steps=4", "training.epochs=1",
    "models.rc-lstm.model.hidden=16", "models.rank-snn.model.hidden=32",
)  # fmt: skip
TIMES = ("train_seconds",)


def engine_of(name: str) -> Engine:
    """Return an engine by its name in the table."""
    return Engine(joblib=name == "joblib", dask="local" if name == "Dask" else None)


def sleep(seconds: float, say: Any) -> tuple[int, float, float]:
    """Be work of a known length; return the process and when the call began and ended."""
    begun = time.monotonic()
    time.sleep(seconds)
    return os.getpid(), begun, time.monotonic()


def between_runs(name: str, n_calls: int, seconds: float) -> tuple[float, float]:
    """Return how long the first call waited, in s, and workers between calls, in percent of the sleep."""
    asked = time.monotonic()
    with contextlib.closing(events_of(engine_of(name), sleep, [(seconds,)] * n_calls, JOBS)) as events:
        spans = sorted(value for _, kind, value in events if kind == DONE)
    gaps = [late[1] - soon[2] for soon, late in itertools.pairwise(spans) if soon[0] == late[0]]
    return min(begun for _, begun, _ in spans) - asked, 100 * sum(gaps) / (len(gaps) * seconds)


def memory_mb(folder: str, say: Any) -> tuple[float, float]:
    """Return the proportional set size of this process before and after a run, in MB."""
    before = _pss_mb()
    config = rv.load_preset("digits", SMALL).planned()[0]
    rv.run(config, Path(folder) / str(os.getpid()), rv.Execution(device="cpu"), replace=True)
    return before, _pss_mb()


def _pss_mb() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def worker_memory(name: str) -> tuple[float, float]:
    """Return a worker's memory before and after a run, in MB."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(events_of(engine_of(name), memory_mb, [(folder,)] * JOBS, JOBS)) as events,
    ):
        found = [value for _, kind, value in events if kind == DONE]
    return max(before for before, _ in found), max(after for _, after in found)


def grid(out: Path, seeds: int, commands: list[list[str]]) -> float:
    """Make the grid by commands that run at once; return their processor time, in s."""
    settings = [part for setting in SMALL for part in ("--set", setting)]
    line = [sys.executable, "-c", UNDRAWN, "compare", "--preset", "digits", *settings, "--device", "cpu",
            "--seeds", ",".join(map(str, range(seeds))), "--out", str(out)]  # fmt: skip
    processes = [subprocess.Popen([*line, *more], stderr=subprocess.DEVNULL) for more in commands]
    ended = [os.wait4(process.pid, 0) for process in processes]
    if any(status for _, status, _ in ended):
        raise SystemExit(f"{commands} ended with {[status for _, status, _ in ended]}")
    return sum(used.ru_utime + used.ru_stime for _, _, used in ended)


UNDRAWN = (
    "import sys; from rc_vs_snn import cli; from rc_vs_snn.cli import making; "
    "making.draw_finished = lambda *given: None; sys.exit(cli.main(sys.argv[1:]))"
)
"""The command, but for the figures."""


def differing(one: Path, other: Path) -> list[str]:
    """Return the runs of two folders that differ in their decisions or metrics."""
    mine, theirs = rv.find_records(one), rv.find_records(other)
    if [record.folder.name for record in mine] != [record.folder.name for record in theirs]:
        return ["not the same runs"]
    return [a.folder.name for a, b in zip(mine, theirs, strict=True) if not _equal(a, b)]


def _equal(one: Any, other: Any) -> bool:
    numbers = [{k: v for k, v in each.metrics.items() if k not in TIMES} for each in (one, other)]
    try:
        np.testing.assert_equal(*numbers)
        np.testing.assert_equal(one.decisions(), other.decisions())
    except AssertionError:
        return False
    return True


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=60, help="that sleep, 0: none (default: %(default)s)")
    parser.add_argument("--sleep", type=float, default=1.0, help="s, about a run (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=30, help="of the grid's models (default: %(default)s)")
    given = parser.parse_args()
    load = ", ".join(f"{each:.0f}" for each in os.getloadavg())
    commit = code_version().get("commit", "unknown")
    print(f"{time.strftime('%Y-%m-%d')}, {commit}, load {load}, {os.cpu_count()} cores\n", flush=True)
    if given.calls:
        print("| engine | first call after | between runs | worker, idle | after a run |")
        print("|---|---|---|---|---|", flush=True)
    for name in ENGINES if given.calls else ():
        waited, percent = between_runs(name, given.calls, given.sleep)
        idle, after = worker_memory(name)
        print(f"| {name} | {waited:.1f} s | {percent:.1f} % | {idle:.0f} MB | {after:.0f} MB |", flush=True)
    commands = {"one after another": [[]]}
    commands |= {f"{name}, {JOBS}": [[*more, "--jobs", str(JOBS)]] for name, more in ENGINES.items()}
    commands |= {f"{JOBS} shards at once": [["--shard", f"{number}/{JOBS}"] for number in range(JOBS)]}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as at_once:
        outs = [Path(folder) / name for name in commands]
        used = list(at_once.map(grid, outs, [given.seeds] * len(outs), commands.values()))
        print("\n| the grid | processor time | runs that differ |\n|---|---|---|", flush=True)
        for out, seconds in zip(outs, used, strict=True):
            count = len(rv.find_records(out))
            print(f"| {out.name} | {seconds:.0f} s | {len(differing(outs[0], out))} of {count} |", flush=True)


if __name__ == "__main__":
    main()
