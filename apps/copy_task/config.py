"""What can be set about a network with a memory and its task."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.errors import UserError
from apps.common.ranges import above_zero, at_least


@dataclass(frozen=True)
class Config:
    """Configuration of a network and its task; the defaults are those of every task."""

    task: Literal["copy", "repeat_copy", "associative_recall", "priority_sort"] = "copy"
    """What to learn. Its sequences are made on the fly, of random bits."""
    cell: Literal["ntm", "dnc", "sparse_ntm", "lstm"] = "ntm"
    """Neural Turing machine, differentiable neural computer, a neural Turing machine that touches
    few slots at a step, or for comparison an LSTM, which has no memory beside its state."""
    controller: Literal["feedforward", "lstm"] = "feedforward"
    """What reads the input and steers the heads. Without a state of its own, it can't count steps,
    so that what it does holds for any length."""
    units: int = 100
    """Size of the controller, or of the LSTM."""
    bits: int = 8
    """Size of the vectors of a sequence."""
    max_length: int = 20
    """Vectors of the longest sequence in training; items, for associative_recall."""
    max_repeats: int = 10
    """Of repeat_copy in training."""
    memory_size: int = 128
    """Slots of the memory."""
    word_size: int = 20
    """Size of a slot."""
    num_reads: int = 1
    """Heads that read."""
    num_writes: int = 1
    """Heads that write; the dnc and the sparse_ntm have one."""
    curriculum: Literal["none", "uniform", "prediction_gain"] = "uniform"
    """How the length of a training sequence is chosen: always the longest, any with the same
    probability, or the more often the faster it is being learned (Graves et al. 2017)."""
    write_penalty: float = 3e-3
    """Of the ntm, for the squared length of what it writes at a step. A head with nothing to write
    looks everywhere, and what it adds would sum up over sequences longer than those of training."""
    batch_size: int = 16
    """Sequences in a batch."""
    steps_per_epoch: int = 100
    """Batches between two looks at the dev sequences."""
    epochs: int = 20
    """How many times that."""
    patience: int | None = None
    """Stop after so many epochs without a better score on dev; None: never."""
    learning_rate: float = 5e-4
    """First step size of RMSprop with momentum 0.9; it falls to 0 along a cosine."""
    clip_norm: float = 1.0
    """Largest norm of the gradient of all weights together."""
    jit: bool = True
    """Compile the training step with XLA."""
    seed: int = 0
    """Seed of the initial weights and of the sequences."""

    mixed_precision = False  # no option: the memory, most of the work, needs its 32 bits

    def __post_init__(self) -> None:
        at_least(
            1,
            self,
            "units",
            "bits",
            "max_length",
            "max_repeats",
            "memory_size",
            "word_size",
            "num_reads",
            "num_writes",
            "batch_size",
            "steps_per_epoch",
            "epochs",
        )
        above_zero(self, "learning_rate", "clip_norm")
        at_least(0, self, "write_penalty")
        if self.num_writes > 1 and self.cell in ("dnc", "sparse_ntm"):
            raise UserError(f"num_writes: a {self.cell} has one head that writes")


@dataclass(frozen=True)
class PredictOptions:
    """What is shown."""

    random: int | None = None
    """Copy a random sequence of so many vectors, too, before the others."""
    picture: Path | None = None
    """Draw the last sequence, its copy, and where the heads look: a new .png, .svg or .pdf file."""
    seed: int = 0
    """Of the random sequence."""

    def __post_init__(self) -> None:
        at_least(1, self, "random")
        at_least(0, self, "seed")

    @property
    def needs_text(self) -> bool:
        """Whether there is nothing to copy but what is given."""
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
    """Sequences to try a copier with; models of other tasks don't answer."""
    if config.task != "copy":
        return ()
    sequences = (0b10110010, 0b01110001, 0b00001111), (0, 255, 0b01010101, 0b10101010, 0b00110011)
    return tuple(
        " ".join(f"{bits % 2**config.bits:0{config.bits}b}" for bits in vectors)
        for vectors in sequences
    )
