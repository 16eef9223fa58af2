"""Short rules that say in features who is in a segment; they describe segments and never assign anybody to one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import floor
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError
from segmentation_assets.features.imputation import require_columns
from segmentation_assets.tables.rounding import round_number
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Positions = npt.NDArray[np.int64]

RULE_COLUMNS = {
    "segment_key": "object",
    "rule_number": "int64",
    "rule": "object",
    "conditions": "object",
    "matched_count": "Int64",
    "correct_count": "Int64",
    "recall": "float64",
    "precision": "float64",
    "held_out_count": "int64",
    "is_shown": "bool",
    "reason": "object",
}
"""Columns of the result of `describe_by_rules` with their types."""

LEAST_SHOWN = 0.8
"""Recall and precision below which rules are not shown."""

LEAST_CUSTOMERS = 20
"""Customers that a segment, and all other segments together, must have for recall and precision to be measured."""

MAX_RULES = 3
"""Rules of a segment at most."""

LEAST_SHARE = 0.1
"""Share of a segment that each of its rules must cover."""

_FOLDS = 5
_LEAST_LEAF = 5
_LEAST_GAIN = 0.005
_EXACT_DIGITS = 17


@dataclass(frozen=True)
class Condition:
    """What a rule asks of one feature.

    Parameters
    ----------
    feature : str
    low, high : float or None
        Known values fit if low < value <= high; ``None`` is no limit.
    includes_known, includes_unknown : bool
        Whether known values fit, within the limits, and whether unknown ones do.
    """

    feature: str
    low: float | None = None
    high: float | None = None
    includes_known: bool = True
    includes_unknown: bool = True

    @property
    def text(self) -> str:
        """The condition as people write it.

        Examples
        --------
        >>> Condition("recency_days", high=31.0, includes_unknown=False).text
        'recency_days <= 31'
        >>> Condition("gap_days_mean", low=7.5, high=40.0).text
        '(7.5 < gap_days_mean <= 40 or unknown)'
        """
        if not self.includes_known:
            return f"{self.feature} is unknown"
        if self.low is None and self.high is None:
            return f"{self.feature} is known"
        if self.low is None or self.high is None:
            limit = f"<= {_plain(self.high)}" if self.low is None else f"> {_plain(self.low)}"
            bounds = f"{self.feature} {limit}"
        else:
            bounds = f"{_plain(self.low)} < {self.feature} <= {_plain(self.high)}"
        return f"({bounds} or unknown)" if self.includes_unknown else bounds

    def fits(self, values: Floats) -> Flags:
        """Say of which values, NaN where unknown, the condition is true."""
        import numpy as np

        low, high = (-np.inf if self.low is None else self.low), (np.inf if self.high is None else self.high)
        is_within = self.includes_known & (low < values) & (values <= high)
        fitting: Flags = np.where(np.isnan(values), self.includes_unknown, is_within)
        return fitting


Rule = dict[int, Condition]
"""Conditions that must all be true, by position of the feature."""


@dataclass(frozen=True)
class _Learner:
    """Customers that rules are learned from, and how; ranks are dense per feature, both NaN where unknown."""

    names: Sequence[str]
    values: Floats
    ranks: npt.NDArray[np.float32]
    folds: Positions
    max_depth: int
    seed: int

    def learn(self, is_member: Flags, is_used: Flags) -> list[Rule]:
        """Find rules for a segment, from some of the customers."""
        rows = is_used.nonzero()[0]
        members = is_member[rows].sum()
        tree = self._fit_tree(is_member[rows], rows)
        leaves = self._find_leaves(tree, is_member, max(0.5, members / len(rows)), 0, {}, rows)
        correct = [(int(is_member[reached].sum()), rule) for rule, reached in leaves]
        covering = sorted((leaf for leaf in correct if leaf[0] >= LEAST_SHARE * members), key=lambda leaf: -leaf[0])
        return [rule for _, rule in covering[:MAX_RULES]]

    def match_held_out(self, is_member: Flags) -> Flags:
        """Say who matches the rules that are learned from the other folds."""
        import numpy as np

        matched = np.zeros(len(is_member), dtype=bool)
        for fold in range(_FOLDS):
            rules = self.learn(is_member, self.folds != fold)
            matched |= (self.folds == fold) & _match_any(rules, self.values)
        return matched

    def _fit_tree(self, is_member: Flags, rows: Positions) -> Any:
        from sklearn.tree import DecisionTreeClassifier

        weight = ((~is_member).sum() / is_member.sum()) ** 0.5
        tree = DecisionTreeClassifier(
            max_depth=self.max_depth,
            min_samples_leaf=_LEAST_LEAF,
            min_impurity_decrease=_LEAST_GAIN,
            class_weight={0: 1.0, 1: weight},
            random_state=self.seed,
        )
        return tree.fit(self.ranks[rows], is_member.astype(int)).tree_

    def _find_leaves(
        self, tree: Any, is_member: Flags, least: float, node: int, rule: Rule, rows: Positions
    ) -> list[tuple[Rule, Positions]]:
        """Find the leaves below a node where more than `least` are members; a node with no other leaves is one."""
        if tree.children_left[node] == tree.children_right[node]:
            return [(rule, rows)] if is_member[rows].mean() > least else []
        found = [
            leaf
            for child, narrowed, reached in self._split(tree, node, rule, rows)
            for leaf in self._find_leaves(tree, is_member, least, child, narrowed, reached)
        ]
        return [(rule, rows)] if sum(len(reached) for _, reached in found) == len(rows) else found

    def _split(self, tree: Any, node: int, rule: Rule, rows: Positions) -> Iterator[tuple[int, Rule, Positions]]:
        """Yield both children of a node with their rule and rows."""
        import numpy as np

        column = int(tree.feature[node])
        ranks, values = self.ranks[rows, column], self.values[rows, column]
        is_unknown = np.isnan(ranks)
        is_left = np.where(is_unknown, tree.missing_go_to_left[node] == 1, ranks <= tree.threshold[node])
        former = rule.get(column, Condition(self.names[column]))
        low, high = former.low, former.high
        if np.isfinite(tree.threshold[node]):
            low = high = round_between(float(np.nanmax(values[is_left])), float(np.nanmin(values[~is_left])))
        left = tree.children_left[node], is_left, replace(former, high=high)
        right = tree.children_right[node], ~is_left, replace(former, low=low)
        for child, is_here, condition in (left, right):
            unknown = bool(is_unknown[is_here].any())
            if is_unknown[is_here].all():
                condition = Condition(former.feature, includes_known=False)
            yield int(child), {**rule, column: replace(condition, includes_unknown=unknown)}, rows[is_here]


def describe_by_rules(
    features: pd.DataFrame,
    customer_segments: pd.DataFrame,
    feature_columns: Sequence[str],
    *,
    max_depth: int = 3,
    seed: int = 7,
    max_customers: int = 8_000,
) -> pd.DataFrame:
    """Describe every segment by at most three rules, and measure on held-out customers how true they are.

    Parameters
    ----------
    features : DataFrame
        customer_id and the features in their own units, null where unknown.
    customer_segments : DataFrame
        customer_id and segment_key; only customers with a segment count.
    feature_columns : sequence of str
        Numeric columns of `features` that rules may speak of.
    max_depth : int, 1 or more
        Conditions of a rule at most.
    seed : int
        Draws the sample and the folds, and decides between equally good splits.
    max_customers : int
        Customers to learn from and to measure on; a sample of so many where there are more.

    Returns
    -------
    DataFrame
        Columns `RULE_COLUMNS`, sorted by segment_key and rule_number. A row per rule of a segment whose recall and
        precision reach `LEAST_SHOWN`, the rule that matches most customers first; no customer matches two rules of a
        segment. One row without rule for any other segment, with the reason. ``conditions`` is a JSON list of
        `Condition`. ``matched_count`` and ``correct_count`` are the customers with a segment whom the rule (without
        rule: the list that is not shown) matches, and those of them in the segment. ``recall`` and ``precision`` are
        those of the whole list, null where not measured, on ``held_out_count`` customers of all segments.

    Raises
    ------
    DataError
        A feature is missing or not numeric.

    Notes
    -----
    Rules are leaves of a CART tree (Breiman et al. 1984) per segment, of its customers against all others: one tree
    for all segments has too few leaves to say much of five or more. A customer of the segment weighs
    sqrt(n_others / n_members). Unweighted trees leave too many of a small segment out, balanced ones take too many
    others in. A leaf becomes a rule if most of its customers are in the segment, and more than among everyone.

    Recall and precision are cross-validated (Stone 1974): five times, rules are made in the same way from four fifths
    of the customers and applied, rounded as shown, to the last fifth. So they tell how far such rules can be trusted;
    the rules shown are made from all of these customers and may differ a little.

    The tree sees ranks, so the unit of a feature changes nothing but limits. A limit is the number with the fewest
    digits between the values that the tree separates. An unknown value fits a condition only if the condition says so.

    References
    ----------
    Breiman, Friedman, Olshen, Stone (1984), Classification and Regression Trees, doi:10.1201/9781315139470.
    Stone (1974), Cross-Validatory Choice and Assessment of Statistical Predictions,
    doi:10.1111/j.2517-6161.1974.tb00994.x.

    Examples
    --------
    >>> import pandas as pd
    >>> ids = [f"c{number:02d}" for number in range(60)]
    >>> features = pd.DataFrame({"customer_id": ids, "order_count": range(60)})
    >>> segments = pd.DataFrame({"customer_id": ids, "segment_key": ["S001"] * 30 + ["S002"] * 30})
    >>> describe_by_rules(features, segments, ["order_count"])["rule"].tolist()
    ['order_count <= 29', 'order_count > 29']
    """
    import numpy as np
    import pandas as pd

    names = list(dict.fromkeys(feature_columns))
    _check_columns(features, names)
    assigned = customer_segments.loc[customer_segments["segment_key"].notna(), ["customer_id", "segment_key"]]
    customers = assigned.merge(features[["customer_id", *names]], on="customer_id").sort_values("customer_id")
    values, keys = customers[names].astype("float64"), customers["segment_key"].to_numpy()
    sample = draw_sample(len(keys), max_customers, seed)
    learner = _Learner(
        names=names,
        values=values.to_numpy()[sample],
        ranks=values.iloc[sample].rank(method="dense").to_numpy(dtype=np.float32),
        folds=_deal_folds(keys[sample], seed),
        max_depth=max_depth,
        seed=seed,
    )
    rows = [
        {"segment_key": key, **row}
        for key in sorted(set(keys))
        for row in _describe(learner, keys[sample] == key, values.to_numpy(), keys == key)
    ]
    return pd.DataFrame(rows, columns=list(RULE_COLUMNS)).astype(RULE_COLUMNS)


def round_between(low: float, high: float) -> float:
    """Return the number with the fewest significant digits from `low` to below `high`, near the middle.

    Parameters
    ----------
    low, high : float
        low < high; between two whole numbers lies a whole number.

    Examples
    --------
    >>> round_between(4, 5), round_between(31.2, 39.9), round_between(123.45, 456.78)
    (4.0, 36.0, 300.0)
    """
    middle = low / 2 + high / 2
    if float(low).is_integer() and float(high).is_integer():
        middle = floor(middle)
    for digits in range(_EXACT_DIGITS):
        for value in (middle, low):
            rounded = float(f"{value:.{digits}e}")
            if low <= rounded < high:
                return rounded + 0.0
    return low


def _check_columns(features: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse features that are missing or no numbers; money may be kept as decimals."""
    from pandas.api.types import infer_dtype, is_numeric_dtype

    require_columns(features, names)
    for name in names:
        if not is_numeric_dtype(features[name].dtype) and infer_dtype(features[name]) not in {"decimal", "empty"}:
            raise DataError(
                f"rules compare numbers, but {name} is of type {features[name].dtype}", "leave the column out."
            )


