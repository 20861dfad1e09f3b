"""seqkit.RNN: parity with Keras, padding, segments, streams, constants, dropout, bad input."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import seqkit
from seqkit import RNN, ElmanCell, GRUCell, JordanCell, LSTMCell, StackedCells

SEQUENCE = np.random.default_rng(0).standard_normal((4, 6, 3)).astype("float32")
MASKS = {
    "none": None,
    "right": [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]],
    "left": [[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [0, 1, 1, 1, 1, 1]],
    "gaps": [[1, 0, 1, 1, 0, 1], [1, 1, 0, 0, 1, 1], [1, 0, 1, 0, 1, 0], [0, 1, 0, 0, 1, 0]],
    "row": [[1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
}
MASKS = {name: None if rows is None else np.array(rows, bool) for name, rows in MASKS.items()}
ALL = {"return_sequences": True, "return_state": True}
KERAS_CELLS = {
    "simple": lambda **kw: keras.layers.SimpleRNNCell(3, **kw),
    "lstm": lambda **kw: keras.layers.LSTMCell(3, **kw),
    "gru": lambda **kw: keras.layers.GRUCell(3, **kw),
    "stack": lambda **kw: keras.layers.StackedRNNCells(
        [keras.layers.LSTMCell(3, **kw), keras.layers.GRUCell(2, **kw)]
    ),
}
OUR_CELLS = {
    "elman": lambda **kw: ElmanCell(3, **kw),
    "jordan": lambda **kw: JordanCell(5, output_units=2, **kw),
    "lstm": lambda **kw: LSTMCell(3, peephole=True, layer_norm=True, **kw),
    "gru": lambda **kw: GRUCell(3, **kw),
    "stack": lambda **kw: StackedCells([LSTMCell(3, **kw), GRUCell(2, **kw)]),
}


def numbers(nest):
    return [keras.ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(nest)]


def assert_same(found, wanted, **tolerance):
    found, wanted = numbers(found), numbers(wanted)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, **({"rtol": 1e-5, "atol": 1e-6} | tolerance))


# Parity with keras.layers.RNN


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_it_equals_keras_rnn(go_backwards, zero_output_for_mask, mask):
    cell, mask = GRUCell(3), MASKS[mask]
    common = {"go_backwards": go_backwards, "zero_output_for_mask": zero_output_for_mask}
    for return_sequences, return_state in itertools.product([False, True], repeat=2):
        kwargs = {"return_sequences": return_sequences, "return_state": return_state, **common}
        ours = numbers(RNN(cell, **kwargs)(SEQUENCE, mask=mask))
        theirs = numbers(keras.layers.RNN(cell, **kwargs)(SEQUENCE, mask=mask))
        if zero_output_for_mask and not return_sequences and mask is not None:
            # Keras zeroes the last output of a row whose last step is padding; RNN returns the last
            # real one, which is the last state here.
            ends_real = mask[:, 0 if go_backwards else -1]
            theirs[0][~ends_real] = numbers(
                keras.layers.RNN(cell, **common, return_state=True)(SEQUENCE, mask=mask)
            )[1][~ends_real]
        assert_same(ours, theirs)


@pytest.mark.parametrize("cell", KERAS_CELLS)
@pytest.mark.parametrize("mask", ["none", "gaps"])
def test_keras_cells_run_in_it(cell, mask):
    cell = KERAS_CELLS[cell]()
    theirs = keras.layers.RNN(cell, **ALL)(SEQUENCE, mask=MASKS[mask])
    assert_same(RNN(cell, **ALL)(SEQUENCE, mask=MASKS[mask]), theirs)


@pytest.mark.parametrize("cell", KERAS_CELLS)
def test_dropout_of_keras_cells_is_the_same(cell):
    cell = KERAS_CELLS[cell](dropout=0.4, recurrent_dropout=0.3)
    ours, theirs = RNN(cell, **ALL), keras.layers.RNN(cell, **ALL)
    ours(SEQUENCE)
    seeds = [v for v in ours.non_trainable_variables if "seed_generator" in v.path]
    assert seeds
    before = numbers(seeds)

    def draw(rnn):
        for seed, value in zip(seeds, before, strict=True):
            seed.assign(value)
        return rnn(SEQUENCE, training=True)

    assert_same(draw(ours), draw(theirs))
    different = np.abs(numbers(ours(SEQUENCE, training=True))[0] - numbers(ours(SEQUENCE))[0])
    assert different.max() > 1e-3


def test_dropout_of_keras_cells_trains_in_a_graph():
    for make in KERAS_CELLS.values():
        rnn = RNN(make(dropout=0.4, recurrent_dropout=0.3))
        traced = tf.function(lambda x, rnn=rnn: rnn(x, training=True))
        rnn(SEQUENCE)
        one, other = (traced(tf.constant(SEQUENCE)).numpy() for _ in range(2))
        assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("cell", OUR_CELLS)
def test_our_cells_run_in_keras_rnn(cell):
    # Normalizing three units magnifies the rounding of 32 bits.
    cell = OUR_CELLS[cell](dtype="float64")
    for mask in MASKS.values():
        theirs = keras.layers.RNN(cell, dtype="float64", **ALL)(SEQUENCE, mask=mask)
        assert_same(RNN(cell, **ALL)(SEQUENCE, mask=mask), theirs, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("cell", OUR_CELLS)
@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_of_our_cells_is_refused_in_keras_rnn(cell, kind):
    rnn = keras.layers.RNN(OUR_CELLS[cell](**{kind: 0.3}))
    rnn(SEQUENCE)  # nothing is drawn outside of training
    with pytest.raises(ValueError, match=r"run the cell in seqkit\.RNN, not in keras\.layers\.RNN"):
        rnn(SEQUENCE, training=True)


def test_the_mask_of_an_embedding_is_used():
    ids = np.array([[3, 1, 0, 2], [0, 0, 2, 0]])
    embedding = keras.layers.Embedding(4, 3, mask_zero=True)
    rnn = RNN(LSTMCell(3), return_state=True)
    assert_same(
        rnn(embedding(ids)), rnn(ops.convert_to_tensor(numbers(embedding(ids))[0]), mask=ids != 0)
    )
    given = [SEQUENCE[:2, 0], SEQUENCE[:2, 1]]
    assert_same(
        rnn(embedding(ids), initial_state=given),
        rnn(numbers(embedding(ids))[0], mask=ids != 0, initial_state=given),
    )


def test_the_mask_is_propagated_in_the_order_of_the_outputs():
    ids = np.array([[3, 1, 0, 0], [0, 2, 2, 1]])
    embedding = keras.layers.Embedding(4, 3, mask_zero=True)
    backwards, after = RNN(GRUCell(3), go_backwards=True, return_sequences=True), RNN(ElmanCell(3))
    outputs = backwards(embedding(ids))
    wanted = after(ops.convert_to_tensor(numbers(outputs)[0]), mask=ids[:, ::-1] != 0)
    assert_same(after(outputs), wanted)
    inputs = keras.Input((None,), dtype="int32")
    assert_same(keras.Model(inputs, after(backwards(embedding(inputs))))(ids), wanted)


# Padding


@pytest.mark.parametrize("cell", OUR_CELLS)
@pytest.mark.parametrize("mask", ["right", "left", "gaps", "row"])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_nan_in_the_padding_reaches_neither_results_nor_gradients(go_backwards, mask, cell):
    mask = MASKS[mask]
    rnn = RNN(OUR_CELLS[cell](), go_backwards=go_backwards, return_state=True)
    results = []
    for filling in (0.0, np.nan):
        filled = tf.constant(np.where(mask[..., None], SEQUENCE, np.float32(filling)))
        with tf.GradientTape() as tape:
            tape.watch(filled)
            outputs = rnn(filled, mask=mask)
            loss = sum(tf.reduce_sum(tf.square(output)) for output in outputs)
        sources = [weight.value for weight in rnn.trainable_weights] + [filled]
        results.append([*outputs, *tape.gradient(loss, sources)])
    assert_same(results[1], results[0])
    assert not results[1][-1].numpy()[~mask].any()


@pytest.mark.parametrize("go_backwards", [False, True])
def test_each_row_equals_a_run_on_only_its_real_steps(go_backwards):
    rnn = RNN(LSTMCell(3), go_backwards=go_backwards, return_state=True)
    mask = MASKS["gaps"]
    together = numbers(rnn(SEQUENCE, mask=mask))
    for row, steps in enumerate(mask):
        alone = numbers(rnn(SEQUENCE[row : row + 1, steps]))
        assert_same([part[row : row + 1] for part in together], alone)


def test_a_row_without_real_steps_keeps_its_initial_state():
    given = [SEQUENCE[:, 0], SEQUENCE[:, 1]]
    _, h, c = RNN(LSTMCell(3), return_state=True)(
        SEQUENCE, mask=np.zeros((4, 6), bool), initial_state=given
    )
    assert_same([h, c], given, rtol=0)


def test_the_output_of_a_masked_step_repeats_the_previous_one_or_is_zero():
    cell, mask = GRUCell(3), MASKS["gaps"]
    repeated = numbers(RNN(cell, return_sequences=True)(SEQUENCE, mask=mask))[0]
    zeroed = numbers(
        RNN(cell, return_sequences=True, zero_output_for_mask=True)(SEQUENCE, mask=mask)
    )
    for row, time in zip(*np.nonzero(~mask), strict=True):
        before = repeated[row, time - 1] if time else np.zeros(3)
        np.testing.assert_array_equal(repeated[row, time], before)
        assert not zeroed[0][row, time].any()


# Segments and streams


@pytest.mark.parametrize("learn_initial_state", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_reset_equals_running_the_segments_separately(go_backwards, learn_initial_state):
    rnn = RNN(
        LSTMCell(3), go_backwards=go_backwards, learn_initial_state=learn_initial_state, **ALL
    )
    rnn(SEQUENCE)
    for weight in rnn.weights:
        weight.assign(weight + 0.3)
    flags = np.array(
        [[0, 0, 1, 0, 0, 0], [1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], bool
    )
    outputs, *states = numbers(rnn(SEQUENCE, reset=flags))
    for row, begins in enumerate(flags):
        edges = sorted({0, *np.flatnonzero(begins), 6})
        pieces = [
            numbers(rnn(SEQUENCE[row : row + 1, begin:end]))
            for begin, end in itertools.pairwise(edges)
        ]
        if go_backwards:
            pieces = pieces[::-1]  # in the order of reading
        assert_same(outputs[row], np.concatenate([piece[0][0] for piece in pieces]))
        assert_same([state[row] for state in states], [state[0] for state in pieces[-1][1:]])


def test_reset_stops_the_initial_state_and_its_gradient():
    rnn = RNN(GRUCell(3))
    given = tf.constant(SEQUENCE[:, 0])
    flags = np.zeros((4, 6), bool)
    flags[:2, 2] = True
    with tf.GradientTape() as tape:
        tape.watch(given)
        outputs = rnn(SEQUENCE, initial_state=[given], reset=flags)
    gradient = tape.gradient(outputs, given).numpy()
    assert not gradient[:2].any()
    assert gradient[2:].any(axis=1).all()


def test_reset_on_a_masked_step_counts_from_the_next_real_one():
    rnn = RNN(GRUCell(3), return_state=True)
    mask = np.array([[1, 1, 0, 0, 1, 1]] * 4, bool)
    on_padding, on_real = np.zeros((2, 4, 6), bool)
    on_padding[:, 2] = True
    on_real[:, 4] = True
    wanted = rnn(SEQUENCE[:, 4:])
    for flags in (on_padding, on_real):
        assert_same(rnn(SEQUENCE, mask=mask, reset=flags), wanted)


@pytest.mark.parametrize("cell", OUR_CELLS)
def test_a_stream_in_pieces_equals_the_whole(cell):
    rnn = RNN(OUR_CELLS[cell](), **ALL)
    whole, *last = rnn(SEQUENCE)
    outputs, states = [], None
    for piece in np.split(SEQUENCE, [1, 4], axis=1):
        output, *states = rnn(piece, initial_state=states)
        outputs.append(output)
    assert_same(np.concatenate(outputs, axis=1), whole)
    assert_same(states, last)


def test_single_steps_equal_the_whole():
    rnn = RNN(LSTMCell(3), learn_initial_state=True, **ALL)
    whole, *last = rnn(SEQUENCE)
    states = rnn.get_initial_state(4)
    for time in range(6):
        output, states = rnn.step(SEQUENCE[:, time], states)
        assert_same(output, whole[:, time])
    assert_same(states, last)


def test_a_sequence_without_steps_returns_the_initial_state():
    given = [SEQUENCE[:, 0], SEQUENCE[:, 1]]
    rnn = RNN(LSTMCell(3), **ALL)
    rnn(SEQUENCE)
    outputs, *states = rnn(SEQUENCE[:, :0], initial_state=given)
    assert tuple(outputs.shape) == (4, 0, 3)
    assert_same(states, given, rtol=0)


def test_the_learned_initial_state_is_used():
    rnn = RNN(LSTMCell(3), learn_initial_state=True)
    plain = RNN(rnn.cell)
    assert_same(rnn(SEQUENCE), plain(SEQUENCE))
    h, c = rnn.initial_state_offsets
    h.assign(h + 0.5)
    c.assign(c - 0.7)
    given = [np.full((4, 3), 0.5, "float32"), np.full((4, 3), -0.7, "float32")]
    assert_same(rnn(SEQUENCE), plain(SEQUENCE, initial_state=given))


# Constants


class ReadsConstants(seqkit.Cell):
    """h_t = tanh(x_t + h_{t-1} + sum of the memory), the memory projected once per sequence."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = [3]
        self.output_size = 3

    reads_constants = True

    def build(self, input_shape, constants_shape=None):
        self.kernel = self.add_weight(shape=(constants_shape[-1], 3), name="kernel")

    def prepare(self, batch_size, constants=None, training=False):
        return ops.sum(ops.matmul(constants, self.kernel), axis=1)

    def step(self, projected, states, prepared):
        h = ops.tanh(projected + states[0] + prepared)
        return h, [h]


