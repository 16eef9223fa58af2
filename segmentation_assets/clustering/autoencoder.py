"""K-means on the encoding of an autoencoder; JAX is loaded by fits only, a fitted one works with numpy alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from segmentation_assets.clustering.autoencoder_checkpoints import CheckpointFile, fingerprint
from segmentation_assets.clustering.autoencoder_comparison import (
    compare,
    component_error,
    describe_comparison,
    describe_spread,
    measure_spread,
)
from segmentation_assets.clustering.autoencoder_network import Network, Scaling
from segmentation_assets.clustering.distances import centre_distances
from segmentation_assets.clustering.estimator import (
    Assigned,
    BaseClusterer,
    Floats,
    Integers,
    assign_to_nearest,
    thinned,
)
from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.metrics import score_partitions
from segmentation_assets.features.components import fit_components
from segmentation_assets.tables.rounding import round_number, round_significant
from segmentation_assets.tables.sampling import draw_sample

HOLDOUT_SHARE = 0.1
"""Share of the rows that no network is trained on; they say when to stop and which training is kept."""

SPREAD_SCORE_ROWS = 2_000
"""Rows the search for k is scored on at most, in the trainings that are only compared."""

ONE_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "NPROC": "1", "JAX_PLATFORMS": "cpu"}
"""What JAX reads when it starts; NPROC is the size of its pool of threads."""

_NEURAL = ("jax", "jaxlib", "optax")


@dataclass(frozen=True)
class _Training:
    """What one seed has led to; errors are those of the rows themselves, not of scaled ones."""

    network: Network
    holdout_error: float
    history: dict[str, npt.NDArray[Any]]


class AutoencoderClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseClusterer):
    """K-means on the encoding of an autoencoder, with K-means on as many principal components beside it.

    Parameters
    ----------
    encoding_dim : int, default 10
        Numbers a row is encoded in.
    hidden : tuple of int, default (64, 32)
        Widths of the layers before the encoding; the decoder mirrors them.
    epochs : int, default 100
        Passes through the rows at most.
    patience : int, default 5
        Epochs without a smaller held-out error after which a training stops; the best epoch counts.
    batch_size : int, default 256
        Rows of one step; all rows where there are fewer.
    learning_rate : float, default 0.004
    checkpoint_every : int, default 10
        Epochs between two checkpoints; ignored without `checkpoint_dir`.
    checkpoint_dir : str or None, default None
        Folder of the checkpoints, a file per training, removed when the fit has ended.
    seeds : int, default 3
        Trainings that differ in their seed. The one with the smallest held-out error is kept, the others show how far
        the result rests on chance.
    k_min, k_max : int, default 3 and 8
        Numbers of clusters tried, both included; ignored when `n_clusters` is given.
    n_clusters : int or None, default None
        Fit exactly this number, without search and without comparison.
    n_init : int, default 5
        Restarts of K-means per k.
    min_cluster_share : float in [0, 1], default 0.02
        A k whose smallest cluster holds a smaller share of the rows is chosen only when every k has such a cluster.
    fit_sample : int, default 10000
        Rows fitted on at most.
    score_sample : int, default 10000
        Rows that silhouettes are computed on at most.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    feature_means_ : ndarray of shape (n_features,)
    encoder_, decoder_ : list of tuple of (ndarray, ndarray)
        Weights and biases per layer, with batch normalisation and scaling folded in.
    latent_centers_ : ndarray of shape (n_clusters_, encoding_dim)
    search_ : dict of str to ndarray
        As of `KMeansClusterer`, on the encoding.
    history_ : dict of str to ndarray
        An entry per epoch of the kept training: epoch, training_error (mean over its batches), holdout_error.
    stopped_epoch_ : int
        Epochs of the kept training.
    holdout_error_ : float
        Mean squared error of the kept network on the rows held out.
    comparison_ : dict
        ``winner``, and numbers of both as in `autoencoder_comparison.compare`; empty where nothing was compared.
    spread_ : dict
        As in `autoencoder_comparison.measure_spread`.
    labels_, n_clusters_, fitted_count_, figures_, curves_, notes_
        As for `BaseClusterer`.

    Notes
    -----
    Trainings compute in float32 on one thread; the same seed gives the same bits on the same machine. Rows are encoded
    in float64 by sums that do not depend on the rows beside them.

    References
    ----------
    Hinton and Salakhutdinov (2006), doi:10.1126/science.1127647.
    """

    latent_centers_: Floats

    def __init__(
        self,
        *,
        encoding_dim: int = 10,
        hidden: tuple[int, ...] = (64, 32),
        epochs: int = 100,
        patience: int = 5,
        batch_size: int = 256,
        learning_rate: float = 0.004,
        checkpoint_every: int = 10,
        checkpoint_dir: str | None = None,
        seeds: int = 3,
        k_min: int = 3,
        k_max: int = 8,
        n_clusters: int | None = None,
        n_init: int = 5,
        min_cluster_share: float = 0.02,
        fit_sample: int = 10_000,
        score_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.encoding_dim = encoding_dim
        self.hidden = hidden
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.checkpoint_every = checkpoint_every
        self.checkpoint_dir = checkpoint_dir
        self.seeds = seeds
        self.k_min = k_min
        self.k_max = k_max
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.min_cluster_share = min_cluster_share
        self.fit_sample = fit_sample
        self.score_sample = score_sample
        self.random_state = random_state

    def embed(self, X: Any) -> Floats:
        """Return the encoding of each row, shape (n_rows, encoding_dim)."""
        return self._network.encode(self._checked(X))

    def reconstruct(self, X: Any) -> Floats:
        """Return what is left of each row after encoding and decoding, shape (n_rows, n_features)."""
        return self._network.rebuild(self._checked(X))

    def reconstruction_errors(self, X: Any) -> Floats:
        """Return the mean squared error of each row against its reconstruction, shape (n_rows,)."""
        return self._network.errors(self._checked(X))

    def transform(self, X: Any) -> Floats:
        """Return the distance of each row to each centre, within the encoding, shape (n_rows, n_clusters_)."""
        return centre_distances(self.embed(X), self.latent_centers_)

    def _learn(self, values: Floats, seed: int) -> list[str]:
        is_held_out = np.zeros(len(values), dtype=bool)
        is_held_out[draw_sample(len(values), max(1, round(HOLDOUT_SHARE * len(values))), seed)] = True
        trainings, files, notes = self._train(values, is_held_out, seed)
        errors = [training.holdout_error for training in trainings]
        kept = int(np.argmin(errors))
        fewer = {"score_sample": min(self.score_sample, SPREAD_SCORE_ROWS), "search_refits": 0}
        groupings = [
            self._group(training.network.encode(values), seed, **({} if place == kept else fewer))
            for place, training in enumerate(trainings)
        ]
        self._keep(trainings[kept], groupings[kept])
        self.spread_ = measure_spread(errors, [grouping.labels_ for grouping in groupings])
        self.comparison_ = self._compare(values, is_held_out, groupings[kept].labels_, seed)
        self._show()
        for file in files:
            file.remove()
        comparison = [describe_comparison(self.comparison_)] if self.comparison_ else []
        return [*notes, *groupings[kept].notes_, *comparison, *describe_spread(self.spread_)]

    def _assign(self, values: Floats) -> Assigned:
        return assign_to_nearest(centre_distances(self._network.encode(values), self.latent_centers_))

    def _reorder(self, numbers: Integers) -> None:
        self.latent_centers_ = self.latent_centers_[numbers]

    def _choices(self) -> dict[str, Any]:
        return {"n_clusters": self.n_clusters_, "seeds": 1, "checkpoint_dir": None}

    def _train(
        self, values: Floats, is_held_out: npt.NDArray[np.bool_], seed: int
    ) -> tuple[list[_Training], list[CheckpointFile], list[str]]:
        """Train a network per seed; returns what came of them, the files they leave and notes."""
        module = _load_training()
        names = ("encoding_dim", "epochs", "patience", "batch_size", "learning_rate", "checkpoint_every")
        plan = module.Plan(hidden=tuple(self.hidden), **{name: getattr(self, name) for name in names})
        scaling = Scaling.of(values[~is_held_out])
        scaled = scaling.apply(values)
        trainings, files, notes = [], [], []
        for number in range(self.seeds):
            file = self._checkpoint(number, values, plan, (seed, module.VERSIONS))
            files += [file] if file else []
            kept, note = file.read() if file else (None, [])
            notes += note
            rows = scaled[~is_held_out], scaled[is_held_out]
            progress = module.train(*rows, plan, seed + number, kept=kept, keep=file.write if file else None)
            trainings.append(_summarise(progress, scaling, values[is_held_out]))
        return trainings, files, notes

    def _checkpoint(self, number: int, values: Floats, *parts: object) -> CheckpointFile | None:
        if self.checkpoint_dir is None:
            return None
        path = Path(self.checkpoint_dir) / f"autoencoder-{number + 1}.npz"
        return CheckpointFile(path, fingerprint(values, number, *parts))

    def _group(self, encoded: Floats, seed: int, **further: int) -> KMeansClusterer:
        """Cluster encoded rows; what is further given holds instead of the parameters of the whole."""
        names = ("k_min", "k_max", "n_clusters", "n_init", "min_cluster_share", "fit_sample", "score_sample")
        shared = {name: getattr(self, name) for name in names}
        return KMeansClusterer(**{**shared, **further}, random_state=seed).fit(encoded)

    def _compare(
        self, values: Floats, is_held_out: npt.NDArray[np.bool_], labels: Integers, seed: int
    ) -> dict[str, Any]:
        """Cluster on principal components fitted to the rows of the trainings, and set both side by side."""
        known = values[~is_held_out]
        if self.n_clusters is not None or not np.ptp(known, axis=0).any():
            return {}
        components = fit_components(known, self.encoding_dim)
        rivals = self._group(components.project(values), seed, search_refits=0).labels_
        sample = draw_sample(len(values), self.score_sample, seed)
        scores = score_partitions(values[sample], [labels[sample], rivals[sample]])
        errors = [self.holdout_error_, component_error(components, values[is_held_out])]
        return compare(errors, [score.silhouette for score in scores])

    def _keep(self, training: _Training, grouping: KMeansClusterer) -> None:
        self.feature_means_ = training.network.means
        self.encoder_ = training.network.encoder
        self.decoder_ = training.network.decoder
        self.history_ = training.history
        self.stopped_epoch_ = len(training.history["epoch"])
        self.holdout_error_ = training.holdout_error
        self.latent_centers_ = grouping.cluster_centers_
        self.n_clusters_ = grouping.n_clusters_
        self.search_ = grouping.search_

    def _show(self) -> None:
        """Gather what is worth showing and drawing."""
        agreement = {f"seeds_{name}": self.spread_[name] for name in ("ari_mean", "ari_min")}
        figures = {"holdout_error": self.holdout_error_, **self.comparison_, **agreement, "epochs": self.stopped_epoch_}
        self.figures_ = {name: figure for name, figure in figures.items() if figure == figure}
        self.curves_ = {name: thinned(self.history_[name]) for name in ("training_error", "holdout_error")}

    @property
    def _network(self) -> Network:
        check_is_fitted(self)
        return Network(self.feature_means_, self.encoder_, self.decoder_)

    @property
    def _n_features_out(self) -> int:
        return int(self.n_clusters_)


def _summarise(progress: Any, scaling: Scaling, held_out: Floats) -> _Training:
    """Fold the best epoch of a training, and bring its errors back to the scale of the rows."""
    network = Network.folded(progress.best, scaling)
    unit = scaling.scale**2
    history = {
        "epoch": np.arange(1, progress.epoch + 1),
        "training_error": round_significant(np.array(progress.training_errors) * unit),
        "holdout_error": round_significant(np.array(progress.holdout_errors) * unit),
    }
    return _Training(network, round_number(float(network.errors(held_out).mean())), history)


def _load_training() -> Any:
    """Import the training, and with it JAX."""
    try:
        with _environment_of_jax():
            import_module("jax").devices()
        return import_module("segmentation_assets.clustering.autoencoder_training")
    except ModuleNotFoundError as problem:
        if problem.name not in _NEURAL:
            raise
        raise ModuleNotFoundError(
            f"{problem.name} is not installed; pip install 'segmentation-assets[neural]', or set "
            "clustering.algorithms.autoencoder.enabled: false"
        ) from problem


@contextmanager
def _environment_of_jax() -> Iterator[None]:
    """Keep JAX to one thread of the processor while it starts; what the process has set stays, and nothing is left."""
    added = {name: value for name, value in ONE_THREAD.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
