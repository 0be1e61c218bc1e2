"""Where a result came from: code version, command, packages, hardware, time."""

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "snntorch", "numpy", "tonic", "scikit-learn", "matplotlib")


def code_version() -> dict[str, Any]:
    """Return the package version and, in a git checkout, the commit and whether it was changed."""
    found: dict[str, Any] = {"version": package_version("rc_vs_snn")}
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / ".git").exists():
        commit = _git(checkout, "rev-parse", "HEAD")
        if commit:
            found["commit"] = commit
            found["uncommitted_changes"] = bool(_git(checkout, "status", "--porcelain", "--", "rc_vs_snn"))
    return found


def provenance(started: float) -> dict[str, Any]:
    """Return the provenance of a run that began at ``started`` (seconds since the epoch)."""
    return {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "code": code_version(),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in PACKAGES},
        "hardware": {"cpu": _cpu_name(), "cores": os.cpu_count(), "system": platform.system()},
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 2),
    }


def package_version(name: str) -> str:
    """Return an installed package's version, or "not installed"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
