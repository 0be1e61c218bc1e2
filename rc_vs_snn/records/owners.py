"""Which process on which machine owns a file, and whether that process is gone."""

import ctypes
import functools
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Owner:
    """A process, told apart from any other that ever had its number.

    Attributes:
        host: name of the machine.
        boot: what tells its processes from those of another machine of that name, of a container on it, and
            of the same one before it was started anew; "" where the system does not say.
        pid: number of the process.
        start: when it was started, as the system counts; "" likewise.
    """

    host: str
    boot: str
    pid: int
    start: str

    @classmethod
    def of_this_process(cls) -> "Owner":
        """Return the owner of what this process makes."""
        pid = os.getpid()
        return cls(socket.gethostname(), _boot(), pid, _stat(pid)[1])

    @classmethod
    def from_table(cls, table: Any) -> "Owner | None":
        """Return the owner that a file names, None if it names none."""
        if not isinstance(table, dict):
            return None
        host, boot, pid, start = (table.get(key) for key in ("host", "boot", "pid", "start"))
        if not isinstance(host, str) or type(pid) is not int or pid <= 0:
            return None
        return cls(host, boot if isinstance(boot, str) else "", pid, start if isinstance(start, str) else "")

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine, so that it can be looked for."""
        return (self.host, self.boot) == (socket.gethostname(), _boot())

    @property
    def is_gone(self) -> bool:
        """Whether it has ended for certain; of a process elsewhere nobody here can tell."""
        if not self.is_here:
            return False
        state, start = _stat(self.pid)
        # One that was killed may wait, without doing anything, for its parent to hear of it.
        return not is_alive(self.pid) or state in ("Z", "X") or self.start not in ("", start)

    @property
    def tag(self) -> str:
        """Return a name for files of this process: no two machines that write at once share it."""
        return f"{self.pid}@{host_tag(self.host)}"


def host_tag(host: str) -> str:
    """Return a machine's name as it stands in names of files."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", host)[:64]


@functools.cache
def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):  # not Linux
        return ""


def _stat(pid: int) -> tuple[str, str]:
    """Return the state of a process and when it was started; empty where nobody says."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "", ""
    fields = stat.rpartition(b")")[2].split()  # the name before them may hold anything
    return fields[0].decode(), fields[19].decode()


def is_alive(pid: int) -> bool:
    """Return whether this machine has a process of that number."""
    if os.name == "nt":  # where os.kill asks nothing, but ends the process
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is there, but not ours
        return True
    return True


def _is_alive_on_windows(pid: int) -> bool:
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (a type checker knows it on Windows only)
    synchronize, timed_out = 0x00100000, 0x00000102
    handle = kernel.OpenProcess(synchronize, False, pid & 0xFFFFFFFF)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == timed_out)
    finally:
        kernel.CloseHandle(handle)
