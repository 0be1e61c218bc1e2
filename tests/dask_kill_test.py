"""Kill workers, the scheduler and the client of a comparison that Dask spreads; nothing is lost or doubled.

    python tests/dask_kill_test.py --kills 10

Each round starts the same ``rc-vs-snn compare --scheduler`` on the same folder, with a scheduler and two
worker processes beside, and sends SIGKILL to one of them or to the command itself at a random moment; so many
kills each. After workers' deaths, up to three while it runs, the command must finish; after the scheduler's
it must say so and end; after its own the same command is given at once, while runs still go on in the
workers. All the time somebody looks at the folder: a run that is finished must stay the same. In the end
every folder must hold the results, to the bit, of an undisturbed command. Linux only.
"""

import argparse
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from kill_test import QUICK, differences, half_written

VICTIMS = ("worker", "scheduler", "client")
ALLOWED_S = 300.0
LOST = ("the Dask scheduler is lost; finished runs are kept", "no Dask scheduler answers at")
"""What the command says when the scheduler dies under it, or before it was reached."""
LOOKS_EVERY_S = 0.02
RUNS, UNDERWAY = "[!.]*seed*", ".*seed*"
MOST_WORKERS = 3


UNDRAWN = (
    "import sys; from rc_vs_snn import cli; from rc_vs_snn.cli import making; "
    "making.draw_finished = lambda *given: None; sys.exit(cli.main(sys.argv[1:]))"
)
"""The command, but for the figures, which take most of its time and are no run's."""


def command(out, epochs, seeds, *more):
    """Return the command line of the comparison."""
    settings = [part for setting in (*QUICK, f"training.epochs={epochs}") for part in ("--set", setting)]
    return [sys.executable, "-c", UNDRAWN, "compare", "--preset", "digits", *settings, "--device", "cpu",
            "--seeds", ",".join(map(str, range(seeds))), "--out", str(out), *more]  # fmt: skip