def test_constants_are_read_at_each_step():
    rnn = RNN(ReadsConstants(), return_sequences=True)
    memory = tf.constant(np.random.default_rng(1).standard_normal((4, 2, 5)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(memory)
        outputs = rnn(SEQUENCE, constants=memory)
    gradient = tape.gradient(outputs, memory)
    h, read = np.zeros((4, 3)), (memory.numpy() @ rnn.cell.kernel.numpy()).sum(axis=1)
    for time in range(6):
        h = np.tanh(SEQUENCE[:, time] + h + read)
        np.testing.assert_allclose(outputs[:, time], h, rtol=1e-5, atol=1e-6)
    assert gradient.numpy().any(axis=(1, 2)).all()


@pytest.mark.parametrize("cell", [keras.layers.GRUCell, GRUCell])
def test_constants_are_refused_for_cells_that_take_none(cell):
    with pytest.raises(ValueError, match="takes no constants"):
        RNN(cell(3))(SEQUENCE, constants=SEQUENCE)


# Dropout


def copies_inputs(**kwargs):
    """An `RNN` whose outputs are its inputs, except for dropout."""
    cell = ElmanCell(50, activation="linear", kernel_initializer="identity", **kwargs)
    cell.recurrent_initializer = keras.initializers.Zeros()
    return RNN(cell, return_sequences=True)


def test_dropout_is_one_mask_per_sequence():
    rnn, ones = copies_inputs(dropout=0.4), np.ones((20, 6, 50), "float32")
    np.testing.assert_array_equal(rnn(ones), ones)
    first, second = (numbers(rnn(ones, training=True))[0] for _ in range(2))
    np.testing.assert_array_equal(first, np.repeat(first[:, :1], 6, axis=1))  # along time
    assert set(np.round(np.unique(first), 5)) == {0, np.round(1 / 0.6, 5).astype("float32")}
    assert abs((first[:, 0] == 0).mean() - 0.4) < 0.05
    assert (first[0] != first[1]).any()  # between examples
    assert (first != second).any()  # between calls


def test_recurrent_dropout_is_one_mask_per_sequence():
    cell = ElmanCell(50, "linear", recurrent_initializer="identity", recurrent_dropout=0.4)
    rnn = RNN(cell, return_sequences=True)
    rnn(np.zeros((20, 6, 50)))
    ones = np.ones((20, 50), "float32")
    zeros = np.zeros((20, 6, 50), "float32")
    outputs = numbers(rnn(zeros, initial_state=[ones], training=True))[0]
    kept = outputs[:, 0] > 0
    assert abs(kept.mean() - 0.6) < 0.05
    powers = (1 / 0.6) ** np.arange(1, 7)  # the same mask at each step
    np.testing.assert_allclose(outputs, kept[:, None] * powers[:, None], rtol=1e-4)


# Bad input


@pytest.mark.parametrize("cell", OUR_CELLS)
def test_wrong_states_get_a_clear_error(cell):
    rnn = RNN(OUR_CELLS[cell]())
    sizes = rnn.cell.state_size
    wanted = ", ".join(rf"\(batch, {size}\)" for size in sizes)
    for wrong in ([np.zeros((4, size + 1)) for size in sizes], [np.zeros((4, 1))] * 5):
        with pytest.raises(ValueError, match=rf"its states are \[{wanted}\]; initial_state has"):
            rnn(SEQUENCE, initial_state=wrong)


class ReturnsAWideState(ElmanCell):
    def step(self, projected, states, prepared):
        h, _ = super().step(projected, states, prepared)
        return h, [ops.concatenate([h, h], axis=-1)]


class ReturnsAnotherDtype(ElmanCell):
    def step(self, projected, states, prepared):
        h, _ = super().step(projected, states, prepared)
        return h, [ops.cast(h, "float16")]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (ReturnsAWideState, r"its states are \[\(batch, 3\)\]; a step returned \[\(4, 6\)\]"),
        (ReturnsAnotherDtype, "turned state 0 from .*float32.* into .*float16"),
    ],
)
def test_a_step_that_changes_the_shape_or_dtype_of_its_state_gets_a_clear_error(cell, message):
    with pytest.raises(ValueError, match=message):
        RNN(cell(3))(SEQUENCE)


