"""The clustering algorithms by name, one line each; importing this loads none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.errors import SettingsError, closest_hint
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segmentation_assets.clustering.estimator import Assigned


class Clusterer(Protocol):
    """What every algorithm offers: a scikit-learn clusterer with a rule for new rows.

    `notes_` are choices made for the user during the fit, in words; `fitted_count_` is how many rows were fitted on.
    """

    labels_: npt.NDArray[np.int64]
    n_clusters_: int
    fitted_count_: int
    figures_: dict[str, Any]
    curves_: dict[str, npt.NDArray[np.float64]]
    notes_: tuple[str, ...]

    def fit(self, X: Any, y: None = None) -> Clusterer:
        """Learn from finite numbers of shape (n_rows, n_features)."""

    def fit_assign(self, X: Any) -> Assigned:
        """Learn as `fit` does, and return what `assign` says of the rows."""

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Apply the learned rule to any row, one or many; -1 is noise."""

    def assign(self, X: Any) -> Assigned:
        """Apply the learned rule to any row, with distance, runner-up and certainty."""

    def reorder_clusters(self, order: npt.NDArray[np.int64]) -> Clusterer:
        """Renumber the clusters: number i becomes what was ``order[i]``."""

    def get_params(self) -> dict[str, Any]:
        """Return the parameters it was built with."""

    def set_params(self, **params: Any) -> Clusterer:
        """Replace parameters."""

    def refit_copy(self, random_state: int) -> Clusterer:
        """Return an unfitted copy with the choices of this fit fixed, for resampling."""


@dataclass(frozen=True)
class AlgorithmEntry:
    """One algorithm: its settings section, its class and what an analyst should know.

    Parameters
    ----------
    name : str
        Name in tables, asset keys and the settings section ``clustering.algorithms.<name>``.
    module, class_name : str
        Where the estimator lies; loaded when it is built.
    description : str
        Two to five sentences of Markdown.
    most_resamples : int
        Refits on resampled customers at most, for algorithms that take long.
    """

    name: str
    module: str
    class_name: str
    description: str
    most_resamples: int = 200

    @property
    def settings_path(self) -> str:
        """Dotted path of the algorithm's own settings section."""
        return f"clustering.algorithms.{self.name}"

    @property
    def type_name(self) -> str:
        """Qualified name of the estimator's class."""
        return f"{self.module}.{self.class_name}"

    def build(self, settings: ClusteringSettings, gates: LeaderboardSettings, customer_count: int) -> Clusterer:
        """Construct the unfitted estimator.

        Parameters
        ----------
        settings : ClusteringSettings
            The algorithm's own section, the seed and the score sample.
        gates : LeaderboardSettings
            Bounds of the smallest cluster, for algorithms that choose among partitions.
        customer_count : int
            Customers that will be assigned; turns the bound in customers into a share.

        Returns
        -------
        Clusterer
        """
        estimator = getattr(import_module(self.module), self.class_name)
        section = getattr(settings.algorithms, self.name).model_dump(exclude={"enabled"})
        shared = {
            "random_state": settings.seed,
            "fit_sample": min(settings.fit_sample, section.get("fit_sample", settings.fit_sample)),
            "score_sample": settings.score_sample,
            "min_cluster_share": smallest_share(gates, customer_count),
        }
        known = estimator().get_params()
        built: Clusterer = estimator(**{**section, **{name: shared[name] for name in shared if name in known}})
        return built


def smallest_share(gates: LeaderboardSettings, customer_count: int) -> float:
    """Return the share of the smallest cluster that passes both size gates, rounded as measured shares are."""
    in_customers = round_number(gates.min_segment_customers / max(customer_count, 1))
    return min(1.0, max(gates.min_segment_share, in_customers))


