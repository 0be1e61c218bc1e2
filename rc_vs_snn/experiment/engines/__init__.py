"""How calls are spread over processes and machines: one interface, and an adapter for each engine.

Calls go in, events come out, whatever the engine: the number of the call, a kind and a value. ``STARTED``
(again for a call that is made again); what the call said of itself; ``LOG``, a line for people; ``RETRIED``,
with why its process is no more, if it is made again; in the end ``DONE`` with the call's value or ``ENDED``
with why its process is no more.
"""

from rc_vs_snn.experiment.engines.engine import Engine, events_of, results
from rc_vs_snn.experiment.engines.worker import DONE, ENDED, LOG, RETRIED, STARTED

__all__ = ["DONE", "ENDED", "LOG", "RETRIED", "STARTED", "Engine", "events_of", "results"]
