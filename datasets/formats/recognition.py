"""Signs that a file is in another format than the reader's: JSON, XML, CSV, a header."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from datasets.formats.lines import DataError, shorten

_MARKUP = re.compile(
    r"<(\?xml|!doctype|html|tmx|mteval|srcset|refset|tstset|doc|seg|url|xliff)\b", re.I
)
_COLUMN_NAME = re.compile(  # `Sentence #`, `NER_tags` and `src_text`, too
    "(chunk|deprel|feat|form|head|id|index|input|label|lang|lemma|ner|output|pos|sentence|source|"
    "src|tag|target|text|tgt|token|translation|trg|upos|word|xpos)+s?|"
    "english|french|german|spanish|de|en|es|fr"
)


def check_first_line(path: Path | str, number: int, line: str) -> None:
    """Refuse JSON and XML.

    Args:
        path: Path of the file.
        number: Number of its first line that isn't blank.
        line: That line.

    Raises:
        DataError: If it is JSON or XML.
    """
    kind = "XML" if _MARKUP.match(line.lstrip()) else "JSON" if _is_json(line.strip()) else None
    if kind:
        raise DataError(
            f"{path}, line {number}: {shorten(line)} is {kind}; convert the file to lines of text "
            "with tabs between the columns"
        )


def is_header(cells: Sequence[str]) -> bool:
    """Return whether every cell is a usual name of a column.

    Example:
        >>> is_header(["Sentence #", "Word", "NER_tags"]), is_header(["Words", "NNS"])
        (True, False)
    """
    return all(_COLUMN_NAME.fullmatch(re.sub(r"[\W_]", "", cell.lower())) for cell in cells)


def is_csv(lines: Sequence[str]) -> bool:
    """Return whether all lines have a comma or semicolon inside, and most have no other separator.

    Example:
        >>> is_csv(["Berlin,B-LOC", '"is, not",O']), is_csv(["1,000 CD", ", ,", "is V,3,sg"])
        (True, False)
    """
    inside = [re.sub(r'"[^"]*"', "quoted", line).strip("',; ") for line in lines]
    return len(lines) > 1 and any(
        all(separator in line for line in inside)
        and sum(bool(re.search(rf"[^{separator}]\s", line)) for line in inside) < len(lines) / 2
        for separator in ",;"
    )


def _is_json(line: str) -> bool:
    """Return whether a line is a JSON object or array, or the beginning of an indented one."""
    if line in ("{", "[", "[{"):
        return True
    try:
        return line[:1] in ("{", "[") and isinstance(json.loads(line), dict | list)
    except ValueError:
        return False