def test_unsupported_arguments_are_refused():
    with pytest.raises(ValueError, match="take it with return_state=True"):
        RNN(GRUCell(3), stateful=True)
    with pytest.raises(ValueError, match="needs a cell"):
        RNN(keras.layers.Dense(3))
    with pytest.raises(ValueError, match="pass dtype='float16' to the cell"):
        RNN(GRUCell(3), dtype="float16")


@pytest.mark.parametrize("units", [0, -1, 2.5, "3"])
def test_sizes_must_be_positive_ints(units):
    for cell in (ElmanCell, LSTMCell, GRUCell):
        with pytest.raises(ValueError, match=r"units is .* must be a positive int"):
            cell(units)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 3])
@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_rates_must_be_below_one(kind, rate):
    with pytest.raises(ValueError, match=f"{kind} is {rate}; it must be in"):
        LSTMCell(3, **{kind: rate})


# What users of Keras write


def test_a_list_of_cells_is_stacked():
    ours = RNN([LSTMCell(3), GRUCell(2)], **ALL)
    stack = RNN(seqkit.StackedCells([LSTMCell(3), GRUCell(2)]), **ALL)
    assert_same([x.shape for x in ours(SEQUENCE)], [x.shape for x in stack(SEQUENCE)], rtol=0)
    stack.set_weights(ours.get_weights())
    assert_same(ours(SEQUENCE), stack(SEQUENCE))
    assert type(RNN.from_config(ours.get_config()).cell) is seqkit.StackedCells
    cells = [keras.layers.LSTMCell(3), keras.layers.GRUCell(2)]
    assert_same(RNN(cells, **ALL)(SEQUENCE), keras.layers.RNN(cells, **ALL)(SEQUENCE))


