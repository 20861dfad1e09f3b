"""Lets tests import `tests.reference`, `apps` and `datasets` from the root of the clone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
