"""The settings of clusterings: a section per algorithm, what they share, and the gates of their comparison."""

from typing import Literal, Self

from pydantic import Field, model_validator

from segmentation_assets.config.section import LARGEST_SEED, Section


class AlgorithmSection(Section):
    """What every algorithm's section has."""

    enabled: bool = Field(True, description="whether the algorithm is run")


class SearchSection(AlgorithmSection):
    """An algorithm that searches the number of clusters."""

    k_min: int = Field(3, ge=2, le=50, description="smallest number of clusters tried")
    k_max: int = Field(8, ge=2, le=50, description="largest number of clusters tried")

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.k_max < self.k_min:
            raise ValueError(f"k_max {self.k_max} is smaller than k_min {self.k_min}")
        return self


class KMeansSettings(SearchSection):
    """K-means with the number of clusters chosen by silhouette among partitions that pass the size gates."""

    choose_by: Literal["silhouette", "davies_bouldin", "calinski_harabasz", "elbow", "stability"] = Field(
        "silhouette", description="score that the number of clusters is chosen by; all are shown"
    )
    n_init: int = Field(5, ge=1, le=100, description="restarts; the best one counts")
    max_iter: int = Field(300, ge=1, description="iterations of one restart at most")


class AlgorithmSettings(Section):
    """One section per clustering algorithm."""

    kmeans: KMeansSettings = KMeansSettings()


class ClusteringSettings(Section):
    """What all clusterings share, and a section for each."""

    seed: int = Field(7, ge=0, le=LARGEST_SEED, description="random_state of every fit")
    fit_sample: int = Field(50_000, ge=100, description="customers a model is fitted on at most; all are assigned")
    score_sample: int = Field(10_000, ge=100, le=50_000, description="customers the scores are computed on at most")
    algorithms: AlgorithmSettings = AlgorithmSettings()


class LeaderboardSettings(Section):
    """Gates every candidate must pass before it is ranked."""

    min_coverage: float = Field(0.8, ge=0, le=1, description="share of customers in a cluster, noise left out")
    min_segment_share: float = Field(0.02, ge=0, le=0.5, description="share of customers of the smallest segment")
    min_segment_customers: int = Field(30, ge=1, description="customers of the smallest segment")
    min_stability: float = Field(
        0.6, ge=0, le=1, description="mean adjusted Rand index between refits on resampled customers"
    )
    min_candidates: int = Field(
        1,
        ge=0,
        description="algorithms that must have been fitted when others fail with an error; with fewer the month stops",
    )
    resamples: int = Field(10, ge=2, le=200, description="refits on resampled customers")
    resample_customers: int = Field(5_000, ge=100, description="customers in one resample at most")
