"""One sample at a time: push each step's spikes, get the decision at the step it falls.

The models and the rule are the package's; what differs is the work per step, which follows the
spikes that arrive and not the size of the input.
"""

from rc_vs_snn.streaming.decider import Decided, Decider, events_by_step

__all__ = ["Decided", "Decider", "events_by_step"]
