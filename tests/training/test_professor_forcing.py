"""Professor forcing: where gradients flow, and that free-running behavior approaches forced."""

import keras
import numpy as np
import pytest
from keras import ops

from seqkit import RNN, GRUCell
from seqkit.training import GradientReversal, ProfessorForcing

RANDOM = np.random.default_rng(0)
FORCED = RANDOM.standard_normal((3, 5, 4)).astype("float32")
FREE = RANDOM.standard_normal((3, 5, 4)).astype("float32")


def discriminator():
    return keras.Sequential([RNN(GRUCell(3)), keras.layers.Dense(1)])


def gradients(function, *arrays):
    """Compute the gradients of a scalar function with respect to each array."""
    arrays = [ops.convert_to_tensor(x) for x in arrays]
    if keras.backend.backend() == "jax":
        import jax

        return [np.asarray(g) for g in jax.grad(function, range(len(arrays)))(*arrays)]
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(arrays)
        value = function(*arrays)
    found = tape.gradient(value, arrays)
    return [np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(arrays, found)]  # noqa: B905


def test_reversal_negates_the_gradient():
    (found,) = gradients(lambda x: ops.sum(GradientReversal(0.5)(x) ** 2), FORCED)
    np.testing.assert_allclose(found, -0.5 * 2 * FORCED, rtol=1e-6)


def test_the_loss_and_its_gradients():
    layer = ProfessorForcing(discriminator(), weight=0.3)
    logits = ops.convert_to_numpy(layer(FORCED, FREE))
    p = 1 / (1 + np.exp(-logits))
    wanted = -np.log(p[:, 0]).mean() - np.log(1 - p[:, 1]).mean()
    (loss,) = layer.losses
    np.testing.assert_allclose(float(loss), wanted, rtol=1e-5)

    def added(forced, free):
        layer(forced, free)
        return layer.losses[-1]

    def plain(free):
        return ops.mean(ops.softplus(layer.discriminator(free)))

    by_forced, by_free = gradients(added, FORCED, FREE)
    assert not by_forced.any()
    np.testing.assert_allclose(by_free, -0.3 * gradients(plain, FREE)[0], rtol=1e-4, atol=1e-7)


def test_each_behavior_has_its_own_mask():
    layer = ProfessorForcing(discriminator())
    wanted = ops.convert_to_numpy(layer(FORCED[:, :2], FREE[:, :4]))
    forced, free = FORCED.copy(), FREE.copy()
    forced[:, 2:] = free[:, 4:] = np.nan
    masks = {"mask": np.arange(5)[None] < [[2]] * 3, "free_mask": np.arange(5)[None] < [[4]] * 3}
    found = ops.convert_to_numpy(layer(forced, free, **masks))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.filterwarnings("error:Layer .professor_forcing:UserWarning")
def test_masks_of_keras_are_used():
    ids = [keras.Input((None,), dtype="int32") for _ in range(2)]
    embedding, net = keras.layers.Embedding(5, 4, mask_zero=True), discriminator()
    model = keras.Model(ids, ProfessorForcing(net)(*map(embedding, ids)))
    forced, free = np.array([[3, 1, 2], [1, 4, 2]]), np.array([[2, 2, 1, 4], [4, 1, 3, 3]])
    wanted = ops.convert_to_numpy(model([forced, free]))
    padded = [np.pad(forced, ((0, 0), (0, 2))), np.pad(free, ((0, 0), (3, 0)))]
    np.testing.assert_allclose(ops.convert_to_numpy(model(padded)), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: GradientReversal(-1.0), "weight is -1.0"),
        (lambda: ProfessorForcing(discriminator(), -1.0), "weight is -1.0"),
        (
            lambda: ProfessorForcing(discriminator())(FORCED, FREE[..., :2]),
            "size 4, free-running 2",
        ),
    ],
)
def test_bad_input_gets_a_clear_error(make, line):
    with pytest.raises(ValueError, match=line):
        make()


class Offset(keras.layers.Layer):
    def build(self, x_shape):
        self.offset = self.add_weight(shape=x_shape[-1:], initializer="zeros", name="offset")

    def call(self, x):
        return x + self.offset


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_free_behavior_approaches_forced_behavior(weight):
    """Noise plus a learned offset approaches noise around (2, -1); with weight 0 it stays."""
    random = np.random.default_rng(1)
    forced = (random.standard_normal((256, 3, 2)) + [2, -1]).astype("float32")
    noise = random.standard_normal((256, 3, 2)).astype("float32")
    # Without a penalty on its weights, a linear discriminator and the offset oscillate.
    linear = keras.layers.Dense(
        1, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(0.1)
    )
    free = Offset()
    gold, inputs = keras.Input((3, 2)), keras.Input((3, 2))
    logits = ProfessorForcing(
        keras.Sequential([keras.layers.GlobalAveragePooling1D(), linear]), weight
    )(gold, free(inputs))
    model = keras.Model([gold, inputs], logits)
    model.compile(keras.optimizers.SGD(0.3))
    steps = [np.tile(x, (200, 1, 1)) for x in (forced, noise)]  # all data, 200 times
    model.fit(steps, batch_size=256, shuffle=False, verbose=0)
    learned = ops.convert_to_numpy(free(noise)).mean(axis=(0, 1))
    away = np.abs(learned - forced.mean(axis=(0, 1))).max()
    assert away < 0.1 if weight else away > 1.8
