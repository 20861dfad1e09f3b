"""Configuration of a network with a memory, and of its task."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from apps.common.config import PredictOptions as BasePredictOptions
from apps.common.config import TrainConfig
from apps.common.errors import UserError
from apps.common.ranges import at_least, between


@dataclass(frozen=True)
class Config(TrainConfig):
    """Configuration of a network and its task; the defaults suit every task."""

    task: Literal["copy", "repeat_copy", "associative_recall", "priority_sort"] = "copy"
    """The task. Its sequences are random bits, generated on the fly."""
    cell: Literal["ntm", "dnc", "sparse_ntm", "lstm"] = "ntm"
    """Neural Turing machine, differentiable neural computer, neural Turing machine with sparse
    access, or for comparison an LSTM, which has no memory but its state."""
    controller: Literal["feedforward", "lstm"] = "feedforward"
    """Network that reads the input and controls the heads. A feed-forward one can't count steps, so
    its solution generalizes to any length."""
    units: int = 100
    """Units of the controller, or of the LSTM."""
    bits: int = 8
    """Bits of each vector of a sequence."""
    max_length: int = 20
    """Length of the longest training sequence, in vectors; in items for associative_recall."""
    max_repeats: int = 10
    """Maximum number of repeats of repeat_copy in training."""
    memory_size: int = 128
    """Slots of the memory."""
    word_size: int = 20
    """Size of a slot."""
    num_reads: int = 1
    """Read heads."""
    num_writes: int = 1
    """Write heads; the dnc and the sparse_ntm have one."""
    curriculum: Literal["none", "uniform", "prediction_gain"] = "uniform"
    """How the length of a training sequence is chosen: always the longest, uniformly, or by how
    fast it is being learned (Graves et al. 2017)."""
    write_penalty: float = 3e-3
    """Weight of the ntm's penalty on the squared norm of its writes at each step. Without it, the
    small writes of idle heads accumulate over sequences longer than those of training."""
    batch_size: int = 16
    """Sequences per batch."""
    steps_per_epoch: int = 100
    """Batches per epoch."""
    epochs: int = 20
    """Number of epochs."""
    learning_rate: float = 5e-4
    """Initial step size of RMSprop with momentum 0.9; decays to 0 along a cosine."""
    jit: bool = True
    seed: int = 0
    """Random seed of the initial weights and of the sequences."""
    mixed_precision: ClassVar[bool] = False  # the memory, most of the work, needs its 32 bits

    def __post_init__(self) -> None:
        super().__post_init__()
        between(1, 10_000, self, "max_length", "max_repeats")
        at_least(1, self, "units", "bits", "memory_size", "word_size")
        at_least(1, self, "num_reads", "num_writes", "steps_per_epoch")
        at_least(0, self, "write_penalty")
        if self.num_writes > 1 and self.cell in ("dnc", "sparse_ntm"):
            raise UserError(f"num_writes: a {self.cell} has one write head")


@dataclass(frozen=True)
class PredictOptions(BasePredictOptions):
    """Options of `predict`."""

    random: int | None = None
    """First copy a random sequence of this many vectors."""
    picture: Path | None = None
    """Draw the last sequence, its copy and the weightings of the heads: a new .png, .svg or .pdf
    file."""
    seed: int = 0
    """Random seed of the random sequence."""

    def __post_init__(self) -> None:
        between(1, 10_000, self, "random")
        at_least(0, self, "seed")

    @property
    def needs_text(self) -> bool:
        """Whether input text is required."""
        return self.random is None


PRESETS = {
    "quick": replace(Config(), max_length=10, epochs=10),
    "copy": Config(),
    "repeat_copy": replace(Config(), task="repeat_copy", max_length=10, epochs=40),
    "associative_recall": replace(Config(), task="associative_recall", bits=6, max_length=6),
    "priority_sort": replace(Config(), task="priority_sort"),
    "lstm_baseline": replace(Config(), cell="lstm", units=256),
}


def examples(config: Config) -> tuple[str, ...]:
    """Return sequences to try `predict` with; models of the other tasks have no `predict`."""
    if config.task != "copy":
        return ()
    sequences = (0b10110010, 0b01110001, 0b00001111), (0, 255, 0b01010101, 0b10101010, 0b00110011)
    return tuple(
        " ".join(f"{bits % 2**config.bits:0{config.bits}b}" for bits in vectors)
        for vectors in sequences
    )
