"""Calls spread by joblib, under whatever backend of this machine its ``parallel_config`` names.

A worker of loky that dies takes all others with it: their calls are made again, and each counts as retried.
What calls say comes by a socket of this machine. When it ends, because the command is over or dead, a worker
interrupts its call, as by a signal; our own processes do the same (``worker``).
"""

import _thread
import contextlib
import hmac
import os
import pickle
import queue
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
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

BROKEN, OVER = "broken", "over"
Heard = queue.SimpleQueue[tuple[int, int, str, Any]]
"""Of which round of calls, of which call, a kind and a value."""


def by_joblib(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int, retries: int
) -> Generator[tuple[int, str, Any]]:
    """See ``engines.events_of``."""
    import joblib

    left, deaths, started = dict(enumerate(calls)), [0] * len(calls), set[int]()
    with _hearing() as (heard, address, key):
        for number_of_round in range(len(calls) * (retries + 1)):
            # Here, since parallel_config is of this thread only.
            parallel = joblib.Parallel(jobs, return_as="generator_unordered", batch_size=1)
            made = (
                joblib.delayed(_made)(
                    address, key, os.getpid(), list(sys.path), number_of_round, number,
                    packed_call(function, arguments),
                )
                for number, arguments in list(left.items())
            )  # fmt: skip
            given = (parallel, made, number_of_round, heard)
            beside = threading.Thread(target=_drive, args=given, daemon=True)
            beside.start()
            for number, kind, value in _until_over(heard, number_of_round):
                if kind == FAILED:
                    raise value
                if kind == BROKEN:
                    dead = sorted(started)
                elif kind == ENDED:
                    dead = [number]
                else:
                    dead = []
                    yield number, kind, value
                if kind == STARTED:
                    started.add(number)
                if kind == DONE:
                    del left[number]
                    started.discard(number)
                for each in dead:
                    started.discard(each)
                    deaths[each] += 1
                    if deaths[each] <= retries:
                        yield each, RETRIED, value
                    else:
                        del left[each]
                        yield each, ENDED, value
            beside.join()
            if not left:
                return


def _until_over(heard: Heard, number_of_round: int) -> Iterator[tuple[int, str, Any]]:
    while True:
        with contextlib.suppress(queue.Empty):
            told, number, kind, value = heard.get(timeout=1)
            if told != number_of_round:
                continue
            if kind == OVER:
                return
            yield number, kind, value


def _drive(parallel: Any, made: Iterable[Any], number_of_round: int, heard: Heard) -> None:
    """Let joblib make the calls of one round, and tell their last words."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        for number, kind, value in parallel(made):
            heard.put((number_of_round, number, kind, value))
    except BrokenProcessPool:
        reason = "its process, or one beside it, was killed (out of memory?)"
        heard.put((number_of_round, -1, BROKEN, reason))
    except BaseException as error:
        heard.put((number_of_round, -1, FAILED, error))
    heard.put((number_of_round, -1, OVER, None))


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
) -> tuple[int, str, Any]:  # fmt: skip
    """Make a call in a worker of joblib and return its number and last word."""
    over = threading.Event()
    with socket.create_connection(address) as line:
        line.sendall(key)

        def say(kind: str, value: Any = None) -> None:
            line.sendall(packed((number_of_round, number, kind, value)))

        if os.getpid() != parent:
            threading.Thread(target=_watch, args=(line, over), daemon=True).start()
        try:
            with stopped_by_signals(), interrupts_outside_numba():
                return number, *outcome_elsewhere(call, paths, say, lines=False)
        finally:
            over.set()
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


def _watch(line: socket.socket, over: threading.Event) -> None:
    """Interrupt the call when the command listens no more, and end this process if it goes on."""
    with contextlib.suppress(OSError):
        line.recv(1)
    if not over.is_set():
        _thread.interrupt_main(signal.SIGTERM)
        time.sleep(GRACE_S)
        if not over.is_set():
            os._exit(1)
