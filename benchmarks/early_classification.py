"""Accuracy against earliness beside aeon's early classifiers, on the same series: `python -m` this module.

Both families of ours decide each series by its own end. aeon's TEASER and ProbabilityThresholdEarlyClassifier
take series of one length: as aeon's documentation says, shorter ones are padded with its `Padder` (zeros), to
the longest of the training and the test set, and a decision counts at the series' own end at the latest. They
may decide at every ``--stride``-th step (of 45 at most), their base classifier is aeon's
TimeSeriesForestClassifier at each of these, and they are fitted on train and valid together, where ours hold
valid out to choose the epoch by.

aeon 1.6.0 wants an older Numba than `constraints.txt` pins: make an environment without it,
`pip install . 'aeon==1.6.0'`.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rc_vs_snn as rv
from rc_vs_snn import registry
from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.curves import threshold_grid
from rc_vs_snn.analysis.writing import write_whole
from rc_vs_snn.contracts import Samples
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.decision.rules import FirstSpike

PROBLEMS = {
    "JapaneseVowels": ["encoder.n_steps=29"],
    "PickupGestureWiimoteZ": [
        "encoder.n_steps=91",
        "encoder.window=4",
        "dataset.n_valid=10",
        "training.epochs=120",
        "training.batch_size=10",
    ],
}
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)
DEFAULT_THRESHOLD = 0.85  # aeon's
N_TREES = 100


@dataclass(frozen=True)
class Point:
    """One classifier at one threshold (0: it has none) in one seed."""

    problem: str
    method: str
    seed: int
    threshold: float
    operating: bool
    accuracy: float
    earliness: float
    harmonic_mean: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for and write ``points.csv`` and the figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.early_classification", description=__doc__)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--stride", type=int, default=2, help="classification points of aeon's, in steps")
    parser.add_argument("--epochs", type=int, help="of ours; the preset's by default")
    parser.add_argument("--trees", type=int, default=N_TREES, help="of aeon's base classifier")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/early-classification"))
    parser.add_argument("--out", type=Path, default=Path("analysis/early-classification"))
    options = parser.parse_args(arguments)
    points: list[Point] = []
    for problem in options.problems:
        for found in (ours(problem, options), theirs(problem, options)):
            for point in found:
                print(asdict(point) if point.operating else ".", flush=True)
                points.append(point)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "points.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(points[0])), lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, points))
    for suffix, metadata in (("png", {}), ("svg", {"Date": None})):
        with style.applied():
            path = options.out / f"accuracy-vs-earliness.{suffix}"
            draw(points).savefig(path, format=suffix, metadata=metadata)
    write_whole(options.out / "table.md", table(points).encode())


def ours(problem: str, options: argparse.Namespace) -> Iterator[Point]:
    """Yield the points of both families: at their rule's threshold, and swept."""
    comparison = _comparison(problem, options)
    execution = rv.Execution(data_root=options.data_root)
    for record in rv.compare(comparison, options.runs / problem, execution):
        trace = record.trace()
        own = record.config["rule"]["threshold"]
        for threshold in [own, *threshold_grid(trace, record.metrics["evidence"], 40).tolist()]:
            decision = rv.decide(trace.evidence, FirstSpike(threshold), trace.lengths)
            right = decision.label == trace.labels
            earliness = (decision.step + 1) / trace.lengths
            yield _point(problem, record.label, record.seed, threshold, threshold == own, right, earliness)


def _comparison(problem: str, options: argparse.Namespace) -> rv.Comparison:
    settings = [f"dataset.problem={problem}", *PROBLEMS[problem]]
    comparison = rv.load_preset("time-series", settings).with_seeds(*options.seeds)
    return comparison.with_training(epochs=options.epochs) if options.epochs else comparison


