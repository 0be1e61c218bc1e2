"""What it costs to keep books of thousands of runs: planning, making, resuming, status; and how that grows.

    python -m benchmarks.bookkeeping --sizes 1250 2500 5000 10000

A run sleeps for 10 ms in place of its training and writes a whole run folder; all else is real: the checks of
every different configuration, locks, working folders, plans, progress, and reading what is finished. Each
measure is taken in a process of its own, whose peak of memory is told (torch alone takes most of it). The
exponent is that of the CPU time, fitted in the logarithms.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

N_MODELS = 50
SLEEP_S = 0.010
N_EPOCHS = 10
N_SAMPLES, N_STEPS, N_CLASSES = 20, 5, 3


def comparison(n_runs: int) -> Any:
    """Return ``n_runs`` runs of up to ``N_MODELS`` models of different parts, each with as many seeds."""
    import rc_vs_snn as rv

    n_models = min(N_MODELS, n_runs)
    first = rv.load_preset("digits").runs[0]
    grid = itertools.product(range(5), range(10))
    runs = []
    for number, (n_steps, threshold) in zip(range(n_models), grid, strict=False):
        encoder = replace(first.encoder, options={"n_steps": 5 + n_steps})
        rule = replace(first.rule, options={"threshold": 0.5 + 0.04 * threshold})
        runs.append(replace(first, label=f"model {number}", encoder=encoder, rule=rule))
    return rv.Comparison("many", tuple(runs), seeds=tuple(range(n_runs // n_models)))


def pretend(config: Any, folder: Path, execution: Any, **_: Any) -> Any:
    """Do what ``train_and_judge`` does, but sleep in place of loading, training and judging."""
    from rc_vs_snn import records
    from rc_vs_snn.contracts import Decision, Trace
    from rc_vs_snn.experiment.locks import require_held
    from rc_vs_snn.records.underway import Teller

    draw = np.random.default_rng(config.seed)
    counts = np.cumsum(np.ones((N_SAMPLES, N_STEPS)), axis=1)
    shape = (N_SAMPLES, N_STEPS, N_CLASSES)
    trace = Trace(
        evidence=draw.random(shape, dtype=np.float32), labels=draw.integers(N_CLASSES, size=N_SAMPLES),
        ids=np.arange(N_SAMPLES), acs=counts, macs=counts, leaks=counts, input_events=counts.astype(np.int64),
    )  # fmt: skip
    column = np.zeros(N_SAMPLES, dtype=np.int64)
    decision = Decision(
        label=column, step=column, decided=column == 0, tied=column == 1,
        evidence=trace.evidence[:, 0, 0],
    )  # fmt: skip
    with records.atomic_folder(folder, replace=True, held=True) as working:
        teller = Teller(working, config.label, config.seed, N_EPOCHS)
        started = time.time()
        time.sleep(SLEEP_S)
        numbers = {"valid_accuracy": 0.5, "valid_mean_step": 1.0, "train_accuracy": 0.5, "seconds": 0.1}
        entry = {**numbers, "train_loss": 0.1, "train_mean_step": 1.0, "train_forced": 0.0}
        history = [{"epoch": epoch, **entry} for epoch in range(N_EPOCHS)]
        teller.epoch(N_EPOCHS)
        metrics = {
            **dict.fromkeys(records.NUMBERS, 0.5),
            "evidence": "probability",
            "n_samples": N_SAMPLES,
            "n_steps": N_STEPS,
        }
        outcome = records.Result(metrics, {"weights": np.zeros((8, 8), np.float32)}, (trace, decision))
        origin = {**_origin(), "seed": config.seed, "seconds": round(time.time() - started, 2)}
        records.write_run(working, config.to_table(), history, origin, outcome)
        require_held(folder)
    return records.read_record(folder, quick=True)


_ORIGINS: list[dict[str, Any]] = []


def _origin() -> dict[str, Any]:
    """Return a provenance, asked for once: git and the versions of packages are no part of the books."""
    from rc_vs_snn.records import SCHEMA_VERSION
    from rc_vs_snn.records.provenance import provenance

    if not _ORIGINS:
        asked = provenance(time.time())
        _ORIGINS.append({"schema_version": SCHEMA_VERSION, "status": "done", "threads": 1, **asked})
    return _ORIGINS[0]


def planning(out: Path, n_runs: int) -> None:
    """Do all that a command does before its first run starts."""
    from rc_vs_snn.experiment.execution import Execution
    from rc_vs_snn.experiment.planning import check_runs, finished, planned_runs, write_plans

    execution = Execution(device="cpu")
    runs = planned_runs(comparison(n_runs), out, execution)
    assert not finished(runs)
    check_runs(runs, execution)
    write_plans(runs)


def making(out: Path, n_runs: int) -> None:
    """Make, or resume, the whole plan."""
    import rc_vs_snn as rv
    from rc_vs_snn.experiment import execute

    with_training = next(module for module in _modules(execute) if hasattr(module, "train_and_judge"))
    with_training.train_and_judge = pretend  # type: ignore[attr-defined]
    found = rv.compare(comparison(n_runs), out, rv.Execution(device="cpu"))
    assert len(found) == n_runs
    assert all(record.status == "done" for record in found)


def _modules(execute: Any) -> list[Any]:
    try:
        from rc_vs_snn.experiment import spreading
    except ImportError:
        return [execute]
    return [spreading, execute]


def status(out: Path, n_runs: int) -> None:
    """Ask how the runs stand."""
    from rc_vs_snn.experiment.standing import status

    found = status(out)
    assert found.count("done") == n_runs == len(found.runs)


STAGES: dict[str, Callable[[Path, int], None]] = {
    "planning": planning, "making": making, "resume": making, "status": status
}  # fmt: skip


def measure(stage: str, out: Path, n_runs: int) -> dict[str, float]:
    """Return wall and CPU seconds, and the peak of memory in MB, of a stage in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bookkeeping", "--stage", stage, str(out), str(n_runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _stage(stage: str, out: Path, n_runs: int) -> dict[str, float]:
    if stage != "status":
        import rc_vs_snn.experiment.execute
    else:
        import rc_vs_snn.experiment.standing  # noqa: F401
    started, cpu = time.perf_counter(), time.process_time()
    STAGES[stage](out, n_runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": time.perf_counter() - started, "cpu_s": time.process_time() - cpu, "peak_mb": peak}


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the exponent of the growth of seconds with size."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(seconds, 1e-9)), 1)[0])


def run(sizes: Sequence[int], folder: Path, say: Callable[[str], None] = print) -> dict[str, dict[str, Any]]:
    """Measure every stage at every size; the runs of a smaller plan are part of the next one."""
    found: dict[str, dict[str, Any]] = {stage: {} for stage in STAGES}
    # The checks of different models are the same for every plan: what one seed of each takes is taken off.
    checks = min(measure("planning", folder / f"one-seed-{turn}", N_MODELS)["cpu_s"] for turn in range(2))
    for number, n_runs in enumerate(sizes):
        empty = folder / f"empty-{n_runs}"
        found["planning"][str(n_runs)] = measure("planning", empty, n_runs)
        for stage in ("making", "resume", "status"):
            found[stage][str(n_runs)] = measure(stage, folder / "runs", n_runs)
        found["making"][str(n_runs)]["made"] = n_runs - (sizes[number - 1] if number else 0)
        for stage in STAGES:
            each = found[stage][str(n_runs)]
            made = f", {each['made']} of them" if "made" in each else ""
            say(f"{n_runs} runs, {stage}{made}: {each['wall_s']:.2f} s ({each['cpu_s']:.2f} s of CPU), peak "
                f"{each['peak_mb']:.0f} MB; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    for stage, constant in (("planning", checks), ("resume", 0.0), ("status", 0.0)):
        grown = exponent(sizes, [found[stage][str(n)]["cpu_s"] - constant for n in sizes])
        found[stage]["exponent"] = grown
        say(f"{stage}: CPU time grows as runs^{grown:.2f}")
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1250, 2500, 5000, 10_000])
    parser.add_argument("--stage", nargs=3, metavar=("STAGE", "FOLDER", "RUNS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        stage, out, n_runs = options.stage
        print(json.dumps(_stage(stage, Path(out), int(n_runs))))
        return
    with tempfile.TemporaryDirectory() as folder:
        run(options.sizes, Path(folder))


if __name__ == "__main__":
    main()
