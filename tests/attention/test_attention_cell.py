"""AttentionCell: both orders against references, forms of memory, steps, dropout, errors."""

import keras
import numpy as np
import pytest

from seqkit import RNN, GRUCell, LSTMCell, StackedCells
from seqkit.attention import (
    AttentionCell,
    BahdanauAttention,
    CoverageAttention,
    LocationAwareAttention,
    LuongAttention,
)
from seqkit.memory import NTMCell
from seqkit.testing.case import Case, weighted_sum
from seqkit.wiring import Bridge
from tests.reference import attention as reference
from tests.reference import gru

RANDOM = np.random.default_rng(0)
SEQUENCE, MEMORY = RANDOM.standard_normal((3, 5, 4)), RANDOM.standard_normal((3, 6, 2))
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
ALL = {"return_sequences": True, "return_state": True}

CELLS = {
    "before": lambda: AttentionCell(GRUCell(3), BahdanauAttention(5)),
    "before lstm location": lambda: AttentionCell(
        LSTMCell(3, dropout=0.2), LocationAwareAttention(5, filters=2, kernel_size=3)
    ),
    "after": lambda: AttentionCell(LSTMCell(3), LuongAttention("general"), attend="after"),
    "after local, not fed": lambda: AttentionCell(
        GRUCell(3), LuongAttention("concat", window=2), attend="after", input_feeding=False
    ),
    "after stack coverage": lambda: AttentionCell(
        StackedCells([LSTMCell(3), GRUCell(2)]), CoverageAttention(5), attend="after"
    ),
}
each_cell = pytest.mark.parametrize("name", CELLS)


def numbers(nest):
    return [keras.ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(nest)]


