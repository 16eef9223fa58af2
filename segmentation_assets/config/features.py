"""The settings of features: what blocks compute, how gaps are filled, how features become the model matrix."""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from segmentation_assets.config.section import LARGEST_SEED, Section
from segmentation_assets.config.source import WantedError


def _check_pair(names: tuple[str, ...]) -> tuple[str, ...]:
    """Accept pairs of different names."""
    if len(set(names)) != len(names) or len(names) != 2:
        raise WantedError("a pair of different features, such as [recency_days, gap_days_mean]")
    return names


def _check_different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Accept lists without repetitions."""
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise ValueError(f"{twice[0]} stands there twice; list each once")
    return values


_Different = AfterValidator(_check_different)


def _check_rising(values: tuple[int, ...]) -> tuple[int, ...]:
    """Accept numbers from small to large."""
    for earlier, later in pairwise(values):
        if earlier >= later:
            raise ValueError(f"{later} stands after {earlier}; list each once, from short to long")
    return values


def _check_named(text: str) -> str:
    """Accept names that are not blank."""
    if not text.strip():
        raise ValueError(f"'{text}' is blank; write a name as the delivered data has it")
    return text


def _check_thousandths(share: float) -> float:
    """Accept shares with three decimals at most, as prices are compared exactly."""
    if round(share, 3) != share:
        raise WantedError(f"a share with three decimals at most, such as {round(share, 3):g}")
    return share


def _check_components(wanted: float | None) -> float | None:
    """Accept shares and whole numbers."""
    if wanted is not None and wanted > 1 and wanted != int(wanted):
        raise WantedError("a share below 1 or a whole number of components")
    return wanted


_Named = Annotated[str, AfterValidator(_check_named)]


class FeatureSettings(Section):
    """What the feature blocks compute."""

    set: Literal["basic", "advanced"] = Field(
        "advanced",
        description="basic keeps seven classic features: recency, orders, revenue, average order value, orders per "
        "month, lifetime in months, return rate",
    )
    interactions: tuple[Annotated[tuple[str, ...], AfterValidator(_check_pair)], ...] = Field(
        (), description="pairs of features, such as [recency_days, gap_days_mean], that get a product and a ratio each"
    )
    windows: Annotated[tuple[Annotated[int, Field(ge=1, le=3660)], ...], AfterValidator(_check_rising)] = Field(
        (30, 90, 180, 365),
        min_length=1,
        description="days before the as-of date that orders, units and money are counted in, from short to long",
    )
    departments: tuple[str, ...] = Field(
        (), description="departments that get a share column each; the rest is summed as 'other'"
    )
    classes: dict[str, tuple[_Named, ...]] = Field(
        {},
        description="classes of a department in `departments` that get columns of their own; the rest is summed as "
        "'other'",
    )
    child_ages: tuple[_Named, ...] = Field((), description="ages of children, as products have them, that are counted")
    sizes: tuple[_Named, ...] = Field((), description="sizes, as products have them, that are counted")
    deal_discount: Annotated[float, AfterValidator(_check_thousandths)] = Field(
        0.2,
        ge=0.001,
        le=0.999,
        description="discount on the list price from which a line counts as a deal, to a thousandth",
    )
    peak_months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], _Different] = Field(
        (11, 12), min_length=1, max_length=11, description="months of the shop's peak, by number; not all of them"
    )
    event_kinds: dict[
        Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")],
        Annotated[tuple[_Named, ...], Field(min_length=1), _Different],
    ] = Field(
        {"visit": ("visit",), "open": ("email_open",), "click": ("email_click",), "contact": ("service_contact",)},
        description="kinds of engagement events that get a count each, and the event types of each",
    )
    recency: Literal["calendar_days", "elapsed_days"] = Field(
        "calendar_days",
        description="recency_days from dates (calendar_days) or as whole 24-hour periods between instants",
    )


class ImputationSettings(Section):
    """How missing feature values are filled before fitting."""

    method: Literal["mean", "median", "knn", "iterative"] = Field(
        "mean",
        description="how ordinary numbers are filled: by the mean or median of all, by the mean of the most similar "
        "customers (knn), or by regressions on the customer's other features (iterative)",
    )
    n_neighbors: int = Field(5, ge=1, le=100, description="with knn: similar customers whose mean is taken")
    donors: int = Field(
        500, ge=10, le=20_000, description="with knn: customers that are compared with at most; stored with the model"
    )
    rounds: int = Field(3, ge=1, le=20, description="with iterative: times that all features are estimated in turn")
    ridge_penalty: float = Field(
        0.01, gt=0, le=10, description="with iterative: penalty on large weights, per customer and standard deviation"
    )
    fit_sample: int = Field(
        5_000, ge=100, le=100_000, description="with iterative: customers that the regressions are fitted on at most"
    )
    seed: int = Field(7, ge=0, le=LARGEST_SEED, description="with knn and iterative: seed of the sample of customers")

    @field_validator("donors")
    @classmethod
    def _check_donors(cls, donors: int, info: ValidationInfo) -> int:
        neighbors = info.data.get("n_neighbors", 0)
        if donors < neighbors:
            raise ValueError(f"{donors} customers cannot hold the {neighbors} of n_neighbors")
        return donors

    @property
    def reads_other_features(self) -> bool:
        """Whether a value is filled by what other features of the same customer say."""
        return self.method in ("knn", "iterative")


class MatrixSettings(Section):
    """How features become the matrix that clusterings are fitted on."""

    features: Annotated[tuple[str, ...], Field(min_length=1), _Different] | Literal["auto"] = Field(
        "auto", description="columns to cluster on; auto takes all that the feature blocks mark for clustering"
    )
    encoding: Literal["one_hot", "ordinal"] = Field(
        "one_hot",
        description="of features that are categories and named in `features`: a column per category, or one with the "
        "place of the category by frequency",
    )
    max_categories: int = Field(
        8, ge=1, le=100, description="categories of a feature at most, the most frequent ones; the rest is 'other'"
    )
    max_correlation: float = Field(
        0.8,
        gt=0,
        le=1,
        description="of two columns with a larger absolute correlation the one declared later is left out",
    )
    outliers: Literal["none", "winsorise"] = Field(
        "none",
        description="winsorise moves values beyond the quantiles `outlier_low` and `outlier_high` to them; how many is "
        "in the metadata",
    )
    outlier_low: float = Field(0.01, ge=0, lt=1, description="with winsorise: quantile below which values are moved")
    outlier_high: float = Field(0.99, gt=0, le=1, description="with winsorise: quantile above which values are moved")
    skew: Literal["log1p", "yeo_johnson", "none"] = Field(
        "log1p", description="scale of columns that are too skewed: logarithm, fitted power, or as they are"
    )
    skew_threshold: float = Field(
        1.0, ge=0, description="columns whose absolute skewness is larger are transformed as `skew` says, if that helps"
    )
    scaling: Literal["standard", "robust", "quantile"] = Field(
        "standard",
        description="centre and scale of each column: mean and deviation, median and quartiles, or normal scores of "
        "the ranks; categories are always standard",
    )
    pca: Annotated[float | None, AfterValidator(_check_components)] = Field(
        None,
        gt=0,
        le=200,
        description="principal components instead of the columns: how many, or the share of variance they hold; none "
        "when absent",
    )

    @model_validator(mode="after")
    def _check_outliers(self) -> "MatrixSettings":
        if self.outlier_low >= self.outlier_high:
            raise ValueError(f"outlier_low {self.outlier_low:g} is not below outlier_high {self.outlier_high:g}")
        return self
