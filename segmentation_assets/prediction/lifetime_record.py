"""What is kept of trainings of lifetime value: the verdict, tracking for reports, and the figures as a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from segmentation_assets.prediction.gamma_gamma import FittedGammaGamma
from segmentation_assets.prediction.lifetime_training import AS_BEFORE, LifetimeTraining
from segmentation_assets.prediction.model_record import CALIBRATION, MINIMUM_QUALITY, Verdict, list_checks
from segmentation_assets.prediction.purchase_models import FittedPurchaseModel

if TYPE_CHECKING:
    import pandas as pd

GAMMA_GAMMA = "gamma_gamma"
"""The model of spend among the candidates."""

_Z = 1.959963984540054
_GAMMA_GAMMA_NAMES = ("p", "q", "v")


def judge_lifetime_value(training: LifetimeTraining, holdout_date: dt.date, horizon_days: int) -> Verdict:
    """Say what came of a training."""
    orders, spend = training.model.orders, training.model.spend
    scores = training.holdout[orders.name]
    return Verdict(
        problems=training.problems,
        told=f"{orders.process.label} foretold {scores.foretold_orders:,.0f} order days of {scores.customers:,} "
        f"customers in {horizon_days} days from {holdout_date} on, of which {scores.found_orders:,.0f} were found; "
        f"Gamma-Gamma rests on {spend.n_customers:,} customers",
        figures=asdict(scores)
        | {"customers_fitted": orders.n_customers, "spend_correlation": spend.correlation}
        | {f"parameter_{name}": value for name, value, *_ in _parameters(orders)},
        details={
            "model": orders.name,
            "holdout_date": str(holdout_date),
            "horizon_days": horizon_days,
            "left_out_of_spend": spend.left_out,
            "warnings": list(training.warnings),
            "groups": training.groups.to_dict("records"),
            "tracking": {name: table.to_dict("records") for name, table in training.tracking.items()},
        },
        checks=list_checks(
            training.problems_by_check,
            {
                CALIBRATION: f"{scores.foretold_orders:,.0f} order days foretold and {scores.found_orders:,.0f} found, "
                f"money {scores.foretold_spend:,.0f} and {scores.found_spend:,.0f}, of {scores.customers:,} customers",
                MINIMUM_QUALITY: f"{orders.process.label} fitted on {orders.n_customers:,} customers and Gamma-Gamma "
                f"on {spend.n_customers:,}, both with standard errors",
            },
        ),
    )


def lifetime_scores(training: LifetimeTraining, holdout_date: dt.date, until: dt.date, month: str) -> pd.DataFrame:
    """Put parameters and holdout scores of all candidates into the rows of ``models/lifetime_value``."""
    import pandas as pd

    rows = []
    fitted: dict[str, FittedPurchaseModel | FittedGammaGamma] = {**training.orders, GAMMA_GAMMA: training.model.spend}
    for name, model in fitted.items():
        shared = {"candidate": name, "split": "fit", "customer_count": model.n_customers, "cutoff_date": until}
        found = [*_parameters(model), ("log_likelihood", model.loglik, None, None)]
        rows += [shared | dict(zip(("measure", "value", "lower", "upper"), one, strict=True)) for one in found]
    for name, scores in training.holdout.items():
        plain = asdict(scores)
        count = plain.pop("customers")
        shared = {"candidate": name, "split": "holdout", "customer_count": count, "cutoff_date": holdout_date}
        rows += [
            shared | {"measure": measure, "value": value, "lower": None, "upper": None}
            for measure, value in plain.items()
            if value is not None
        ]
    chosen = (training.model.orders.name, GAMMA_GAMMA)
    frame = pd.DataFrame(rows).assign(trained_month=month)
    is_baseline = frame["candidate"] == AS_BEFORE
    return frame.assign(
        role=is_baseline.map({True: "baseline", False: "algorithm"}), is_chosen=frame["candidate"].isin(chosen)
    )


def _parameters(model: FittedPurchaseModel | FittedGammaGamma) -> Iterator[tuple[str, float, Any, Any]]:
    """Name, value and 95 % interval of each parameter, by the normal distribution of its logarithm.

    A fit that is not to be trusted has no intervals.
    """
    names = _GAMMA_GAMMA_NAMES if isinstance(model, FittedGammaGamma) else model.process.parameter_names
    spread = None if model.covariance is None or model.problem else np.sqrt(np.diag(np.array(model.covariance)))
    for place, (name, value) in enumerate(zip(names, model.parameters, strict=True)):
        low, high = (None, None) if spread is None else value * np.exp(np.array([-_Z, _Z]) * spread[place])
        yield name, value, low, high
