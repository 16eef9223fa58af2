"""Maps of customers: the rows of the model matrix laid out in a plane, by principal components or by t-SNE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.errors import plural
from segmentation_assets.features.components import principal_axes
from segmentation_assets.reporting.formatting import format_share
from segmentation_assets.reporting.wording import feature_stem
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

    Floats = npt.NDArray[np.float64]

MAP_SEED = 0
LOADING_COUNT = 3

PRINCIPAL_COMPONENTS = MapSettings()


@dataclass(frozen=True, kw_only=True)
class MapFacts:
    """How a map was made.

    Parameters
    ----------
    method : str
        ``pca`` or ``tsne``.
    drawn_count, customer_count : int
        Customers on the map, and those they were drawn from.
    seed : int
        Draws the customers, and seeds t-SNE.
    variance_shares : tuple of float
        Share of the variance along each axis; empty with t-SNE, whose axes have no meaning.
    perplexity : float or None
        Of t-SNE: about how many neighbours count as near.
    """

    method: str
    drawn_count: int
    customer_count: int
    seed: int
    variance_shares: tuple[float, ...] = ()
    perplexity: float | None = None

    @property
    def sample(self) -> str:
        """Who is on the map."""
        if self.drawn_count == self.customer_count:
            return f"All {plural(self.drawn_count, 'customer')}"
        return (
            f"A random sample of {self.drawn_count:,} of {plural(self.customer_count, 'customer')} (seed {self.seed})"
        )

    @property
    def method_words(self) -> str:
        """What laid the customers out."""
        if self.method == "pca":
            return f"principal components (PCA) of {plural(self.customer_count, 'customer')}"
        return f"t-SNE of {plural(self.drawn_count, 'customer')}, perplexity {self.perplexity:.3g}, seed {self.seed}"

    @property
    def reading(self) -> str:
        """How to read it."""
        if self.method == "pca":
            kept = format_share(sum(self.variance_shares), digits=0)
            return (
                f"The two axes keep {kept} of the differences between customers; groups that overlap here may be apart "
                "in the rest."
            )
        return "Only who lies close by means something: distances between groups, their sizes and the axes do not."

    @property
    def title(self) -> str:
        """What stands above a small picture."""
        of = f" of {self.customer_count:,}" if self.drawn_count < self.customer_count else ""
        name = "PCA" if self.method == "pca" else "t-SNE"
        return f"Map of {self.drawn_count:,}{of} customers, {name}, seed {self.seed}"

    @property
    def axis_titles(self) -> tuple[str, str]:
        """What stands at the axes."""
        if self.method != "pca":
            return "t-SNE: distances between groups and directions mean nothing", ""
        first, second = (format_share(share, digits=0) for share in self.variance_shares)
        return f"Component 1, {first} of variance", f"Component 2, {second} of variance"


@dataclass(frozen=True)
class CustomerMap:
    """Customers in the plane.

    Parameters
    ----------
    points : DataFrame
        `x`, `y`, `segment_key`, `segment_name`, `rfm_segment`; no customer ids.
    facts : MapFacts
    loadings : tuple of tuple of (str, float)
        Per principal component the labels of the columns that weigh most, one per story, by descending absolute
        weight; empty with t-SNE.
    """

    points: pd.DataFrame
    facts: MapFacts
    loadings: tuple[tuple[tuple[str, float], ...], ...]


def project_customers(
    snapshot: Snapshot, *, n_points: int, settings: MapSettings = PRINCIPAL_COMPONENTS
) -> CustomerMap | None:
    """Lay the customers with a segment out in a plane.

    Parameters
    ----------
    snapshot : Snapshot
        The month; `matrix` holds one row per customer, columns scaled.
    n_points : int
        Customers drawn at most; a larger matrix is sampled with a fixed seed.
    settings : MapSettings

    Returns
    -------
    CustomerMap or None
        None where there are fewer than three customers or two columns, or no variance.
    """
    import numpy as np

    if snapshot.matrix.empty:
        return None
    people = ["customer_id", "segment_key", "segment_name", "rfm_segment"]
    rows = snapshot.assigned[people].merge(snapshot.matrix, on="customer_id", validate="one_to_one")
    rows = rows.sort_values("customer_id", ignore_index=True)
    names = [str(name) for name in snapshot.matrix.columns if name != "customer_id"]
    plane = project_rows(rows[names].to_numpy(dtype=np.float64), n_points=n_points, seed=MAP_SEED, settings=settings)
    if plane is None:
        return None
    points = rows.loc[plane.rows, people[1:]].reset_index(drop=True)
    is_linear = plane.facts.method == "pca"
    return CustomerMap(
        points=points.assign(x=plane.points[:, 0], y=plane.points[:, 1]),
        facts=plane.facts,
        loadings=tuple(_top_loadings(snapshot, names, axis) for axis in plane.axes.T) if is_linear else (),
    )


@dataclass(frozen=True)
class Plane:
    """Rows laid out in a plane.

    Parameters
    ----------
    points : ndarray of shape (n_drawn, 2)
        Rounded to three decimals.
    rows : ndarray of shape (n_drawn,)
        Positions of the rows drawn, ascending.
    axes : ndarray of shape (n_columns, 2)
        Unit vectors of the first two principal components, the largest weight of each positive.
    facts : MapFacts
    """

    points: Floats
    rows: npt.NDArray[np.int64]
    axes: Floats
    facts: MapFacts


def project_rows(
    values: Floats, *, n_points: int, seed: int, settings: MapSettings = PRINCIPAL_COMPONENTS
) -> Plane | None:
    """Lay rows out by their first two principal components, or by t-SNE that starts from them.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        In a fixed order of rows.
    n_points : int
        Rows drawn at most; t-SNE draws no more than its own cap. Components are those of all rows.
    seed : int
    settings : MapSettings

    Returns
    -------
    Plane or None
        None where there are fewer than three rows or two columns, or no variance.

    Notes
    -----
    The sign of a component is arbitrary: here its largest weight is positive. Coordinates are rounded to three
    decimals, far below what a screen shows.

    References
    ----------
    Jolliffe, I. T. (2002). Principal Component Analysis, 2nd ed. doi:10.1007/b98835
    van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE. JMLR 9, 2579-2605.
    """
    import numpy as np

    if len(values) < 3 or values.shape[1] < 2:
        return None
    centre = values.mean(axis=0)
    variances, vectors = principal_axes(values - centre)
    total = float(variances.sum())
    if total <= 0:
        return None
    axes, is_linear = vectors[:, :2], settings.method == "pca"
    rows = draw_sample(len(values), n_points if is_linear else min(n_points, settings.tsne_customers), seed)
    points = (values[rows] - centre) @ axes
    perplexity = min(settings.tsne_perplexity, (len(rows) - 1) / 3)
    facts = MapFacts(
        method=settings.method,
        drawn_count=len(rows),
        customer_count=len(values),
        seed=seed,
        variance_shares=(float(variances[0]) / total, float(variances[1]) / total) if is_linear else (),
        perplexity=None if is_linear else perplexity,
    )
    laid_out = points if is_linear else _embed(values[rows], points, perplexity, seed)
    return Plane(np.round(laid_out, 3) + 0.0, rows, axes, facts)


def _embed(values: Floats, start: Floats, perplexity: float, seed: int) -> Floats:
    """Run t-SNE from a start of small spread; in one thread, as more of them add up in another order each time."""
    import numpy as np
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    spread = float(start[:, 0].std()) or 1.0
    model = TSNE(init=start / spread * 1e-4, perplexity=perplexity, random_state=seed, n_jobs=1)
    with threadpool_limits(1):
        found: Floats = model.fit_transform(values).astype(np.float64)
    return found


def _top_loadings(snapshot: Snapshot, names: list[str], axis: Floats) -> tuple[tuple[str, float], ...]:
    """Return the columns with the largest absolute weight, one per story, by their labels."""
    order = sorted(range(len(names)), key=lambda position: (-round(abs(float(axis[position])), 9), names[position]))
    stories: dict[str, tuple[str, float]] = {}
    for position in order:
        label = snapshot.feature_text(names[position]).label
        stories.setdefault(feature_stem(names[position]), (label, round(float(axis[position]), 3)))
    return tuple(stories.values())[:LOADING_COUNT]
