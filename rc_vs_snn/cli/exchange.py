"""What is printed of graphs that were written for others."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rc_vs_snn.experiment.checked_graphs import Checked
    from rc_vs_snn.experiment.nir_files import ExportedGraph
    from rc_vs_snn.models.exchange.simulators import Lost

MOST_REASONS = 5


def told(graph: "ExportedGraph") -> Iterator[str]:
    """Yield the lines on a graph: its file, whether it is the network, and what simulators make of it."""
    if graph.refused:
        yield f"not written: {graph.refused}"
        return
    yield str(graph.path)
    same = "equal to the bit" if graph.same else "NOT equal to the bit"
    yield f"  read again: readouts of {graph.n_samples} test samples are {same}"
    for checked in graph.checked:
        yield from told_of(checked)


def told_of(checked: "Checked") -> Iterator[str]:
    """Yield the lines on a graph in another simulator."""
    head = f"  {checked.simulator}, {checked.how}:"
    found = checked.found
    if found is None:
        yield f"{head} {checked.refused}"
    else:
        share = 100 * found.n_equal / found.n_samples
        yield (
            f"{head} {share:.2f} % of decisions equal ({found.n_equal} of {found.n_samples}), "
            f"{100 * found.equal_spikes:.4f} % of hidden spikes; readouts at most {found.largest:.1e} apart"
        )
    yield from _lost(checked.lost)
    if found is not None and not checked.lost:
        if found.n_unlike:
            yield (
                f"    hidden spikes of {found.n_unlike} samples differ, first where a membrane is at most "
                f"{found.farthest:.1e} from its threshold"
            )
        for each in found.differences[:MOST_REASONS]:
            yield (
                f"    sample {each.sample}: label {each.ours[0]} at step {each.ours[1]} here, "
                f"{each.theirs[0]} at {each.theirs[1]} there: {each.reason}"
            )
        left = len(found.differences) - MOST_REASONS
        if left > 0:
            yield f"    and {left} more"


def _lost(lost: "Iterable[Lost]") -> Iterator[str]:
    """Yield each thing that is lost once, with the nodes of which it is."""
    nodes: dict[str, list[str]] = {}
    for each in lost:
        nodes.setdefault(each.what, []).append(each.node)
    for what, names in nodes.items():
        yield f"    {', '.join(names)}: {what}"