def assert_same(found, wanted):
    for one, other in zip(numbers(found), numbers(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def random_cell(cell):
    """Return a built cell with random weights."""
    RNN(cell)(SEQUENCE, constants=MEMORY)
    random = np.random.default_rng(1)
    for weight in cell.weights:
        weight.assign(0.5 * random.standard_normal(weight.shape))
    return cell


def arrays(layer):
    return {w.name: keras.ops.convert_to_numpy(w) for w in layer.weights}


def steps(cell, constants, states=None):
    """Return all outputs and a_t (batch, time, ...), from one call of the cell per step."""
    states = cell.get_initial_state(len(SEQUENCE), constants) if states is None else states
    outputs, alignment = [], []
    for t in range(SEQUENCE.shape[1]):
        output, states = cell(SEQUENCE[:, t], states, constants=constants)
        outputs.append(numbers(output)[0])
        alignment.append(numbers(cell.attention_weights(states))[0])
    return np.stack(outputs, axis=1), np.stack(alignment, axis=1), states


@pytest.mark.parametrize("attend", ["before", "after"])
@pytest.mark.parametrize("input_feeding", [True, False])
@pytest.mark.parametrize("kind", ["bahdanau", "location", "coverage"])
def test_both_orders_match_the_papers(kind, attend, input_feeding):
    if attend == "before" and not input_feeding:
        pytest.skip("the context always enters")
    make = {
        "bahdanau": BahdanauAttention,
        "location": lambda units, **k: LocationAwareAttention(units, 2, 3, **k),
        "coverage": CoverageAttention,
    }[kind]
    cell = random_cell(
        AttentionCell(
            GRUCell(3, dtype="float64"),
            make(5, dtype="float64"),
            attend=attend,
            input_feeding=input_feeding,
        )
    )
    w, p, q = arrays(cell), arrays(cell.attention), arrays(cell.cell)
    C = w["context_kernel"] if input_feeding else np.zeros((3, 9))
    U = np.concatenate([q["kernel"], C])
    b, d = q["bias"]
    outputs, alignment, _ = steps(cell, (MEMORY, MASK))
    for row, (xs, h, mask) in enumerate(zip(SEQUENCE, MEMORY, MASK, strict=True)):
        h = np.where(mask[:, None], h, np.nan)
        past = [np.zeros(6)]

        def attend_to(s, past=past, h=h, mask=mask):
            feedback = np.zeros((6, 5))
            if kind == "location":
                feedback = reference.location(past[-1], p["filters"].T) @ p["location_kernel"]
            if kind == "coverage":
                feedback = sum(past)[:, None] * p["coverage_kernel"]
            W_q, W_k, bias = p["query_kernel"].T, p["key_kernel"].T, p.get("bias", 0.0)
            e = [
                reference.additive(s, h_j, p["v"], W_q, W_k, bias, f)
                for h_j, f in zip(h, feedback, strict=True)
            ]
            past.append(reference.weights(np.array(e), mask))
            return past[-1], reference.read(past[-1], h)

        def step(x, c, s):
            return gru.step(np.concatenate([x, c]), s, U, q["recurrent_kernel"], b, d)

        if attend == "before":
            wanted = reference.before(xs, np.zeros(3), attend_to, step)
        else:
            W_c = w["attentional_kernel"].T
            wanted = reference.after(xs, np.zeros(3), attend_to, step, W_c, input_feeding)
        np.testing.assert_allclose(outputs[row], wanted[0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(alignment[row], wanted[1], rtol=1e-10, atol=1e-12)


@each_cell
def test_all_forms_of_memory_and_single_steps_agree(name):
    cell = random_cell(CELLS[name]())
    outputs, *states = RNN(cell, **ALL)(SEQUENCE, constants=(MEMORY, MASK))
    memory = cell.attention.prepare(MEMORY, MASK)
    for constants in (memory, (MEMORY, MASK), tuple(memory)):
        again, alignment, last = steps(cell, constants)
        assert_same([again, *last], [outputs, *states])
        assert_same(RNN(cell, **ALL)(SEQUENCE, constants=constants), [outputs, *states])
    assert not alignment[:, :, 0][1:].any() and not alignment[2].any()
    without = RNN(cell, **ALL)(SEQUENCE[:2], constants=(MEMORY[:2], None))
    assert_same(without, RNN(cell, **ALL)(SEQUENCE[:2], constants=MEMORY[:2]))


@pytest.mark.parametrize("name", ["before", "after", "after local, not fed"])
def test_rows_next_to_each_other_can_share_a_row_of_the_memory(name):
    cell, repeat = random_cell(CELLS[name]()), lambda x: np.repeat(x, 4, axis=0)
    x = RANDOM.standard_normal((12, 4))
    states = [RANDOM.standard_normal(s.shape) for s in cell.get_initial_state(12, repeat(MEMORY))]
    wanted = cell(x, states, constants=(repeat(MEMORY), repeat(MASK)))
    assert_same(cell(x, states, constants=(MEMORY, MASK)), wanted)


@each_cell
def test_padding_of_the_memory_is_never_read(name):
    cell = random_cell(CELLS[name]())
    rnn = RNN(cell, **ALL)
    results = []
    for padding in (MEMORY, np.nan):
        memory = np.where(MASK[..., None], MEMORY, padding)
        case = Case(lambda: rnn, SEQUENCE, {"constants": (memory, MASK)})
        results.append([*case.numbers(rnn), *case.gradients(rnn, weighted_sum)])
    for clean, dirty in zip(*results, strict=True):
        assert np.isfinite(clean).all()
        np.testing.assert_array_equal(clean, dirty)


def test_coverage_is_the_sum_of_all_weights():
    cell = random_cell(CELLS["after stack coverage"]())
    _, alignment, states = steps(cell, (MEMORY, MASK))
    *_, a, coverage, _, _ = numbers(states)
    np.testing.assert_allclose(coverage, alignment.sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(a, alignment[:, -1])


@each_cell
def test_the_states_of_an_encoder_can_initialize_it(name):
    cell = random_cell(CELLS[name]())
    given = Bridge(cell.cell.state_size)([SEQUENCE[:, 0], SEQUENCE[:, 1]])
    first = cell.initial_state(given, (MEMORY, MASK))
    outputs = RNN(cell, return_sequences=True)(
        SEQUENCE, initial_state=first, constants=(MEMORY, MASK)
    )
    assert_same(outputs, steps(cell, (MEMORY, MASK), first)[0])
    own = cell.cell.get_initial_state(3)
    assert_same(cell.initial_state(own, MEMORY), cell.get_initial_state(3, MEMORY))


def test_it_works_in_a_functional_model_of_any_length():
    x, memory = keras.Input((None, 4)), keras.Input((None, 2))
    state = keras.Input((3,))
    cell = CELLS["before"]()
    outputs = RNN(cell)(x, initial_state=cell.initial_state([state], memory), constants=memory)
    model = keras.Model([x, memory, state], outputs)
    assert tuple(model([SEQUENCE, MEMORY, SEQUENCE[:, 0, :3]]).shape) == (3, 5)


def test_inputs_are_projected_outside_the_loop():
    cell = random_cell(CELLS["before"]())
    shapes, project = [], cell.cell.project
    cell.cell.project = lambda inputs, prepared: (
        shapes.append(inputs.shape) or project(inputs, prepared)
    )
    RNN(cell)(SEQUENCE, constants=MEMORY)
    assert [tuple(shape) for shape in shapes] == [(5, 3, 4)]


def test_dropout_of_the_cell_works():
    cell = AttentionCell(GRUCell(8, dropout=0.5, recurrent_dropout=0.2), BahdanauAttention(5))
    rnn = RNN(cell)
    plain, one, other = (
        numbers(rnn(SEQUENCE, constants=MEMORY, training=training))[0]
        for training in (False, True, True)
    )
    assert np.abs(one - other).max() > 1e-3 and np.abs(one - plain).max() > 1e-3
    with pytest.raises(ValueError, match="its dropout draws one mask per sequence"):
        cell(SEQUENCE[:, 0], cell.get_initial_state(3, MEMORY), constants=MEMORY, training=True)


def test_weights_stay_in_float32_under_half_precision():
    cell = AttentionCell(
        GRUCell(3, dtype="mixed_float16"), BahdanauAttention(5, dtype="mixed_float16")
    )
    output, s, a = RNN(cell, return_state=True)(SEQUENCE, constants=MEMORY)
    dtypes = [keras.backend.standardize_dtype(v.dtype) for v in (output, s, a)]
    assert dtypes == ["float16", "float16", "float32"]
    np.testing.assert_allclose(numbers(a)[0].sum(axis=1), 1, atol=1e-6)


def test_bad_arguments_are_rejected():
    gru, attention = GRUCell(3), BahdanauAttention(5)
    with pytest.raises(ValueError, match="it must be an AffineCell, such as GRUCell, or"):
        AttentionCell(NTMCell(LSTMCell(3)), attention)
    with pytest.raises(ValueError, match=r"must be one of seqkit\.attention"):
        AttentionCell(gru, keras.layers.Attention())
    with pytest.raises(ValueError, match="attend is 'during'; it must be one of"):
        AttentionCell(gru, attention, attend="during")
    with pytest.raises(ValueError, match="input_feeding=False requires attend='after'"):
        AttentionCell(gru, attention, input_feeding=False)
    with pytest.raises(ValueError, match=r"of one dtype policy; got .*float64.*float32"):
        AttentionCell(GRUCell(3, dtype="float64"), attention)
    with pytest.raises(ValueError, match="the output size is unknown before it is built"):
        _ = AttentionCell(gru, attention).output_size
    with pytest.raises(ValueError, match="learn_initial_state=True can't learn it"):
        RNN(AttentionCell(gru, attention), learn_initial_state=True)(SEQUENCE, constants=MEMORY)


def test_missing_constants_raise_a_clear_error():
    for rnn in (RNN, keras.layers.RNN):
        with pytest.raises(ValueError, match=r"run it in seqkit.RNN with constants=memory or"):
            rnn(CELLS["before"]())(SEQUENCE)
        built = random_cell(CELLS["before"]())
        with pytest.raises(ValueError, match=r"run it in seqkit.RNN with constants=memory or"):
            rnn(built)(SEQUENCE)


@pytest.mark.filterwarnings("error::UserWarning")
def test_the_mask_of_an_embedded_memory_is_used():
    embedding = keras.layers.Embedding(5, 4, mask_zero=True)
    source, target = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[1, 2, 3], [4, 1, 0]])
    cell = AttentionCell(GRUCell(3), BahdanauAttention(5))
    rnn = RNN(cell, return_state=True)
    *_, weights = rnn(embedding(target), constants=embedding(source))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(weights) > 0, source > 0)
    inputs = [keras.Input((None,), dtype="int32") for _ in range(2)]
    outputs = rnn(embedding(inputs[1]), constants=embedding(inputs[0]))
    assert_same(keras.Model(inputs, outputs)([source, target])[-1], weights)
    states = cell.get_initial_state(2, embedding(source))
    for run in (cell, rnn.step):  # a step's inputs have a mask, too, (batch,)
        output, (_, weights) = run(embedding(target[:, 0]), states, constants=embedding(source))
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weights) > 0, source > 0)
        assert getattr(output, "_keras_mask", None) is None


def test_a_functional_model_takes_batches_of_any_size():
    inputs, memory = keras.Input((None, 4)), keras.Input((None, 5))
    cell = AttentionCell(LSTMCell(3), BahdanauAttention(4))
    outputs = RNN(cell, return_sequences=True)(inputs, constants=memory)
    model = keras.Model([inputs, memory], outputs)
    for batch in (1, 3):
        found = model([np.ones((batch, 3, 4)), np.ones((batch, 6, 5))])
        assert tuple(found.shape) == (batch, 3, 8)
