"""Command line: `python -m apps.translator --help`."""

from apps import translator
from apps.common import main

raise SystemExit(main(translator))