def _deal_folds(keys: npt.NDArray[Any], seed: int) -> Positions:
    """Deal the customers of every segment out to the folds, shape (n_customers,)."""
    import numpy as np

    shuffled = np.random.default_rng(seed).permutation(len(keys))
    folds = np.empty(len(keys), dtype=np.int64)
    folds[shuffled[np.argsort(keys[shuffled], kind="stable")]] = np.arange(len(keys)) % _FOLDS
    return folds


def _describe(learner: _Learner, is_member: Flags, values: Floats, is_counted: Flags) -> Iterator[dict[str, Any]]:
    """Yield the rows of a segment; counts are of everyone in `values`."""
    members, others = int(is_member.sum()), int((~is_member).sum())
    if min(members, others) < LEAST_CUSTOMERS:
        few = f"{members} of {members + others} customers looked at are in this segment, {others} in others"
        reason: str | None = f"{few}; recall and precision take {LEAST_CUSTOMERS} of each"
        yield {"rule_number": 1, "held_out_count": 0, "is_shown": False, "reason": reason}
        return
    held_out = learner.match_held_out(is_member)
    correct = int((held_out & is_member).sum())
    recall, precision = correct / members, correct / int(held_out.sum()) if held_out.any() else float("nan")
    figures = {"recall": round_number(recall), "precision": round_number(precision), "held_out_count": len(is_member)}
    rules = learner.learn(is_member, learner.folds >= 0)
    reason = _why_hidden(rules, recall, precision)
    lists = [rules] if reason else [[rule] for rule in rules]
    matches = sorted(((_match_any(listed, values), listed) for listed in lists), key=lambda pair: -int(pair[0].sum()))
    for number, (matched, listed) in enumerate(matches, start=1):
        counts = {"matched_count": int(matched.sum()), "correct_count": int((matched & is_counted).sum())}
        texts = {} if reason else _texts(listed[0])
        yield {"rule_number": number, **texts, **counts, **figures, "is_shown": not reason, "reason": reason}