ALGORITHMS = {
    entry.name: entry
    for entry in (
        AlgorithmEntry(
            "kmeans",
            "segmentation_assets.clustering.kmeans",
            "KMeansClusterer",
            "K-means on the model matrix; of the numbers of clusters tried, the one with the best silhouette whose "
            "smallest cluster passes the size gates of the leaderboard. Clusters are numbered by descending mean net "
            "revenue. Every customer belongs to the nearest centre.",
        ),
        AlgorithmEntry(
            "hybrid",
            "segmentation_assets.clustering.hybrid",
            "HybridClusterer",
            "DBSCAN finds the customers that are unlike everyone, K-means partitions the others, and each outlier "
            "joins the nearest centre, with an outlier score: the distance to the nearest dense region in units of "
            "DBSCAN's radius. Above 1 is an outlier.",
        ),
        AlgorithmEntry(
            "gaussian_mixture",
            "segmentation_assets.clustering.mixture",
            "GaussianMixtureClusterer",
            "A Gaussian mixture on the model matrix; number of components and shape of their covariance by BIC, one "
            "component included, which means that there are no groups. Every customer has a posterior per component, "
            "which is a degree of membership and no confidence.",
        ),
        AlgorithmEntry(
            "ward",
            "segmentation_assets.clustering.ward",
            "WardClusterer",
            "Hierarchical clustering by Ward's criterion on a sample of the model matrix, cut at the number of "
            "clusters with the best silhouette. Every customer belongs to the nearest centre of the tree's clusters.",
        ),
        AlgorithmEntry(
            "fuzzy_cmeans",
            "segmentation_assets.clustering.fuzzy",
            "FuzzyCMeansClusterer",
            "Fuzzy C-means on the model matrix: every customer belongs to every cluster to a degree, and counts to the "
            "one it belongs to most. How fuzzy the degrees are is fitted to the number of features; where they "
            "collapse, the centres that coincide are counted once.",
        ),
        AlgorithmEntry(
            "dbscan",
            "segmentation_assets.clustering.dbscan",
            "DbscanClusterer",
            "DBSCAN in the space of the first principal components: customers in dense regions form clusters, the "
            "others are noise (-1). The radius is the knee of the k-distance curve. Overlapping segments form one "
            "dense region, so it often finds one cluster only: its use is to tell who is unlike everyone.",
        ),
        AlgorithmEntry(
            "hdbscan",
            "segmentation_assets.clustering.hdbscan",
            "HdbscanClusterer",
            "HDBSCAN in the space of the first principal components: regions that stay dense over a range of radii, "
            "and noise (-1). A customer belongs to the cluster of the nearest customer fitted on, if that is no "
            "farther away than is usual there.",
        ),
        AlgorithmEntry(
            "autoencoder",
            "segmentation_assets.clustering.autoencoder",
            "AutoencoderClusterer",
            "K-means on the encoding of an autoencoder, a neural network that learns to rebuild the model matrix from "
            "few numbers. It is trained with several seeds; the training that rebuilds customers held out best is "
            "kept, and the notes say how far the others agree with it. They also say whether it separates customers "
            "better than K-means on as many principal components. Needs the extra `neural`.",
            most_resamples=5,
        ),
    )
}
"""Algorithm by name, in the order they are run and listed."""


def find_algorithm(name: str) -> AlgorithmEntry:
    """Return the algorithm of a name.

    Raises
    ------
    SettingsError
        There is none.

    Examples
    --------
    >>> find_algorithm("ward").settings_path
    'clustering.algorithms.ward'
    """
    if name not in ALGORITHMS:
        raise SettingsError(f"there is no algorithm '{name}'", closest_hint(name, ALGORITHMS))
    return ALGORITHMS[name]


def enabled_algorithms(settings: ClusteringSettings) -> tuple[str, ...]:
    """Return the names of the algorithms that the settings switch on, in registry order."""
    return tuple(name for name in ALGORITHMS if getattr(settings.algorithms, name).enabled)


def model_types() -> tuple[str, ...]:
    """Return the qualified names of all estimator classes: the types a stored model may hold."""
    return tuple(entry.type_name for entry in ALGORITHMS.values())
