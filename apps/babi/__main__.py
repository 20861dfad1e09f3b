"""Command line: `python -m apps.babi --help`."""

from apps import babi
from apps.common import main

raise SystemExit(main(babi))