def theirs(problem: str, options: argparse.Namespace) -> Iterator[Point]:
    """Yield the points of aeon's two early classifiers."""
    from aeon.classification.early_classification import TEASER, ProbabilityThresholdEarlyClassifier
    from aeon.classification.interval_based import TimeSeriesForestClassifier
    from aeon.transformations.collection.unequal_length import Padder

    config = _comparison(problem, options).runs[0]
    root = data_root(options.data_root)
    splits = registry.datasets.build(config.dataset.name, config.dataset.options, root=root)
    encoder = registry.encoders.build(config.encoder.name, config.encoder.options)
    parts = [_series(encoder(part)) for part in (splits.train, splits.valid, splits.test)]
    longest = max(each.shape[1] for part in parts for each in part)
    train, test = (
        np.asarray(Padder(padded_length=longest).fit_transform(part))
        for part in (parts[0] + parts[1], parts[2])
    )
    labels = np.concatenate([splits.train.labels, splits.valid.labels])
    lengths = np.array([each.shape[1] for each in parts[2]])
    stops = list(range(4, longest, options.stride * max(1, longest // 45)))
    for seed in options.seeds:

        def base(seed: int = seed) -> Any:
            return TimeSeriesForestClassifier(n_estimators=options.trees, random_state=seed)

        by_threshold = ProbabilityThresholdEarlyClassifier(
            base(), probability_threshold=DEFAULT_THRESHOLD, classification_points=stops, random_state=seed
        )
        by_threshold.fit(train, labels)
        for threshold in (DEFAULT_THRESHOLD, *THRESHOLDS):
            by_threshold.probability_threshold = threshold  # read when it predicts, not when it is fitted
            operating = threshold == DEFAULT_THRESHOLD
            yield _judged(problem, by_threshold, seed, threshold, operating, test, splits.test, lengths)
        teaser = TEASER(base(), classification_points=stops, random_state=seed)
        teaser.fit(train, labels)
        yield _judged(problem, teaser, seed, 0.0, True, test, splits.test, lengths)


def _series(code: rv.Frames) -> list[np.ndarray]:
    """Return the series that our encoder reads, each ``(channel, step)``."""
    ends = np.asarray(code.last_steps()) + np.ones(len(code), int)
    values = code.values.numpy().astype(np.float64)
    return [values[:end, row].T for row, end in enumerate(ends)]


def _judged(
    problem: str, classifier: Any, seed: int, threshold: float, operating: bool,
    test: np.ndarray, samples: Samples, lengths: np.ndarray,
) -> Point:  # fmt: skip
    classifier.predict(test)
    state = classifier.get_state_info()
    points = np.array(classifier._classification_points)
    earliness = np.minimum(points[state[:, 0]], lengths) / lengths
    right = classifier.classes_[state[:, 2]] == samples.labels
    name = "TEASER (aeon)" if threshold == 0 else "probability threshold (aeon)"
    return _point(problem, name, seed, threshold, operating, right, earliness)


def _point(
    problem: str, method: str, seed: int, threshold: float, operating: bool,
    right: np.ndarray, earliness: np.ndarray,
) -> Point:  # fmt: skip
    a, e = float(right.mean()), float(earliness.mean())
    harmonic = 2 * a * (1 - e) / (a + 1 - e) if a + 1 - e else 0.0
    return Point(problem, method, seed, float(threshold), operating, a, e, harmonic)


def _operating(points: Sequence[Point]) -> dict[tuple[str, str], list[Point]]:
    """Return the operating points of each problem and method, one per seed."""
    found: dict[tuple[str, str], dict[int, Point]] = {}
    for point in points:
        if point.operating:
            found.setdefault((point.problem, point.method), {}).setdefault(point.seed, point)
    return {key: list(by_seed.values()) for key, by_seed in found.items()}


def table(points: Sequence[Point]) -> str:
    """Return the operating points as Markdown, means over seeds."""
    lines = [
        "| problem | method | accuracy % | earliness | harmonic mean | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for (problem, method), own in _operating(points).items():
        means = [
            np.mean([getattr(p, name) for p in own]) for name in ("accuracy", "earliness", "harmonic_mean")
        ]
        lines.append(
            f"| {problem} | {method} | {100 * means[0]:.1f} | {means[1]:.3f} | {means[2]:.3f} | {len(own)} |"
        )
    return "\n".join([*lines, ""])


def _swept(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Return earliness and accuracy by rising threshold, means over seeds at each place in the sweep."""
    by_seed: dict[int, list[Point]] = {}
    for point in sorted(points, key=lambda point: point.threshold):
        by_seed.setdefault(point.seed, []).append(point)
    return [_mean_of(each) for each in zip(*by_seed.values(), strict=True)]


def _mean_of(points: Sequence[Point]) -> tuple[float, float]:
    return float(np.mean([point.earliness for point in points])), float(np.mean([p.accuracy for p in points]))


def draw(points: Sequence[Point]) -> Any:
    """Return the figure: a panel per problem, a line per method that can be swept."""
    problems = list(dict.fromkeys(point.problem for point in points))
    looks = style.looks(list(dict.fromkeys(point.method for point in points)))
    seeds = len({point.seed for point in points})
    note = f"test accuracy against earliness (step of the decision / own length); means over {seeds} seeds"
    figure = style.new_figure(style.PAGE_INCHES, 2.8, note)
    panels = figure.subplots(1, len(problems), squeeze=False)[0]
    operating = _operating(points)
    for axes, problem in zip(panels, problems, strict=True):
        for method, look in looks.items():
            line = _swept([point for point in points if (point.problem, point.method) == (problem, method)])
            axes.plot(*zip(*line, strict=True), color=look.colour, linestyle=look.line)
            axes.plot(
                *zip(_mean_of(operating[problem, method]), strict=True),
                linestyle="", marker=look.marker, color=look.colour, markeredgecolor="black", markersize=7,
            )  # fmt: skip
        axes.set_title(problem, loc="left")
        axes.set_xlabel("Earliness")
        style.percent_axis(axes)
    panels[0].set_ylabel("Test accuracy")
    handles = [
        style.key(name, color=look.colour, linestyle=look.line, marker=look.marker)
        for name, look in looks.items()
    ]
    style.add_legend(figure, handles, 2)
    return figure


if __name__ == "__main__":
    main()
