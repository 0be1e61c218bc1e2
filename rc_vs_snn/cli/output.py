"""What the command line prints on: UTF-8 wherever nobody asked for something else, and told if it fails."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def readable_output() -> Iterator[None]:
    """Print what a locale has no letters for as an escape, and everything that was printed before going on.

    A terminal keeps its encoding, and so does what ``PYTHONIOENCODING`` names; files and pipes get UTF-8.

    Raises:
        OSError: what was printed could not be written.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            kept = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=stream.encoding if kept else "utf-8", errors="backslashreplace")
    try:
        yield
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def one_line(text: str) -> str:
    """Return a text with what cannot be printed, such as a line break in a file's name, as its escape."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def lost_output(error: OSError) -> str:
    """Return what to say of an error of the operating system that no reader or writer has named."""
    where = f"cannot use {error.filename}" if error.filename else "cannot write the output"
    hint = "; free some space or print elsewhere" if error.errno == errno.ENOSPC else ""
    return f"{where}: {error.strerror or error}{hint}"


def drop_output() -> None:
    """Let what is still to be printed go nowhere, so that the interpreter does not fail on it at its end."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
