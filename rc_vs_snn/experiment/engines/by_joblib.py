"""Calls spread by joblib, under whatever backend of this machine its ``parallel_config`` names.

A worker of loky that dies takes all others with it: the calls that were underway are made again, each alone,
so that one whose process dies again is known. What calls say comes by a socket of this machine. When it ends,
because the command is over or dead, a worker interrupts its call, as by a signal; our own processes do the
same (``worker``).
"""

import _thread
import contextlib
import hmac
import itertools
import os
import pickle
import queue
import secrets
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from rc_vs_snn.experiment.engines.elsewhere import outcome_elsewhere
from rc_vs_snn.experiment.engines.worker import (
    DONE,
    ENDED,
    FAILED,
    GRACE_S,
    RETRIED,
    STARTED,
    packed,
    packed_call,
)
from rc_vs_snn.experiment.interrupts import interrupts_outside_numba, stopped_by_signals

BROKEN = "broken"
SETTLED_S = 0.2
"""How long what dead workers have said may take to be heard."""
Heard = queue.SimpleQueue[tuple[int, int, str, Any]]
"""Of which round of calls, of which call, a kind and a value."""


def by_joblib(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int, retries: int
) -> Generator[tuple[int, str, Any]]:
    """See ``engines.events_of``."""
    import joblib

    left, deaths = dict(enumerate(calls)), [0] * len(calls)
    with contextlib.ExitStack() as ended:
        ending = ended.enter_context(contextlib.ExitStack())  # after nobody listens any more
        heard, address, key = ended.enter_context(_hearing())
        rounds = deque([sorted(left)])
        for number_of_round in itertools.count():
            if not left:
                return
            waiting, underway = set(rounds.popleft()), set[int]()
            parallel = joblib.Parallel(jobs, return_as="generator_unordered", batch_size=1)
            made = [
                joblib.delayed(_made)(
                    address, key, os.getpid(), list(sys.path), number_of_round, number,
                    packed_call(function, left[number]),
                )
                for number in sorted(waiting)
            ]  # fmt: skip
            given = (parallel, made, number_of_round, heard)
            beside = threading.Thread(target=_drive, args=given, daemon=True)
            beside.start()
            ending.callback(beside.join, GRACE_S + 1)
            while waiting:
                number, kind, value = _next(heard, number_of_round)
                if kind == FAILED:
                    raise value
                if kind == STARTED:
                    underway.add(number)
                elif kind == DONE:
                    waiting.discard(number)
                    underway.discard(number)
                    del left[number]
                elif kind in (BROKEN, ENDED):
                    suspects = {number} if kind == ENDED else underway or waiting
                    for each in sorted(suspects):
                        # One of many is not known to be at fault before it is made alone.
                        deaths[each] += len(suspects) == 1
                        if deaths[each] > retries:
                            del left[each]
                        else:
                            rounds.append([each])
                        yield each, RETRIED if each in left else ENDED, value
                    waiting, underway = waiting - suspects, underway - suspects
                    if kind == BROKEN and waiting:
                        rounds.append(sorted(waiting))
                        waiting = set()
                    continue
                yield number, kind, value


def _next(heard: Heard, number_of_round: int) -> tuple[int, str, Any]:
    while True:
        with contextlib.suppress(queue.Empty):
            told, *event = heard.get(timeout=1)
            if told == number_of_round:
                return event[0], event[1], event[2]


def _drive(parallel: Any, made: Sequence[Any], number_of_round: int, heard: Heard) -> None:
    """Let joblib make the calls of one round, which tell their last words themselves."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        for _ in parallel(made):
            pass
    except BrokenProcessPool:
        time.sleep(SETTLED_S)
        reason = "its process, or one beside it, was killed (out of memory?)"
        heard.put((number_of_round, -1, BROKEN, reason))
    except BaseException as error:
        heard.put((number_of_round, -1, FAILED, error))


@contextlib.contextmanager
def _hearing() -> Iterator[tuple[Heard, tuple[str, int], bytes]]:
    """Listen to workers; yield what is heard, and where and with which key they speak."""
    heard: Heard = queue.SimpleQueue()
    key, lines = secrets.token_bytes(32), list[socket.socket]()

    def listen(line: socket.socket) -> None:
        with line, line.makefile("rb") as words, contextlib.suppress(EOFError, OSError, pickle.PickleError):
            if hmac.compare_digest(words.read(len(key)), key):
                while True:
                    heard.put(pickle.load(words))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = server.accept()
                lines.append(line)
                threading.Thread(target=listen, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield heard, server.getsockname(), key
        finally:
            for line in (server, *lines):
                with contextlib.suppress(OSError):  # closed already
                    line.shutdown(socket.SHUT_RDWR)


def _made(
    address: tuple[str, int], key: bytes, parent: int, paths: list[str], number_of_round: int, number: int,
    call: bytes,
) -> None:  # fmt: skip
    """Make a call in a worker of joblib and tell its last word."""
    over = threading.Event()
    with socket.create_connection(address) as line:
        line.sendall(key)

        def say(kind: str, value: Any = None) -> None:
            line.sendall(packed((number_of_round, number, kind, value)))

        if os.getpid() != parent:
            threading.Thread(target=_watch, args=(line, over, parent), daemon=True).start()
        try:
            with stopped_by_signals(), interrupts_outside_numba():
                say(*outcome_elsewhere(call, paths, say, lines=False))
        finally:
            over.set()
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


def _watch(line: socket.socket, over: threading.Event, parent: int) -> None:
    """Interrupt the call when the command is gone, and end this process if it goes on, or is an orphan."""
    with contextlib.suppress(OSError):
        line.recv(1)
    if not over.is_set():
        _thread.interrupt_main(signal.SIGTERM)
        time.sleep(GRACE_S)
        if not over.is_set() or os.getppid() != parent:
            os._exit(1)
