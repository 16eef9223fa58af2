"""Fitting of lifetime value: three models of repeat orders and one of spend, judged on orders that came later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.prediction import LifetimeValueSettings
from segmentation_assets.errors import plural
from segmentation_assets.prediction.customer_value import value_histories
from segmentation_assets.prediction.gamma_gamma import LEAST_CUSTOMERS as LEAST_SPENDERS
from segmentation_assets.prediction.gamma_gamma import FittedGammaGamma, fit_gamma_gamma
from segmentation_assets.prediction.group_scores import sum_groups
from segmentation_assets.prediction.lifetime_model import LifetimeModel
from segmentation_assets.prediction.model_record import CALIBRATION, MINIMUM_QUALITY, ProblemsByCheck, all_problems
from segmentation_assets.prediction.purchase_histories import PurchaseHistories, check_histories
from segmentation_assets.prediction.purchase_models import (
    LEAST_CUSTOMERS,
    MODELS,
    FittedPurchaseModel,
    fit_purchase_model,
)
from segmentation_assets.prediction.tracking import track_orders

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

AS_BEFORE = "as_before"
"""The baseline: every customer goes on ordering as often per day as since the first order."""

TOP_SHARE = 0.1
"""Share of the customers valued highest, whose part of the money that followed is counted."""

TRACKED_DAYS = 7
"""Days of a period in which expected orders stand beside observed ones."""


@dataclass(frozen=True)
class HoldoutScores:
    """What a model fitted before a date said of the days after it.

    Parameters
    ----------
    customers : int
        Who had ordered before the date.
    foretold_orders, found_orders : float
        Order days of all of them together.
    foretold_spend, found_spend : float
        Money of their sales; foretold by the model of spend.
    mean_absolute_error : float
        Of the order days of a customer.
    rank_correlation : float
        Spearman's, of foretold and found order days.
    top_spend_share : float
        Part of the money found that the `TOP_SHARE` valued highest spent.
    interval_coverage : float or None
        Share of customers whose spend lies within the prediction interval; None for the baseline.
    """

    customers: int
    foretold_orders: float
    found_orders: float
    foretold_spend: float
    found_spend: float
    mean_absolute_error: float
    rank_correlation: float
    top_spend_share: float
    interval_coverage: float | None


@dataclass(frozen=True)
class LifetimeTraining:
    """What came of a training.

    Parameters
    ----------
    model : LifetimeModel
        Fitted on all that is known.
    orders : dict of str to FittedPurchaseModel
        All models of repeat orders, fitted likewise.
    holdout : dict of str to HoldoutScores
        Of all models, fitted on what was known at the date of the holdout, and of the baseline.
    tracking : dict of str to DataFrame
        Expected and observed repeat order days of the customers known at that date, week by week.
    groups : DataFrame
        Customers of the holdout by country and tenure: foretold_orders, found_orders, foretold_spend, found_spend.
    problems_by_check : mapping of str to tuple of str
    warnings : tuple of str
        What to be careful of.
    """

    model: LifetimeModel
    orders: dict[str, FittedPurchaseModel]
    holdout: dict[str, HoldoutScores]
    tracking: dict[str, pd.DataFrame]
    groups: pd.DataFrame
    problems_by_check: ProblemsByCheck
    warnings: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the model must not be used; empty where it may."""
        return all_problems(self.problems_by_check)


def reason_not_fitted(history: pd.DataFrame, what: str) -> str:
    """Say why no lifetime value can be fitted on some histories; empty where it can."""
    spenders = int(((history["btyd_frequency"] > 0) & (history["btyd_monetary_value"] > 0)).sum())
    if len(history) >= LEAST_CUSTOMERS and spenders >= LEAST_SPENDERS:
        return ""
    return (
        f"{what} {plural(len(history), 'customer')} had ordered, {spenders} of them again; lifetime value needs "
        f"{LEAST_CUSTOMERS} and {LEAST_SPENDERS}"
    )


def train_lifetime_value(
    history: pd.DataFrame,
    earlier: pd.DataFrame,
    times: Mapping[str, Floats],
    horizon_days: int,
    settings: LifetimeValueSettings,
) -> LifetimeTraining:
    """Fit lifetime value on all that is known, and judge the same recipe on what followed an earlier date.

    Parameters
    ----------
    history : DataFrame
        customer_id, btyd_frequency, btyd_recency, btyd_T in days, btyd_monetary_value (mean sales of a repeat order
        day; null for those who ordered once), as known now.
    earlier : DataFrame
        The same as known at the date of the holdout, and what followed: outcome_order_day_count and
        outcome_gross_revenue_amount, and main_country where it is known.
    times : mapping of str to ndarray
        For tracking, days since any beginning: ``births`` of the customers of `earlier`, ``order_times`` of all their
        repeat order days until now, ``period_ends``.
    horizon_days : int
        Days of the holdout.
    settings : LifetimeValueSettings

    Returns
    -------
    LifetimeTraining

    Notes
    -----
    Occasions are days with a sale; days with returns alone are none, and money is that of sales, as Gamma-Gamma takes
    spend for positive. Who first ordered before the first line delivered is taken for a customer since that line.

    References
    ----------
    Fader, Hardie and Lee (2005), doi:10.1287/mksc.1040.0098; Fader and Hardie (2013), The Gamma-Gamma Model of Monetary
    Value.
    """
    orders = {name: fit_purchase_model(name, _histories(history)) for name in MODELS}
    spend = _fit_spend(history)
    before, spend_before = _histories(earlier), _fit_spend(earlier)
    then = {name: fit_purchase_model(name, before) for name in MODELS}
    holdout = {
        name: _judge(model, spend_before, earlier, before, horizon_days, settings) for name, model in then.items()
    }
    holdout[AS_BEFORE] = _judge_as_before(spend_before, earlier, before, horizon_days)
    model = LifetimeModel(orders[settings.model], spend, settings.level, settings.monthly_discount_rate)
    return LifetimeTraining(
        model=model,
        orders=orders,
        holdout=holdout,
        tracking={
            name: track_orders(fitted, times["births"], times["order_times"], times["period_ends"])
            for name, fitted in then.items()
        },
        groups=_judge_groups(then[settings.model], spend_before, earlier, horizon_days),
        problems_by_check={
            CALIBRATION: _holdout_problems(holdout[settings.model], settings),
            MINIMUM_QUALITY: _fit_problems(model),
        },
        warnings=tuple(text for text in (spend.warning, *(_trouble(fitted) for fitted in orders.values())) if text),
    )