class Cluster:
    """A scheduler and the workers' nanny, each a process of its own."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.scheduler, self.nannies = folder, None, None

    @property
    def address(self):
        return f"tcp://127.0.0.1:{self.port}"

    def start(self):
        """Start what is not there; workers that have lost their scheduler end by themselves."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            if self.nannies is not None:
                self.nannies.wait(ALLOWED_S)
            self.scheduler = self._dask("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        if self.nannies is None or self.nannies.poll() is not None:
            self.nannies = self._dask(
                "worker", self.address, "--nworkers", "2", "--nthreads", "1", "--death-timeout", "60",
                "--local-directory", str(self.folder / "scratch"),
            )  # fmt: skip

    def _dask(self, *arguments):
        line = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        log = (self.folder / f"{arguments[0]}.log").open("ab")
        with log:
            return subprocess.Popen(line, stdout=log, stderr=log)

    def workers(self):
        """Return the process ids of the workers."""
        found = []
        with contextlib.suppress(OSError):
            threads = Path(f"/proc/{self.nannies.pid}/task").glob("*/children")
            for pid in [pid for each in threads for pid in each.read_text().split()]:
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    def end(self):
        """End what is there."""
        for pid in self.workers() if self.nannies else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in (self.nannies, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()


class Looker:
    """Somebody who looks at the run folders all the time, and keeps what was ever finished."""

    def __init__(self, folder):
        self.folder, self.seen, self.over = folder, {}, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _look(self):
        while not self.over.wait(LOOKS_EVERY_S):
            for path in self.folder.glob("killed*/[!.]*-seed*/decisions.parquet"):
                with contextlib.suppress(OSError):
                    made = path.stat()
                    times = self.seen.setdefault(f"{path.parent.parent.name}/{path.parent.name}", set())
                    times.add((made.st_ino, made.st_mtime_ns))

    def doubled(self):
        """Return the runs that were put in place more than once."""
        return [f"{name} was made {len(times)} times" for name, times in self.seen.items() if len(times) > 1]


def kill_some(line, out, cluster, victim, longest_s, draw):
    """Start the command, kill when it has begun, see it end; return what was wrong, and when it was."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    moments = []
    try:
        deadline = time.monotonic() + ALLOWED_S
        while not any(out.glob(UNDERWAY)) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(LOOKS_EVERY_S)
        for _ in range(MOST_WORKERS if victim == "worker" else 1):
            after_s = draw.uniform(0, longest_s)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(after_s)
            if process.poll() is not None:
                break
            if victim == "worker":
                os.kill(draw.choice(cluster.workers()), signal.SIGKILL)
            else:
                killed = process if victim == "client" else cluster.scheduler
                killed.kill()
                killed.wait()
            moments.append(after_s)
        _, err = process.communicate(timeout=ALLOWED_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return ["the command did not end", *process.communicate()[1].splitlines()], moments
    if "Traceback" in err:
        return err.splitlines(), moments
    expected = {"client": -signal.SIGKILL, "scheduler": 2}.get(victim, 0) if moments else 0
    if victim == "scheduler" and process.returncode == 0 and not any(out.glob(UNDERWAY)):
        return [], moments  # it came too late: all runs were finished
    wrong = [] if process.returncode == expected else [f"exit code {process.returncode}: {err}"]
    if expected == 2 and not any(text in err for text in LOST):
        wrong.append(f"it says {err}")
    return wrong, moments


def dask_kill_test(folder, kills, *, epochs=40, seeds=2, seed=0, say=print):
    """Run the test in an empty folder; return what went wrong, as texts."""
    draw = random.Random(seed)
    undisturbed, out = folder / "undisturbed", folder / "killed"
    cluster, wrong, left = Cluster(folder), [], dict.fromkeys(VICTIMS, kills)
    with contextlib.ExitStack() as ended, Looker(folder) as looker:
        ended.callback(cluster.end)
        cluster.start()
        line = command(folder / "first", epochs, seeds, "--scheduler", cluster.address)
        subprocess.run(line, check=True, capture_output=True)  # workers import, numba compiles
        line = command(undisturbed, epochs, seeds, "--scheduler", cluster.address)
        with subprocess.Popen(line, stderr=subprocess.DEVNULL) as process:
            while not any(undisturbed.glob(UNDERWAY)) and process.poll() is None:
                time.sleep(LOOKS_EVERY_S)
            started = time.monotonic()
        seconds = time.monotonic() - started
        say(f"undisturbed: {seconds:.1f} s from the first run's begin")
        for number in range(10 * kills):
            victim = max(left, key=left.get)
            if left[victim] <= 0:
                break
            if len(list(out.glob(RUNS))) == 2 * seeds:  # nothing would be left to kill
                out = folder / f"killed-{number}"
            cluster.start()
            there = len(list(out.glob(RUNS)))
            line = command(out, epochs, seeds, "--scheduler", cluster.address)
            found, moments = kill_some(line, out, cluster, victim, seconds, draw)
            left[victim] -= len(moments)
            after = " s, ".join(f"{moment:.1f}" for moment in moments) or "more than"
            say(f"{number}: {victim} killed after {after} s; {there} of {2 * seeds} runs were finished, then "
                f"{len(list(out.glob(RUNS)))} {'; '.join(found)}")  # fmt: skip
            wrong += [f"round {number} ({victim} after {after} s): {text}" for text in found]
        for each in sorted(folder.glob("killed*")):
            cluster.start()
            line = command(each, epochs, seeds, "--scheduler", cluster.address)
            last = subprocess.run(line, capture_output=True, text=True, check=False, timeout=ALLOWED_S)
            if last.returncode:
                wrong.append(f"{each.name}: the same command ends with {last.returncode}: {last.stderr}")
            else:
                wrong += [f"{each.name}: {text}" for text in differences(each, undisturbed)]
            wrong += [f"{each.name}: half-written at the end: {name}" for name in half_written(each)]
        time.sleep(10 * LOOKS_EVERY_S)
    wrong += looker.doubled()
    told = ", ".join(f"{victim} {kills - count}" for victim, count in left.items())
    n_folders, doubled = len(list(folder.glob("killed*"))), len(looker.doubled())
    say(f"kills: {told}; {len(looker.seen)} runs in {n_folders} folders, finished by the same command; put "
        f"in place more than once: {doubled}; faults, a difference to the undisturbed runs among them: "
        f"{len(wrong)}")  # fmt: skip
    return wrong


def main():
    """Run the test and return its exit code."""
    parser = argparse.ArgumentParser(description="Kill parts of a Dask cluster under a comparison.")
    parser.add_argument("--kills", type=int, default=10, help="of each: worker, scheduler, client")
    parser.add_argument("--epochs", type=int, default=40, help="length of one training")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wrong = dask_kill_test(Path(folder), given.kills, epochs=given.epochs, seed=given.seed)
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
