"""The streaming interface: one sample at a time, push what arrives at each step until the rule decides.

The sums, cells and rule are those of ``run_to_decision``: for the fully connected nets of both families the
answers are equal to the bit. What differs is the work per step, which follows the spikes that arrive and
not the size of the input.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from rc_vs_snn.contracts import Decided, Decision
from rc_vs_snn.decision.any_model import AnyModel, check_ready
from rc_vs_snn.decision.evidence import named, read_by
from rc_vs_snn.decision.rules import Rule, check_rule, thresholds_of
from rc_vs_snn.encoded import Encoded, SpikeTimes, check_n_steps
from rc_vs_snn.errors import DivergedError, InputError
from rc_vs_snn.kernels.one_sample import FAULT
from rc_vs_snn.models.interface import Model


class Decider:
    """Decides one sample at a time, from the channels that spike at each step.

    The weights are copied once: build a new Decider after training. Kernels are compiled on
    construction (seconds the first time on a machine, then read from numba's cache). Samples in
    parallel take one Decider each; one Decider must not be shared between threads.

    Args:
        model: a trained classifier. A recurrent network of LSTM cells and a rank-snn of leaky
            neurons, in float32 on the CPU, run event-driven under their own evidence; anything else runs
            through its own ``step`` with a batch of one, which is slower.
        rule: the threshold over time, compared with its own evidence or else the model's.
        n_steps: number of time steps T; a sample still undecided at the last is forced. One that ends
            sooner is forced by `finish`.
        hold: False for a one-shot code (a channel's input is there at the steps at which it is pushed);
            True for a step code (a channel stays on once pushed).
        n_channels: number of input channels C; needed only for models that do not tell it.

    Raises:
        InputError: a threshold the evidence cannot meet, a weight that is not finite, active
            dropout, or an unknown or contradicting number of channels.

    Source: Jeffares et al., arXiv 2110.02865 (the first threshold crossing decides).
    """

    def __init__(
        self, model: Model, rule: Rule, n_steps: int, *, hold: bool = False, n_channels: int | None = None
    ) -> None:
        check_n_steps(n_steps)
        check_rule(rule, model.evidence, n_steps)
        check_ready(model)
        self.n_steps = n_steps
        self.hold = hold
        self.n_channels = _settle_width(getattr(model, "n_channels", None), n_channels)
        thresholds = thresholds_of(rule, n_steps)
        evidence = read_by(rule, model.evidence)
        one_sample = getattr(model, "one_sample", None) if evidence == named(model.evidence) else None
        compiled = None if one_sample is None else one_sample(thresholds, hold)
        self.event_driven = compiled is not None
        self._advance = compiled or AnyModel(model, evidence, thresholds, self.n_channels, hold)
        self._events = np.zeros(self.n_channels, np.int64)
        self._values = np.ones(self.n_channels, np.float32)
        self._ones = self._values.copy()
        self._advance(self._events, self._values, 0, True, 0)  # compiles; step 0 starts every sample anew
        self.reset()

    @property
    def step(self) -> int:
        """The 0-based step that the next push is for."""
        return self._step

    def reset(self) -> None:
        """Forget the sample: the next push is step 0 of a new one."""
        self._step = 0
        self._finished = False
        self._plain = True
        self._latest = (0, 0.0)

    def finish(self) -> Decided:
        """Return the forced decision of a sample that ended undecided, read at the last step pushed.

        Raises:
            InputError: it is decided already, or no step was pushed.
        """
        if self._finished or not self._step:
            state = "the sample is decided already" if self._finished else "no step was pushed"
            raise InputError(f"{state}; finish() ends a sample that is still undecided")
        self._finished = True
        label, evidence = self._latest
        return Decided(label, self._step - 1, False, False, evidence)

    def push(
        self, events: np.ndarray | Sequence[int], values: np.ndarray | Sequence[float] | None = None
    ) -> Decided | None:
        """Advance one time step.

        Args:
            events: the channels that spike at this step, integers ``(n,)`` in any order, each at most
                once; of a step code, those that newly come on. Empty where none does.
            values: the input of each, ``(n,)``, such as a number of spikes; 1 by default.

        Returns:
            The decision at the first step at which the rule fires, or at the last step; else None.

        Raises:
            InputError: not a list of channels, a channel out of range or named twice (the step may
                then be pushed again), or the sample is already decided.
        """
        if self._finished:
            raise InputError(f"decided at step {self._step - 1}; call reset() before the next sample")
        events = np.asarray(events)
        count = events.size
        if events.ndim != 1 or (count and events.dtype.kind not in "iu"):
            raise InputError(
                f"events must be channel numbers, integers of shape (n,), got {events.dtype} of shape "
                f"{events.shape}; of a 0/1 vector, pass np.flatnonzero(vector)"
            )
        if count > self.n_channels:
            raise InputError(f"{count} events at one step, but there are only {self.n_channels} channels")
        self._events[:count] = events
        given = self._ones
        if values is not None:
            given, self._plain = self._valued(values, count), False
        label, reached, evidence = self._advance(self._events, given, count, self._plain, self._step)
        if label == FAULT:
            raise InputError(self._fault(int(events[reached])))
        if evidence != evidence:
            raise DivergedError("evidence is NaN: the model diverged on this input; train it again")
        step = self._step
        self._step = step + 1
        if not reached and step < self.n_steps - 1:
            self._latest = label, evidence
            return None
        self._finished = True
        return Decided(label, step, reached > 0, reached > 1, evidence)

    def decide_all(self, encoded: Encoded) -> Decision:
        """Decide samples one after another, leaving the Decider reset.

        Args:
            encoded: B samples of this Decider's steps, channels and kind of code.

        Returns:
            One decision per sample, in their order.

        Raises:
            InputError: ``encoded`` does not fit.
        """
        ours = (self.n_steps, self.n_channels, self.hold)
        theirs = (encoded.n_steps, encoded.n_channels, isinstance(encoded, SpikeTimes) and encoded.hold)
        if ours != theirs:
            raise InputError(
                f"the code has (n_steps, n_channels, hold) = {theirs}, this Decider {ours}; "
                "build one that fits"
            )
        ends = np.broadcast_to(np.asarray(encoded.last_steps()), len(encoded)) + 1
        steps: Iterable[Sequence[tuple[np.ndarray, np.ndarray | None]]]
        if isinstance(encoded, SpikeTimes):
            steps = ([(events, None) for events in each] for each in events_by_step(encoded))
        else:
            frames = encoded.values.cpu().numpy()
            steps = (_listed(frames[:end, row]) for row, end in enumerate(ends))
        decisions = [self._decide(each[:end]) for each, end in zip(steps, ends, strict=True)]
        self.reset()
        return Decision(
            label=np.array([each.label for each in decisions], np.int64),
            step=np.array([each.step for each in decisions], np.int64),
            decided=np.array([each.decided for each in decisions], np.bool_),
            tied=np.array([each.tied for each in decisions], np.bool_),
            evidence=np.array([each.evidence for each in decisions], np.float32),
        )

    def _decide(self, steps: Sequence[tuple[np.ndarray, np.ndarray | None]]) -> Decided:
        self.reset()
        for events, values in steps:
            decided = self.push(events, values)
            if decided is not None:
                return decided
        return self.finish()

    def _valued(self, values: np.ndarray | Sequence[float], count: int) -> np.ndarray:
        values = np.asarray(values)
        if values.shape != (count,) or not np.isfinite(values).all():
            raise InputError(
                f"values must be finite, one for each of {count} events, got shape {values.shape}"
            )
        self._values[:count] = values
        return self._values

    def _fault(self, channel: int) -> str:
        if not 0 <= channel < self.n_channels:
            return f"channel {channel} is out of range; channels are 0..{self.n_channels - 1}"
        if self.hold:
            return (
                f"channel {channel} is already on; of a step code, push only the channels that newly come on"
            )
        return f"channel {channel} is named twice at step {self._step}; name each spiking channel once"


def events_by_step(encoded: SpikeTimes) -> list[list[np.ndarray]]:
    """Return what to push: per sample, the channels that spike at each of the T steps, ascending.

    Args:
        encoded: B samples.
    """
    steps = encoded.steps.cpu().numpy()
    order = np.argsort(steps, axis=1, kind="stable")
    bounds = np.arange(1, encoded.n_steps + 1)
    sets = []
    for row, channels in zip(steps, order, strict=True):
        sets.append(np.split(channels, np.searchsorted(row[channels], bounds))[: encoded.n_steps])
    return sets


def _listed(frames: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Return channels and inputs of every step of one sample's frames ``(T, C)``."""
    return [(on, frame[on]) for frame in frames for on in (np.flatnonzero(frame),)]


def _settle_width(known: int | None, given: int | None) -> int:
    if known is None and given is None:
        raise InputError("this model does not tell its number of input channels; pass n_channels")
    if known is not None and given is not None and known != given:
        raise InputError(f"n_channels is {given}, but the model reads {known} channels")
    width = known if known is not None else given
    if not isinstance(width, int) or width < 1:
        raise InputError(f"n_channels must be a whole number of at least 1, got {width!r}")
    return width
