"""The mean of a model's weights after its last epochs: steadier than those of the last alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apps.common.checkpoint import replacing


class LastEpochs:
    """The weights after each of the last epochs, in files of a folder.

    The mean is over no more than half of all epochs so far: after the first ones, weights differ
    so much that their mean is worse than the last.

    Args:
        folder: for the files; made if it isn't there.
        count: of the epochs.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count

    def mean(self, epoch: int, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Keep the weights after an epoch, and average them with those of the epochs before.

        An epoch whose end is repeated replaces its own weights.

        Args:
            epoch: its number, from 1.
            weights: after it.
        """
        self.folder.mkdir(exist_ok=True)
        with replacing(self._file(epoch)) as beside, beside.open("wb") as file:
            np.savez(file, *(np.asarray(w, "float32") for w in weights))
        # Of an epoch longer ago, there may be one after a break.
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
