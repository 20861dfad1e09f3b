"""The model card."""

import re

import numpy as np
import tensorflow as tf

from seqkit.export import model_card, write


def card(export, **changes):
    facts = {
        "name": "tagger",
        "data": "three words",
        "licence": "CC0",
        "command": "python -m apps.tagger train",
        "seed": 7,
        "scores": {"macro F1": 0.98765, "sentences": 12},
        "signatures": export["signatures"],
        "examples": export["examples"],
    }
    return model_card("Tagger", **{**facts, **changes})


def test_it_contains_facts_scores_and_signatures(export):
    text = card(export, notes="## Limits\n\nNone.")
    for line in [
        "# Tagger",
        "| Trained by | `python -m apps.tagger train` |",
        "| Seed | 7 |",
        "| macro F1 | 0.9877 |",
        "| sentences | 12 |",
        "| `ids` | input | `ids` | int32 | (?, ?) |",
        "| `serving_default` | output | `scores` | float32 | (?, ?, 2) |",
        "## Limits",
    ]:
        assert line in text.splitlines()


def run_the_python(path):
    """Run the Python that the card of an export shows: with seqkit, and without."""
    codes = re.findall(r"```python\n(.*?)```", (path / "README.md").read_text(), re.DOTALL)
    assert len(codes) == 2
    for code in codes:
        exec(code.replace("PATH/OF/THIS/FOLDER", str(path)), {})


def test_the_python_it_shows_runs(tmp_path, export, capsys):
    run_the_python(write(tmp_path, **{**export, "card": card(export)}))
    assert capsys.readouterr().out.count("'scores'") == 2


def test_it_names_the_package_of_additional_operations(export):
    text = card(export, operations="tensorflow_text")
    assert "In Python, with seqkit, TensorFlow and tensorflow_text" in text
    assert "import tensorflow as tf\nimport tensorflow_text  #" in text


def test_the_curl_it_shows_is_shell_proof(export):
    export["examples"]["serving_default"] = [{"text": ["it's"]}]
    assert r"""-d '{"inputs": {"text": ["it'\''s"]}}'""" in card(export)
    assert "v1/models/tagger:predict" in card(export)


def test_a_large_example_is_not_printed(tmp_path, export, capsys):
    export["signatures"]["serving_default"] = export["signatures"]["ids"]
    export["examples"]["serving_default"] = [{"ids": np.ones((30, 50), "int32")}]
    text = card(export)
    assert len(text) < 3000
    assert "ids=tf.zeros([30, 50], tf.int32)" in text
    assert "curl" not in text
    run_the_python(write(tmp_path, **{**export, "card": text}))


def test_a_bar_in_a_cell_does_not_break_the_table(export):
    assert r"| Data | a\|b c |" in card(export, data="a|b\nc")


def test_shapes_of_unknown_rank_are_any(export):
    signature = export["signatures"]["ids"]
    export["signatures"]["ids"] = type(signature)(
        lambda x: {"y": x}, {"x": tf.TensorSpec(None, tf.float32)}
    )
    assert "| `ids` | input | `x` | float32 | any |" in card(export)
