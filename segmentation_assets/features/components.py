"""Principal components with signs that do not depend on the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.tables.rounding import round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PREFIX = "pc_"


@dataclass(frozen=True)
class Components:
    """Fitted principal components.

    Parameters
    ----------
    centres : tuple of float
        Per column, what is taken off.
    weights : tuple of tuple of float, shape (n_components, n_columns)
        Unit vectors.
    variance_shares : tuple of float
        Share of the variance along each, in descending order.
    """

    centres: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    variance_shares: tuple[float, ...]

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Components:
        """Rebuild from plain lists and numbers."""
        weights = tuple(map(tuple, plain["weights"]))
        return cls(tuple(plain["centres"]), weights, tuple(plain["variance_shares"]))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the components as columns, ``pc_1`` onwards."""
        return tuple(f"{PREFIX}{number}" for number in range(1, len(self.weights) + 1))

    def project(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Project rows, shape (n_customers, n_columns) in and (n_customers, n_components) out.

        Columns are added one by one, so that a row alone comes out as it does in a batch.
        """
        import numpy as np

        projected = np.zeros((len(values), len(self.weights)))
        for place, centre in enumerate(self.centres):
            centred = values[:, place] - centre
            for component, weights in enumerate(self.weights):
                projected[:, component] += centred * weights[place]
        return projected


def fit_components(values: npt.NDArray[np.float64], wanted: float) -> Components:
    """Determine the principal components of a matrix.

    Parameters
    ----------
    values : ndarray, shape (n_customers, n_columns)
        In a fixed order of rows.
    wanted : int or float
        At least 1: how many components; fewer where the matrix has no more. Below 1: as few as hold this share of the
        variance.

    Returns
    -------
    Components
        Numbers rounded to 10 significant digits.

    References
    ----------
    Jolliffe, I. T. (2002). Principal Component Analysis, 2nd ed. doi:10.1007/b98835
    """
    import numpy as np

    centres = values.mean(axis=0)
    variances, vectors = principal_axes(values - centres)
    shares = variances / variances.sum()
    enough = int(np.searchsorted(np.cumsum(shares), wanted - 1e-12)) + 1 if wanted < 1 else int(wanted)
    count = min(enough, int((shares > 1e-12).sum()))
    return Components(
        centres=tuple(round_significant(centres).tolist()),
        weights=tuple(tuple(axis) for axis in round_significant(vectors[:, :count].T).tolist()),
        variance_shares=tuple(round_significant(shares[:count]).tolist()),
    )


def principal_axes(
    centred: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Determine variances, largest first, and axes of a matrix whose columns have the mean 0.

    Parameters
    ----------
    centred : ndarray, shape (n_customers, n_columns)
        At least two rows.

    Returns
    -------
    tuple of (ndarray of shape (n_columns,), ndarray of shape (n_columns, n_columns))
        Variances (divided by n - 1) and, as columns, unit vectors whose largest entry is positive.
    """
    import numpy as np

    variances, vectors = np.linalg.eigh(centred.T @ centred / (len(centred) - 1))
    return np.maximum(variances[::-1], 0.0), _fix_signs(vectors[:, ::-1])


def _fix_signs(axes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Flip columns so that the entry of largest magnitude is positive; near ties go to the first."""
    import numpy as np

    largest = np.argmax(np.round(np.abs(axes), 9), axis=0)
    signs = np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    return np.asarray(axes * signs)
