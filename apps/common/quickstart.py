"""Run an app from its data to answers of its export, with the commands a user would type.

python -m apps.common.quickstart tagger
"""

import importlib
import sys
import time
from pathlib import Path

from apps.common import main
from apps.common.hints import command, interpreter, print_next


def quickstart(name: str) -> int:
    """Train, evaluate and export the default preset of an app, and try its examples.

    Args:
        name: Name of the app.

    Returns:
        The exit code of the first command that fails, or 0.
    """
    if not (Path(__file__).parents[1] / name / "__main__.py").exists():
        print(f"error: no app {name!r}; apps are the folders of apps/", file=sys.stderr)
        return 2
    app = importlib.import_module(f"apps.{name}")
    preset = next(iter(app.PRESETS))
    run = str(Path("runs") / name / preset)
    began = time.monotonic()
    for args in (
        ["train", "--preset", preset, "--run", run],
        ["evaluate", "--run", run, "--split", "dev"],
        ["evaluate", "--run", run, "--split", "test"],
        ["export", "--run", run],
        ["predict", "--run", run, *app.examples(app.PRESETS[preset])],
    ):
        print(f"\n$ {command(app, args, interpreter())}", flush=True)
        if code := main(app, args):
            return code
    print(f"\nDone in {time.monotonic() - began:.0f} s; now try your own text and files.\n")
    answers = (["predict", "--run", run, text] for text in app.examples(app.PRESETS[preset])[:1])
    print_next(app, *answers, ["train", "--help"])
    return 0


if __name__ == "__main__":
    raise SystemExit(quickstart(*sys.argv[1:2] or ["tagger"]))
