"""Fashion-MNIST from its four idx files; downloaded if they are not there."""

from pathlib import Path

from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.idx_corpus import IdxCorpus, IdxFile
from rc_vs_snn.registry import datasets

FASHION_MNIST = IdxCorpus(
    title="Fashion-MNIST",
    folder="fashion_mnist",
    folders=("FashionMNIST/raw",),
    files=(
        IdxFile(
            "train-images-idx3-ubyte", 3, "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        ),
        IdxFile(
            "train-labels-idx1-ubyte", 1, "9018921c3c673c538a1fc5bad174d6f9",
            "25c81989df183df01b3e8a0aad5dffbe",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte", 3, "8181f5470baa50b63fa0f6fddb340f0a",
            "bef4ecab320f06d8554ea6380940ec79",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte", 1, "15d484375f8d13e6eb1aabb0c3f46965",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    class_names=(
        "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle boot",
    ),
)  # fmt: skip


@datasets.register("fashion-mnist")
def fashion_mnist(
    root: Path | None = None,
    split_seed: int = 0,
    n_valid: int = 5000,
    n_train: int | None = None,
    download: bool = True,
) -> Splits:
    """Fashion-MNIST, 70,000 articles of clothing of 28x28 pixels, in MNIST's format.

    Splits, options and errors are those of ``mnist``.

    Args:
        root: the data root. The files are looked for in ``fashion_mnist/`` and in ``FashionMNIST/raw/``
            (torchvision's layout), gzipped or not.
        split_seed: seed of the division into train and valid, apart from a run's seed.
        n_valid: validation samples.
        n_train: training samples to keep for a quick run, stratified; all by default.
        download: fetch missing files into ``fashion_mnist/``.

    Returns:
        uint8 images ``(N, 28, 28)``; ids as those of ``mnist``.

    Raises:
        InputError: files are missing and cannot be downloaded, or one is damaged or cannot be read.

    Source: H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST", arXiv 1708.07747.
    """
    return FASHION_MNIST.splits(root, split_seed, n_valid, n_train, download)
