"""Kill a training with SIGKILL again and again, until it is let through.

    lives = train_and_kill(["-m", "apps.tagger", "train", ...], run / "checkpoint")

One of the kills strikes while a checkpoint is being written: `python -m tests.apps.kill PROGRAM`
runs a program (a script by path, or `-m MODULE`) that dies so. Production code has no hook for it.
"""

import os
import random
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds for a process to write its first checkpoint


def train_and_kill(
    program: list[str], checkpoint: Path, *, kills: int = 5, seed: int = 0, spread: float = 1.0
) -> None:
    """Kill a training `kills` times, then let it end.

    Args:
        program: what to run, without the interpreter; the same each time, it must resume.
        checkpoint: the file it writes; a process is killed only after it wrote one, so that the
            training gets ahead.
        kills: how often.
        seed: of the moments.
        spread: a process is killed at most so many seconds after its first checkpoint.
    """
    moments = random.Random(seed)
    in_checkpoint = moments.randrange(1, kills)
    for life in range(kills):
        if life == in_checkpoint:
            assert _start(["-m", "tests.apps.kill", *program]).wait(PATIENCE) == -signal.SIGKILL
            half = checkpoint.with_name(f".writing-{checkpoint.name}")
            assert 0 < half.stat().st_size < checkpoint.stat().st_size
            with np.load(checkpoint) as whole:
                assert all(whole[name] is not None for name in whole.files)
            continue
        process, old = _start(program), _written(checkpoint)
        deadline = time.monotonic() + PATIENCE
        while _written(checkpoint) == old:
            assert process.poll() is None, f"life {life}: ended before it could be killed"
            assert time.monotonic() < deadline, f"life {life}: no checkpoint"
            time.sleep(0.005)
        time.sleep(moments.uniform(0, spread))
        process.kill()
        assert process.wait() == -signal.SIGKILL, f"life {life}: ended before it could be killed"
    assert _start(program).wait() == 0


def run(program: list[str]) -> None:
    """Run a program to its end."""
    assert _start(program).wait() == 0


def _start(program: list[str]) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, *program], cwd=ROOT, stdout=subprocess.DEVNULL)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _die_in_the_second_checkpoint() -> None:
    """Make the second checkpoint be written by half, and then kill the process."""
    savez, calls = np.savez, []

    def savez_or_die(file, *arrays, **named):
        savez(file, *arrays, **named)
        if not file.name.endswith("checkpoint"):
            return
        calls.append(file)
        if len(calls) == 2:
            file.truncate(file.tell() // 2)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    np.savez = savez_or_die


def _main() -> None:
    _die_in_the_second_checkpoint()
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _main()
