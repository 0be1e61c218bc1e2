import gzip
import os
from dataclasses import replace

import numpy as np
import pytest

from rc_vs_snn.datasets import mnist as mnist_module
from rc_vs_snn.datasets.mnist import mnist
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets

LAYOUTS = ("mnist", ".", "MNIST/raw")


def load(root, **options):
    return mnist(root, n_valid=options.pop("n_valid", 5), download=False, **options)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gzipped(tmp_path, write, tiny_gz, layout):
    write(tmp_path / layout, tiny_gz)
    splits = load(tmp_path)
    assert [len(split) for split in (splits.train, splits.valid, splits.test)] == [15, 5, 5]


@pytest.mark.usefixtures("published")
def test_gzipped_and_plain_files_give_the_same(tmp_path, write, tiny_gz, tiny_contents):
    write(tmp_path / "a", tiny_gz)
    write(tmp_path / "b", tiny_contents)
    packed, plain = load(tmp_path / "a"), load(tmp_path / "b")
    for name in ("train", "valid", "test"):
        assert (getattr(packed, name).values == getattr(plain, name).values).all()


@pytest.mark.usefixtures("published")
def test_ids_are_rows_of_the_files(tmp_path, write, tiny_contents):
    write(tmp_path, tiny_contents)
    splits = load(tmp_path)
    raw = np.frombuffer(tiny_contents["train-images-idx3-ubyte"][16:], np.uint8).reshape(20, 2, 2)
    for split in (splits.train, splits.valid):
        assert (split.values == raw[split.ids]).all()
        assert (split.labels == split.ids % 10).all()
    assert sorted([*splits.train.ids, *splits.valid.ids]) == list(range(20))
    assert splits.test.ids.tolist() == [20, 21, 22, 23, 24]


@pytest.mark.usefixtures("published")
def test_a_quick_run_changes_train_only(tmp_path, write, tiny_contents):
    write(tmp_path, tiny_contents)
    whole, quick = load(tmp_path), load(tmp_path, n_train=10)
    assert set(quick.train.ids) < set(whole.train.ids)
    assert (quick.valid.ids == whole.valid.ids).all()
    assert (quick.test.values == whole.test.values).all()


@pytest.mark.usefixtures("published")
def test_values_may_be_written_to(tmp_path, write, tiny_contents):
    # torch warns when it wraps a read-only array.
    write(tmp_path, tiny_contents)
    splits = load(tmp_path)
    assert all(split.values.flags.writeable for split in (splits.train, splits.valid, splits.test))


def test_missing_files_say_what_to_put_where(tmp_path, write, tiny_gz):
    del tiny_gz["t10k-images-idx3-ubyte.gz"]
    write(tmp_path, tiny_gz)
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    message = str(caught.value)
    assert "put t10k-images-idx3-ubyte.gz (or the unpacked files" in message
    assert str(tmp_path / "mnist") in message
    assert "--data-root" in message
    assert "RC_VS_SNN_DATA" in message


@pytest.mark.usefixtures("published")
def test_swapped_images_and_labels(tmp_path, write, tiny_contents):
    images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
    swapped = {images: tiny_contents[labels], labels: tiny_contents[images]}
    write(tmp_path, tiny_contents | swapped)
    with pytest.raises(InputError, match=rf"{images} is not an idx .* images and labels are not swapped"):
        load(tmp_path)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("make", ["folder", "loop", "dangling", "pipe"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_something_else_in_the_place_of_a_file(tmp_path, write, tiny_contents, make, suffix):
    write(tmp_path / "mnist", tiny_contents)
    (tmp_path / "mnist" / "t10k-images-idx3-ubyte").unlink()
    path = tmp_path / "mnist" / f"t10k-images-idx3-ubyte{suffix}"
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path if make == "loop" else tmp_path / "nowhere")
    with pytest.raises(InputError, match=rf"idx3-ubyte{suffix} is no file \(a folder, or a link to none\)"):
        load(tmp_path)


@pytest.mark.usefixtures("published")
def test_a_folder_beside_a_file_is_not_looked_at(tmp_path, write, tiny_gz):
    write(tmp_path / "mnist", tiny_gz)
    (tmp_path / "mnist" / "train-images-idx3-ubyte").mkdir()  # as some archives unpack
    assert len(load(tmp_path).train) == 15


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("options", [{"n_valid": 2.5}, {"n_valid": "5"}, {"n_valid": None}, {"n_train": 1.5}])
def test_sizes_are_whole_numbers(tmp_path, write, tiny_gz, options):
    write(tmp_path, tiny_gz)
    with pytest.raises(InputError, match=r"n_(valid|train) \(20 training samples.* must be a whole number"):
        load(tmp_path, **options)


@pytest.mark.usefixtures("published")
def test_images_and_labels_of_different_length(tmp_path, write, tiny_contents, monkeypatch):
    swapped = tiny_contents | {"t10k-labels-idx1-ubyte": tiny_contents["train-labels-idx1-ubyte"]}
    published = mnist_module.MNIST
    labels = replace(published.files[3], md5=published.files[1].md5)
    monkeypatch.setattr(mnist_module, "MNIST", replace(published, files=(*published.files[:3], labels)))
    write(tmp_path, swapped)
    with pytest.raises(InputError, match=r"holds 5 images but .*t10k-labels-idx1-ubyte 20 labels"):
        load(tmp_path)


@pytest.mark.usefixtures("published")
def test_a_changed_file_is_refused(tmp_path, write, tiny_contents, tiny_gz):
    changed = tiny_contents["train-images-idx3-ubyte"][:-1] + b"\x00"
    write(tmp_path, tiny_gz | {"train-images-idx3-ubyte.gz": gzip.compress(changed)})
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte.gz is not the published file"):
        load(tmp_path)


@pytest.fixture(scope="session")
def real(data_root):
    # No download: a test never touches the network.
    return datasets.build("mnist", {"download": False}, root=data_root)


def test_real_sizes(real):
    assert [len(split) for split in (real.train, real.valid, real.test)] == [55_000, 5_000, 10_000]
    assert real.train.values.shape[1:] == (28, 28)
    assert (real.train.ids.max(), real.test.ids.min(), real.test.ids.max()) == (59_999, 60_000, 69_999)
    assert sum(split.values.nbytes for split in (real.train, real.valid, real.test)) < 60e6


def test_real_content(real):
    # Known of the published corpus: the first labels of the test set, and each class's test count.
    assert real.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(real.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_real_split_is_stratified(real):
    shares = np.bincount(real.train.labels) / 55_000
    assert np.abs(np.bincount(real.valid.labels) / 5_000 - shares).max() < 5e-4
