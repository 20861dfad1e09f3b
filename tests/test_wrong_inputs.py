"""Every public name, given wrong inputs: the right answer, or one line that names the argument.

The inputs of each layer and function are valid first. Then each of them loses or gains an axis, or
a size that it shares with another one, or becomes text. Nothing may be broadcast in silence.
"""

import functools
import importlib
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import pytest
from keras import ops, tree

import seqkit
from docs.api import MODULES, public_names
from seqkit import decoding, masking, training
from seqkit.decoding import (
    EndSymbol,
    beam_search,
    greedy,
    sample,
    score,
    top_k_filter,
    top_p_filter,
)
from seqkit.diagnostics import exposure_bias
from seqkit.training import scheduled_sampling
from tests.test_contract import ABSTRACT, CELLS, LAYERS, case_of, case_of_cell

SIZES = {"batch": 3, "time": 5, "tags": 4, "slots": 6, "word": 7, "heads": 2, "size": 8}


@dataclass(frozen=True)
class Use:
    """A pure function with the axes of its arguments, and their kinds: float, int or bool."""

    function: Callable
    axes: dict[str, str]
    kinds: dict[str, str] = field(default_factory=dict)
    more: dict = field(default_factory=dict)

    def __call__(self, **arguments):
        return self.function(**arguments, **self.more)

    def names(self, argument):
        """Return the names of the axes, of the first alternative, without `...`."""
        return [a for a in self.axes[argument].partition("|")[0].split() if a != "..."]

    def arguments(self, **sizes):
        """Return valid arguments, with some sizes replaced."""
        random = np.random.default_rng(0)
        draw = {
            "int": lambda shape: random.integers(0, 3, shape).astype("int32"),
            "bool": lambda shape: np.ones(shape, bool),
            "float": lambda shape: random.uniform(0.1, 0.9, shape).astype("float32"),
        }
        sizes = SIZES | sizes
        return {
            name: draw[self.kinds.get(name, "float")](
                [int(a) if a.isdigit() else sizes.get(a, 3) for a in self.names(name)]
            )
            for name in self.axes
        }


def step(tokens, state, constants):
    return ops.log_softmax(ops.ones((ops.shape(tokens)[0], 4)), axis=-1), state


def search(function, **more):
    return lambda state: function(step, state, bos_id=0, length=EndSymbol(3), max_length=3, **more)


def of_tokens(function, **more):
    return lambda tokens, state, **mask: function(step, tokens, state, bos_id=0, **mask, **more)


STATE = {"state": "batch ... 1"}
TOKENS = {"tokens": "batch time", **STATE}
POTENTIALS = {"potentials": "batch time tags tags"}
TAGS = {"tags": "batch time", **POTENTIALS}
MASK = {"mask": "batch time"}
SCORES = {"scores": "batch time tags", **MASK}
WEIGHTS = {"transitions": "tags tags", "start": "tags", "end": "tags"}
KINDS = {"tokens": "int", "tags": "int", "lengths": "int", "mask": "bool"}
USES = {
    "log_potentials": Use(seqkit.log_potentials, SCORES | WEIGHTS, KINDS),
    "log_partition": Use(seqkit.log_partition, POTENTIALS),
    "marginals": Use(seqkit.marginals, POTENTIALS),
    "viterbi": Use(seqkit.viterbi, POTENTIALS),
    "n_best": Use(seqkit.n_best, POTENTIALS, more={"n": np.int64(2)}),
    "path_score": Use(seqkit.path_score, TAGS, KINDS),
    "crf_loss": Use(seqkit.crf_loss, TAGS, KINDS),
    "CRFLoss": Use(lambda tags, potentials: seqkit.CRFLoss().call(tags, potentials), TAGS, KINDS),
    "greedy": Use(search(greedy), STATE),
    "sample": Use(search(sample, seed=1), STATE),
    "beam_search": Use(search(beam_search, num_beams=2), STATE),
    "score": Use(of_tokens(score), TOKENS | MASK, KINDS),
    "exposure_bias": Use(of_tokens(exposure_bias), TOKENS | MASK, KINDS),
    "scheduled_sampling": Use(
        of_tokens(scheduled_sampling, probability=1.0, seed=1), TOKENS, KINDS
    ),
    "top_k_filter": Use(top_k_filter, {"log_probabilities": "... tags"}, more={"k": 2}),
    "top_p_filter": Use(top_p_filter, {"log_probabilities": "... tags"}, more={"p": 0.5}),
}
for module in ("attention.scores", "memory.addressing", "masking"):
    for name, function in vars(importlib.import_module(f"seqkit.{module}")).items():
        if hasattr(function, "axes"):  # they are written at the function
            USES[f"{module}.{name}"] = Use(function, dict(function.axes), KINDS)
USES["attention.scores.masked_softmax"].axes.update(scores="... heads time", mask="... heads time")
USES["attention.scores.local_window"].more["reach"] = 2
USES["masking.mask_from_lengths"].more["max_length"] = 4

