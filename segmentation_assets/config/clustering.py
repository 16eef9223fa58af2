"""The settings of clusterings: a section per algorithm, what they share, and the gates of their comparison."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from segmentation_assets.config.search_space import Numbers, Options, SearchSpace
from segmentation_assets.config.section import LARGEST_SEED, Section


class AlgorithmSection(Section):
    """What every algorithm's section has."""

    enabled: bool = Field(True, description="whether the algorithm is run")


class SearchSection(AlgorithmSection):
    """An algorithm that searches the number of clusters."""

    search_space: ClassVar[SearchSpace] = {"k": Numbers(3, 12, fields=("k_min", "k_max"))}

    k_min: int = Field(3, ge=2, le=50, description="smallest number of clusters tried")
    k_max: int = Field(8, ge=2, le=50, description="largest number of clusters tried")

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.k_max < self.k_min:
            raise ValueError(f"k_max {self.k_max} is smaller than k_min {self.k_min}")
        return self


class KMeansSettings(SearchSection):
    """K-means with the number of clusters chosen by silhouette among partitions that pass the size gates."""

    search_space: ClassVar[SearchSpace] = {**SearchSection.search_space, "n_init": Numbers(1, 20)}

    choose_by: Literal["silhouette", "davies_bouldin", "calinski_harabasz", "elbow", "stability"] = Field(
        "silhouette", description="score that the number of clusters is chosen by; all are shown"
    )
    n_init: int = Field(5, ge=1, le=100, description="restarts; the best one counts")
    max_iter: int = Field(300, ge=1, description="iterations of one restart at most")


class _DensitySection(AlgorithmSection):
    """An algorithm that measures density."""

    search_space: ClassVar[SearchSpace] = {
        "space": Options(("full", "pca")),
        "n_components": Numbers(2, 20, only_with=("space", "pca")),
    }

    space: Literal["full", "pca", "tsne"] = Field(
        "pca", description="where distances are measured: all features, principal components, or a t-SNE map"
    )
    n_components: int = Field(10, ge=1, le=100, description="principal components, for the space pca")


class _RadiusSection(_DensitySection):
    """An algorithm that measures density within a radius."""

    search_space: ClassVar[SearchSpace] = {
        **_DensitySection.search_space,
        "eps": Numbers(0.3, 15.0, is_log=True),
        "min_samples": Numbers(3, 100, is_log=True),
    }

    eps: float | None = Field(None, gt=0, description="radius; by default the knee of the k-distance curve")
    min_samples: int | None = Field(
        None,
        ge=2,
        le=10_000,
        description="customers within eps that make a core point; by default twice the dimensions, 10 or more",
    )


class DbscanSettings(_RadiusSection):
    """DBSCAN: core points within a radius of each other, and noise."""

    fit_sample: int = Field(10_000, ge=100, le=30_000, description="customers fitted on at most; all are assigned")


class HybridSettings(SearchSection, _RadiusSection):
    """DBSCAN finds outliers, K-means partitions the others, outliers join the nearest centre."""

    search_space: ClassVar[SearchSpace] = {**SearchSection.search_space, **_RadiusSection.search_space}

    density_sample: int = Field(10_000, ge=100, le=30_000, description="customers the density is measured on at most")
    n_init: int = Field(5, ge=1, le=100, description="restarts; the best one counts")
    max_iter: int = Field(300, ge=1, description="iterations of one restart at most")


class HdbscanSettings(_DensitySection):
    """HDBSCAN: density clusters without a radius, and noise."""

    search_space: ClassVar[SearchSpace] = {
        **_DensitySection.search_space,
        "min_cluster_size": Numbers(10, 500, is_log=True),
        "min_samples": Numbers(2, 100, is_log=True),
        "cluster_selection_method": Options(("eom", "leaf")),
    }

    min_cluster_size: int | None = Field(
        None, ge=2, description="customers of the smallest cluster; by default what passes the size gates"
    )
    min_samples: int = Field(10, ge=1, le=1_000, description="neighbours by which density is measured")
    cluster_selection_method: Literal["eom", "leaf"] = Field(
        "eom", description="whether stable (eom) or small (leaf) clusters are taken from the tree"
    )
    fit_sample: int = Field(10_000, ge=100, le=30_000, description="customers fitted on at most; all are assigned")


