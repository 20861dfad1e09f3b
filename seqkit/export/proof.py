"""The self-test: an export loaded and replayed in a process that knows nothing of us."""

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
    """The export could not be loaded, or answers otherwise than when it was written."""


def self_test(path: str | os.PathLike) -> dict:
    """Replay an export's golden examples in a fresh process without Keras and seqkit.

    Args:
        path: a version folder, or the folder of all versions (the newest is tested).

    Returns:
        path, signatures (names), examples (their number), largest_difference (absolute, over all
        float outputs), load_seconds, latency_ms (median by signature, of its first example).

    Raises:
        SelfTestError: drift, or an export that can't be loaded; one line that says which.
        FileNotFoundError: there is no export at `path`.
    """
    version = resolve(path)
    # By path, and -P: the script's folder stays off the search path. What is left on it is
    # TensorFlow's, however it was installed; the script itself blocks the rest.
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
        report = {"error": _how_it_died(process)}
    if "error" in report:
        raise SelfTestError(f"{version}: self-test failed: {report['error']}")
    return {"path": str(version), **report}


def _how_it_died(process: subprocess.CompletedProcess) -> str:
    if process.returncode < 0:
        return f"the process was killed by {signal.Signals(-process.returncode).name}"
    lines = process.stderr.strip().splitlines() or ["no output"]
    return f"exit code {process.returncode}: {lines[-1]}"


def main() -> None:
    """Command line: print the report as one JSON line, or one line on stderr and exit 1."""
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
