"""Where a result came from: code version, command, packages, hardware, time."""

import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rc_vs_snn import registry
from rc_vs_snn.config import SOURCE_HASH, RunConfig
from rc_vs_snn.records.layout import SCHEMA_VERSION
from rc_vs_snn.registry.identity import identity_of

# Those whose arithmetic makes the numbers.
PACKAGES = ("torch", "numpy", "numba", "scipy", "snntorch", "tonic", "scikit-learn", "matplotlib")


def code_version() -> dict[str, Any]:
    """Return the package version and, in a git checkout, the commit and whether it was changed."""
    found: dict[str, Any] = {"version": package_version("rc_vs_snn")}
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / ".git").exists():
        commit = _git(checkout, "rev-parse", "HEAD")
        if commit:
            found["commit"] = commit
            found["uncommitted_changes"] = bool(_git(checkout, "status", "--porcelain", "--", "rc_vs_snn"))
    return found


def run_provenance(
    config: RunConfig, started: float, device: str, threads: int, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is stored about where a run came from.

    Args:
        config: what was run; the distributions of its plug-ins are named beside our packages.
        started: when, in seconds since the epoch.
        device: what the model was on.
        threads: torch threads of the run.
        facts: the status, and why or of which weights.
    """
    context = {"seed": config.seed, "device": device, "threads": threads}
    return {
        "schema_version": SCHEMA_VERSION, **facts, **context, **provenance(started, plugin_packages(config)),
        "code_identities": code_identities(config),
    }  # fmt: skip


def code_identities(config: RunConfig, identify: Callable[[str, str], str] | None = None) -> dict[str, str]:
    """Return the identity of every part that is code named by its path, by the part's name.

    A part given in Python carries its identity in the configuration.

    Args:
        config: names the parts.
        identify: returns the identity for a kind and a path (default: ``path_identity``).
    """
    return {
        name: (identify or path_identity)(name, part.name)
        for name, part in config.parts.items()
        if ":" in part.name and part.target is None and SOURCE_HASH not in part.options
    }


def path_identity(kind: str, path: str) -> str:
    """Return the identity of the code of a part that is named by its path."""
    return identity_of(registry.KINDS[kind].get(path))


def changed_code(
    config: RunConfig,
    identities: Mapping[str, str],
    provenance: Mapping[str, Any],
    version_of: Callable[[str], str] | None = None,
) -> list[str]:
    """Return in what the code behind a configuration differs from that of a finished run, as texts.

    Args:
        config: what is to be run.
        identities: its ``code_identities``.
        provenance: of the finished run.
        version_of: returns a package's version (default: ``package_version``).
    """
    version_of = version_of or package_version
    then = provenance.get("code_identities", {})
    changed = [
        f"the code of the {name} has changed" for name in identities if then.get(name) != identities[name]
    ]
    versions = {**provenance.get("packages", {}), "rc_vs_snn": provenance.get("code", {}).get("version")}
    for name in ("rc_vs_snn", *plugin_packages(config)):
        if versions.get(name) != version_of(name):
            changed.append(f"version of {name}: {versions.get(name)} -> {version_of(name)}")
    return changed


def plugin_packages(config: RunConfig) -> list[str]:
    """Return the distributions of other people that a configuration's parts come from, sorted."""
    kinds = ((registry.KINDS[name], part) for name, part in config.parts.items())
    return sorted({found for kind, part in kinds for found in kind.distributions(part.name)})


def provenance(started: float, plugins: Sequence[str] = ()) -> dict[str, Any]:
    """Return the provenance of something that began at ``started`` (seconds since the epoch).

    Args:
        started: when.
        plugins: distributions to name beside our packages.
    """
    return {
        "command": " ".join([_program(), *map(shlex.quote, sys.argv[1:])]),
        "code": code_version(),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in (*PACKAGES, *plugins)},
        "hardware": {"cpu": _cpu_name(), "cores": os.cpu_count(), "system": platform.system()},
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 2),
    }


def _program() -> str:
    """Return what started this process, as one would type it."""
    program = Path(sys.argv[0])
    return f"python -m {program.parent.name}" if program.name == "__main__.py" else shlex.quote(program.name)


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
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
