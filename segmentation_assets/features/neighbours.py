"""Missing numbers from the customers that are most alike: stored donors, and who counts as near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.transformation import fit_known_scaling
from segmentation_assets.tables.rounding import round_significant
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_STEPS_PER_SCALE = 1024
_FARTHEST = 1024
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Neighbours:
    """Customers whose values are lent to those who lack one.

    Parameters
    ----------
    columns : tuple of str
        Columns of the donors: first those that are compared, then the other ones that are filled.
    targets : tuple of str
        Columns that are filled.
    n_neighbors : int
        Donors whose mean is taken; fewer where fewer know the value.
    centres, scales : tuple of float
        Per compared column.
    donors : tuple of tuple of (float or None), shape (n_donors, n_columns)
        In the order of their customer ids; ``None`` is unknown.

    Notes
    -----
    The distance of two customers is the sum of squared differences over the columns both know, times the number of
    compared columns over the number both know (Troyanskaya et al. 2001), each column in standard deviations. For that
    alone values are put on a grid of 1/1024 standard deviations, those farther than 1,024 from the mean count as so
    far: sums of such squares are exact in a double, so that a row finds the same neighbours alone as in a batch. Of
    donors at the same distance the one with the smaller customer id counts first.

    References
    ----------
    Troyanskaya, O. et al. (2001). Missing value estimation methods for DNA microarrays. Bioinformatics 17(6).
    doi:10.1093/bioinformatics/17.6.520
    """

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    n_neighbors: int
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    donors: tuple[tuple[float | None, ...], ...]

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Neighbours:
        """Rebuild from plain lists and numbers."""
        lists = {name: tuple(plain[name]) for name in ("columns", "targets", "centres", "scales")}
        return cls(**(plain | lists | {"donors": tuple(map(tuple, plain["donors"]))}))

    def rule(self, target: str) -> str:
        """Say in words what a column is filled with."""
        place = self.columns.index(target)
        known = sum(donor[place] is not None for donor in self.donors)
        return f"mean of the {min(self.n_neighbors, known)} most similar of {known:,} customers that have a value"

    def complete(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Fill the targets; shape (n_customers, n_columns), in and out."""
        import numpy as np

        donors = np.array(self.donors, dtype=np.float64)
        parts = [
            self._complete_part(values[start : start + _ROWS_AT_ONCE], donors)
            for start in range(0, len(values), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else values

    def _complete_part(
        self, values: npt.NDArray[np.float64], donors: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        import numpy as np

        distances = _distances(self._on_grid(values), self._on_grid(donors))
        filled = values.copy()
        for place in map(self.columns.index, self.targets):
            lacking = np.flatnonzero(np.isnan(values[:, place]))
            if lacking.size:
                know = np.flatnonzero(~np.isnan(donors[:, place]))
                near = _nearest(distances[np.ix_(lacking, know)], min(self.n_neighbors, know.size))
                filled[lacking, place] = _row_means(donors[know, place][near])
        return filled

    def _on_grid(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Compared columns in whole steps from their centres."""
        import numpy as np

        scaled = (values[:, : len(self.centres)] - self.centres) / self.scales
        return np.rint(np.clip(scaled, -_FARTHEST, _FARTHEST) * _STEPS_PER_SCALE)


def fit_neighbours(
    values: npt.NDArray[np.float64],
    columns: Sequence[str],
    compared_count: int,
    targets: Sequence[str],
    settings: ImputationSettings,
) -> Neighbours:
    """Choose the donors and the scales by which customers are compared.

    Parameters
    ----------
    values : ndarray, shape (n_customers, n_columns)
        In the order of the customer ids; NaN is unknown.
    columns : sequence of str
        Names of the columns; the first `compared_count` are compared.
    compared_count : int
    targets : sequence of str
        Columns to fill; those that no donor knows are left out.
    settings : ImputationSettings
        ``n_neighbors``, ``donors`` and ``seed``.

    Returns
    -------
    Neighbours
    """
    import numpy as np

    drawn = draw_sample(len(values), settings.donors, settings.seed)
    donors = values[drawn]
    known = [name for name, is_unknown in zip(columns, np.isnan(donors.T), strict=True) if not is_unknown.all()]
    scalings = [fit_known_scaling(values[:, place]) for place in range(compared_count)]
    return Neighbours(
        columns=tuple(columns),
        targets=tuple(name for name in known if name in set(targets)),
        n_neighbors=settings.n_neighbors,
        centres=tuple(centre for centre, _ in scalings),
        scales=tuple(scale for _, scale in scalings),
        donors=tuple(tuple(None if np.isnan(cell) else float(cell) for cell in donor) for donor in donors),
    )


def _distances(rows: npt.NDArray[np.float64], donors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Squared distances in steps, shape (n_rows, n_donors); infinite where no column is known to both."""
    import numpy as np

    row_knows = (~np.isnan(rows)).astype(np.float64)
    donor_knows = (~np.isnan(donors)).astype(np.float64)
    row_steps, donor_steps = np.nan_to_num(rows), np.nan_to_num(donors)
    shared = row_knows @ donor_knows.T
    squares = row_steps**2 @ donor_knows.T + row_knows @ (donor_steps**2).T - 2 * (row_steps @ donor_steps.T)
    distances: npt.NDArray[np.float64] = np.full(shared.shape, np.inf)
    np.divide(squares * rows.shape[1], shared, out=distances, where=shared > 0)
    return distances


def _nearest(distances: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]:
    """Columns of the smallest distances of each row, in their order; of equal ones the first columns."""
    import numpy as np

    bound = np.partition(distances, count - 1, axis=1)[:, count - 1 : count]
    is_nearer, is_tied = distances < bound, distances == bound
    is_needed = is_tied.cumsum(axis=1) <= count - is_nearer.sum(axis=1, keepdims=True)
    return np.nonzero(is_nearer | (is_tied & is_needed))[1].reshape(len(distances), count)


def _row_means(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Means over the columns, added from left to right, rounded."""
    total = values[:, 0].copy()
    for place in range(1, values.shape[1]):
        total += values[:, place]
    return round_significant(total / values.shape[1])
