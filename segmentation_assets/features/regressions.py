"""Missing numbers by chained regressions: each from the features that are compared, round after round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.transformation import fit_known_scaling
from segmentation_assets.tables.rounding import round_number, round_significant
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Regression:
    """A fitted equation in standard deviations: an intercept, and a weight per compared column, 0 for itself."""

    intercept: float
    weights: tuple[float, ...]

    def predict(self, scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Apply it to rows, shape (n_rows, n_columns); added column by column, so that a row alone comes out alike."""
        import numpy as np

        total = np.full(len(scaled), self.intercept)
        for place, weight in enumerate(self.weights):
            if weight:
                total += weight * scaled[:, place]
        return total


@dataclass(frozen=True)
class Regressions:
    """What to compute, in order, to fill the missing values of a row.

    Parameters
    ----------
    columns : tuple of str
        First those that the equations read, then the other ones that are filled.
    targets : tuple of str
        Columns that are filled, in the order in which it is done.
    centres, scales : tuple of float
        Per column: mean and standard deviation of the known values.
    limits : tuple of (float, float)
        Per target: smallest and largest known value, which a filled one does not leave.
    rounds : tuple of tuple of Regression
        Per round an equation per target.

    Notes
    -----
    A missing value starts as the mean. In each round the columns are filled one after the other by ridge regression on
    the other compared ones as they are then. Equations are fitted on the rows that know the column, and are stored and
    applied in the same order to any later row (van Buuren & Groothuis-Oudshoorn 2011, without their random draws).

    References
    ----------
    van Buuren, S., Groothuis-Oudshoorn, K. (2011). mice: Multivariate Imputation by Chained Equations in R. Journal of
    Statistical Software 45(3). doi:10.18637/jss.v045.i03
    """

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    limits: tuple[tuple[float, float], ...]
    rounds: tuple[tuple[Regression, ...], ...]

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Regressions:
        """Rebuild from plain lists and numbers."""
        lists = {name: tuple(plain[name]) for name in ("columns", "targets", "centres", "scales")}
        rounds = tuple(
            tuple(Regression(entry["intercept"], tuple(entry["weights"])) for entry in equations)
            for equations in plain["rounds"]
        )
        return cls(**(plain | lists | {"limits": tuple(map(tuple, plain["limits"])), "rounds": rounds}))

    def rule(self, target: str) -> str:
        """Say in words what a column is filled with."""
        low, high = self.limits[self.targets.index(target)]
        return f"estimate from the customer's other features, within the known values {low:,.10g} to {high:,.10g}"

    def complete(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Fill the targets; shape (n_customers, n_columns), in and out."""
        import numpy as np

        scaled = (values - self.centres) / self.scales
        is_missing = np.isnan(scaled)
        scaled[is_missing] = 0.0
        for equations in self.rounds:
            for target, equation in zip(self.targets, equations, strict=True):
                _refill(scaled, is_missing, self.columns.index(target), equation, self.scaled_limits(target))
        filled = values.copy()
        for target, limits in zip(self.targets, self.limits, strict=True):
            place = self.columns.index(target)
            lacking = is_missing[:, place]
            found = scaled[lacking, place] * self.scales[place] + self.centres[place]
            filled[lacking, place] = np.clip(round_significant(found), *limits)
        return filled

    def scaled_limits(self, target: str) -> tuple[float, float]:
        """Return the limits of a target in standard deviations from its centre."""
        place = self.columns.index(target)
        low, high = self.limits[self.targets.index(target)]
        return (low - self.centres[place]) / self.scales[place], (high - self.centres[place]) / self.scales[place]


def fit_regressions(
    values: npt.NDArray[np.float64],
    columns: Sequence[str],
    compared_count: int,
    targets: Sequence[str],
    settings: ImputationSettings,
) -> Regressions:
    """Fit the chain of equations on a sample.

    Parameters
    ----------
    values : ndarray, shape (n_customers, n_columns)
        In the order of the customer ids; NaN is unknown.
    columns : sequence of str
        Names of the columns; equations read the first `compared_count`.
    compared_count : int
    targets : sequence of str
        Columns to fill; those that nobody in the sample knows are left out.
    settings : ImputationSettings
        ``rounds``, ``ridge_penalty``, ``fit_sample`` and ``seed``.

    Returns
    -------
    Regressions
        Numbers rounded to 10 significant digits. Columns with fewer missing values come first, then those declared
        first.
    """
    import numpy as np

    sample = values[draw_sample(len(values), settings.fit_sample, settings.seed)]
    unknown_counts = np.isnan(sample).sum(axis=0)
    wanted = [place for place, name in enumerate(columns) if name in set(targets)]
    chosen = [place for place in wanted if unknown_counts[place] < len(sample)]
    order = sorted(chosen, key=lambda place: (unknown_counts[place], place))
    scalings = [fit_known_scaling(values[:, place]) for place in range(len(columns))]
    start = Regressions(
        columns=tuple(columns),
        targets=tuple(columns[place] for place in order),
        centres=tuple(centre for centre, _ in scalings),
        scales=tuple(scale for _, scale in scalings),
        limits=tuple((float(np.nanmin(values[:, n])), float(np.nanmax(values[:, n]))) for n in order),
        rounds=(),
    )
    return _fit_rounds(start, sample, order, compared_count, settings)


def _fit_rounds(
    start: Regressions,
    sample: npt.NDArray[np.float64],
    order: Sequence[int],
    compared_count: int,
    settings: ImputationSettings,
) -> Regressions:
    """Fit each equation on the sample as the ones before it leave it."""
    import numpy as np

    scaled = (sample - start.centres) / start.scales
    is_missing = np.isnan(scaled)
    scaled[is_missing] = 0.0
    rounds = []
    for _ in range(settings.rounds):
        equations = []
        for place, target in zip(order, start.targets, strict=True):
            is_read = np.arange(compared_count) != place
            equations.append(_fit_equation(scaled, ~is_missing[:, place], place, is_read, settings.ridge_penalty))
            _refill(scaled, is_missing, place, equations[-1], start.scaled_limits(target))
        rounds.append(tuple(equations))
    return replace(start, rounds=tuple(rounds))


def _refill(
    scaled: npt.NDArray[np.float64],
    is_missing: npt.NDArray[np.bool_],
    place: int,
    equation: Regression,
    limits: tuple[float, float],
) -> None:
    """Put the estimates of one column in place of its missing values."""
    import numpy as np

    lacking = np.flatnonzero(is_missing[:, place])
    if lacking.size:
        scaled[lacking, place] = np.clip(equation.predict(scaled[lacking, : len(equation.weights)]), *limits)


def _fit_equation(
    scaled: npt.NDArray[np.float64],
    is_known: npt.NDArray[np.bool_],
    place: int,
    is_read: npt.NDArray[np.bool_],
    penalty: float,
) -> Regression:
    """Ridge regression of one column on others, over the rows that know it; the intercept is not penalised."""
    import numpy as np

    read, wanted = scaled[:, : len(is_read)][np.ix_(is_known, is_read)], scaled[is_known, place]
    means, mean = read.mean(axis=0), wanted.mean()
    centred = read - means
    moments = centred.T @ centred + penalty * len(wanted) * np.eye(read.shape[1])
    weights = np.zeros(len(is_read))
    weights[is_read] = round_significant(np.linalg.solve(moments, centred.T @ (wanted - mean)))
    return Regression(round_number(float(mean - means @ weights[is_read])), tuple(weights.tolist()))