class GaussianMixtureSettings(SearchSection):
    """Gaussian mixture: components and covariance type by an information criterion."""

    search_space: ClassVar[SearchSpace] = {
        "k": Numbers(2, 12, fields=("k_min", "k_max")),
        "covariance_type": Options((("full",), ("tied",), ("diag",), ("spherical",)), fields=("covariance_types",)),
        "reg_covar": Numbers(1e-5, 0.1, is_log=True),
    }

    k_min: int = Field(2, ge=2, le=50, description="smallest number of components tried beside one, which is no groups")
    covariance_types: tuple[Literal["full", "tied", "diag", "spherical"], ...] = Field(
        ("full", "tied", "diag", "spherical"), min_length=1, description="shapes of the components that are tried"
    )
    criterion: Literal["bic", "aic"] = Field("bic", description="by which number and covariance type are chosen")
    n_init: int = Field(10, ge=1, le=100, description="restarts of the final fit; the best one goes on")
    max_iter: int = Field(200, ge=1, description="iterations of the fit that goes on")
    reg_covar: float = Field(1e-3, ge=0, le=1, description="added to the diagonal of every covariance")
    search_sample: int = Field(5_000, ge=100, description="customers that the search is made on at most")
    fit_sample: int = Field(20_000, ge=100, description="customers fitted on at most; all are assigned")


class WardSettings(SearchSection):
    """Hierarchical clustering by Ward's criterion, cut at a number of clusters or at a distance."""

    distance_threshold: float | None = Field(
        None, gt=0, description="cut where the next merge costs more, instead of searching the number of clusters"
    )
    fit_sample: int = Field(
        5_000, ge=100, le=20_000, description="customers the tree is built on at most; all are assigned"
    )


class FuzzyCMeansSettings(SearchSection):
    """Fuzzy C-means: every customer belongs to every cluster to a degree."""

    search_space: ClassVar[SearchSpace] = {**SearchSection.search_space, "fuzzifier": Numbers(1.05, 3.0)}

    fuzzifier: float | None = Field(
        None, gt=1, le=10, description="exponent m; by default what fits the number of features; 2 is usual for few"
    )
    choose_by: Literal["silhouette", "xie_beni", "partition_coefficient"] = Field(
        "silhouette", description="score that the number of clusters is chosen by; all are shown"
    )
    n_init: int = Field(3, ge=1, le=100, description="restarts; the best one counts")
    max_iter: int = Field(150, ge=1, description="iterations of one restart at most")
    tol: float = Field(0.005, gt=0, lt=1, description="the iteration ends when no membership changes by more")
    fit_sample: int = Field(20_000, ge=100, description="customers fitted on at most; all are assigned")


class AutoencoderSettings(SearchSection):
    """K-means on the encoding of an autoencoder; needs the extra `neural`."""

    search_space: ClassVar[SearchSpace] = {
        **SearchSection.search_space,
        "encoding_dim": Numbers(2, 32),
        "hidden": Options(((64,), (32, 16), (64, 32), (128, 64))),
        "learning_rate": Numbers(0.0003, 0.03, is_log=True),
        "batch_size": Options((64, 128, 256, 512)),
    }

    encoding_dim: int = Field(10, ge=1, le=256, description="numbers a customer is encoded in")
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        (64, 32), max_length=8, description="widths of the layers before the encoding; the decoder mirrors them"
    )
    epochs: int = Field(100, ge=1, le=10_000, description="passes through the customers at most")
    patience: int = Field(
        5, ge=1, le=10_000, description="epochs without a smaller held-out error after which a training stops"
    )
    batch_size: int = Field(256, ge=2, le=65_536, description="customers of one training step")
    learning_rate: float = Field(0.004, gt=0, le=1, description="step size of Adam")
    checkpoint_every: int = Field(10, ge=1, description="epochs between two checkpoints of a training")
    seeds: int = Field(
        3, ge=1, le=20, description="trainings with different seeds: the best is kept, the others show the spread"
    )
    n_init: int = Field(5, ge=1, le=100, description="restarts of K-means; the best one counts")
    fit_sample: int = Field(10_000, ge=100, description="customers it is fitted on at most; all are assigned")


