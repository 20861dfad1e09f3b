"""A user's own files, in place of a dataset: `train_file`, `dev_file` and `test_file`."""

from typing import Any

from apps.common.errors import UserError


def check_own_files(options: Any) -> None:
    """Raise UserError if a file is given without those that it needs."""
    if (options.train_file is None) != (options.dev_file is None):
        raise UserError("train_file and dev_file belong together: give both or neither")
    if options.test_file and not options.train_file:
        raise UserError("test_file needs train_file; to score a trained model: evaluate")


def facts_of_own_files(options: Any) -> dict[str, Any]:
    """What an export says of them: arguments of `apps.common.app.Export`."""
    return {
        "data": str(options.train_file),
        "licence": "that of the training data",
        "splits": ("dev", "test") if options.test_file else ("dev",),
    }
