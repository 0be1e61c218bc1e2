"""The command that judges what was made elsewhere. It imports what it needs when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rc_vs_snn.cli.options import EXECUTION, SOURCE, Executed, Names, Source
from rc_vs_snn.config import Part
from rc_vs_snn.errors import InputError

if TYPE_CHECKING:
    from rc_vs_snn.config import RunConfig
    from rc_vs_snn.experiment import Execution
    from rc_vs_snn.records import Record

Shape = Annotated[str | None, Parameter(show_default=False)]


def judge(
    network: str | None = None,
    /,
    *,
    weights: Path | None = None,
    predictions: Path | None = None,
    valid: Path | None = None,
    source: Source = SOURCE,
    model: str | None = None,
    label: str | None = None,
    threshold: float | None = None,
    evidence: str | None = None,
    time: Literal["first", "second", "step", "held"] | None = None,
    shape: Shape = None,
    output: int | None = None,
    over: Literal["each", "sum", "mean"] | None = None,
    dt: float | None = None,
    reset: Literal["zero", "subtract"] | None = None,
    check: Names = (),
    samples: int = 1000,
    n_steps: int | None = None,
    dataset: str | None = None,
    overwrite: bool = False,
    out: Path | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Judge a network, or predictions, made elsewhere: a run folder like any other, nothing trained.

    Of a network, data, encoder and rule are those of a preset or file; see docs/judge_your_own.md.

    Args:
        network: FILE.py:NAME, what makes it or is it (MODULE:NAME needs --trust); a graph, FILE.nir;
            or a step, FILE.onnx.
        weights: its state_dict, .pt or .safetensors (default: as it is made).
        predictions: instead of a network: readouts as .npy or .npz, decisions as .csv or .parquet.
        valid: readouts of the validation samples, for `calibrate`.
        source: which data, encoder and rule; of predictions, which true labels (default: those in the file).
        model: label of the model whose data, encoder and rule are taken (default: the first).
        label: its name in tables and figures.
        threshold: decide at a constant threshold, in place of the rule.
        evidence: what the rule reads of a readout: probability, sigmoid, membrane; of predictions, any.
        time: what forward takes: (T, B, ...), (B, T, ...), one step, or one it repeats (default: found).
        shape: of a sample at a step, such as 1,28,28 (default: found).
        output: which of several results is the readout, from 0, or -1 for the last.
        over: the readout of a step is its own, or the sum or mean of all up to it (default: each).
        dt: of a graph, the length of a step in seconds (default: what it says, else 1e-4).
        reset: of a graph, what a spike does to a membrane where it does not say (default: zero, as NIR says).
        check: of a graph, a simulator that decides with it, too: norse, snntorch, spikingjelly; repeatable.
        samples: test samples on which it does.
        n_steps: number of steps T of decisions alone.
        dataset: what tables call the data of predictions that bring their own labels.
        overwrite: replace a run that was trained under this label.
        out: folder of the run folders (default: runs/judged).
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment.foreign import JUDGED

    if (network is None) == (predictions is None):
        raise InputError("give a network (FILE.py:NAME) or --predictions FILE, and not both")
    is_graph = str(network).endswith(".nir")
    if check and not is_graph:
        raise InputError("--check is of a graph (FILE.nir); leave it out")
    rule = None if threshold is None else Part("first-spike", {"threshold": threshold})
    told = {
        "time": time, "shape": _sides(shape), "output": output, "over": over, "dt": dt, "reset": reset,
    }  # fmt: skip
    given = {name: value for name, value in told.items() if value is not None}
    common = {"out": out or JUDGED, "overwrite": overwrite, "seed": source.seed or 0}
    if predictions is not None:
        not_of_it = [*given, *(["weights"] if weights else [])]
        if not_of_it:
            raise InputError(f"predictions have no network: leave out --{not_of_it[0]}")
        found = _judge_predictions(
            predictions, valid, source, model, rule, evidence, n_steps, dataset, label, common, execution
        )
    elif (Path(str(network)) / "fixed.json").is_file():
        found = _judge_fixed(
            Path(str(network)), weights, source, rule, evidence, given, label, common, execution
        )
    else:
        for option, value in (("--n-steps", n_steps), ("--dataset", dataset), ("--valid", valid)):
            if value is not None:
                raise InputError(f"{option} is of predictions; leave it out, or choose the data by --preset")
        config = source.of_model(model)
        found = (_judge_graph if is_graph else _judge_network)(
            str(network), weights, config, rule, evidence, given, label, common, execution
        )
    metrics = found.metrics
    print(
        f"{found.label}: test accuracy {100 * metrics['accuracy']:.2f} % at mean decision step "
        f"{metrics['mean_step']:.2f} of 0..{metrics['n_steps'] - 1} ({100 * metrics['forced']:.2f} % forced)"
    )
    print(found.folder)
    if check:
        from rc_vs_snn.cli.exchange import told_of
        from rc_vs_snn.experiment.checked_graphs import check_graph

        for checked in check_graph(
            str(network), config, rule or config.rule, execution, check=check, n_samples=samples,
            evidence=evidence, **given,
        ):  # fmt: skip
            print("\n".join(told_of(checked)))


def _judge_network(
    network: str, weights: Path | None, config: "RunConfig", rule: Part | None, evidence: str | None,
    given: dict, label: str | None, common: dict, execution: "Execution",
) -> "Record":  # fmt: skip
    from rc_vs_snn.experiment import judge
    from rc_vs_snn.experiment.network_files import load_network, load_state
    from rc_vs_snn.models.adapters import from_onnx

    of_graphs = [name for name in ("dt", "reset") if name in given]
    if of_graphs:
        raise InputError(f"--{of_graphs[0]} is of a graph (FILE.nir); leave it out")
    is_step = network.endswith(".onnx")
    if is_step and weights is not None:
        raise InputError("an ONNX file holds its weights; leave out --weights")
    module = from_onnx(network, evidence) if is_step else load_network(network, execution.trust)
    if weights is not None:
        load_state(module, weights)
    label = Path(network).stem if is_step and label is None else label
    if evidence is not None:
        given = {**given, "evidence": evidence}
    return judge(
        module, config.dataset, config.encoder, rule=rule or config.rule, reads=config.evidence, label=label,
        execution=execution, **common, **given,
    )  # fmt: skip


def _judge_graph(
    network: str, weights: Path | None, config: "RunConfig", rule: Part | None, evidence: str | None,
    given: dict, label: str | None, common: dict, execution: "Execution",
) -> "Record":  # fmt: skip
    from rc_vs_snn.experiment import judge
    from rc_vs_snn.models.exchange import from_nir

    of_networks = [name for name in ("time", "shape", "output") if name in given]
    of_networks += ["weights"] if weights else []
    if of_networks:
        raise InputError(f"a graph says so itself: leave out --{of_networks[0]}")
    model = from_nir(network, evidence=evidence, **given)  # type: ignore[arg-type]
    return judge(
        model, config.dataset, config.encoder, rule=rule or config.rule, reads=config.evidence,
        label=label or Path(network).stem, execution=execution, **common,
    )  # fmt: skip


def _judge_fixed(
    folder: Path, weights: Path | None, source: Source, rule: Part | None, evidence: str | None, given: dict,
    label: str | None, common: dict, execution: "Execution",
) -> "Record":  # fmt: skip
    from rc_vs_snn.experiment.fixed_point import judge_fixed

    others = [*given, *(name for name, value in (("weights", weights), ("evidence", evidence)) if value)]
    if others or source != SOURCE:
        what = f"--{others[0]}" if others else "--preset, --config, --set and --seed"
        raise InputError(f"{folder} says which data, code and evidence it is judged with; leave out {what}")
    return judge_fixed(
        folder, execution, rule=rule, label=label, out=common["out"], overwrite=common["overwrite"]
    )


def _judge_predictions(
    path: Path, valid: Path | None, source: Source, model: str | None, rule: Part | None,
    evidence: str | None, n_steps: int | None, dataset: str | None, label: str | None, common: dict,
    execution: "Execution",
) -> "Record":  # fmt: skip
    from rc_vs_snn.experiment import judge_predictions, read_predictions
    from rc_vs_snn.experiment.parts import load_splits

    labels, valid_labels, of_config = None, None, None
    if source.preset is not None or source.config is not None:
        config = source.of_model(model)
        splits = load_splits(config, execution)
        labels, valid_labels = splits.test, splits.valid
        dataset = dataset or config.dataset.name
        of_config = config
    else:
        if source.settings or model is not None:
            raise InputError("--set and --model are of a comparison: give --preset or --config with them")
    found = read_predictions(path, labels, n_steps=n_steps)
    if found.readouts is not None:
        rule = of_config.rule if rule is None and of_config is not None else rule
    elif evidence is not None:
        raise InputError("decisions have been made already: leave out --evidence")
    reads = evidence or (of_config and of_config.evidence) or "probability"
    on_valid = None if valid is None else read_predictions(valid, valid_labels)
    return judge_predictions(
        found,
        valid=on_valid,
        rule=rule,
        label=label or path.stem,
        dataset=dataset or "given",
        evidence=reads,
        **common,
    )


def _sides(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"--shape must be whole numbers such as 1,28,28, got '{text}'")
    return tuple(map(int, parts))