def test_a_single_state_needs_no_list():
    given = SEQUENCE[:, 0]
    rnn = RNN(GRUCell(3))
    assert_same(rnn(SEQUENCE, initial_state=given), rnn(SEQUENCE, initial_state=[given]))


class HasOneState(seqkit.Cell):
    """A cell whose state_size is an int, as in Keras."""

    state_size = 3

    def step(self, projected, states, prepared):
        h = ops.tanh(projected + states[0])
        return h, [h]


def test_the_size_of_a_single_state_may_be_an_int():
    rnn = RNN(HasOneState(), **ALL)
    outputs, state = rnn(SEQUENCE)
    assert_same(outputs[:, -1], state)
    assert rnn.compute_output_shape((4, 6, 3)) == ((4, 6, 3), (4, 3))
    stacked = RNN([HasOneState(), HasOneState()], return_state=True)
    assert [tuple(x.shape) for x in stacked(SEQUENCE)] == [(4, 3)] * 3


def test_single_steps_read_constants():
    rnn = RNN(ReadsConstants(), **ALL)
    memory = np.ones((4, 2, 5), "float32")
    outputs, state = rnn(SEQUENCE[:, :1], constants=memory)
    found = rnn.step(SEQUENCE[:, 0], rnn.get_initial_state(4, memory), constants=memory)
    assert_same(found, [outputs[:, 0], state])


def test_integers_are_read_as_numbers():
    rnn = RNN(GRUCell(3))
    assert_same(rnn(np.ones((4, 6, 3), int)), rnn(np.ones((4, 6, 3), "float32")))


def test_a_mixed_policy_holds_outside_of_a_call():
    layer = RNN(LSTMCell(3, dtype="mixed_float16"))
    model = keras.Sequential([keras.Input((None, 3)), layer])
    spec = model.compute_output_spec(keras.KerasTensor((2, 5, 3)))
    assert (spec.shape, spec.dtype) == ((2, 3), "float16")
