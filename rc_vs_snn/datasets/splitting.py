"""Stratified splits, drawn from an explicit generator."""

import numpy as np

from rc_vs_snn.checks import check_whole


def stratified_order(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a random order of rows in which any stretch holds each class in its overall proportion.

    A split is then a cut: every prefix is stratified to within a sample per class (where classes are
    about equal in size), and a shorter prefix is a subset of a longer one.

    Args:
        labels: class index per row, ``(N,)``.
        generator: the source of the order within and between classes.

    Returns:
        A permutation of ``range(N)``.
    """
    shuffled = generator.permutation(len(labels))
    place = np.empty(len(labels))  # of each shuffled row within its class, in (0, 1)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels[shuffled] == label)
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return shuffled[np.argsort(place, kind="stable")]


def train_valid_rows(
    labels: np.ndarray, n_valid: int, n_train: int | None, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Divide an official training set into train and valid rows, each sorted.

    The valid rows do not depend on ``n_train``, and a smaller ``n_train`` gives a subset.

    Args:
        labels: class index per row of the official training set, ``(N,)``.
        n_valid: number of validation samples.
        n_train: number of training samples to keep, or None for all that remain.
        generator: the source of the division.

    Returns:
        Train rows and valid rows.

    Raises:
        InputError: sizes that are no whole numbers, or do not fit into N.
    """
    total = len(labels)
    check_whole(n_valid, f"n_valid ({total} training samples)", 1, total - 1)
    if n_train is not None:
        left = f"{total} training samples less {n_valid} for validation"
        check_whole(n_train, f"n_train ({left}; None for all of them)", 1, total - n_valid)
    order = stratified_order(labels, generator)
    return np.sort(order[n_valid:][:n_train]), np.sort(order[:n_valid])
