"""The settings of predictions: what is foretold, from which snapshots models learn, and when one may be used."""

from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from segmentation_assets.config.search_space import Numbers, Options, SearchSpace
from segmentation_assets.config.section import LARGEST_SEED, Section

PLAUSIBLE_AUC, PLAUSIBLE_AUC_OF_BUILT_IN_SHOP = 0.85, 0.92
"""Areas under the ROC curve above which churn is not believed to be foretold, unless the settings say otherwise."""


class RandomForestSettings(Section):
    """Random forest: many deep trees, each on a sample of customers."""

    search_space: ClassVar[SearchSpace] = {
        "n_estimators": Numbers(50, 500, is_log=True),
        "max_depth": Numbers(3, 30),
        "min_samples_leaf": Numbers(1, 100, is_log=True),
        "class_weight": Options(("balanced", "balanced_subsample", "none")),
    }

    enabled: bool = Field(True, description="whether the algorithm is tried")
    n_estimators: int = Field(100, ge=1, le=5_000, description="trees")
    max_depth: int | None = Field(None, ge=1, le=100, description="levels of a tree at most; any number when absent")
    min_samples_leaf: int = Field(10, ge=1, le=10_000, description="customers of a leaf at least")
    max_samples: int = Field(5_000, ge=50, description="customers that each tree is grown on at most")
    class_weight: Literal["balanced", "balanced_subsample", "none"] = Field(
        "balanced", description="balanced: rare classes weigh as much as frequent ones while trees are grown"
    )
    random_state: int | None = Field(
        None, ge=0, le=LARGEST_SEED, description="seed of the forest; that of all predictions when absent"
    )


class GradientBoostingSettings(Section):
    """Histogram gradient boosting: many shallow trees, each correcting those before."""

    search_space: ClassVar[SearchSpace] = {
        "learning_rate": Numbers(0.01, 0.3, is_log=True),
        "max_iter": Numbers(30, 500, is_log=True),
        "max_leaf_nodes": Numbers(3, 63, is_log=True),
        "min_samples_leaf": Numbers(5, 200, is_log=True),
        "l2_regularization": Numbers(0.001, 100.0, is_log=True),
    }

    enabled: bool = Field(True, description="whether the algorithm is tried")
    learning_rate: float = Field(0.06, gt=0, le=1, description="how much of each correction is taken over")
    max_iter: int = Field(150, ge=1, le=5_000, description="trees per class")
    max_leaf_nodes: int = Field(15, ge=2, le=1_000, description="leaves of a tree at most")
    min_samples_leaf: int = Field(40, ge=1, le=10_000, description="customers of a leaf at least")
    l2_regularization: float = Field(1.0, ge=0, description="how strongly leaves are drawn to zero")


class LogisticRegressionSettings(Section):
    """Logistic regression on features turned to normal scores."""

    search_space: ClassVar[SearchSpace] = {"C": Numbers(0.001, 100.0, is_log=True)}

    enabled: bool = Field(True, description="whether the algorithm is tried")
    C: float = Field(0.1, gt=0, le=1_000, description="inverse of the strength with which weights are drawn to zero")


class XGBoostSettings(Section):
    """XGBoost: gradient boosting of trees; needs the extra `boosting`."""

    search_space: ClassVar[SearchSpace] = {
        "n_estimators": Numbers(30, 500, is_log=True),
        "learning_rate": Numbers(0.01, 0.3, is_log=True),
        "max_depth": Numbers(2, 10),
        "min_child_weight": Numbers(0.1, 50.0, is_log=True),
        "reg_lambda": Numbers(0.001, 100.0, is_log=True),
    }

    enabled: bool = Field(False, description="whether the algorithm is tried")
    n_estimators: int = Field(150, ge=1, le=5_000, description="trees per class")
    learning_rate: float = Field(0.1, gt=0, le=1, description="how much of each correction is taken over")
    max_depth: int = Field(4, ge=1, le=30, description="levels of a tree at most")
    min_child_weight: float = Field(5.0, ge=0, description="weight of a leaf at least, in customers that are in doubt")
    reg_lambda: float = Field(1.0, ge=0, description="how strongly leaves are drawn to zero")


