"""Encoded samples: what an encoder makes and a model reads, in two final forms with one interface.

Both forms carry ``n_steps`` (T), ``layout`` (the channels' shape, such as ``(28, 28)``), perhaps each
sample's own length and what a step lasts, and hand out one time step as float through ``at(step)``; nothing
of size T·B·C is built unless the code needs it.
"""

from rc_vs_snn.encoded.code import MOST_STEPS, check_n_steps
from rc_vs_snn.encoded.frames import Frames
from rc_vs_snn.encoded.spike_times import SpikeTimes

Encoded = SpikeTimes | Frames

__all__ = ["MOST_STEPS", "Encoded", "Frames", "SpikeTimes", "check_n_steps"]
