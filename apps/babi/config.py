"""What can be set about a network that answers questions."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.own_files import check_own_files
from apps.common.ranges import a_share, above_zero, at_least


@dataclass(frozen=True)
class Config:
    """Configuration of a network; the defaults are those of the memory network."""

    model: Literal["memory_network", "dnc"] = "memory_network"
    """An end-to-end memory network, which looks at whole facts several times over, or a
    differentiable neural computer, which reads the story word by word."""
    train_file: Path | None = None
    """Stories in bAbI's format; None: all 20 tasks of bAbI, 1,000 questions each."""
    dev_file: Path | None = None
    """Like train_file, and required with it: chooses the best epoch."""
    test_file: Path | None = None
    """Like train_file: for the final score."""
    max_facts: int = 50
    """So many facts are read, the most recent ones."""
    units: int = 50
    """Size of what is kept of a fact and of the question; of the dnc's words and controller."""
    hops: int = 3
    """How many times the memory network looks at the facts."""
    noise: float = 0.1
    """Facts without meaning in training, as a share of the others, so that the memory network
    doesn't learn by heart where a fact stands."""
    memory_size: int = 64
    """Slots of the dnc's memory."""
    word_size: int = 32
    """Size of a slot of the dnc's memory."""
    num_reads: int = 4
    """Heads of the dnc that read."""
    batch_size: int = 32
    """Questions in a batch."""
    epochs: int = 40
    """Passes over the training questions, at most."""
    patience: int | None = None
    """Stop after so many epochs without a better score on dev; None: never."""
    learning_rate: float = 3e-3
    """First step size of Adam; it falls to 0 along a cosine."""
    clip_norm: float = 40.0
    """Largest norm of the gradient of all weights together."""
    mixed_precision: bool = False
    """Compute in 16 bits: float16 on a GPU, bfloat16 elsewhere."""
    jit: bool = True
    """Compile the training step with XLA."""
    seed: int = 0
    """Seed of the initial weights, of the order of the questions and of the noise."""

    def __post_init__(self) -> None:
        check_own_files(self)
        at_least(
            1,
            self,
            "max_facts",
            "units",
            "hops",
            "memory_size",
            "word_size",
            "num_reads",
            "batch_size",
            "epochs",
        )
        a_share(self, "noise")
        above_zero(self, "learning_rate", "clip_norm")


@dataclass(frozen=True)
class PredictOptions:
    """There is nothing to choose."""


PRESETS = {
    "memory_network": Config(),
    "dnc": replace(
        Config(),
        model="dnc",
        units=64,
        noise=0.0,
        epochs=10,
        learning_rate=1e-3,
        clip_norm=10.0,
        jit=False,
    ),
}


def examples(config: Config) -> tuple[str, ...]:
    """Stories with their questions, to try a model with."""
    return (
        "Mary went to the kitchen. John is in the hallway. Where is Mary?",
        "Sandra took the milk. Sandra went to the garden. John moved to the office. "
        "Where is the milk?",
    )
