"""Configuration of a network that answers questions."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from apps.common.config import UserDataConfig
from apps.common.ranges import at_least, between, fraction


@dataclass(frozen=True)
class Config(UserDataConfig):
    """Configuration of a network; the defaults are those of the memory network."""

    model: Literal["memory_network", "dnc"] = "memory_network"
    """An end-to-end memory network, which attends to whole facts in several hops, or a
    differentiable neural computer, which reads the story word by word."""
    train_file: Path | None = None
    """Stories in bAbI's format; None: all 20 tasks of bAbI, with a thousand
    questions each."""
    max_facts: int = 50
    """Maximum number of facts that are read, the most recent ones."""
    units: int = 50
    """Size of the encoded facts and questions; for the dnc, of the word vectors and controller."""
    hops: int = 3
    """Hops of the memory network."""
    noise: float = 0.1
    """Share of empty facts inserted in training, so that the memory network doesn't memorize the
    positions of facts."""
    memory_size: int = 64
    """Slots of the dnc's memory."""
    word_size: int = 32
    """Size of a slot of the dnc's memory."""
    num_reads: int = 4
    """Read heads of the dnc."""
    epochs: int = 40
    learning_rate: float = 3e-3
    """Initial step size of Adam; decays to 0 along a cosine."""
    clip_norm: float = 40.0
    jit: bool = True
    seed: int = 0
    """Random seed of the initial weights, the order of the questions and the noise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "units", "memory_size", "word_size", "num_reads")
        between(1, 100, self, "hops")
        between(1, 1000, self, "max_facts")
        fraction(self, "noise")


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
    """Return stories with their questions to try `predict` with."""
    return (
        "Mary went to the kitchen. John is in the hallway. Where is Mary?",
        "Sandra took the milk. Sandra went to the garden. John moved to the office. "
        "Where is the milk?",
    )
