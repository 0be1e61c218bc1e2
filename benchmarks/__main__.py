"""Command line of the benchmarks."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import (
    efficiency,
    encoding,
    frames,
    growth,
    inference,
    onnx_step,
    recordings,
    report,
    streaming,
    training_step,
)
from benchmarks.harness import Result, one_thread
from benchmarks.setup import FULL, QUICK, Scale
from rc_vs_snn.records.provenance import code_version

BENCHMARKS: dict[str, Callable[[Scale], Result]] = {
    "training-step": training_step.run,
    "frames": frames.run,
    "inference": inference.run,
    "streaming": streaming.run,
    "efficiency": efficiency.run,
    "growth": growth.run,
    "encoding": encoding.run,
    "recordings": recordings.run,
    "onnx": onnx_step.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run benchmarks one after another and write what they found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes on embedded digits")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", default=list(BENCHMARKS),
                        help=f"any of {', '.join(BENCHMARKS)}")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("analysis/benchmarks"), help="default: %(default)s")
    parser.add_argument(
        "--cache", type=Path, help="folder to keep trained weights in, by recipe and code version"
    )
    options = parser.parse_args(arguments)
    scale = replace(QUICK if options.quick else FULL, cache=options.cache)
    code = code_version()
    with one_thread():
        for name in options.only:
            started = time.time()
            print(f"{name} ...", flush=True)
            result = BENCHMARKS[name](scale)
            report.write(options.out, name, result, started, code)
            print(f"{name}: {time.time() - started:.0f} s", flush=True)
    report.write_table(options.out)
    print(f"Table: {options.out / 'table.md'}")


if __name__ == "__main__":
    main()
