"""Draw what several `evaluate --json` found, a curve each: BLEU by the length of the source.

python -m apps.translator.curves PICTURE NAME=FILE ...
"""

import json
import sys
from pathlib import Path

from apps.common.errors import UserError
from apps.translator.pictures import length_curves
from apps.translator.scores import Band


def draw(picture: Path, files: dict[str, Path]) -> None:
    """Draw the curves of result files.

    Args:
        picture: a new .png, .svg or .pdf file.
        files: name of a model -> the last line of its `evaluate --json`; all of the same sentences.

    Raises:
        UserError: a file is no such result, they are of different sentences, or the picture exists.
    """
    curves, evaluated = {}, {}
    for name, file in files.items():
        try:
            row = json.loads(file.read_text())
            curves[name] = {words: Band(**band) for words, band in row["by_length"].items()}
            evaluated[name] = row["evaluated_checksum"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{file}: no result of evaluate --json ({error})") from None
    if len(set(evaluated.values())) > 1:
        raise UserError(f"{', '.join(map(str, files.values()))}: not of the same sentences")
    length_curves(picture, curves)


if __name__ == "__main__":
    arguments = dict(argument.partition("=")[::2] for argument in sys.argv[2:])
    if not arguments or not all(arguments.values()):
        sys.exit(__doc__)
    if len(arguments) < len(sys.argv) - 2:
        sys.exit("error: two files have the same name; each NAME is a curve of its own")
    try:
        draw(Path(sys.argv[1]), {name: Path(file) for name, file in arguments.items()})
    except UserError as error:
        sys.exit(f"error: {error}")
