"""Fashion-MNIST: the published files."""

import numpy as np
import pytest

from rc_vs_snn.datasets.fashion_mnist import fashion_mnist
from rc_vs_snn.errors import InputError
from rc_vs_snn.testing import check_dataset


def test_the_published_files(data_root) -> None:
    splits = fashion_mnist(data_root, download=False)
    assert [len(each) for each in (splits.train, splits.valid, splits.test)] == [55_000, 5_000, 10_000]
    assert np.bincount(splits.test.labels).tolist() == [1000] * 10
    assert splits.class_names[splits.test.labels[0]] == "ankle boot"  # the first test image of the corpus
    check_dataset(splits)


def test_missing_files_say_where_to_put_them(tmp_path) -> None:
    with pytest.raises(InputError, match=r"Fashion-MNIST is not complete .*into .*fashion_mnist"):
        fashion_mnist(tmp_path, download=False)
