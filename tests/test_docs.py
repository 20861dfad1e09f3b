"""What the documents say runs, and the figures they give are those of the committed results."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results"


def test_the_code_of_the_readme_runs():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        exec(block, {"__name__": "__main__"})


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", *Path("docs").glob("*.md")])
def test_the_files_that_a_document_names_exist(document):
    text = (ROOT / document).read_text()
    for name in re.findall(r"`((?:docs|tests|apps|seqkit|datasets|benchmarks)/[\w./]+)`", text):
        assert (ROOT / name).exists(), f"{document} names {name}"


def test_the_figures_of_the_results_are_those_of_the_committed_files():
    """A row that ends in `file.json` gives, in order, the figures at the keys its header names."""
    rows = 0
    keys = []
    for line in (RESULTS.parent / "results.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[-1] == "file":
            keys = cells[1:-1]
        elif line.startswith("|") and cells[-1].endswith(".json`"):
            rows += 1
            result = json.loads((RESULTS / cells[-1].strip("`")).read_text())
            for key, cell in zip(keys, cells[1:-1], strict=True):
                assert cell == shown(result, cells[0], key), f"{cells[0]}: {key}"
    assert rows


def shown(result, row, key):
    """The figure as the table shows it."""
    if row in result:  # a mode of benchmarks.crf
        return f"{result[row][key]:.2f}" if key == "ratio" else f"{result[row][key]:.0f}"
    if "sentences_per_second" in result:  # benchmarks.tagger
        return f"{result[key]:,.0f}"
    if isinstance(result.get("rows"), dict):  # benchmarks.memory, .decoding, .translator
        found = result["rows"][row]
        if key == "ratio":
            return f"{found['ratio']:.1f}"
        return f"{found['ms'][key] if 'ms' in found else found[key]:,.0f}"
    if "rows" in result:  # the sizes of benchmarks.lstm
        [found] = [r for r in result["rows"] if row == "x".join(map(str, r["size"]))]
        value = found["ratio"]["keras"] if key == "ratio" else found["ms"].get(key)
        return f"{value:.2f}" if key == "ratio" else f"{value:.0f}"
    if key in result.get("by_length", {}):
        return f"{result['by_length'][key]['bleu']:.2f}"
    system = result["scores"] if row.startswith("model") else result["baselines"][row]
    return f"{system[key]:.2f}"