class LightGBMSettings(Section):
    """LightGBM: gradient boosting of trees grown leaf by leaf; needs the extra `boosting`."""

    search_space: ClassVar[SearchSpace] = {
        "n_estimators": Numbers(30, 500, is_log=True),
        "learning_rate": Numbers(0.01, 0.3, is_log=True),
        "num_leaves": Numbers(3, 63, is_log=True),
        "min_child_samples": Numbers(5, 200, is_log=True),
        "reg_lambda": Numbers(0.001, 100.0, is_log=True),
    }

    enabled: bool = Field(False, description="whether the algorithm is tried")
    n_estimators: int = Field(150, ge=1, le=5_000, description="trees per class")
    learning_rate: float = Field(0.06, gt=0, le=1, description="how much of each correction is taken over")
    num_leaves: int = Field(15, ge=2, le=1_000, description="leaves of a tree at most")
    min_child_samples: int = Field(40, ge=1, le=10_000, description="customers of a leaf at least")
    reg_lambda: float = Field(1.0, ge=0, description="how strongly leaves are drawn to zero")


def enabled_sections(algorithms: Section) -> dict[str, Any]:
    """Return the sections of the algorithms that are tried, by name."""
    sections = {name: getattr(algorithms, name) for name in type(algorithms).model_fields}
    return {name: section for name, section in sections.items() if section.enabled}


def _require_some(algorithms: Section) -> None:
    """Refuse algorithms of which none is tried."""
    if not enabled_sections(algorithms):
        raise ValueError("no algorithm is enabled; enable one of algorithms")


class ChurnAlgorithms(Section):
    """A section per algorithm that is tried for churn."""

    random_forest: RandomForestSettings = RandomForestSettings()
    gradient_boosting: GradientBoostingSettings = GradientBoostingSettings()
    logistic_regression: LogisticRegressionSettings = LogisticRegressionSettings()


class ThresholdSettings(Section):
    """From which probability on a customer counts as about to churn."""

    rule: Literal["precision", "cost"] = Field(
        "precision",
        description="precision: as many churners as possible are found while min_precision of those named are; cost: "
        "what is missed and what is done in vain cost least together",
    )
    min_precision: float = Field(0.75, gt=0, lt=1, description="share of those named who have to be churners")
    missed_cost: float = Field(5.0, gt=0, description="what a churner costs who is not named, in any unit")
    needless_cost: float = Field(1.0, gt=0, description="what it costs to name a customer who stays, in the same unit")


class ChurnSettings(Section):
    """Who orders again within the horizon, and who does not."""

    search_space: ClassVar[SearchSpace] = {"max_features": Numbers(5, 100, is_log=True)}

    eligible_days: int = Field(
        365, ge=1, le=3_650, description="customers count whose last order lies at most so many days back"
    )
    max_features: int = Field(45, ge=1, le=500, description="features a model goes by at most, by importance")
    algorithms: ChurnAlgorithms = ChurnAlgorithms()
    threshold: ThresholdSettings = ThresholdSettings()
    max_calibration_error: float = Field(
        0.1, gt=0, le=1, description="mean distance of foretold and found shares above which a model is not used"
    )

    @model_validator(mode="after")
    def _some_algorithm(self) -> Self:
        _require_some(self.algorithms)
        return self


class LifetimeValueSettings(Section):
    """What customers will be worth: how often they order again, and what they spend."""

    model: Literal["mbg_nbd", "pareto_nbd"] = Field(
        "mbg_nbd",
        description="model of repeat orders that customers are valued by; BG/NBD is fitted and shown beside it, but "
        "says of everyone who ordered once that they are still there",
    )
    level: float = Field(0.8, gt=0, lt=1, description="probability of the intervals")
    monthly_discount_rate: float = Field(0.01, ge=0, le=1, description="what money a month later is worth less")
    max_holdout_error: float = Field(
        0.5,
        gt=0,
        le=10,
        description="share by which foretold orders of all customers together may miss those of the holdout, above "
        "which a model is not used",
    )


class SegmentAlgorithms(Section):
    """A section per algorithm that is tried for segments."""

    random_forest: RandomForestSettings = RandomForestSettings(n_estimators=60)
    gradient_boosting: GradientBoostingSettings = GradientBoostingSettings(learning_rate=0.1, max_iter=50)
    xgboost: XGBoostSettings = XGBoostSettings()
    lightgbm: LightGBMSettings = LightGBMSettings()


