"""Reading one batch ahead of the one that is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def one_ahead(read: Callable[[Key], Value], keys: Iterable[Key]) -> Iterator[Value]:
    """Yield ``read(key)`` of each key in order; while one is worked on, a thread reads the next."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading") as thread:
        waiting = None
        for key in keys:
            started = thread.submit(read, key)
            if waiting is not None:
                yield waiting.result()
            waiting = started
        if waiting is not None:
            yield waiting.result()