def _histories(customers: pd.DataFrame) -> PurchaseHistories:
    names = ("btyd_frequency", "btyd_recency", "btyd_T")
    return check_histories(*(customers[name].to_numpy(dtype="float64") for name in names))


def _money(customers: pd.DataFrame) -> Floats:
    import numpy as np

    money: Floats = customers["btyd_monetary_value"].to_numpy(dtype="float64", na_value=np.nan)
    return money


def _fit_spend(customers: pd.DataFrame) -> FittedGammaGamma:
    return fit_gamma_gamma(customers["btyd_frequency"].to_numpy(dtype="float64"), _money(customers))


def _judge(
    orders: FittedPurchaseModel,
    spend: FittedGammaGamma,
    earlier: pd.DataFrame,
    histories: PurchaseHistories,
    horizon_days: int,
    settings: LifetimeValueSettings,
) -> HoldoutScores:
    values = value_histories(histories, _money(earlier), orders, spend, [horizon_days], level=settings.level)
    low, high = (values[f"spend_{end}_amount_{horizon_days}d"] for end in ("low", "high"))
    found = earlier["outcome_gross_revenue_amount"].to_numpy(dtype="float64")
    return _compare(
        earlier,
        values[f"expected_order_count_{horizon_days}d"],
        values[f"expected_spend_amount_{horizon_days}d"],
        coverage=float(((found >= low) & (found <= high)).mean()),
    )


def _judge_groups(
    orders: FittedPurchaseModel, spend: FittedGammaGamma, earlier: pd.DataFrame, horizon_days: int
) -> pd.DataFrame:
    """Set what was foretold of groups of customers beside what was found."""
    histories = _histories(earlier)
    expected = orders.expect_orders(histories, horizon_days)
    per_order = spend.expect_spend(histories.count, _money(earlier))
    return sum_groups(
        earlier.rename(columns={"btyd_T": "tenure_days"}),
        {
            "foretold_orders": expected,
            "found_orders": earlier["outcome_order_day_count"].to_numpy(dtype="float64"),
            "foretold_spend": expected * per_order,
            "found_spend": earlier["outcome_gross_revenue_amount"].to_numpy(dtype="float64"),
        },
    )


def _judge_as_before(
    spend: FittedGammaGamma, earlier: pd.DataFrame, histories: PurchaseHistories, horizon_days: int
) -> HoldoutScores:
    import numpy as np

    expected = histories.count / np.maximum(histories.end, 1) * horizon_days
    return _compare(earlier, expected, expected * spend.expect_spend(histories.count, _money(earlier)), coverage=None)


def _compare(earlier: pd.DataFrame, orders: Floats, spend: Floats, *, coverage: float | None) -> HoldoutScores:
    """Set what was foretold beside what was found."""
    import numpy as np
    from scipy.stats import spearmanr

    found_orders = earlier["outcome_order_day_count"].to_numpy(dtype="float64")
    found_spend = earlier["outcome_gross_revenue_amount"].to_numpy(dtype="float64")
    top = np.argsort(-spend, kind="stable")[: max(1, round(TOP_SHARE * len(spend)))]
    is_varied = np.ptp(found_orders) > 0 and np.ptp(orders) > 0
    return HoldoutScores(
        customers=len(earlier),
        foretold_orders=float(orders.sum()),
        found_orders=float(found_orders.sum()),
        foretold_spend=float(spend.sum()),
        found_spend=float(found_spend.sum()),
        mean_absolute_error=float(np.abs(orders - found_orders).mean()),
        rank_correlation=float(spearmanr(orders, found_orders).statistic) if is_varied else 0.0,
        top_spend_share=float(found_spend[top].sum() / found_spend.sum()) if found_spend.sum() else 0.0,
        interval_coverage=coverage,
    )


def _trouble(model: FittedPurchaseModel) -> str:
    return f"{model.process.label}: {model.problem}" if model.problem else ""


def _fit_problems(model: LifetimeModel) -> tuple[str, ...]:
    """Say whether a fit cannot be trusted."""
    import math

    found = [text for text in (_trouble(model.orders), model.spend.problem) if text]
    if not math.isfinite(model.spend.population_mean):
        found.append("Gamma-Gamma gives new customers no finite mean spend")
    return tuple(found)


def _holdout_problems(holdout: HoldoutScores, settings: LifetimeValueSettings) -> tuple[str, ...]:
    """Say whether the model missed the holdout."""
    error = abs(holdout.foretold_orders - holdout.found_orders) / max(holdout.found_orders, 1.0)
    if error <= settings.max_holdout_error:
        return ()
    return (
        f"of {plural(holdout.customers, 'customer')} it foretold {holdout.foretold_orders:,.0f} order days in the "
        f"holdout, and {holdout.found_orders:,.0f} were found: off by {error:.0%}, more than "
        f"{settings.max_holdout_error:.0%} (prediction.lifetime_value.max_holdout_error)",
    )
