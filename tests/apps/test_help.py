"""Help is fast: it doesn't wait for large libraries."""

import subprocess
import sys

import pytest

LARGE = "tensorflow", "keras", "matplotlib", "sklearn", "sentencepiece"


@pytest.mark.parametrize(
    ("app", "command", "option"),
    [
        ("babi", "train", "--model"),
        ("copy_task", "train", "--curriculum"),
        ("tagger", "train", "--learning_rate"),
        ("translator", "score", "--saved_model"),
    ],
)
def test_help_does_not_wait_for_large_libraries(app, command, option):
    code = (
        f"import sys; from apps import {app}; from apps.common import main\n"
        f"try: main({app}, ['{command}', '--help'])\n"
        f"finally: assert not set({LARGE}) & set(sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert option in process.stdout
