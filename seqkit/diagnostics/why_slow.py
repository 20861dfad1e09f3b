"""why_slow: how each recurrent layer of a model trains, and what keeps it from training faster."""

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
from keras import tree
from rich.console import Console
from rich.table import Table

from seqkit import backend, wiring
from seqkit.cells import Cell, ElmanCell, GRUCell, LSTMCell, StackedCells, derivatives
from seqkit.cells.recurrence import Flow
from seqkit.rnn import RNN


class TrainingPath(NamedTuple):
    """How a recurrent layer trains: a row of the table of `why_slow`."""

    layer: str  # the layers that contain it and its own name, as in "encoder/lstm"
    kind: str  # its class, and its cell's: "LSTM", "RNN(LSTMCell)"
    path: str
    reason: str  # what keeps it from a faster path; empty: nothing does
    remedy: str


_EQUIVALENTS = {
    keras.layers.LSTMCell: LSTMCell,
    keras.layers.GRUCell: GRUCell,
    keras.layers.SimpleRNNCell: ElmanCell,
}
_CUDNN = (
    "cuDNN takes activation tanh, recurrent_activation sigmoid, use_bias=True, reset_after=True; "
    "no recurrent_dropout, no unroll"
)
_FAST_CELLS = "a cell that has one: ElmanCell, GRUCell, LSTMCell"


def why_slow(model: keras.Model) -> list[TrainingPath]:
    """Print how each recurrent layer of a model trains, and what would make it faster.

    A training call of each layer is traced, not run, for the devices of this machine. The paths:

    | path                                                | the loop over time                  |
    | --------------------------------------------------- | ----------------------------------- |
    | "compiled loops, 2 parts", "compiled loop"          | is compiled, for parts of the batch |
    | "cuDNN"                                             | is a single operation of a GPU      |
    | "loop with its own gradient"                        | is not differentiated step by step  |
    | "loop over step", "loop in the graph", "unrolled"   | is differentiated step by step      |

    With `compile(jit_compile=True)` on a CPU, or `run_eagerly=True`, there is a row for the whole
    step, with the path "compiled as a whole" or "no graph"; it comes first and holds for all.

    Args:
        model: A model or layer; its recurrent layers may be seqkit's or Keras's, also inside of
            other layers. The batch is of unknown size, except where the model fixes it.

    Returns:
        A `TrainingPath` for each row of the table; without recurrent layers none.

    Raises:
        ValueError: If a recurrent layer isn't built.

    Example:
        >>> import keras
        >>> from seqkit.diagnostics import why_slow
        >>> lstm = keras.layers.LSTM(16, name="lstm")
        >>> rows = why_slow(keras.Sequential([keras.Input((None, 8)), lstm]))
        ┏━━...
        >>> rows[0].path, rows[0].remedy
        ('loop in the graph', 'RNN(LSTMCell(16)) with the same arguments and weights (set_weights)')
    """
    found = list(_recurrent_layers(model, "", None, set()))
    if not found:
        print(f"{model.name} has no recurrent layers")
        return []
    rows = _of_step(model)
    for path, layer, arguments in found:
        kind, of_cell = type(layer).__name__, type(layer.cell).__name__
        kind = f"{kind}({of_cell})" if type(layer) in (RNN, keras.layers.RNN) else kind
        rows.append(TrainingPath(path, kind, *_explain(layer, arguments)))
    _print(rows)
    return rows


def _print(rows: list[TrainingPath]) -> None:
    """Print rows as a table of the width of the terminal."""
    table = Table(show_lines=True)
    for name in "layer", "path of training", "reason", "remedy":
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(f"{row.layer}\n{row.kind}", *(part or "-" for part in row[2:]))
    Console(highlight=False, markup=False, color_system=None).print(table)


def _of_step(model: keras.Model) -> list[TrainingPath]:
    """Return a row for the whole step, if that is what makes it slow."""
    row = model.name, type(model).__name__
    if getattr(model, "run_eagerly", False):
        remedy = "compile(run_eagerly=False)"
        return [TrainingPath(*row, "no graph", "run_eagerly=True", remedy)]
    if getattr(model, "jit_compile", False) and _on_tensorflow() and not _has_gpu():
        reason = "jit_compile=True: on a CPU mostly slower than with compiled loops alone"
        remedy = "compile(jit_compile=False), or measure both"
        return [TrainingPath(*row, "compiled as a whole", reason, remedy)]
    return []


def _on_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


def _has_gpu() -> bool:
    """Return whether TensorFlow has a GPU."""
    return _on_tensorflow() and bool(keras.distribution.list_devices("gpu"))


def _recurrent_layers(
    layer: keras.layers.Layer, path: str, given: dict | None, seen: set[int]
) -> Iterator[tuple[str, keras.layers.Layer, dict]]:
    """Yield path, layer and symbolic arguments of each recurrent layer, once each."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    if isinstance(layer, (RNN, keras.layers.RNN)):
        yield path or layer.name, layer, _called_with(layer) or given or _built_with(layer)
        return
    # Both directions get what the layer around them gets.
    both = isinstance(layer, (wiring.Bidirectional, keras.layers.Bidirectional))
    given = _called_with(layer) if both else None
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        name = f"{path}/{inner.name}" if path else inner.name
        yield from _recurrent_layers(inner, name, given, seen)


def _called_with(layer: keras.layers.Layer) -> dict[str, Any] | None:
    """Return the arguments of the layer's first call in a functional model, if there is one."""
    if not layer._inbound_nodes:
        return None
    call = layer._inbound_nodes[0].arguments
    bound = inspect.signature(layer.call).bind(*call.args, **call.kwargs).arguments
    left_out = "initial_state", "training"  # a state of Bidirectional is not one of its layers
    return {k: v for k, v in bound.items() if v is not None and k not in left_out}