class NewcomerSettings(Section):
    """Which segment newcomers will reach."""

    bands: tuple[int, ...] = Field(
        (30, 60, 90),
        min_length=1,
        max_length=12,
        description="upper ends of the bands of newcomers, in days since the first order; who is known longer than the "
        "last is none",
    )
    min_known_share: float = Field(
        0.5, gt=0, le=1, description="share of the newcomers of a band of whom a feature has to be known to be used"
    )
    max_calibration_error: float = Field(
        0.15,
        gt=0,
        le=1,
        description="mean distance of foretold and found shares, on newcomers held out, above which a model is refused",
    )

    @field_validator("bands")
    @classmethod
    def _rising(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        if bands[0] < 1 or any(later <= earlier for earlier, later in pairwise(bands)):
            raise ValueError("bands have to be days above 0 that rise, such as [30, 60, 90]")
        return bands


class SegmentClassifierSettings(Section):
    """Which segment a customer belongs to, without the clustering; and which one a newcomer will reach."""

    search_space: ClassVar[SearchSpace] = {"max_features": Numbers(5, 100, is_log=True)}

    algorithms: SegmentAlgorithms = SegmentAlgorithms()
    folds: int = Field(5, ge=2, le=20, description="folds of customers that algorithms are compared on")
    fit_sample: int = Field(5_000, ge=200, description="customers that models learn from at most")
    max_features: int = Field(45, ge=1, le=500, description="features a model goes by at most, by importance")
    max_calibration_error: float = Field(
        0.1,
        gt=0,
        le=1,
        description="mean distance of foretold and found shares, on customers held out, above which a model is refused",
    )
    min_macro_f1: float = Field(
        0.5, ge=0, le=1, description="mean F1 of all segments, on customers held out, below which a model is not used"
    )
    min_accuracy_gain: float = Field(
        0.3,
        ge=0,
        le=1,
        description="of the customers held out whom always naming the largest segment would miss, the share that has "
        "to be won; a model below is not used",
    )
    newcomers: NewcomerSettings = NewcomerSettings()

    @model_validator(mode="after")
    def _some_algorithm(self) -> Self:
        _require_some(self.algorithms)
        return self


class PredictionSettings(Section):
    """What is foretold of customers."""

    enabled: bool = Field(True, description="whether models are trained and customers scored")
    horizon_days: int = Field(90, ge=7, le=730, description="days that are foretold")
    gap_days: int = Field(0, ge=0, le=365, description="days between what is known and what is foretold")
    training_snapshots: int = Field(
        2, ge=1, le=24, description="snapshots that models learn from at most, a horizon apart"
    )
    validation: Literal["later_snapshot", "folds"] = Field(
        "later_snapshot",
        description="what algorithms are chosen and calibrated on: a snapshot after those that are learned from, or "
        "folds of these; folds are used anyway where the history is too short",
    )
    min_history_days: int = Field(
        90, ge=1, le=3_650, description="days of order lines before a snapshot that models may learn from"
    )
    fit_sample: int = Field(20_000, ge=200, description="customers of a snapshot that models learn from at most")
    refit_every_months: int = Field(3, ge=1, le=36, description="months from one training to the next")
    max_plausible_auc: float | None = Field(
        None,
        gt=0.5,
        le=1,
        description="area under the ROC curve above which a model seems to have seen the future, and is not used; "
        "by default 0.85, and 0.92 for the built-in shop, whose customers are plainer",
    )
    max_score_psi: float = Field(
        0.25,
        gt=0,
        le=10,
        description="population stability index against the month before above which scores of churn are told to have "
        "moved",
    )
    seed: int = Field(7, ge=0, le=LARGEST_SEED, description="seed of samples, folds and models")
    churn: ChurnSettings = ChurnSettings()
    lifetime_value: LifetimeValueSettings = LifetimeValueSettings()
    segment_classifier: SegmentClassifierSettings = SegmentClassifierSettings()

    def plausible_auc(self, source_kind: str) -> float:
        """Return the area under the ROC curve above which a model is not believed."""
        if self.max_plausible_auc is not None:
            return self.max_plausible_auc
        return PLAUSIBLE_AUC_OF_BUILT_IN_SHOP if source_kind == "synthetic" else PLAUSIBLE_AUC
