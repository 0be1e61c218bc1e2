import numpy as np
from burst_code import Burst

from rc_vs_snn.contracts import Samples
from rc_vs_snn.testing import check_encoder


def test_keeps_the_promises_of_an_encoder() -> None:
    check_encoder(Burst(n_steps=7))


def test_hand_worked_bursts() -> None:
    image = np.array([[[1.0, 0.9, 0.5, 0.1, 0.0]]])
    code = Burst(n_steps=10)(Samples(image, labels=[0], ids=[0], kind="images", n_classes=1))
    steps = [np.flatnonzero(code.values[:, 0, pixel]).tolist() for pixel in range(5)]
    assert steps == [[0, 1, 2, 3, 4], [0, 2, 4, 6, 8], [0, 6], [0], []]
