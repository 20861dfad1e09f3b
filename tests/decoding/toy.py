"""A small recurrent model with attention, in Keras ops and in NumPy, with random weights."""

import numpy as np
from keras import ops
from scipy.special import expit, log_softmax, softmax

from seqkit.decoding import BernoulliStop, EndSymbol, PredictedLength

BOS, EOS = 0, 1
UNITS = 5


class Toy:
    """h' = tanh(W h + E[y] + c),  log p = log softmax(U h'),  a = softmax over real sources."""

    def __init__(self, rows, vocabulary=3, source=4, seed=0, scale=1.5):
        random = np.random.default_rng(seed)
        draw = lambda *shape: (scale * random.standard_normal(shape)).astype("float32")  # noqa: E731
        self.W, self.E, self.U = (
            draw(UNITS, UNITS),
            draw(vocabulary, UNITS),
            draw(UNITS, vocabulary),
        )
        self.S, self.A = draw(UNITS), draw(UNITS, source)
        self.h, self.c = draw(rows, UNITS), draw(rows, UNITS)
        self.lengths = random.integers(1, 5, rows).astype("int32")
        self.mask = np.arange(source) < random.integers(2, source + 1, rows)[:, None]
        self.rows, self.source = rows, source

    @property
    def state(self):
        return {"h": self.h, "attention": ops.zeros((self.rows, self.source))}

    @property
    def constants(self):
        return (self.c, self.mask, None)

    def step(self, tokens, state, constants):
        c, mask, _ = constants
        h = ops.tanh(ops.matmul(state["h"], self.W) + ops.take(self.E, tokens, axis=0) + c)
        scores = ops.where(mask, ops.matmul(h, self.A), -1e9)
        state = {"h": h, "attention": ops.softmax(scores, axis=-1)}
        return ops.log_softmax(ops.matmul(h, self.U), axis=-1), state

    @staticmethod
    def attention(state):
        return state["attention"]

    def stop_logits(self, state):
        return ops.matmul(state["h"], self.S)

    def length(self, kind):
        return {
            "end symbol": EndSymbol(EOS),
            "bernoulli": BernoulliStop(self.stop_logits),
            "predicted": PredictedLength(self.lengths),
        }[kind]

    def one(self, row):
        """Return the same model with only this row."""
        other = object.__new__(Toy)
        other.__dict__ = {**self.__dict__, "rows": 1}
        for name in ("h", "c", "lengths", "mask"):
            setattr(other, name, getattr(self, name)[row : row + 1])
        return other

    def numpy_step(self, row):
        """Return step(token, h) -> p, h, attention for one row, in float64."""

        def step(token, h):
            h = np.tanh(h.astype("float64") @ self.W + self.E[token] + self.c[row])
            scores = np.where(self.mask[row], h @ self.A, -1e9)
            return np.exp(log_softmax(h @ self.U)), h, softmax(scores)

        return step

    def numpy_stop(self, kind, row):
        """Return stop(token, h, t) -> the probability that the sequence ends after the token."""
        return {
            "end symbol": lambda token, h, t: float(token == EOS),
            "bernoulli": lambda token, h, t: expit(h @ self.S),
            "predicted": lambda token, h, t: float(t + 1 >= self.lengths[row]),
        }[kind]


KINDS = ("end symbol", "bernoulli", "predicted")


def to_numpy(result):
    """Convert a NamedTuple of tensors to arrays."""
    return type(result)(*(v if v is None else ops.convert_to_numpy(v) for v in result))


def compiled(function):
    """Compile with XLA on either backend."""
    from keras import backend

    if backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)
