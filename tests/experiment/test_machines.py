"""Several machines make the runs of one folder, and one of them dies: nothing is lost, nothing made twice."""

import subprocess
import sys

import rc_vs_snn as rv
from rc_vs_snn.experiment.standing import status
from rc_vs_snn.records.plans import Meant, write_plan

MACHINE = """
import errno, random, socket, sys, time
from pathlib import Path
from rc_vs_snn.experiment import leases, locks
from rc_vs_snn.records import Result, atomic_folder, write_run
from rc_vs_snn.records.underway import Teller

name, out, n_runs, dies = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "dies"

def none(*_, **__):
    raise OSError(errno.ENOLCK, "no locks here")

leases._ask_for_lock = none
leases.STALE_S, locks.BEAT_S, locks.RETRY_S = 1.5, 0.2, 0.02
socket.gethostname = lambda: name
parts = {part: {"name": "x"} for part in ("dataset", "encoder", "model", "rule", "objective")}
print("ready", flush=True)
sys.stdin.readline()
for number in range(n_runs):
    folder = out / f"run-{number}"
    with locks.locked_run(folder, 60):
        if folder.exists():
            continue
        with atomic_folder(folder, held=True) as working:
            Teller(working, "A", number, 3).epoch(1)
            if dies and number == 2:
                print("dying", flush=True)
                time.sleep(60)
            time.sleep(random.random() / 50)
            facts = {"schema_version": 2, "status": "failed", "reason": name}
            write_run(working, {"label": "A", "seed": number, **parts}, [], facts, Result())
            locks.require_held(folder)
        print(number, flush=True)
"""
N_RUNS = 12


def test_a_machine_that_dies_is_succeeded_by_one_other(tmp_path):
    write_plan(tmp_path, [Meant(f"run-{number}", "A", number, 3) for number in range(N_RUNS)])

    def machine(number, *more):
        line = [sys.executable, "-c", MACHINE, f"node-{number}", str(tmp_path), str(N_RUNS), *(more or ("",))]
        found = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert found.stdout.readline() == "ready\n"
        return found

    first, *others = machine(0, "dies"), *map(machine, range(1, 4))
    first.stdin.write("\n")
    first.stdin.flush()
    assert [first.stdout.readline() for _ in range(3)] == ["0\n", "1\n", "dying\n"]
    (underway,) = [run for run in status(tmp_path).runs if run.state == "running"]
    assert (underway.folder.name, underway.host) == ("run-2", "node-0")
    for other in others:
        other.stdin.write("\n")
        other.stdin.flush()
    first.kill()
    made = [int(word) for other in others for word in other.communicate()[0].split()]
    assert sorted(made) == list(range(2, N_RUNS))
    first.communicate()
    assert [rv.read_record(tmp_path / f"run-{number}").seed for number in range(N_RUNS)] == list(
        range(N_RUNS)
    )
    left = [path.name for path in tmp_path.iterdir() if not path.name.startswith(("run-", ".plan-"))]
    assert left == []
