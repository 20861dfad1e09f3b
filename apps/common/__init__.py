"""Shared parts of apps: the command line, the run folder, training, reporting."""

import sys
from collections.abc import Sequence
from types import ModuleType

__all__ = ["main"]

INTERRUPTED = 130  # as shells report SIGINT


def main(app: ModuleType, args: Sequence[str] | None = None) -> int:
    """Run the command line of an app: see `apps.common.command_line`."""
    try:
        from apps.common import command_line

        return command_line.main(app, sys.argv[1:] if args is None else args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in ("apps", "datasets", "seqkit"):
            raise
        remedy = "; to install what apps need: pip install -e '.[apps]'" if error.name else ""
        print(f"error: {error}{remedy}", file=sys.stderr)
        return 2