class AlgorithmSettings(Section):
    """One section per clustering algorithm."""

    kmeans: KMeansSettings = KMeansSettings()
    hybrid: HybridSettings = HybridSettings()
    gaussian_mixture: GaussianMixtureSettings = GaussianMixtureSettings()
    ward: WardSettings = WardSettings()
    fuzzy_cmeans: FuzzyCMeansSettings = FuzzyCMeansSettings()
    dbscan: DbscanSettings = DbscanSettings()
    hdbscan: HdbscanSettings = HdbscanSettings()
    autoencoder: AutoencoderSettings = AutoencoderSettings()


class EvaluationSettings(Section):
    """How every fitted clustering is tried out."""

    resamples: int = Field(20, ge=4, le=200, description="refits on resampled customers")
    resample_customers: int = Field(
        2_000, ge=100, le=20_000, description="customers in one resample, and in one draw of reference data, at most"
    )
    reference_draws: int = Field(
        20, ge=2, le=200, description="refits on reference data without clusters; fewer than 20 give no label"
    )


class ClusteringSettings(Section):
    """What all clusterings share, and a section for each."""

    seed: int = Field(7, ge=0, le=LARGEST_SEED, description="random_state of every fit")
    refit_every_months: int = Field(
        3,
        ge=1,
        le=120,
        description="months from one fit of all candidates to the next, counted from calendar.first_snapshot",
    )
    fit_sample: int = Field(50_000, ge=100, description="customers a model is fitted on at most; all are assigned")
    score_sample: int = Field(10_000, ge=100, le=50_000, description="customers the scores are computed on at most")
    evaluation: EvaluationSettings = EvaluationSettings()
    algorithms: AlgorithmSettings = AlgorithmSettings()


class RankingWeights(Section):
    """How much each score counts when candidates that passed every gate are ranked."""

    silhouette: float = Field(1.0, ge=0, description="weight of the silhouette, noise counted as a group")
    davies_bouldin: float = Field(0.0, ge=0, description="weight of the Davies-Bouldin index")
    calinski_harabasz: float = Field(0.0, ge=0, description="weight of the Calinski-Harabasz index")
    coverage: float = Field(0.0, ge=0, description="weight of the share of customers in a segment")
    stability: float = Field(1.0, ge=0, description="weight of the stability")
    usefulness: float = Field(1.0, ge=0, description="weight of the usefulness of earlier models, where measured")

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError("all weights are 0, so that nothing could be ranked")
        return self


class LeaderboardSettings(Section):
    """Gates every candidate must pass before it is ranked, and what the ranking weighs."""

    min_coverage: float = Field(0.8, ge=0, le=1, description="share of customers in a cluster, noise left out")
    min_segment_share: float = Field(0.02, ge=0, le=0.5, description="share of customers of the smallest segment")
    min_segment_customers: int = Field(30, ge=1, description="customers of the smallest segment")
    min_stability: float = Field(
        0.6, ge=0, le=1, description="mean adjusted Rand index between refits on resampled customers"
    )
    min_jaccard: float = Field(
        0.5,
        ge=0,
        le=1,
        description="mean Jaccard index of the least stable segment with the most similar cluster of any refit; below "
        "0.5 it dissolves",
    )
    horizon_months: int = Field(
        3, ge=1, le=24, description="months after which it is measured how well earlier models separated what followed"
    )
    rfm_map: Literal["merged", "whole"] = Field(
        "merged",
        description="the RFM map that earlier segments must not have been less useful than: merged to as many groups, "
        "or with all its segments",
    )
    min_candidates: int = Field(
        1,
        ge=0,
        description="algorithms that must have been fitted when others fail with an error; with fewer the month stops",
    )
    weights: RankingWeights = RankingWeights()
