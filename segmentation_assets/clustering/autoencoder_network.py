"""A trained autoencoder as plain matrices, applied with numpy row by row; its training is `autoencoder_training.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segmentation_assets.tables.rounding import round_significant

Floats = npt.NDArray[np.float64]
Layers = list[tuple[Floats, Floats]]
"""Per layer the weights, shape (n_inputs, n_outputs), and the biases; a ReLU stands between two layers."""

ROWS_AT_ONCE = 1_024
"""Rows of a block: few enough for its numbers to stay near the processor."""

VARIANCE_FLOOR = 1e-5
"""Added to variances in the batch normalisation."""


@dataclass(frozen=True)
class Scaling:
    """What rows are brought to before a training: every column to the mean 0, all columns by one factor.

    One factor for all keeps the error a network is trained on that of the rows themselves, which principal components
    minimise too.

    Parameters
    ----------
    means : ndarray of shape (n_features,)
    scale : float
        Root of the mean variance; 1 where nothing varies.
    """

    means: Floats
    scale: float

    @classmethod
    def of(cls, values: Floats) -> Scaling:
        """Measure rows, shape (n_rows, n_features)."""
        spread = float(np.sqrt(values.var(axis=0).mean()))
        return cls(round_significant(values.mean(axis=0)), spread if spread > 0 else 1.0)

    def apply(self, values: Floats) -> npt.NDArray[np.float32]:
        """Scale rows to the numbers a training computes with."""
        return ((values - self.means) / self.scale).astype(np.float32)


@dataclass(frozen=True)
class Network:
    """Encoder and decoder with the batch normalisation and the scaling in their weights.

    Parameters
    ----------
    means : ndarray of shape (n_features,)
        Taken off before the encoder, added after the decoder.
    encoder, decoder : list of tuple of (ndarray, ndarray)
        Rounded to 10 significant digits.
    """

    means: Floats
    encoder: Layers
    decoder: Layers

    @classmethod
    def folded(cls, trained: dict[str, Any], scaling: Scaling) -> Network:
        """Fold ``layers`` and the ``averages`` of their batch normalisation; each half of them is one side."""
        layers = [_fold(*parts) for parts in zip(trained["layers"], trained["averages"], strict=True)]
        layers[0] = (layers[0][0] / scaling.scale, layers[0][1])
        layers[-1] = (layers[-1][0] * scaling.scale, layers[-1][1] * scaling.scale)
        rounded = [(round_significant(weights), round_significant(biases)) for weights, biases in layers]
        return cls(scaling.means, rounded[: len(rounded) // 2], rounded[len(rounded) // 2 :])

    def encode(self, values: Floats) -> Floats:
        """Return the encoding of rows, shape (n_rows, encoding_dim)."""
        return _pass_through(values - self.means, self.encoder)

    def rebuild(self, values: Floats) -> Floats:
        """Return what the decoder makes of the encoding of rows, shape (n_rows, n_features)."""
        return _pass_through(self.encode(values), self.decoder) + self.means

    def errors(self, values: Floats) -> Floats:
        """Return the mean squared difference of each row to its rebuilt one, shape (n_rows,)."""
        return row_errors(values, self.rebuild(values))


def row_errors(values: Floats, rebuilt: Floats) -> Floats:
    """Return the mean squared difference per row, shape (n_rows,)."""
    return np.asarray(np.square(np.ascontiguousarray(values - rebuilt)).mean(axis=1))


def _fold(layer: dict[str, Any], averages: dict[str, Any]) -> tuple[Floats, Floats]:
    """Return weights and biases that do what a layer does with its batch normalisation."""
    weights, biases = (np.asarray(layer[name], dtype=np.float64) for name in ("weights", "biases"))
    if "gains" not in layer:
        return weights, biases
    means, variances = (np.asarray(averages[name], dtype=np.float64) for name in ("means", "variances"))
    slopes = np.asarray(layer["gains"], dtype=np.float64) / np.sqrt(variances + VARIANCE_FLOOR)
    return weights * slopes, biases - means * slopes


def _pass_through(values: Floats, layers: Layers) -> Floats:
    """Apply layers in blocks of rows; inputs are added one by one, as the last bits of a product depend on its rows."""
    result = np.empty((len(values), layers[-1][0].shape[1]))
    for start in range(0, len(values), ROWS_AT_ONCE):
        block = values[start : start + ROWS_AT_ONCE]
        for place, (weights, biases) in enumerate(layers):
            block = _apply(np.maximum(block, 0.0) if place else block, weights, biases)
        result[start : start + ROWS_AT_ONCE] = block
    return result


def _apply(block: Floats, weights: Floats, biases: Floats) -> Floats:
    total = np.tile(biases, (len(block), 1))
    product = np.empty_like(total)
    for place, row in enumerate(weights):
        np.multiply(block[:, place : place + 1], row, out=product)
        total += product
    return total
