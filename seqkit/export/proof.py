"""The self-test: an export loaded and replayed in a process without Keras and seqkit."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from seqkit.export import golden
from seqkit.export.versions import resolve


class SelfTestError(RuntimeError):
    """Raised when an export can't be loaded, or its outputs differ from the stored ones."""


def self_test(path: str | os.PathLike) -> dict:
    """Replay an export's golden examples in a fresh process without Keras and seqkit.

    Args:
        path: A version folder, or the folder of all versions (the newest is tested).

    Returns:
        path, signatures (names), examples (their number), largest_difference (absolute, over all
        float outputs), load_seconds, latency_ms (median by signature, of its first example).

    Raises:
        SelfTestError: If outputs drift, or the export can't be loaded; the one-line message states
            which.
        FileNotFoundError: If there is no export at `path`.
    """
    version = resolve(path)
    # Run by path and with -P, the script's folder is not on the search path. TensorFlow is, however
    # it was installed; the script itself blocks the rest.
    process = subprocess.run(
        [sys.executable, "-P", golden.__file__, str(version.resolve())],
        capture_output=True,
        text=True,
        env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
        check=False,
    )
    try:
        report = json.loads(process.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        report = {"error": _exit_reason(process)}
    if "error" in report:
        raise SelfTestError(f"{version}: self-test failed: {report['error']}")
    return {"path": str(version), **report}


def _exit_reason(process: subprocess.CompletedProcess) -> str:
    """Describe in one line how a process without a report ended."""
    if process.returncode < 0:
        return f"the process was killed by {signal.Signals(-process.returncode).name}"
    lines = process.stderr.strip().splitlines() or ["no output"]
    return f"exit code {process.returncode}: {lines[-1]}"


def main() -> None:
    """Print the report as one JSON line, or an error as one line on stderr and exit with 1."""
    parser = argparse.ArgumentParser(
        prog="python -m seqkit.export",
        description="Self-test an export: replay its golden examples in a fresh process without "
        "Keras and seqkit. Prints one JSON line; exit code 1 on drift or damage.",
    )
    parser.add_argument("path", type=Path, help="a version folder, or the folder of all versions")
    try:
        print(json.dumps(self_test(parser.parse_args().path)))
    except (SelfTestError, FileNotFoundError) as error:
        sys.exit(str(error))
