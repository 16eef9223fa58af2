"""The training of an autoencoder in JAX; imported by fits only, as rows are encoded without JAX.

The layers are written out: they are a dozen lines, while of the libraries of layers equinox compiles its batch
normalisation anew for every network that is trained, and flax brings more than a dozen further packages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from segmentation_assets.clustering.autoencoder_checkpoints import Arrays
from segmentation_assets.clustering.autoencoder_network import VARIANCE_FLOOR

Rows = npt.NDArray[np.float32]
Tree = Any
"""A nesting of lists and dicts with arrays at its ends."""

VERSIONS = (jax.__version__, optax.__version__)
"""With other versions a training may end in other bits."""

AVERAGE_DECAY = 0.9
"""Weight of the old in the running means and variances of the batch normalisation."""


@dataclass(frozen=True)
class Plan:
    """How a network is built and trained; the fields are those of the clusterer."""

    hidden: tuple[int, ...]
    encoding_dim: int
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    checkpoint_every: int


@dataclass(frozen=True)
class Progress:
    """Where a training stands after some epochs.

    Parameters
    ----------
    state : dict
        ``layers``, ``averages`` of the batch normalisation and ``optimiser``.
    best : dict
        ``layers`` and ``averages`` of the epoch with the smallest held-out error.
    training_errors, holdout_errors : tuple of float
        Mean squared error, an entry per epoch.
    """

    state: Tree
    best: Tree
    training_errors: tuple[float, ...] = ()
    holdout_errors: tuple[float, ...] = ()

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.holdout_errors)

    def is_over(self, plan: Plan) -> bool:
        """Tell whether all epochs are done, or no epoch of late was better than the best before."""
        if self.epoch in (0, plan.epochs):
            return self.epoch == plan.epochs
        return self.epoch - 1 - _place_of_best(self.holdout_errors) >= plan.patience

    def after(self, state: Tree, training_error: float, holdout_error: float) -> Progress:
        """Return the progress after a further epoch."""
        errors = (*self.holdout_errors, holdout_error)
        is_best = np.isfinite(holdout_error) and _place_of_best(errors) == len(errors) - 1
        best = _without_optimiser(state) if is_best else self.best
        return Progress(state, best, (*self.training_errors, training_error), errors)


def train(
    training: Rows,
    holdout: Rows,
    plan: Plan,
    seed: int,
    *,
    kept: Arrays | None = None,
    keep: Callable[[Arrays], None] | None = None,
) -> Progress:
    """Train one network with Adam, until the held-out error no longer falls.

    Parameters
    ----------
    training, holdout : ndarray of float32, shape (n_rows, n_features)
        Centred rows, of a scale near 1.
    plan : Plan
    seed : int
        Of the first weights, and with the number of the epoch of the order of the rows.
    kept : dict of str to ndarray, or None
        What `keep` was given by an earlier training of the same rows, plan and seed; it is taken up there.
    keep : callable or None
        Is given the progress every `checkpoint_every` epochs and at the end.

    Returns
    -------
    Progress
        The best layers as numpy arrays.

    Raises
    ------
    FloatingPointError
        No epoch ended with a finite error.

    Notes
    -----
    The rows of an epoch that fill no batch are left out; another epoch leaves out others. A training taken up again
    goes through the same numbers as one that was never stopped: the order of the rows depends on nothing before it.

    References
    ----------
    Kingma and Ba (2015), arXiv:1412.6980; Ioffe and Szegedy (2015), arXiv:1502.03167.
    """
    progress = _first(training.shape[1], plan, seed)
    if kept is not None:
        progress = _from_arrays(kept, progress)
    rows = jnp.asarray(training), jnp.asarray(holdout)
    while not progress.is_over(plan):
        order = _batches(len(training), plan.batch_size, (seed, progress.epoch))
        state, *errors = run_epoch(progress.state, *rows, order, np.float32(plan.learning_rate))
        progress = progress.after(state, *map(float, errors))
        if keep and (progress.epoch % plan.checkpoint_every == 0 or progress.is_over(plan)):
            keep(_to_arrays(progress))
    if not np.isfinite(progress.holdout_errors).any():
        raise FloatingPointError(
            f"no epoch with a learning rate of {plan.learning_rate:g} ended with a finite error\n"
            "Hint: lower clustering.algorithms.autoencoder.learning_rate."
        )
    return replace(progress, best=jax.tree.map(np.asarray, progress.best))


def _place_of_best(errors: tuple[float, ...]) -> int:
    """Return the place of the first smallest error; what is no finite number is larger than all."""
    return int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))


def _first(n_features: int, plan: Plan, seed: int) -> Progress:
    """Draw the weights that a training begins with (He et al. 2015)."""
    rng = np.random.default_rng(seed)
    sizes = (n_features, *plan.hidden, plan.encoding_dim, *reversed(plan.hidden), n_features)
    layers, averages = [], []
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        weights = rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs))
        layer = {"weights": weights, "biases": np.zeros(outputs)}
        is_normalised = place not in (len(plan.hidden), len(sizes) - 2)
        layers.append({**layer, "gains": np.ones(outputs)} if is_normalised else layer)
        averages.append({"means": np.zeros(outputs), "variances": np.ones(outputs)} if is_normalised else {})
    kept = jax.tree.map(np.float32, {"layers": layers, "averages": averages})
    moments = jax.eval_shape(_optimiser(plan.learning_rate).init, kept["layers"])
    return Progress({**kept, "optimiser": jax.tree.map(lambda end: np.zeros(end.shape, end.dtype), moments)}, kept)


def _batches(count: int, batch_size: int, seed: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Draw the rows of each batch of an epoch, shape (n_batches, rows of a batch)."""
    size = min(batch_size, count)
    order = np.random.default_rng(seed).permutation(count)[: count // size * size]
    return order.reshape(-1, size).astype(np.int32)


def _forward(layers: Tree, averages: Tree, rows: Tree, *, is_training: bool) -> tuple[Tree, Tree]:
    """Return what comes out of the network, and the moved averages of the batch normalisation."""
    moved = []
    for layer, average in zip(layers, averages, strict=True):
        rows = rows @ layer["weights"]
        if "gains" in layer:
            now = {"means": rows.mean(axis=0), "variances": rows.var(axis=0)} if is_training else average
            slope = layer["gains"] * jax.lax.rsqrt(now["variances"] + VARIANCE_FLOOR)
            rows = jax.nn.relu((rows - now["means"]) * slope + layer["biases"])
            average = jax.tree.map(lambda old, new: AVERAGE_DECAY * old + (1 - AVERAGE_DECAY) * new, average, now)
        else:
            rows = rows + layer["biases"]
        moved.append(average)
    return rows, moved


def _loss(layers: Tree, averages: Tree, rows: Tree) -> tuple[Tree, Tree]:
    rebuilt, moved = _forward(layers, averages, rows, is_training=True)
    return jnp.square(rebuilt - rows).mean(), moved


def _optimiser(learning_rate: Any) -> Any:
    """Return Adam on all weights as one array, which compiles faster than one by one."""
    return optax.flatten(optax.adam(learning_rate))


def _run_epoch(state: Tree, training: Tree, holdout: Tree, order: Tree, learning_rate: Tree) -> tuple[Tree, Tree, Tree]:
    """Take a step per batch; returns the state, the mean error of the batches and the held-out error."""
    optimiser = _optimiser(learning_rate)

    def step(state: Tree, batch: Tree) -> tuple[Tree, Tree]:
        slopes_of = jax.value_and_grad(_loss, has_aux=True)
        (error, averages), slopes = slopes_of(state["layers"], state["averages"], batch)
        changes, moments = optimiser.update(slopes, state["optimiser"])
        layers = optax.apply_updates(state["layers"], changes)
        return {"layers": layers, "averages": averages, "optimiser": moments}, error

    state, errors = jax.lax.scan(step, state, training[order])
    rebuilt, _ = _forward(state["layers"], state["averages"], holdout, is_training=False)
    return state, errors.mean(), jnp.square(rebuilt - holdout).mean()


run_epoch = jax.jit(_run_epoch, compiler_options={"xla_backend_optimization_level": 1})
"""Compiled once per shape of its arrays, whatever the seed and the learning rate.

More optimisation than at the first level makes compiling take longer and the program no faster.
"""


def _without_optimiser(state: Tree) -> Tree:
    return {"layers": state["layers"], "averages": state["averages"]}


def _to_arrays(progress: Progress) -> Arrays:
    """Name the arrays of a progress for a file."""
    ends = jax.tree.leaves((progress.state, progress.best))
    errors = {name: np.array(getattr(progress, name)) for name in ("training_errors", "holdout_errors")}
    return {**{f"array_{place}": np.asarray(end) for place, end in enumerate(ends)}, **errors}


def _from_arrays(arrays: Arrays, like: Progress) -> Progress:
    """Rebuild a progress from named arrays; `like` has the same form."""
    form = jax.tree.structure((like.state, like.best))
    state, best = jax.tree.unflatten(form, [arrays[f"array_{place}"] for place in range(form.num_leaves)])
    return Progress(state, best, *(tuple(arrays[name].tolist()) for name in ("training_errors", "holdout_errors")))
