"""A classifier of lines of text: a minimal app.

The functions follow the protocol of `apps.common.app`.
"""

from dataclasses import dataclass
from pathlib import Path

from apps.common.config import UserDataConfig
from apps.common.ranges import at_least, fraction
from apps.common.registry import LazyFunctions

NAME = "smallest"
__getattr__ = LazyFunctions(__name__, predict="signatures")


@dataclass(frozen=True)
class Config(UserDataConfig):
    """Configuration of a classifier."""

    train_file: Path | None = None
    """Lines of `label, tab, text`; required."""
    units: int = 32
    """Size of the GRU state."""
    dropout: float = 0.1
    """Dropout of the GRU's inputs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(1, self, "units")
        fraction(self, "dropout")


PRESETS = {"default": Config()}


def examples(config: Config) -> tuple[str, ...]:
    """Return text to try `predict` with."""
    return ("a line of text",)
