"""Command line: `python -m tests.apps.smallest --help`."""

from apps.common import main
from tests.apps import smallest

raise SystemExit(main(smallest))
