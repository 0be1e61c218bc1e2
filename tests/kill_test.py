"""Kill a comparison of two jobs again and again; nothing lives on, nothing is half-written, nothing is lost.

    python tests/kill_test.py --kills 30 --jobs 2

Each round starts the same ``rc-vs-snn compare`` on the same folder and sends SIGKILL, SIGTERM or SIGHUP to it
at a random moment. ``ALLOWED_S`` later no process that it started may live; after SIGTERM and SIGHUP the
folder holds finished runs only. In the end the command must finish with the results, to the bit, of one that
nobody disturbed. Linux only: it finds processes in /proc, by a variable of their environment.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import rc_vs_snn as rv

ALLOWED_S = 5.0
MARK = "RC_VS_SNN_KILL_TEST"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
QUICK = ("encoder.n_steps=8", "models.rc-lstm.model.hidden=48", "models.rank-snn.model.hidden=64")
NOT_COMPARED = ("train_seconds",)


def command(out, jobs, epochs, seeds):
    """Return the command line of the comparison."""
    settings = [part for setting in (*QUICK, f"training.epochs={epochs}") for part in ("--set", setting)]
    more = ["--jobs", str(jobs), "--seeds", ",".join(map(str, range(seeds))), "--formats", "png"]
    return [sys.executable, "-m", "rc_vs_snn", "compare", "--preset", "digits", *settings, *more,
            "--out", str(out)]  # fmt: skip


def living(mark):
    """Return the processes that carry the mark, by their id, with their command lines."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
        except OSError:  # gone, or not ours
            continue
    return found


def kill_once(line, mark, after_s, number):
    """Start the command and kill it; return what was wrong, the exit code and the seconds until all ended."""
    environment = os.environ | {MARK: mark, "PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(
        line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        process.communicate(timeout=after_s)
        return ["had ended before"], process.returncode, 0.0
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    killed = time.monotonic()
    while living(mark) and time.monotonic() < killed + ALLOWED_S:
        if process.poll() is None:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        time.sleep(0.05)
    took = time.monotonic() - killed
    left = living(mark)
    for pid in left:
        os.kill(pid, signal.SIGABRT)  # faulthandler tells where it is
    _, err = process.communicate()
    wrong = [f"process {pid} lives: {what}" for pid, what in left.items()]
    if left or "Traceback" in err:
        wrong += [line for line in err.splitlines() if not line.startswith("Extension modules")]
    return wrong, process.returncode, took


def half_written(out):
    """Return what lies in the folder beside finished runs and figures."""
    kept = ("figures", ".plan-")
    return [path.name for path in out.glob("*") if not path.name.startswith(kept) and not _is_finished(path)]


def _is_finished(path):
    return path.is_dir() and not path.name.startswith(".") and rv.read_record(path).status == "done"


def differences(out, other):
    """Return in what the results of two folders differ."""
    one, two = rv.find_records(out), rv.find_records(other)
    wrong = []
    if [record.folder.name for record in one] != [record.folder.name for record in two]:
        return ["not the same runs"]
    for mine, theirs in zip(one, two, strict=True):
        name = mine.folder.name
        numbers = [{k: v for k, v in run.metrics.items() if k not in NOT_COMPARED} for run in (mine, theirs)]
        try:
            np.testing.assert_equal(*numbers)
            np.testing.assert_equal(mine.decisions(), theirs.decisions())
            np.testing.assert_equal(mine.trace().evidence, theirs.trace().evidence)
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
    return wrong


def kill_test(folder, kills, jobs, *, epochs=60, seeds=2, seed=0, say=print):
    """Run the test in an empty folder; return what went wrong, as texts."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # under nohup it is ignored, and would be by the command
    draw = random.Random(seed)
    undisturbed, out = folder / "undisturbed", folder / "killed"
    started = time.monotonic()
    subprocess.run(command(undisturbed, jobs, epochs, seeds), check=True, capture_output=True)
    seconds = time.monotonic() - started
    say(f"undisturbed: {seconds:.1f} s")
    wrong, ends, longest, n_resumed = [], Counter(), 0.0, 0
    for number in range(kills):
        if out.exists() and len(list(out.glob("[!.]*seed*"))) == 2 * seeds:  # nothing would be left to kill
            out = folder / f"killed-{number}"
        n_resumed += any(out.glob("[!.]*seed*"))
        chosen = SIGNALS[number % len(SIGNALS)]
        before = half_written(out)  # what an earlier SIGKILL left, this round may end too soon to clear up
        after_s = draw.uniform(0.3, 0.8 * seconds)
        line, mark = command(out, jobs, epochs, seeds), f"{os.getpid()}-{number}"
        found, code, took = kill_once(line, mark, after_s, chosen)
        if found == ["had ended before"]:
            say(f"{number}: ended with {code} before {after_s:.1f} s")
            ends["none, had ended"] += 1
            wrong += [] if code == 0 else [f"round {number}: exit code {code}"]
            continue
        if chosen != signal.SIGKILL:
            found += [f"half-written: {name}" for name in half_written(out) if name not in before]
        ends[chosen.name] += 1
        longest = max(longest, took)
        say(f"{number}: {chosen.name} after {after_s:.1f} s, exit code {code}, all gone {took:.1f} s later "
            f"{'; '.join(found)}")  # fmt: skip
        wrong += [f"round {number} ({chosen.name} after {after_s:.1f} s): {text}" for text in found]
    for each in sorted(folder.glob("killed*")):
        last = subprocess.run(command(each, jobs, epochs, seeds), capture_output=True, text=True, check=False)
        if last.returncode:
            wrong.append(f"{each.name}: the same command ends with {last.returncode}: {last.stderr}")
        else:
            wrong += [f"{each.name}: {text}" for text in differences(each, undisturbed)]
        wrong += [f"{each.name}: half-written at the end: {name}" for name in half_written(each)]
    counts = ", ".join(f"{count} {name}" for name, count in sorted(ends.items()))
    n_folders = len(list(folder.glob("killed*")))
    say(f"kills: {counts}; {n_resumed} of a command that resumed; all processes gone within {longest:.1f} s "
        f"(allowed {ALLOWED_S:.0f}); {n_folders} folders finished by the same command, equal to the "
        f"undisturbed one; faults: {len(wrong)}")  # fmt: skip
    return wrong


def main():
    """Run the test and return its exit code."""
    parser = argparse.ArgumentParser(description="Kill a comparison again and again.")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=60, help="length of one training")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = kill_test(Path(folder), given.kills, given.jobs, epochs=given.epochs, seed=given.seed)
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
