"""Calls spread by Dask over the workers of a cluster.

What calls say comes as events of Dask's scheduler. A call that runs when the command ends goes on to its
end, if the cluster is not the command's own; one that has not begun is dropped.
"""

import contextlib
import pickle
import queue
import sys
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.engines.elsewhere import outcome_elsewhere
from rc_vs_snn.experiment.engines.worker import (
    ENDED,
    FAILED,
    LOG,
    RETRIED,
    STARTED,
    packed,
    packed_call,
)

LAST = "last"


def by_dask(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], opened: AbstractContextManager[Any],
    retries: int,
) -> Generator[tuple[int, str, Any]]:  # fmt: skip
    """See ``engines.events_of``.

    A call is made again when its worker died, as often as Dask's scheduler allows (``allowed-failures``) and
    at least ``retries`` times.

    Args:
        function: what is called.
        calls: its arguments.
        opened: context of a client of the cluster.
        retries: see above.

    Raises:
        InputError: the scheduler is lost.
    """
    heard: queue.SimpleQueue[tuple[int, str, Any]] = queue.SimpleQueue()
    topic = f"rc-vs-snn-{uuid.uuid4().hex}"
    starts = [0] * len(calls)
    futures: dict[int, Any] = {}

    with opened as client, contextlib.ExitStack() as ended:

        def submit(number: int) -> None:
            call = packed_call(function, calls[number])
            future = client.submit(
                _made, topic, number, list(sys.path), call,
                key=f"{topic}-{number}-{starts[number]}", pure=False,
            )  # fmt: skip
            futures[number] = future
            future.add_done_callback(lambda future: heard.put((number, LAST, future)))

        client.subscribe_topic(topic, lambda event: heard.put(pickle.loads(event[1])))
        ended.callback(_forget, client, topic, futures)
        for number in range(len(calls)):
            submit(number)
        if not client.scheduler_info()["workers"]:
            yield 0, LOG, "waits for workers, the scheduler has none yet"
        while futures:
            number, kind, value = _next(heard)
            if kind == LAST and value is futures.get(number):
                kind, value = _last_word(value)
                if kind == ENDED and starts[number] <= retries:
                    submit(number)
                    continue
                del futures[number]
            elif kind == LAST or number not in futures:  # of an earlier try
                continue
            if kind == FAILED:
                raise value
            if kind == STARTED:
                starts[number] += 1
                if starts[number] > 1:
                    yield number, RETRIED, "its worker died"
            yield number, kind, value


def _next(heard: "queue.SimpleQueue[tuple[int, str, Any]]") -> tuple[int, str, Any]:
    while True:
        with contextlib.suppress(queue.Empty):
            return heard.get(timeout=1)


def _last_word(future: Any) -> tuple[str, Any]:
    """Return what became of a future that is done."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        kind, value = pickle.loads(future.result())
    except KilledWorker:
        return ENDED, "its worker died (out of memory?), and so did others that tried it"
    except CancelledError:
        return FAILED, InputError(
            "the Dask scheduler is lost; finished runs are kept: when there is one again, the same command "
            "goes on from there"
        )
    except Exception as error:
        return FAILED, InputError(
            f"a Dask worker cannot make the call ({type(error).__name__}: {error}); give the workers the "
            "same versions of Python, of rc_vs_snn and of its plug-ins"
        )
    return kind, value


def _forget(client: Any, topic: str, futures: dict[int, Any]) -> None:
    with contextlib.suppress(Exception):  # the scheduler may be lost
        client.unsubscribe_topic(topic)
        client.cancel(list(futures.values()))
    futures.clear()


def _made(topic: str, number: int, paths: list[str], call: bytes) -> bytes:
    """Make a call in a worker and return its last word."""
    from distributed import get_worker

    worker = get_worker()

    def say(kind: str, value: Any = None) -> None:
        worker.log_event(topic, packed((number, kind, value)))

    return packed(outcome_elsewhere(call, paths, say, lines=True))
