"""Calls side by side, each in a process of its own that ends with this one, whatever ends this one.

One process that dies takes down its own call only, which a pool of the standard library or of loky cannot
promise; nor do those end when their parent is killed.
"""

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.engines.cores import cores
from rc_vs_snn.experiment.engines.worker import (
    DONE,
    ENDED,
    FAILED,
    GRACE_S,
    RETRIED,
    STARTED,
    packed_call,
)

START = (
    "import json, sys; sys.path[:], sys.argv[:] = json.loads(sys.argv[1]); "
    "from rc_vs_snn.experiment.engines.worker import serve; serve()"
)
THREAD_LIMITS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
SIGNALS_REACH_ALL_S = 0.5


def side_by_side(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int, retries: int = 0
) -> Generator[tuple[int, str, Any]]:
    """Call a function with each tuple of arguments, in up to ``jobs`` other processes, and tell what happens.

    The function is called with a last argument more, ``say(kind, value)``; functions and arguments may be of
    any kind that cloudpickle takes. Close the iterator to end the processes: each interrupts what it does, as
    by a signal, so that it clears up.

    Yields:
        The number of the call, a kind and a value, see ``engines``. A call whose process is no more is made
        again up to ``retries`` times, before those that wait.

    Raises:
        InputError: ``jobs`` is below 1, or a call cannot be sent to another process.
        Exception: the first that a call raises; the others are ended.
    """
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, got {jobs}")
    events: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
    waiting = deque(range(len(calls)))
    deaths = [0] * len(calls)
    workers: list[_Worker] = []
    busy: dict[_Worker, int] = {}

    def occupy(worker: _Worker | None) -> Iterator[tuple[int, str, Any]]:
        if not waiting:
            return
        number = waiting.popleft()
        call = packed_call(function, calls[number])
        if worker is None:
            worker = _Worker(events, min(jobs, len(calls)))
            workers.append(worker)
        busy[worker] = number
        worker.call(call)
        yield number, STARTED, None

    try:
        for _ in range(min(jobs, len(calls))):
            yield from occupy(None)
        while busy:
            worker, (kind, value) = _next(events)
            if worker not in busy:  # it had ended, and said so, before its output did
                continue
            number = busy[worker]
            if kind == FAILED:
                raise value
            if kind in (DONE, ENDED):
                del busy[worker]
            if kind == ENDED:
                # A signal to all of us that reached the worker first is no fault of its call.
                time.sleep(SIGNALS_REACH_ALL_S)
                worker.process.kill()
                value = value or _why(worker.process.wait())
                deaths[number] += 1
                if deaths[number] <= retries:
                    kind = RETRIED
                    waiting.appendleft(number)
            yield number, kind, value
            if kind in (DONE, ENDED, RETRIED):
                yield from occupy(worker if kind == DONE else None)
    finally:
        _end(workers)


class _Worker:
    """One process and the thread that listens to it."""

    def __init__(self, events: "queue.SimpleQueue[tuple[_Worker, Any]]", n_beside: int) -> None:
        self.events = events
        share = str(max(cores() // n_beside, 1))
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, json.dumps([[str(path) for path in sys.path], sys.argv])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**dict.fromkeys(THREAD_LIMITS, share), **os.environ},
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, call: bytes) -> None:
        """Send a call; a process that is dead says so by the end of its output."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            pickle.dump(call, self.process.stdin)
            self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as answers, contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                self.events.put((self, pickle.load(answers)))
        self.events.put((self, (ENDED, None)))


def _next(events: "queue.SimpleQueue[tuple[_Worker, Any]]") -> tuple[_Worker, Any]:
    while True:
        with contextlib.suppress(queue.Empty):
            return events.get(timeout=1)  # Windows delivers no Ctrl-C to a thread that waits for ever


def _why(returncode: int) -> str:
    if returncode >= 0:
        return f"its process ended by itself with exit code {returncode}"
    name = signal.Signals(-returncode).name
    return f"its process was killed ({name}{'; out of memory?' if name == 'SIGKILL' else ''})"


def _end(workers: Sequence[_Worker]) -> None:
    """Tell every process to end, and see that it does."""
    for worker in workers:
        assert worker.process.stdin is not None
        with contextlib.suppress(OSError):
            worker.process.stdin.close()
    deadline = time.monotonic() + GRACE_S + 1
    for worker in workers:
        try:
            worker.process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