def _why_hidden(rules: Sequence[Rule], recall: float, precision: float) -> str | None:
    """Say why rules are not shown; figures are rounded down, so that none looks like the limit it misses."""
    if recall >= LEAST_SHOWN and precision >= LEAST_SHOWN and rules:
        return None
    if not rules or not recall:
        return "no short rule holds for more customers of this segment than of others"
    percents = (floor(round_number(100 * figure)) for figure in (recall, precision))
    figures = ", precision ".join(f"{percent / 100:.2f}" for percent in percents)
    return f"no short rule describes this segment: recall {figures}, shown from {LEAST_SHOWN:.2f}"


def _texts(rule: Rule) -> dict[str, str]:
    conditions = list(rule.values())
    return {
        "rule": " and ".join(condition.text for condition in conditions),
        "conditions": json.dumps([asdict(condition) for condition in conditions], allow_nan=False),
    }


def _match_any(rules: Sequence[Rule], values: Floats) -> Flags:
    """Say which rows match at least one rule."""
    import numpy as np

    matched = np.zeros(len(values), dtype=bool)
    for rule in rules:
        matched |= np.all([condition.fits(values[:, column]) for column, condition in rule.items()], axis=0)
    return matched


def _plain(number: float | None) -> str:
    """Write a limit with all its digits and no needless point."""
    return repr(number).removesuffix(".0")
