"""Tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.common.app import Evaluation
from apps.common.facts import counted

MAX_COLUMNS = 10  # that fit on a terminal


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table: the first column is aligned left, the others (numbers) right.

    Example:
        >>> print(table(["label", "F1"], [["NOUN", "91.20"], ["X", "8.05"]]))
        label     F1
        NOUN   91.20
        X       8.05
    """
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for line in [header, *rows]:
        first, *others = line
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def evaluation_text(title: str, evaluation: Evaluation) -> str:
    """Format an evaluation for the terminal: details first, the scores last."""
    systems = {"model": evaluation.scores, **evaluation.baselines}
    rows = [
        [system, *(f"{scores[name]:.2f}" if name in scores else "-" for name in evaluation.scores)]
        for system, scores in systems.items()
    ]
    header = ["", *evaluation.scores]
    if len(header) > MAX_COLUMNS:  # one line per score
        header, *rows = map(list, zip(header, *rows, strict=True))
    size = ", ".join(
        counted(count, name.removesuffix("s"), name) for name, count in evaluation.size.items()
    )
    parts = [evaluation.details, f"{title}: {size}; {evaluation.metric}"]
    return "\n\n".join(part for part in [*parts, table(header, rows)] if part)


def self_test_text(report: Mapping[str, Any]) -> str:
    """Format the report of `seqkit.export.self_test`."""
    times = [[name, f"{ms:.1f}"] for name, ms in report["latency_ms"].items()]
    return (
        f"{report['path']}: written; self-test passed in a process without seqkit and Keras: "
        f"golden examples {report['examples']}, largest difference "
        f"{report['largest_difference']:.1g}, loaded in {report['load_seconds']:.1f} s\n\n"
        f"{table(['signature', 'ms per call'], times)}\n"
    )
