"""What docs/use_a_cluster.md says, line by line, with commands that do as if they were Slurm's."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import blocks

import rc_vs_snn as rv

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "use_a_cluster.md"
ALLOWED_S = 600
COMMAND = f"""#!{sys.executable}
import sys
from rc_vs_snn.cli import main, making
making.draw_finished = lambda found, out, options: out.mkdir(exist_ok=True)
small = [
    "encoder.n_steps=4", "training.epochs=1",
    "models.rc-lstm.model.hidden=8", "models.rank-snn.model.hidden=8",
]
if __name__ == "__main__":
    made = sys.argv[1] in ("compare", "train")
    sys.exit(main([*sys.argv[1:], *(part for each in small if made for part in ("--set", each))]))
"""
SBATCH = f"""#!{sys.executable}
import os, re, subprocess, sys
script = sys.argv[-1]
array = re.search(r"^#SBATCH --array=(\\d+)-(\\d+)$", open(script).read(), re.MULTILINE)
numbers = range(int(array[1]), int(array[2]) + 1) if array else [None]
jobs = []
for number in numbers:
    task = {{"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": str(len(numbers))}}
    given = task if array else {{}}
    with open(f"slurm-{{number}}.log", "wb") as log:
        jobs.append(subprocess.Popen(
            ["bash", script], env=os.environ | given, stdout=log, stderr=log, start_new_session=True
        ))
print("Submitted batch job", jobs[0].pid, flush=True)
with open(os.environ["FAKE_SLURM_JOBS"], "a") as kept:
    kept.writelines(f"{{job.pid}}\\n" for job in jobs)
sys.exit(any([job.wait() for job in jobs]) if "--wait" in sys.argv else 0)
"""
SCANCEL = f"""#!{sys.executable}
import contextlib, os, signal, sys
for job in sys.argv[1:]:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(job), signal.SIGTERM)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, in which the page's commands are there and little is trained."""
    there = tmp_path / "bin"
    there.mkdir()
    for name, text in (("rc-vs-snn", COMMAND), ("sbatch", SBATCH), ("scancel", SCANCEL)):
        (there / name).write_text(text)
        (there / name).chmod(stat.S_IRWXU)
    (there / "dask").write_text(f'#!/bin/sh\nexec {sys.executable} -m dask "$@" --no-dashboard\n')
    (there / "dask").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{there}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM_JOBS", str(tmp_path / "jobs"))
    # Only the loopback is sure to be there.
    monkeypatch.setenv("DASK_JOBQUEUE__SLURM__SCHEDULER_OPTIONS__HOST", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    kept = tmp_path / "jobs"
    for job in kept.read_text().split() if kept.exists() else []:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(job), signal.SIGKILL)


class Reader:
    """Somebody who does what the page says; a free port stands for the usual one."""

    def __init__(self, ended):
        self.ended = ended
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])

    def does(self, block):
        if block.title:
            Path(block.title).write_text(block.text)
        elif block.language == "sh":
            for line in block.text.splitlines():
                self.gives(line.replace("8786", self.port))

    def gives(self, line):
        if line.startswith("pip "):
            assert re.fullmatch(r"pip install rc_vs_snn\[cluster\]", line)
        elif line.endswith(" &"):
            beside = subprocess.Popen(line[:-2].split(), stderr=subprocess.DEVNULL)
            self.ended.callback(lambda: (beside.terminate(), beside.wait(60)))
        else:
            done = subprocess.run(line.split(), capture_output=True, text=True, timeout=ALLOWED_S)
            logs = "".join(path.read_text() for path in Path().glob("slurm-*.log"))
            assert done.returncode == 0, f"{line}\n{done.stderr}\n{logs}"
            assert "Traceback" not in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="Slurm's commands are scripts here")
def test_what_the_page_says_runs_line_by_line_and_all_ways_lead_to_the_same_runs(place):
    with contextlib.ExitStack() as ended:
        reader = Reader(ended)
        for block in blocks(PAGE):
            reader.does(block)
    names = ("by-dask", "by-scheduler", "by-slurm", "grid")
    ways = [rv.find_records(place / "runs" / name) for name in names]
    assert len(ways[0]) == 4
    for runs in ways[1:]:
        found = {record.folder.name: record for record in runs}
        for wanted in ways[0]:
            mine = found[wanted.folder.name]
            np.testing.assert_equal(mine.decisions(), wanted.decisions())
            timeless = [
                {k: v for k, v in run.metrics.items() if k != "train_seconds"} for run in (mine, wanted)
            ]
            np.testing.assert_equal(*timeless)
    assert "rc-lstm-seed2" in {record.folder.name for record in ways[-1]}


def test_the_array_of_the_page_starts_at_the_first_shard_and_has_one_task_for_each():
    script = next(block.text for block in blocks(PAGE) if block.title == "grid.sbatch")
    assert "#SBATCH --array=0-3\n" in script
    assert '--shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"' in script
    assert "`0/4`" in PAGE.read_text()
