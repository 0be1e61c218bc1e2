"""One sample's code: what came in, and by when."""

import numpy as np
import pytest
import torch

from rc_vs_snn.encoded import Frames, SpikeTimes
from rc_vs_snn.showing.codes import code_of

STEPS = torch.tensor([[0, 2, 4, 3], [1, 1, 1, 1]])  # 4: never


def test_spike_times_become_one_event_a_channel():
    code = code_of(SpikeTimes(STEPS, 4, (2, 2)), 0, "images")
    assert code.n_steps == 4
    assert code.values.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    steps, channels = code.events()
    assert list(zip(steps.tolist(), channels.tolist(), strict=True)) == [(0, 0), (2, 1), (3, 3)]
    assert code.n_events().tolist() == [1, 0, 1, 1]
    # the earlier the darker: 1 at step 0, 0.8 of the way down at step T
    assert code.seen(2).tolist() == pytest.approx([1, 0.6, 0, 0])
    assert code.seen(3).tolist() == pytest.approx([1, 0.6, 0, 0.4])


def test_what_is_held_is_in_force_from_its_step_on():
    code = code_of(SpikeTimes(STEPS, 4, (2, 2), hold=True), 0, "images")
    assert code.hold
    assert code.at(1).tolist() == [1, 0, 0, 0]
    assert code.at(3).tolist() == [1, 1, 0, 1]
    assert code.n_events().tolist() == [1, 0, 1, 1], "each comes on once"


def test_a_sample_ends_at_its_own_length():
    values = torch.tensor([[[2, 0], [1, 1]], [[0, 1], [3, 0]], [[1, 1], [9, 9]]])  # (T, B, C)
    frames = Frames(values, (2,), lengths=torch.tensor([3, 2]), step_ms=5.0)
    code = code_of(frames, 1, "signals")
    assert code.values.tolist() == [[1, 1], [3, 0]]
    assert code.n_events().tolist() == [2, 3]
    assert code.step_ms == 5
    assert code.seen(1).tolist() == [1, 0.25], "counts add up: 4 and 1"


def test_real_numbers_are_events_where_they_are_not_0():
    frames = Frames(torch.tensor([[[0.5, 0.0]], [[-1.5, 0.25]]]), (2,))
    code = code_of(frames, 0, "signals")
    assert code.analogue
    assert code.n_events().tolist() == [1, 2]
    assert code.seen(1).tolist() == [1, 0.125]


@pytest.mark.parametrize(
    ("kind", "layout", "pixels"),
    [
        ("images", (4, 4), True),
        ("events", (1, 4, 4), True),
        ("events", (2, 8), False),
        ("signals", (4, 4), False),
        ("images", (16,), False),
    ],
)
def test_only_pixels_are_drawn_as_pictures(kind, layout, pixels):
    code = code_of(SpikeTimes(torch.zeros((1, 16), dtype=torch.int64), 3, layout), 0, kind)
    assert code.pixels == pixels
    if pixels:
        assert code.picture(np.arange(16)).shape == (4, 4)


def test_polarities_add_up_in_a_picture():
    code = code_of(SpikeTimes(torch.zeros((1, 32), dtype=torch.int64), 3, (2, 4, 4)), 0, "events")
    assert code.picture(np.ones(32)).tolist() == np.full((4, 4), 2).tolist()
