"""Augmentation of raw training samples, before encoding. Never applied to valid or test.

An augmentation is a callable ``augmentation(samples, generator) -> Samples``: it works in the
intensity domain, so that an augmented image is coded exactly as a real one would be.
Importing this package registers the built-in ones.
"""

from rc_vs_snn.augmentations.affine import Affine
from rc_vs_snn.augmentations.event_drop import EventDrop
from rc_vs_snn.augmentations.event_shift import EventShift
from rc_vs_snn.augmentations.event_time import EventTime
from rc_vs_snn.augmentations.none import NoAugmentation
from rc_vs_snn.augmentations.signals import SignalChanges

__all__ = ["Affine", "EventDrop", "EventShift", "EventTime", "NoAugmentation", "SignalChanges"]