# (use, argument, change) that is right: the same for every tag; a scalar.
RIGHT = {
    ("log_potentials", "start", "without its last axis"),
    ("log_potentials", "end", "without its last axis"),
    ("attention.scores.normalized", "g", "without its last axis"),
}


def arrays(nest):
    return [ops.convert_to_numpy(x) for x in tree.flatten(nest) if x is not None]


def assert_refused(call, *names):
    """Assert that a call raises a ValueError of one line that names the argument or its owner."""
    with pytest.raises(ValueError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and any(name in message for name in names), message


def wrong_ranks(x):
    return [("without its last axis", x[..., 0]), ("with one more axis", x[..., None])]


def as_text(x):
    """JAX has no tensors of text."""
    is_jax = keras.backend.backend() == "jax"
    return [] if is_jax else [("as text", np.full(x.shape, "text"))]


def wrong_sizes(x, axis):
    first = np.take(x, [0], axis)
    longer = [(f"with one more on axis {axis}", np.concatenate([x, first], axis))]
    return longer if x.shape[axis] == 1 else [*longer, (f"with 1 on axis {axis}", first)]


def wrong_arguments(use):
    """Yield (argument, what is wrong, arguments) for each argument of a use."""
    arguments = use.arguments()
    shared = [axis for name in use.axes for axis in set(use.names(name))]
    for name, x in arguments.items():
        axes = use.axes[name].partition("|")[0].split()
        changed = [] if "..." in axes else wrong_ranks(x)
        for i, axis in enumerate(itertools.takewhile("...".__ne__, axes)):
            if axis.isdigit() or shared.count(axis) > 1 or axes.count(axis) > 1:
                changed += wrong_sizes(x, i)
        if name != "state":  # which only the step reads
            changed += as_text(x)
        for what, wrong in changed:
            yield name, what, arguments | {name: wrong}


@pytest.mark.parametrize(
    ("use", "arguments"),
    [
        pytest.param(use, arguments, id=f"{name}: {argument} {what}")
        for name, use in USES.items()
        for argument, what, arguments in wrong_arguments(use)
        if (name, argument, what) not in RIGHT
    ],
)
def test_a_wrong_argument_of_a_function_is_refused(use, arguments):
    assert_refused(lambda: use(**arguments), *arguments)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", USES)
def test_empty_batches_and_unknown_sizes_are_right(name):
    use = USES[name]
    axes = " ".join(use.axes.values()).split()
    given = [use.arguments(), *(use.arguments(**{a: 0}) for a in ("batch", "time") if a in axes)]
    expected = [arrays(use(**arguments)) for arguments in given]
    assert not any(np.isnan(x).any() for x in itertools.chain(*expected))
    if keras.backend.backend() == "tensorflow":
        graph = graph_of(use)
        for arguments, wanted in zip(given, expected, strict=True):
            tensors = {key: ops.convert_to_tensor(x) for key, x in arguments.items()}
            assert_same(arrays(graph(**tensors)), wanted)


def graph_of(use):
    """Return the function as a graph in which batch and time have unknown sizes."""
    import tensorflow as tf

    specs = {}
    for key, x in use.arguments().items():
        axes = zip(use.names(key), x.shape, strict=True)
        sizes = [None if axis in ("batch", "time") else size for axis, size in axes]
        specs[key] = tf.TensorSpec(sizes, x.dtype)
    return tf.function(lambda **given: use(**given)).get_concrete_function(**specs)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", [n for n, use in USES.items() if n not in ("greedy", "sample")])
def test_a_bad_number_stays_in_its_row(name, value):
    use = USES[name]
    arguments = use.arguments()
    clean = arrays(use(**arguments))
    for key, x in arguments.items():
        if x.dtype == "float32" and use.axes[key].startswith("batch"):
            bad = x.copy()
            bad[0] = value
            for one, other in zip(arrays(use(**arguments | {key: bad})), clean, strict=True):
                if one.shape[:1] == (SIZES["batch"],):
                    assert_same([one[1:]], [other[1:]])


def is_array(x):
    return isinstance(x, np.ndarray)


def wrong_calls(case, layer):
    """Yield (what is wrong, arrays) for each array of a layer's call."""
    for k, x in enumerate(case.arrays):
        changed = [*wrong_ranks(x), *as_text(x)]
        if len(case.arrays) > 1:
            changed += wrong_sizes(x, 0)
        if x.dtype == "float32" and (layer, k) != ("PointerGenerator", 0):  # any vocabulary
            changed.append(wrong_sizes(x, x.ndim - 1)[0])
        for what, wrong in changed:
            arrays = [wrong if i == k else other for i, other in enumerate(case.arrays)]
            yield f"array {k} {x.shape} {what}", arrays


NAMES = [name for name in (*LAYERS, *CELLS) if name != "gradient reversal"]  # takes anything


def case_named(name):
    return case_of(name) if name in LAYERS else case_of_cell(name)


@functools.cache
def built(name):
    """Return a built layer, which no refused call may change."""
    return case_named(name).layer()


def assert_all_refused(layer, calls):
    """Assert that calls (what, function) raise a ValueError of one line naming an argument."""
    arguments = {*inspect.signature(layer.call).parameters, "state", "memory"}
    problems = []
    for what, call in calls:
        try:
            call()
            problems.append(f"{what}: accepted")
        except Exception as error:
            message = str(error)
            named = any(argument in message for argument in arguments)
            if not isinstance(error, ValueError) or "\n" in message or not named:
                problems.append(f"{what}: {type(error).__name__}: {message[:150]}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_input_of_a_layer_is_refused(name):
    case, layer = case_named(name), built(name)
    calls = wrong_calls(case, type(layer).__name__)
    assert_all_refused(layer, [(what, lambda x=x: case.call(layer, x)) for what, x in calls])


def masked(name):
    case = case_named(name)
    takes_mask = "mask" in inspect.signature(case.make().call).parameters
    return takes_mask and "mask" not in case.call_kwargs and case.length is not None


@pytest.mark.parametrize("name", filter(masked, NAMES))
def test_a_wrong_mask_of_a_layer_is_refused(name):
    case, layer = case_named(name), built(name)
    batch, time = next(x for x in case.arrays if case.has_time(x)).shape[:2]
    shapes = [(batch, 1), (batch, time + 1), (batch,), (batch, time, 1), (batch + 1, time)]
    masks = {str(shape): np.ones(shape, bool) for shape in shapes}
    masks |= dict(as_text(np.ones((batch, time))))
    calls = [(what, lambda m=mask: case.call(layer, mask=m)) for what, mask in masks.items()]
    assert_all_refused(layer, calls)


@pytest.mark.parametrize("name", NAMES)
def test_a_nan_stays_in_its_row_of_a_layer(name):
    case, layer = case_named(name), built(name)
    clean = case.numbers(layer)
    for k, x in enumerate(case.arrays):
        if x.dtype == "float32":
            bad = x.copy()
            bad[0] = np.nan
            found = case.numbers(layer, [bad if i == k else y for i, y in enumerate(case.arrays)])
            for one, other in zip(found, clean, strict=True):
                assert_same([one[1:]], [other[1:]])


def sizes_of(layer):
    """Return the arguments of a layer, and the names of those that must be positive ints."""
    parameters = inspect.signature(type(layer).__init__).parameters
    arguments = {n: getattr(layer, n) for n in parameters if n not in ("self", "kwargs")}
    ids = ("bos_id", "eos_id", "pad_id")  # may be 0
    return arguments, [n for n in arguments if parameters[n].annotation is int and n not in ids]


MAKERS = {name: make for name, (make, *_) in LAYERS.items()} | CELLS
OURS = [name for name, make in MAKERS.items() if type(make()).__module__.startswith("seqkit.")]


@pytest.mark.parametrize("name", OURS)
def test_sizes_are_positive_ints_of_python_or_numpy(name):
    layer = MAKERS[name]()
    make = type(layer)
    arguments, sizes = sizes_of(layer)
    for size in sizes:
        value = np.int64(arguments[size])
        assert type(make(**arguments | {size: value}).get_config()[size]) is int
        for wrong in (0, -1, 2.5, "4", None, True):
            with pytest.raises(ValueError, match=size) as caught:
                make(**arguments | {size: wrong})
            assert "\n" not in str(caught.value)


NAN = float("nan")
VALUES = {
    "constant": (training.constant, 1.5, NAN),
    "linear": (training.linear, 0.0, NAN),
    "exponential": (training.exponential, 1.0, NAN),
    "inverse_sigmoid": (training.inverse_sigmoid, 0.5, NAN),
    "wu_penalty": (decoding.wu_penalty, -1.0, NAN),
    "causal_mask": (masking.causal_mask, -1, 2.5),
    "transition_constraints": (seqkit.transition_constraints, ["X-A"], [1]),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value_is_refused(name):
    function, *values = VALUES[name]
    for value in values:
        with pytest.raises(
            ValueError, match=next(iter(inspect.signature(function).parameters))[:3]
        ):
            function(value)


# What functions return, how lengths are modelled, callbacks: tested where they are used.
ELSEWHERE = {
    "Decoded",
    "Scored",
    "ExposureBias",
    "Memory",
    "EndSymbol",
    "BernoulliStop",
    "PredictedLength",
    "per_token",
    "NanGuard",
    "replay",
    "CRFAccuracy",
    "plain_loops",
    "why_slow",
    "TrainingPath",
}
NO_TENSORS = ("seqkit.testing", "seqkit.export", "seqkit.backend")


def test_every_public_name_has_a_line_here():
    lines = {name.rpartition(".")[2] for name in USES} | VALUES.keys() | ELSEWHERE
    lines |= {type(make()).__name__ for make in MAKERS.values()}
    lines |= {layer.__name__ for layer in ABSTRACT}
    for module in MODULES:
        if module not in NO_TENSORS:
            found = importlib.import_module(module)
            missing = set(public_names(found)) - lines - {"check_cell", "check_layer"}
            assert not missing, f"{module}: give {sorted(missing)} wrong inputs here"
