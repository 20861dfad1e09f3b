"""Command line: `python -m apps.copy_task --help`."""

from apps import copy_task
from apps.common import main

raise SystemExit(main(copy_task))
