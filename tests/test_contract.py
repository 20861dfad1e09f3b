"""Every property of the contract, on every public layer of seqkit."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import seqkit
from seqkit import (
    CRF,
    RNN,
    Bidirectional,
    DNCCell,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    MemoryNetwork,
    NTMCell,
    SparseNTMCell,
    StackedCells,
    Traced,
    transition_constraints,
)
from seqkit.attention import (
    Attention,
    AttentionCell,
    BahdanauAttention,
    CoverageAttention,
    LocationAwareAttention,
    LuongAttention,
    PointerGenerator,
)
from seqkit.decoding import BeamSearch
from seqkit.testing import CELL_PROPERTIES, LAYER_PROPERTIES, check_cell, check_layer
from seqkit.testing.case import Case
from seqkit.testing.under_jax import loads_under_jax
from seqkit.training import GradientReversal, ProfessorForcing
from seqkit.wiring import Bridge, Conditioned

FACTS = np.random.default_rng(0).integers(0, 12, (3, 5, 4)).astype("int32")  # ids of words
QUERY = np.random.default_rng(1).integers(1, 12, (3, 6)).astype("int32")
SEQUENCE = np.random.default_rng(0).standard_normal((3, 3, 4)).astype("float32")
FLAGS = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 1]], bool)
# Memory for a query or for a cell that reads constants, with a different size and length.
MEMORY = np.random.default_rng(2).standard_normal((3, 6, 2)).astype("float32")
REAL = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [1, 1, 1, 0, 0, 0]], bool)
WEIGHTS = np.random.default_rng(3).random((3, 6)).astype("float32")
ALL = {"return_sequences": True, "return_state": True}


def states(*sizes):
    random = np.random.default_rng(1)
    return [random.standard_normal((3, size)).astype("float32") for size in sizes]


def constants_of(cell):
    return {"constants": (MEMORY, REAL)} if cell.reads_constants else {}


def decoder_step():
    """Return a model of one step: [tokens, state] -> [log-probabilities, new state]."""
    token, state = keras.Input((), dtype="int32"), keras.Input((4,))
    h, (after,) = GRUCell(4)(keras.layers.Embedding(6, 3)(token), [state])
    logits = keras.layers.Dense(6, kernel_initializer="random_normal")(h)
    return keras.Model([token, state], [keras.layers.Activation("log_softmax")(logits), after])


# Public base classes, which are checked through their subclasses.
ABSTRACT = {seqkit.Cell, seqkit.AffineCell, seqkit.MemoryCell, Attention}

CELLS = {
    "elman": lambda: ElmanCell(3),
    "elman relu no bias": lambda: ElmanCell(3, activation="relu", use_bias=False),
    "elman dropout": lambda: ElmanCell(3, dropout=0.3, recurrent_dropout=0.2),
    "jordan": lambda: JordanCell(6, output_units=2, output_activation="softmax"),
    "lstm": lambda: LSTMCell(3),
    "lstm peephole": lambda: LSTMCell(3, peephole=True),
    "lstm layer norm": lambda: LSTMCell(3, layer_norm=True),
    "lstm projection": lambda: LSTMCell(3, projection_units=2),
    "lstm coupled": lambda: LSTMCell(3, coupled=True, unit_forget_bias=False),
    "lstm all": lambda: LSTMCell(
        3, peephole=True, layer_norm=True, projection_units=2, coupled=True, dropout=0.2
    ),
    "lstm dropout": lambda: LSTMCell(3, dropout=0.3, recurrent_dropout=0.2, seed=1),
    "gru": lambda: GRUCell(3),
    "gru reset before": lambda: GRUCell(3, reset_after=False, recurrent_dropout=0.3),
    "ntm": lambda: NTMCell(LSTMCell(4), memory_size=6, word_size=3),
    "ntm feed-forward": lambda: NTMCell(
        keras.layers.Dense(4, activation="tanh"),
        memory_size=6,
        word_size=3,
        num_reads=2,
        num_writes=2,
        shift_range=2,
        memory_initializer="random_normal",
        learn_memory=True,
    ),
    "dnc": lambda: DNCCell(LSTMCell(3), memory_size=6, word_size=4, num_reads=2),
    "dnc feed-forward": lambda: DNCCell(
        keras.layers.Dense(3, activation="tanh"), memory_size=6, word_size=4
    ),
    "sparse ntm": lambda: SparseNTMCell(LSTMCell(3), memory_size=6, word_size=4, num_reads=2),
    "ntm penalized": lambda: NTMCell(
        GRUCell(4), memory_size=6, word_size=3, add_regularizer=keras.regularizers.L2(0.1)
    ),
    "ntm traced": lambda: Traced(NTMCell(GRUCell(4), memory_size=6, word_size=3)),
    "stack": lambda: StackedCells([LSTMCell(3), GRUCell(2)]),
    "attention before": lambda: AttentionCell(GRUCell(3), BahdanauAttention(5)),
    "attention before, location": lambda: AttentionCell(
        LSTMCell(3, dropout=0.2), LocationAwareAttention(5, filters=2, kernel_size=3)
    ),
    "attention after": lambda: AttentionCell(
        LSTMCell(3), LuongAttention("general"), attend="after"
    ),
    "attention after, local": lambda: AttentionCell(
        GRUCell(3), LuongAttention("concat", window=2), attend="after", input_feeding=False
    ),
    "attention after, stack, coverage": lambda: AttentionCell(
        StackedCells([LSTMCell(3), GRUCell(2)]), CoverageAttention(5), attend="after"
    ),
}

# name: (make, call_kwargs, inputs); without inputs they are SEQUENCE (batch, time, 4)
LAYERS = {
    "rnn last output": (lambda: RNN(ElmanCell(3)), {}),
    "rnn of a keras cell": (lambda: RNN(keras.layers.LSTMCell(3), **ALL), {}),
    "rnn backwards": (lambda: RNN(GRUCell(3), go_backwards=True, **ALL), {}),
    "rnn zero output": (lambda: RNN(LSTMCell(3), zero_output_for_mask=True, **ALL), {}),
    "rnn learned state": (lambda: RNN(LSTMCell(3), learn_initial_state=True), {}),
    "rnn given state": (lambda: RNN(LSTMCell(3), **ALL), {"initial_state": states(3, 3)}),
    "rnn reset": (lambda: RNN(GRUCell(3), learn_initial_state=True, **ALL), {"reset": FLAGS}),
    "rnn reset backwards": (lambda: RNN(GRUCell(3), go_backwards=True, **ALL), {"reset": FLAGS}),
    "crf": (lambda: CRF(4), {}),
    "crf constrained": (lambda: CRF(4, transition_constraints(["O", "B-X", "I-X", "B-Y"])), {}),
    "bidirectional": (lambda: Bidirectional(RNN(LSTMCell(3), return_sequences=True)), {}),
    "bidirectional last": (lambda: Bidirectional(RNN(GRUCell(3)), merge_mode="sum"), {}),
    "bidirectional unequal": (
        lambda: Bidirectional(
            RNN(LSTMCell(3), **ALL), backward_layer=RNN(GRUCell(2), go_backwards=True, **ALL)
        ),
        {"initial_state": states(3, 3, 2), "reset": FLAGS},
    ),
    "bidirectional list": (
        lambda: Bidirectional(RNN(GRUCell(3), return_sequences=True), merge_mode=None),
        {},
    ),
    "bidirectional of keras": (
        lambda: Bidirectional(keras.layers.LSTM(3, return_sequences=True)),
        {},
    ),
    "memory network": (
        lambda: MemoryNetwork(12, 6, max_facts=4, return_attention=True),
        {"query": QUERY},
        FACTS,
    ),
    "memory network layer-wise": (
        lambda: MemoryNetwork(12, 6, tying="layer-wise"),
        {"query": QUERY},
        FACTS,
    ),
    "keras bidirectional of ours": (
        lambda: keras.layers.Bidirectional(RNN(LSTMCell(3), **ALL)),
        {},
    ),
    "conditioned by input": (
        lambda: Conditioned(RNN(LSTMCell(3), **ALL), by="input"),
        {"context": SEQUENCE[:, 0]},
    ),
    "conditioned by both": (lambda: Conditioned(RNN(LSTMCell(3))), {"context": SEQUENCE[:, 0]}),
    "beam search": (
        lambda: BeamSearch(decoder_step(), bos_id=0, eos_id=1, max_length=4, num_beams=2),
        {},
        states(4),
    ),
    "gradient reversal": (lambda: GradientReversal(0.3), {}),
    "professor forcing": (
        lambda: ProfessorForcing(
            keras.Sequential([RNN(GRUCell(3)), keras.layers.Dense(1)]), weight=0.3
        ),
        {"free": SEQUENCE[::-1].copy()},
    ),
    "pointer generator": (
        PointerGenerator,
        {"query": SEQUENCE[:, 1, :2], "weights": WEIGHTS, "source": QUERY % 4},
        SEQUENCE[:, 0],
    ),
    "bridge": (lambda: Bridge([4, 2]), {}, states(3, 5)),
    "bridge copy": (lambda: Bridge([3, 5], how="copy"), {}, states(3, 5)),
    "bridge zero": (lambda: Bridge(4, how="zero"), {}, states(3, 5)),
    **{
        name: (make, {"memory": MEMORY, "mask": REAL}, SEQUENCE[:, 0, :2])
        for name, make in {
            "bahdanau": lambda: BahdanauAttention(5, normalize=True, return_weights=True),
            "luong dot": lambda: LuongAttention("dot"),
            "luong scaled dot": lambda: LuongAttention("scaled_dot"),
            "luong general": lambda: LuongAttention("general", window=2, return_weights=True),
            "luong concat": lambda: LuongAttention("concat", return_weights=True),
        }.items()
    },
    **{
        name: (make, {"memory": MEMORY, "mask": REAL, "previous": WEIGHTS}, SEQUENCE[:, 0])
        for name, make in {
            "location": lambda: LocationAwareAttention(5, filters=2, kernel_size=3),
            "coverage": lambda: CoverageAttention(5, return_weights=True),
        }.items()
    },
}


def case_of(name):
    make, call_kwargs, *inputs = LAYERS[name]
    # Floats (batch, time) can't be recognized as sequences, so these calls are not padded.
    sequence = not {"previous", "weights"} & call_kwargs.keys()
    return Case(make, inputs[0] if inputs else SEQUENCE, call_kwargs, sequence)


def case_of_cell(name):
    cell = CELLS[name]
    return Case(lambda: RNN(cell(), **ALL), SEQUENCE, constants_of(cell()))


NOT_TRAINED = {"beam search"}  # runs a trained model; tests/decoding tests it under JAX
TRAINING = ("every_weight_gets_a_gradient", "trains_with_and_without_jit")
SLOW = ("trains_with_and_without_jit", "saved_model_matches_layer")
# They run once for all layers, below; JAX in one process.
ONCE = ("registered_name_is_unique", "loads_under_jax")
PROPERTIES = [
    pytest.param(check, marks=[pytest.mark.slow] if check.__name__ in SLOW else [])
    for check in LAYER_PROPERTIES
    if check.__name__ not in ONCE
]


@pytest.mark.parametrize("check", PROPERTIES, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, check):
    if name in NOT_TRAINED and check.__name__ in TRAINING:
        pytest.skip("has no gradient")
    case = case_of(name)
    kwargs = {"call_kwargs": case.call_kwargs, "sequence": case.sequence}
    check_layer(case.make, case.inputs, **kwargs, properties=[check])


@pytest.mark.parametrize("check", PROPERTIES, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CELLS)
def test_rnn_of_cell(name, check):
    case = case_of_cell(name)
    check_layer(case.make, case.inputs, call_kwargs=case.call_kwargs, properties=[check])


@pytest.mark.parametrize("check", CELL_PROPERTIES, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CELLS)
def test_cell(name, check):
    make = CELLS[name]
    check_cell(make, SEQUENCE[:, 0], **constants_of(make()), properties=[check])


def shapes_of(nest):
    return keras.tree.map_structure(lambda leaf: tuple(leaf.shape), nest)


@pytest.mark.parametrize("name", [*LAYERS, *CELLS])
def test_output_shapes_are_known_before_building(name):
    case = case_of(name) if name in LAYERS else case_of_cell(name)
    layer = case.make()
    first, *_ = inspect.signature(layer.call).parameters
    inputs = {first: case.inputs, **case.call_kwargs}
    shapes = {f"{k}_shape": shapes_of(v) for k, v in inputs.items() if k != "mask"}
    found = []
    keras.tree.map_shape_structure(found.append, layer.compute_output_shape(**shapes))
    assert not layer.built
    assert list(map(tuple, found)) == [tuple(x.shape) for x in keras.tree.flatten(case.call(layer))]


def public_layers():
    """Return the layer classes with public names in the public modules of seqkit."""
    found = set()
    for module in pkgutil.walk_packages(seqkit.__path__, "seqkit."):
        if any(part.startswith("_") for part in module.name.split(".")):
            continue
        if module.name.startswith(
            ("seqkit.export", "seqkit.backend")
        ):  # no layers; need TensorFlow
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            is_layer = isinstance(value, type) and issubclass(value, keras.layers.Layer)
            if is_layer and value.__module__.startswith("seqkit.") and not name.startswith("_"):
                found.add(value)
    return found


def test_every_public_layer_is_listed():
    made = {type(make()) for make, *_ in LAYERS.values()} | {type(m()) for m in CELLS.values()}
    missing = sorted(layer.__name__ for layer in public_layers() - made - ABSTRACT)
    assert not missing, f"add to LAYERS or CELLS in tests/test_contract.py: {missing}"


def test_registered_names_are_unique_and_in_the_seqkit_package():
    layers = public_layers() - ABSTRACT
    names = [keras.saving.get_registered_name(layer) for layer in layers]
    assert len(set(names)) == len(names)
    for layer, name in zip(layers, names, strict=True):
        assert name == f"seqkit>{layer.__name__}"
        assert keras.saving.get_registered_object(name) is layer


# Others have all their operations: "lstm all", "gru reset before", "rnn reset", ...
SAME_OPERATIONS = {
    "elman dropout",
    "lstm coupled",
    "lstm dropout",
    "lstm layer norm",
    "lstm peephole",
    "lstm projection",
    "rnn backwards",
    "rnn learned state",
}


@pytest.mark.slow
def test_all_load_and_train_under_jax_without_tensorflow():
    cells, layers = CELLS.keys() - SAME_OPERATIONS, LAYERS.keys() - SAME_OPERATIONS - NOT_TRAINED
    loads_under_jax(*map(case_of_cell, sorted(cells)), *map(case_of, sorted(layers)))
