"""Kill a training run with SIGKILL, and let it resume.

    train_and_kill(["-m", "apps.tagger", "train", ...], run / "checkpoint")

Each attempt is a separate process, forked from one that has imported TensorFlow but run nothing,
which saves the import. Production code has no hooks for this.
"""

import multiprocessing
import os
import random
import runpy
import signal
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

PATIENCE = 300.0  # seconds for a process to write its first checkpoint
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["keras", "tensorflow", "seqkit"])


def train_and_kill(
    program: list[str],
    checkpoint: Path,
    *,
    kills: int = 1,
    spread: float = 1.0,
    in_checkpoint: bool = False,
) -> None:
    """Kill a training run several times, then let it finish.

    Args:
        program: Command to run, without the interpreter: `-m MODULE` and its arguments, the same
            each time; it must resume.
        checkpoint: File it writes; a process is killed only after it has written one, so that
            training makes progress.
        kills: Number of kills.
        spread: A process is killed at a random moment within this many seconds after its first
            checkpoint.
        in_checkpoint: Whether the second kill happens while a checkpoint is being written.
    """
    moments = random.Random(0)
    for attempt in range(kills):
        if in_checkpoint and attempt == 1:
            process = _start(program, dies_in_checkpoint=True)
            process.join(PATIENCE)
            assert process.exitcode == -signal.SIGKILL
            half = checkpoint.with_name(f".writing-{checkpoint.name}")
            assert 0 < half.stat().st_size < checkpoint.stat().st_size
            with np.load(checkpoint) as whole:
                assert all(whole[name] is not None for name in whole.files)
            continue
        old, process = _written(checkpoint), _start(program)
        deadline = time.monotonic() + PATIENCE
        while _written(checkpoint) == old:
            assert process.exitcode is None, f"attempt {attempt}: ended before it could be killed"
            assert time.monotonic() < deadline, f"attempt {attempt}: no checkpoint"
            time.sleep(0.005)
        time.sleep(moments.uniform(0, spread))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, (
            f"attempt {attempt}: ended before it could be killed"
        )
    run(program)


def run(program: list[str]) -> None:
    """Run a program until it exits."""
    process = _start(program)
    process.join()
    assert process.exitcode == 0


def _start(program: list[str], dies_in_checkpoint: bool = False) -> BaseProcess:
    process = _processes.Process(target=_run_module, args=(program, dies_in_checkpoint))
    process.start()
    return process


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _run_module(program: list[str], dies_in_checkpoint: bool) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if dies_in_checkpoint:
        _die_in_the_second_checkpoint()
    _, module, *args = program
    sys.argv = [module, *args]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _die_in_the_second_checkpoint() -> None:
    """Write half of the second checkpoint, and then kill the process."""
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
