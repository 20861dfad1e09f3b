"""Draw what several `evaluate --json` found, a curve each: errors by length.

python -m apps.copy_task.curves PICTURE FILE ...
"""

import json
import re
import sys
from pathlib import Path

from apps.common.errors import UserError
from apps.copy_task.config import Config
from apps.copy_task.pictures import length_curve


def draw(picture: Path, files: list[Path]) -> None:
    """Draw the curves of result files.

    Args:
        picture: a new .png, .svg or .pdf file.
        files: each the last line of `evaluate --json`.

    Raises:
        UserError: a file is no such result, or the picture exists.
    """
    curves = {}
    for file in files:
        try:
            row = json.loads(file.read_text())
            by_length = {
                int(found[1]): value
                for name, value in row["scores"].items()
                if (found := re.fullmatch(r"bit_errors_(\d+)", name))
            }
            curves[f"seed {row['seed']}"] = by_length
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}: no result of evaluate --json ({error})") from None
    length_curve(picture, curves, trained_to=Config().max_length)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        draw(Path(sys.argv[1]), [Path(file) for file in sys.argv[2:]])
    except UserError as error:
        sys.exit(f"error: {error}")
