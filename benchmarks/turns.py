"""Time steps that take turns, so that a drift of the machine's speed falls on all of them."""

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")  # as the apps do

import keras
import numpy as np
import tensorflow as tf

Step = Callable[[], object]


def take_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each step in each round; two rounds before compile and warm up.

    In its turn a step runs twice, and the second run counts, as in a training loop: PyTorch's
    threads spin for milliseconds after their work, which would slow down the next contender.
    """
    ms = {name: [] for name in steps}
    for k in range(rounds + 2):
        for name, step in steps.items():
            step()
            begin = time.perf_counter()
            step()
            if k >= 2:
                ms[name].append(1e3 * (time.perf_counter() - begin))
    return ms


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over rounds of the pair's quotient."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def layer_step(layer: keras.layers.Layer, x: np.ndarray, jit: bool) -> Step:
    """Forward, a loss on every output, and the gradient of all weights and of the inputs."""
    x = tf.constant(x)
    layer(x)

    @tf.function(jit_compile=jit)
    def step() -> list:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(layer(x, training=True) ** 2)
        return tape.gradient(loss, [x, *layer.trainable_variables])

    return lambda: step()[-1].numpy()


def forward_step(layer: keras.layers.Layer, x: np.ndarray, jit: bool) -> Step:
    """Inference alone."""
    x = tf.constant(x)
    layer(x)
    step = tf.function(lambda x: layer(x, training=False), jit_compile=jit)
    return lambda: step(x).numpy()
