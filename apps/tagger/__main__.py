"""Command line: `python -m apps.tagger --help`."""

from apps import tagger
from apps.common import main

raise SystemExit(main(tagger))
