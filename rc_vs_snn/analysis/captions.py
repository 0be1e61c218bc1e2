"""The caption line of a figure: what its numbers rest on."""

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.intervals import CONFIDENCE, Interval

MOST_NAMED = 4  # labels; of more, a caption lists numbers without saying whose they are


def caption(table: Table, extra: str = "", *, intervals: bool = True) -> str:
    """Return the caption line: data, number of samples, steps and seeds, and what an interval is.

    Args:
        table: with the columns of `runs.Group.facts`.
        extra: what else a reader needs to know.
        intervals: whether the figure draws intervals where there are several seeds.
    """
    counts = table.distinct("n_seeds")
    if len(counts) > 1:
        few = len(table.distinct("label")) <= MOST_NAMED
        n_seeds = _whose(table, "n_seeds") if few else f"{min(counts)} to {max(counts)}"
        seeds = f"mean over seeds, n = {n_seeds}"
        basis = f"{CONFIDENCE:.0%} t-interval over seeds, none for n = 1".replace("%", " %")
    else:
        n = counts[0]
        seeds = f"mean over n = {n} seeds" if n > 1 else "n = 1 seed, no interval"
        basis = Interval(0.0, 0.0, n).basis if n > 1 else ""
    drawn = f"bands and bars: {basis}" if intervals and basis else ""
    parts = [data(table), seeds, drawn, extra]
    return "; ".join(part for part in parts if part)


def data(table: Table) -> str:
    """Return what was judged: every corpus with its number of test samples and of steps.

    Args:
        table: with the columns of `runs.Group.facts`.
    """
    corpora = []
    for name in table.distinct("dataset"):
        rows = table.where(dataset=name)
        samples, steps = _whose(rows, "n_samples", ","), _whose(rows, "n_steps")
        corpora.append(f"{name}: {samples} test samples, T = {steps}")
    return "; ".join(corpora)


def _whose(table: Table, column: str, form: str = "") -> str:
    """Return a number that all labels share, or each number with the labels that have it."""
    values = table.distinct(column)
    if len(values) == 1:
        return f"{values[0]:{form}}"
    if len(table.distinct("label")) > MOST_NAMED:
        return " / ".join(f"{value:{form}}" for value in values)
    owners = {value: ", ".join(table.where(**{column: value}).distinct("label")) for value in values}
    return ", ".join(f"{value:{form}} ({labels})" for value, labels in owners.items())
