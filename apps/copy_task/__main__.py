from apps import copy_task
from apps.common import main

raise SystemExit(main(copy_task))
