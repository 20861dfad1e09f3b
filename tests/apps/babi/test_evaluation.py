from dataclasses import replace

import pytest
import tensorflow as tf

from apps import babi
from apps.babi.evaluation import evaluate
from apps.babi.prediction import predict
from apps.common.config import PredictOptions
from apps.common.errors import UserError
from apps.common.run_folder import load_model
from datasets.babi.stories import read_stories


def always(word, hops=2):
    """Return signatures that always give this answer and attend only to the first fact."""

    def serve(facts, question):
        stories = [text.decode().split("\n") for text in facts.numpy()]
        width = max(map(len, stories))
        first = [[[1.0] + [0.0] * (width - 1)] * hops] * len(stories)
        return {
            "answer": tf.constant([word] * len(stories)),
            "probability": tf.fill([len(stories)], 0.75),
            "facts": tf.constant([row + [""] * (width - len(row)) for row in stories]),
            "attention": tf.constant(first),
        }

    return {"serving_default": serve}


@pytest.fixture
def folder(data, tmp_path):
    data.save(tmp_path)
    return tmp_path


def test_errors_are_counted_per_task(config, folder, tmp_path):
    file = tmp_path / "qa3_mine.txt"
    answers = ["pier"] * 19 + ["buoy"]
    lines = [f"1 Ines rowed to the {a}.\n2 Where is Ines?\t{a}\t1" for a in answers]
    file.write_text("\n".join(lines))
    evaluation = evaluate(config, always("pier"), folder, "test", file)
    assert evaluation.scores == {"mean_error": 5.0, "failed_tasks": 0.0, "qa3": 5.0}
    failed = evaluate(config, always("island"), folder, "test", file)
    assert failed.scores == {"mean_error": 100.0, "failed_tasks": 1.0, "qa3": 100.0}
    assert evaluation.size == {"questions": 20, "tasks": 1}
    assert "qa3" in evaluation.details


def test_the_baseline_is_the_most_frequent_training_answer(config, data, folder):
    answers = [q.answer for q in data.train]
    guess = max(sorted(set(answers)), key=answers.count)
    test = read_stories(config.test_file)
    wrong = sum(q.answer != guess for q in test)
    evaluation = evaluate(config, always(guess), folder, "test")
    assert evaluation.scores["qa1"] == 100 * wrong / len(test)
    assert evaluation.baselines == {"most frequent answer": evaluation.scores}


def test_without_the_training_data_an_export_is_scored_without_a_baseline(config, folder):
    far = replace(config, train_file=folder / "gone.txt")
    evaluation = evaluate(far, always("pier"), folder, "test")
    assert evaluation.baselines == {} and "gone.txt: No such file" in evaluation.details
    assert 0 < evaluation.scores["mean_error"] < 100


def test_validation_and_the_export_have_the_same_error(config, data, folder, untrained_run):
    (exported,) = babi.export(config, untrained_run)
    signatures = {name: s.concrete for name, s in exported.signatures.items()}
    expected = evaluate(config, signatures, folder, "dev").scores["mean_error"]
    model = load_model(untrained_run)
    assert babi.validation(config, model, data)() == {"error": pytest.approx(expected)}


def test_predict_shows_the_attention_weights():
    line = "Ines swam home. Omar rowed. Where is Ines?"
    ((text, record),) = predict(PredictOptions(), always("home"), [[line]])
    assert text.splitlines() == [
        "home (0.75)",
        "  Where is Ines?   hop 1  hop 2",
        "  Ines swam home.   1.00   1.00",
        "  Omar rowed.       0.00   0.00",
    ]
    assert record == {
        "question": "Where is Ines?",
        "answer": "home",
        "probability": 0.75,
        "facts": ["Ines swam home.", "Omar rowed."],
        "attention": [[1.0, 0.0], [1.0, 0.0]],
    }


@pytest.mark.parametrize("line", ["", "  ", "?", "Ines swam.", "Who? Ines."])
def test_a_line_without_a_question_is_reported(line):
    with pytest.raises(UserError, match="line 2: no question; write a story"):
        list(predict(PredictOptions(), always("home"), [["Who?"], [line]]))
