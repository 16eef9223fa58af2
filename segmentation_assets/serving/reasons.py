"""Reasons for what is said of a customer, in words: for the segment, for churn and for the expected value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.errors import plural
from segmentation_assets.features.transformation import signed_log1p
from segmentation_assets.segments.explanation import usual_value, write_value
from segmentation_assets.segments.model_space import features_seen
from segmentation_assets.serving.feature_rows import SPEND
from segmentation_assets.serving.scorer import Scorer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.prediction.churn_model import ChurnModel

    Floats = npt.NDArray[np.float64]

EVERYONE = "everyone"
"""Stands for all customers beside the segments."""

_LEAST_POINTS = 0.5


@dataclass(frozen=True)
class UsualValues:
    """What is usual in the shop.

    Parameters
    ----------
    values : DataFrame, index segment_key or `EVERYONE`
        Median of each number, and the most frequent category.
    spread : mapping of str to float
        Standard deviation of each number over all customers, after `signed_log1p`.
    labels : mapping of str to str
        What people call the features.
    """

    values: pd.DataFrame
    spread: Mapping[str, float]
    labels: Mapping[str, str]

    @classmethod
    def of(cls, features: pd.DataFrame, segment_keys: pd.Series, labels: Mapping[str, str]) -> UsualValues:
        """Find out what is usual among customers.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)
            Without customer_id.
        segment_keys : Series of str
            Of the same rows; null where there is no segment.
        labels : mapping of str to str
        """
        import pandas as pd

        groups = {key: features[(segment_keys == key).to_numpy()] for key in sorted(segment_keys.dropna().unique())}
        usual = {
            key: {name: usual_value(part[name]) for name in part}
            for key, part in {EVERYONE: features, **groups}.items()
        }
        numbers = features.select_dtypes("number").astype("float64")
        spread = {str(name): float(signed_log1p(numbers[name].dropna().to_numpy()).std()) for name in numbers}
        return cls(pd.DataFrame(usual, dtype="object").T, {name: size or 1.0 for name, size in spread.items()}, labels)


def add_reasons(
    predictions: pd.DataFrame, features: pd.DataFrame, scorer: Scorer, usual: UsualValues, most: int
) -> pd.DataFrame:
    """Add reasons to what is said of customers.

    Parameters
    ----------
    predictions : DataFrame
        Of `Scorer.score`.
    features : DataFrame
        Of the same customers, in the same order.
    scorer : Scorer
    usual : UsualValues
    most : int
        Reasons for the segment, and for churn.

    Returns
    -------
    DataFrame
        With segment_reasons, churn_reasons and value_reasons; null where there is nothing to give reasons for.

    Notes
    -----
    For the segment: the features in which a customer is nearer to the usual value of its segment than to that of the
    runner-up, or of everyone where there is none, by distance in standard deviations. For churn: what the probability
    would change by, were one feature as is usual in the shop and all others as they are. Both describe the model and
    are no causes.
    """
    churn = scorer.models.churn
    return predictions.assign(
        segment_reasons=_segment_reasons(predictions, features, features_seen(scorer.rule.model), usual, most),
        churn_reasons=None if churn is None else _churn_reasons(features, churn, usual, most),
        value_reasons=_value_reasons(predictions, features),
    )


def _segment_reasons(
    predictions: pd.DataFrame, features: pd.DataFrame, seen: Sequence[str], usual: UsualValues, most: int
) -> list[str | None]:
    import numpy as np

    names = [name for name in seen if name in usual.spread]
    spread = np.array([usual.spread[name] for name in names])
    places = signed_log1p(features[names].to_numpy(dtype="float64", na_value=np.nan))
    known = usual.values[names].astype("float64")
    keys = [key if key in known.index else None for key in predictions["segment_key"]]
    others = [key if key in known.index else EVERYONE for key in predictions["runner_up_segment_key"]]
    found: list[str | None] = []
    for row, (key, other) in enumerate(zip(keys, others, strict=True)):
        if key is None:
            found.append(None)
            continue
        own, theirs = (known.loc[one].to_numpy() for one in (key, other))
        nearer = np.abs(places[row] - signed_log1p(theirs)) - np.abs(places[row] - signed_log1p(own))
        score = np.nan_to_num(nearer / spread)
        chosen = [place for place in np.argsort(-score, kind="stable")[:most] if score[place] > 0]
        found.append(
            _joined(
                f"{usual.labels[names[place]]} {write_value(names[place], float(features[names[place]].iloc[row]))} "
                f"(usual in {key} {write_value(names[place], own[place])}, "
                f"{'of' if other == EVERYONE else 'in'} {other} {write_value(names[place], theirs[place])})"
                for place in chosen
            )
        )
    return found


def _churn_reasons(features: pd.DataFrame, model: ChurnModel, usual: UsualValues, most: int) -> list[str | None]:
    import numpy as np

    names = [name for name in model.inputs.features if name in usual.values]
    probability = model.score(features).to_numpy()
    changes = np.column_stack(
        [probability - model.score(_with_usual(features, name, usual)).to_numpy() for name in names]
    )
    points = np.nan_to_num(100 * changes)
    found: list[str | None] = []
    for row in range(len(features)):
        order = np.argsort(-np.abs(points[row]), kind="stable")[:most]
        found.append(
            _joined(
                f"{usual.labels[names[place]]} {_shown(features[names[place]].iloc[row], names[place])} "
                f"(usually {_shown(usual.values.loc[EVERYONE, names[place]], names[place])}) "
                f"{points[row, place]:+.0f} points"
                for place in order
                if abs(points[row, place]) >= _LEAST_POINTS
            )
        )
    return found


def _with_usual(features: pd.DataFrame, name: str, usual: UsualValues) -> pd.DataFrame:
    """Features of customers who are as is usual in one of them; eligible as they are."""
    return features.assign(**{name: usual.values.loc[EVERYONE, name]})


def _value_reasons(predictions: pd.DataFrame, features: pd.DataFrame) -> list[str | None]:
    if not {"btyd_frequency", "btyd_recency", "btyd_T", SPEND} <= {*features}:
        return [None] * len(features)
    is_valued = predictions["alive_probability"].notna()
    rows = features[["btyd_frequency", "btyd_recency", "btyd_T", SPEND]].astype("float64").to_numpy().tolist()
    return [_history_in_words(*row) if valued else None for row, valued in zip(rows, is_valued.tolist(), strict=True)]


def _history_in_words(frequency: float, recency: float, length: float, spend: float) -> str:
    """Say what models of orders and spend know of a customer.

    Examples
    --------
    >>> _history_in_words(2.0, 100.0, 130.0, 50.0)
    '3 order days in 130 days, the last 30 days ago, 50.00 a repeat order day'
    """
    days = plural(int(frequency) + 1, "order day")
    spent = "" if spend != spend else f", {spend:,.2f} a repeat order day"
    return f"{days} in {length:,.0f} days, the last {length - recency:,.0f} days ago{spent}"


def _shown(value: object, name: str) -> str:
    import pandas as pd

    if value is None or value is pd.NA or value != value:
        return "unknown"
    return value if isinstance(value, str) else write_value(name, float(str(value)))


def _joined(parts: Iterable[str]) -> str | None:
    return "; ".join(parts) or None
