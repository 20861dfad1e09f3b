"""Splits of a data set or of the user's files: reading, fingerprints, unknown labels."""

import hashlib
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from apps.common.config import UserDataConfig
from apps.common.errors import UserError

SPLITS = ("train", "dev", "test")
SHOWN = 3  # unknown labels named in a message
Example = TypeVar("Example")


def read_split(
    config: UserDataConfig,
    split: str,
    read_file: Callable[[Path], list[Example]],
    read_dataset: Callable[[str], list[Example]],
) -> list[Example]:
    """Read a split from the user's files if there are any, otherwise from the data set.

    Raises:
        UserError: If there is no such split.
        DataError: If a file is missing or malformed.
    """
    if split not in SPLITS:
        raise UserError(f"no split {split!r}; choose one of {', '.join(SPLITS)}")
    if not config.train_file:
        return read_dataset(split)
    path = getattr(config, f"{split}_file")
    if path is None:
        raise UserError(
            f"the model was trained without a {split}_file; give --split dev or --test_file FILE"
        )
    return read_file(path)


def checksum(examples: Sequence[Any]) -> str:
    """Compute the SHA-256 of JSON-serializable examples."""
    return hashlib.sha256(json.dumps(examples).encode()).hexdigest()


def check_several(labels: Collection[str], name: str, kind: str, hint: str) -> None:
    """Check that there is something to learn: more than one label.

    Args:
        labels: Labels of the training data.
        name: Name of the data in messages.
        kind: What a label is called: "tag".
        hint: Question for the user.

    Raises:
        UserError: If all labels are the same.
    """
    distinct = set(labels)
    if len(distinct) == 1:
        raise UserError(f"{name}: every {kind} is {distinct.pop()!r}; {hint}")


def check_labels(
    labels: Mapping[str, str], known: Collection[str], name: str, kind: str, hint: str
) -> None:
    """Warn about labels that do not occur in the training data.

    Args:
        labels: Each label, with the location of its first occurrence or an empty string.
        known: Labels of the training data.
        name: Name of the data in messages.
        kind: What a label is called: "tag".
        hint: Question for the user if no label is known.

    Raises:
        UserError: If none of the labels is known.
    """
    unknown = {label: location for label, location in labels.items() if label not in known}
    some = ", ".join(f"{k} ({v})" if v else k for k, v in list(unknown.items())[:SHOWN])
    if unknown and len(unknown) == len(labels):
        raise UserError(f"{name}: none of the {kind}s ({some}) occur in training; {hint}")
    if unknown:
        dots = ", ..." if len(unknown) > SHOWN else ""
        print(
            f"warning: {name}: {kind}s that do not occur in training count as errors: {some}{dots}",
            file=sys.stderr,
        )
