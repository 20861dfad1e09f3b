"""Average of a model's weights over its last epochs, which is less noisy than the last weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apps.common.files import atomic_write


class LastEpochs:
    """The weights after each of the last epochs, one file per epoch in a folder.

    The mean covers at most half of all epochs so far: early in training, weights change so much
    that their mean is worse than the last.

    Args:
        folder: Folder of the files; created if missing.
        count: Number of epochs to average.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count

    def mean(self, epoch: int, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Save the weights of an epoch, and average them with those of previous epochs.

        If an epoch is repeated, its weights are overwritten.

        Args:
            epoch: Number of the epoch, from 1.
            weights: Weights at the end of the epoch.
        """
        self.folder.mkdir(exist_ok=True)
        with atomic_write(self._file(epoch)) as temporary, temporary.open("wb") as file:
            np.savez(file, *(np.asarray(w, "float32") for w in weights))
        # After an interruption there may be files of older epochs.
        for path in self.folder.glob("*.npz"):
            if not epoch - self.count < int(path.stem) <= epoch:
                path.unlink()
        count = min(self.count, -(-epoch // 2))
        paths = sorted(p for p in self.folder.glob("*.npz") if int(p.stem) > epoch - count)
        sums = [np.zeros(w.shape) for w in weights]
        for path in paths:
            with np.load(path) as archive:
                for sum_, name in zip(sums, archive.files, strict=True):
                    sum_ += archive[name]
        return [sum_ / len(paths) for sum_ in sums]

    def _file(self, epoch: int) -> Path:
        return self.folder / f"{epoch}.npz"
