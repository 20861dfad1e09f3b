"""Training progress: an updating line on a terminal, or a log line every half minute."""

import statistics
import sys
import time
from collections import deque

TERMINAL_SECONDS, LOG_SECONDS = 0.2, 30.0


class Progress:
    """Display of epoch, step, loss, speed, time left and best score so far.

    Args:
        epochs: Maximum number of epochs.
        steps_per_epoch: Training steps per epoch.
        verbose: 0 shows nothing.
    """

    def __init__(self, epochs: int, steps_per_epoch: int, verbose: int) -> None:
        self.epochs, self.steps_per_epoch, self.verbose = epochs, steps_per_epoch, verbose
        self.best = ""
        self._terminal = sys.stdout.isatty()
        self._every = TERMINAL_SECONDS if self._terminal else LOG_SECONDS
        self._shown = time.monotonic()
        self._seconds = deque(maxlen=1000)

    @property
    def step_seconds(self) -> float:
        """Median time of the last thousand steps."""
        return statistics.median(self._seconds) if self._seconds else 0.0

    def step(self, epoch: int, step: int, loss: float, seconds: float) -> None:
        """Count a step, and show it unless the display was updated just before.

        Args:
            epoch: Number of the epoch.
            step: Steps completed in it.
            loss: Running mean of the loss.
            seconds: Duration of the step.
        """
        self._seconds.append(seconds)
        if not self.verbose or time.monotonic() - self._shown < self._every:
            return
        self._shown = time.monotonic()
        steps_left = self.steps_per_epoch * (self.epochs - epoch + 1) - step
        text = (
            f"epoch {epoch}/{self.epochs}  step {step}/{self.steps_per_epoch}  loss {loss:.4f}  "
            f"{1 / self.step_seconds:.1f} steps/s  "
            f"at most {clock(steps_left * self.step_seconds)} left  {self.best}"
        )
        if self._terminal:
            print(f"\r{text}\033[K", end="", flush=True)
        else:
            print(text.rstrip(), flush=True)

    def line(self, text: str) -> None:
        """Print a line that is not overwritten."""
        if self.verbose:
            print(f"\r{text}\033[K" if self._terminal else text, flush=True)


def clock(seconds: float) -> str:
    """Format a duration as minutes and seconds, with hours if there are any.

    Example:
        >>> clock(75), clock(3675)
        ('1:15', '1:01:15')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
