"""Inference to the decision, against nets that run the full sequence.

Every peer's one-hot sequence lies ready in memory before the clock starts, and reading the decision
off its outputs is not timed. Large batches go through the peers in chunks of 500 rows, whose
activations stay in the cache (quicker for them than one piece).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks import setup
from benchmarks.harness import Result, Row, Skipped, race, same_rows
from benchmarks.peers import PEERS, Net
from benchmarks.training_step import PublishedLSTM
from rc_vs_snn.decision.batch import run_full, run_to_decision

CHUNK = 500
FAMILIES = ("rc-lstm", "rank-snn")


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for family in FAMILIES:
        found = setup.trained(family, scale.n_steps, scale)
        nets: dict[str, Net] = {}
        if family == "rc-lstm":
            nets["torch.nn.LSTM, all T"] = PublishedLSTM(found.model).eval()
        else:
            for name, build in PEERS.items():
                try:
                    nets[name] = build(found.model)
                except ImportError as error:
                    skipped.append(Skipped(family, name, f"not installed ({error.name})"))
        for batch in scale.batches:
            rows += _at(family, batch, found, nets, scale)
    return Result(
        f"inference to the decision, T = {scale.n_steps}, {scale.dataset} test, LSTM-{scale.hidden_lstm} and "
        f"SNN-{scale.hidden_snn}",
        "time / ours (above 1: ours is quicker)",
        "ours",
        rows,
        skipped,
        [setup.trained(family, scale.n_steps, scale).about for family in FAMILIES],
    )


@torch.inference_mode()
def _at(family: str, batch: int, found: setup.Trained, nets: dict[str, Net], scale: setup.Scale) -> list[Row]:
    n_parts = scale.singles if batch == 1 else 1
    encoded, _ = setup.test_batch(scale, scale.n_steps, batch * n_parts)
    size = 1 if batch == 1 else min(CHUNK, batch)
    pieces = setup.sequence(encoded).split(size, dim=1)
    ours_in = [encoded.select(range(at, at + batch)) for at in range(0, len(encoded), batch)]
    expected = run_full(found.model, encoded.select(range(min(CHUNK, len(encoded)))))
    for net in nets.values():
        same_rows(expected, torch.cat([net(piece) for piece in pieces], 1)[:, :CHUNK])

    def ours() -> None:
        for part in ours_in:
            run_to_decision(found.model, part, found.rule)

    contenders: dict[str, Callable[[], Any]] = {"ours": torch.inference_mode()(ours)}
    contenders |= {name: _over(net, pieces) for name, net in nets.items()}
    mean_step = run_to_decision(found.model, encoded, found.rule).step.double().mean()
    of = f" ({n_parts} samples)" if n_parts > 1 else ""
    case = f"{family}, batch {batch:,}{of}, mean step {mean_step:.2f}"
    return race(case, contenders, rounds=scale.rounds)


def _over(net: Net, pieces: tuple[Tensor, ...]) -> Callable[[], None]:
    @torch.inference_mode()
    def run() -> None:
        for piece in pieces:
            net(piece)

    return run
