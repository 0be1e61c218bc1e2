"""MNIST from its four idx files; downloaded if they are not there."""

from pathlib import Path

from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.idx_corpus import IdxCorpus, IdxFile
from rc_vs_snn.registry import datasets

MNIST = IdxCorpus(
    title="MNIST",
    folder="mnist",
    folders=("", "MNIST/raw"),
    files=(
        IdxFile(
            "train-images-idx3-ubyte", 3, "6bbc9ace898e44ae57da46a324031adb",
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        ),
        IdxFile(
            "train-labels-idx1-ubyte", 1, "a25bea736e30d166cdddb491f175f624",
            "d53e105ee54ea40749a09fcbcd1e9432",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte", 3, "2646ac647ad5339dbf082846283269ea",
            "9fb629c4189551a2d022fa330f9573f3",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte", 1, "27ae3e4e09519cfbb04c329615203637",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    class_names=tuple("0123456789"),
)  # fmt: skip


@datasets.register("mnist")
def mnist(
    root: Path | None = None,
    split_seed: int = 0,
    n_valid: int = 5000,
    n_train: int | None = None,
    download: bool = True,
) -> Splits:
    """MNIST, 70,000 handwritten digits of 28x28 pixels.

    ``test`` is the official test set, always whole. ``valid`` is drawn from the official training set,
    stratified, by ``split_seed`` alone.

    Args:
        root: the data root. The files are looked for in ``mnist/``, in the root itself and in
            ``MNIST/raw/`` (torchvision's layout), gzipped or not.
        split_seed: seed of the division into train and valid, apart from a run's seed.
        n_valid: validation samples.
        n_train: training samples to keep for a quick run, stratified; all by default.
        download: fetch missing files into ``mnist/``.

    Returns:
        uint8 images ``(N, 28, 28)``; ids 0..59999 are the official training set, 60000..69999 the test
        set, in the order of the files.

    Raises:
        InputError: files are missing and cannot be downloaded, or one is damaged or cannot be read.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits".
    """
    return MNIST.splits(root, split_seed, n_valid, n_train, download)
