"""Registry of the tagging benchmarks: their readers and auxiliary columns."""

from typing import Literal, get_args

from datasets.conll2000 import reading as conll2000
from datasets.formats.columns import Sentence
from datasets.formats.lines import DataError
from datasets.splits import Split
from datasets.ud_english_ewt import reading as ud_english_ewt

Name = Literal["ud_english_ewt", "conll2000"]

AUXILIARY = {"ud_english_ewt": ud_english_ewt.AUXILIARY, "conll2000": conll2000.AUXILIARY}
_READERS = {"ud_english_ewt": ud_english_ewt.read_ewt, "conll2000": conll2000.read_conll2000}


def read_benchmark(name: Name, split: Split) -> list[Sentence]:
    """Read a split of a benchmark.

    Args:
        name: `ud_english_ewt` or `conll2000`; the `reading` modules of these data sets describe
            the tags and the auxiliary columns.
        split: `train`, `dev` or `test`.

    Returns:
        The sentences.

    Raises:
        DataError: If there is no such benchmark or split, or if the files cannot be downloaded or
            differ from the published ones.
    """
    if name not in _READERS or split not in get_args(Split):
        raise DataError(
            f"no benchmark {name!r} with a split {split!r}; choose one of {', '.join(_READERS)} "
            f"with {', '.join(get_args(Split))}"
        )
    return _READERS[name](split)