def _built_with(layer: keras.layers.Layer) -> dict[str, Any]:
    """Return sequences of the shape that the layer was built with, for batches of any size."""
    if not layer.built:
        raise ValueError(f"why_slow: {layer.name} isn't built; call the model on a batch first")
    config = layer.get_build_config()
    shape = config.get("input_shape") or config["shapes_dict"]["sequences_shape"]
    return {"sequences": keras.KerasTensor((None, *shape[1:]), layer.compute_dtype)}


def _loops(layer: keras.layers.Layer, arguments: dict[str, Any]) -> Counter[str]:
    """Trace a training call of the layer; see `seqkit.backend.find_loops`."""
    leaves = tree.flatten(arguments)

    def call(*values: Any) -> Any:
        rest = iter(values)
        filled = [next(rest) if isinstance(v, keras.KerasTensor) else v for v in leaves]
        given = dict(tree.pack_sequence_as(arguments, filled))
        sequences = given.pop(next(iter(arguments)))
        with keras.StatelessScope():  # the trace changes no seed and adds no loss
            return layer(sequences, **given, training=True)

    return backend.find_loops(call, *(v for v in leaves if isinstance(v, keras.KerasTensor)))


def _explain(layer: keras.layers.Layer, arguments: dict[str, Any]) -> tuple[str, str, str]:
    """Return path, reason and remedy of a layer that is called with these arguments."""
    try:
        loops = _loops(layer, arguments)
    except (TypeError, ValueError) as error:  # a sub-layer of an unknown call lacks its constants
        return "not traced", str(error).splitlines()[0], "build the model by the functional API"
    if loops["cuDNN"]:
        return "cuDNN", "", ""
    if loops["compiled loop"]:
        # A stack has a loop for each of its cells.
        parts = loops["compiled loop"] // len(getattr(layer.cell, "cells", [layer.cell]))
        return f"compiled loops, {parts} parts" if parts > 1 else "compiled loop", "", ""
    if not isinstance(layer, RNN):
        path = "loop in the graph" if loops["loop"] else "unrolled"
        return path, *_of_keras_layer(layer)
    reason, remedy = _of_cell(layer.cell)
    if not reason and loops["own gradient"]:
        return "loop with its own gradient", *_of_device(layer.cell)
    if not reason:
        reason, remedy = "plain_loops is active", "train outside of plain_loops()"
    return "loop over step", reason, remedy


def _of_cell(cell: keras.layers.Layer) -> tuple[str, str]:
    """Return why a cell in `seqkit.RNN` has no gradient of its own, and what would have one."""
    kind = type(cell).__name__
    if isinstance(cell, StackedCells):
        slow = [(k, *_of_cell(inner)) for k, inner in enumerate(cell.cells)]
        reasons = [f"cells[{k}]: {reason}" for k, reason, _ in slow if reason]
        return _joined(*reasons), _joined(*dict.fromkeys(remedy for *_, remedy in slow))
    if isinstance(cell, keras.layers.StackedRNNCells):
        return f"keras.layers.{kind}", "a seqkit.RNN for each cell computes the same"
    if type(cell) in _EQUIVALENTS:
        return f"keras.layers.{kind}", _equivalent(cell)
    if isinstance(cell, Cell) and (slow := cell.slow_arguments()):
        return ", ".join(slow), _leave_out(slow)
    if isinstance(cell, Cell) and cell.unfolds(Flow(), training=True):
        return "", ""
    return f"{kind} has no gradient of its own", _FAST_CELLS


def _of_keras_layer(layer: keras.layers.Layer) -> tuple[str, str]:
    """Return why a layer of Keras is slow, and what to use instead."""
    cell = layer.cell
    if _has_gpu() and isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)):
        return "an argument that cuDNN doesn't take", _CUDNN
    reason = f"keras.layers.{type(layer).__name__} differentiates each step"
    if type(layer) is not keras.layers.RNN:
        return reason, _equivalent(cell) if type(cell) in _EQUIVALENTS else ""
    of_cell, remedy = _of_cell(cell)
    same = "seqkit.RNN with the same cell" if isinstance(cell, Cell) else ""
    return _joined(reason, of_cell), _joined(same, remedy)


def _of_device(cell: Cell) -> tuple[str, str]:
    """Return why the loops aren't compiled alone, and what may be faster."""
    if not _on_tensorflow():  # JAX compiles the whole step
        return "", ""
    if not _has_gpu():
        return "TensorFlow can't compile here: it was built without XLA", ""
    layer = {LSTMCell: "LSTM", GRUCell: "GRU"}.get(type(cell))
    remedy = f"keras.layers.{layer}({cell.units}) with the same weights; {_CUDNN}" if layer else ""
    return "a GPU is visible; only on a CPU are loops compiled alone", remedy


def _equivalent(cell: keras.layers.Layer) -> str:
    """Return the remedy for a cell of Keras that seqkit has, too."""
    names = "activation", "recurrent_activation", "reset_after"
    arguments = {name: getattr(cell, name) for name in names if hasattr(cell, name)}
    ours = _EQUIVALENTS[type(cell)](cell.units, **arguments)
    same = "with the same arguments and weights (set_weights)"
    slow = ours.slow_arguments()
    return _joined(f"RNN({type(ours).__name__}({cell.units})) {same}", _leave_out(slow))


def _leave_out(slow: list[str]) -> str:
    """Return the remedy for a cell's slow arguments, if there are any."""
    activations = [name for name in slow if "activation=" in name]
    known = f"fast activations: {', '.join(derivatives.KNOWN)}" if activations else ""
    return _joined(f"leave out {', '.join(slow)}", known) if slow else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
