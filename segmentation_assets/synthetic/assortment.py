"""What can be bought in a month and for how much: launches, price changes, and which product a line takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.calendar import NOVEMBER, BusinessCalendar
from segmentation_assets.synthetic.catalogue import Catalogue
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.drift import department_factors, price_factor
from segmentation_assets.synthetic.households import CHILDHOOD, are_parents
from segmentation_assets.synthetic.population import Population

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHANGED_SHARE = 0.06
_LOWEST_CHANGE, _HIGHEST_CHANGE = 0.94, 1.10
_MONTHS_BY_PRODUCT = 1_000
_LOOKS = 5


@dataclass(frozen=True)
class Assortment:
    """The catalogue in one month.

    Parameters
    ----------
    catalogue : Catalogue
    list_cents : ndarray of int, shape (n_products,)
        List price of the month in hundredths.
    models : ndarray of int
        Models on sale that fit a child of an age, by the full years of the child, department and price; what is not
        for children fits all.
    firsts, sizes : ndarray of int, shape (n_years, n_departments)
        Where each department begins in `models`, and how many it has on sale.
    factors : ndarray of float, shape (n_years, n_departments)
        Factor on the customers' preference for each department; 0 for one without anything on sale that fits.
    month : int
        Month of business, from 0.
    is_november : bool
    """

    catalogue: Catalogue
    list_cents: NDArray[np.int64]
    models: NDArray[np.int64]
    firsts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    factors: NDArray[np.float64]
    month: int
    is_november: bool

    def has_something_for(self, population: Population) -> NDArray[np.bool_]:
        """Tell which customers prefer some department that has something on sale; shape (n_customers,)."""
        import numpy as np

        is_wanted = (population.department_weights > 0) & (self.factors[self._child_years(population)] > 0)
        return np.asarray(is_wanted.any(axis=1))

    def _child_years(self, population: Population) -> NDArray[np.int64]:
        """Full years of each customer's child by now; the last row of `factors` where it has outgrown everything.

        Who has none buys for children of others, and for another one once one is grown up.
        """
        import numpy as np

        ages = population.child_ages + self.month / 12
        ages = np.where(are_parents(population.groups), ages, ages % CHILDHOOD)
        return np.minimum(ages.astype(np.int64), len(self.factors) - 1)

    def choose(
        self, draws: Draws, keys: NDArray[np.int64], customers: NDArray[np.int64], population: Population
    ) -> NDArray[np.int64]:
        """Choose a department by preference, a model by its price rank and appeal, and the size or child age.

        What is for children of another age than the customer's has by now is not looked at. What does not appeal to a
        customer is seldom taken: another model of the department is looked at instead, a few times at most.

        Parameters
        ----------
        draws : Draws
        keys : ndarray of int, shape (n_lines,)
        customers : ndarray of int, shape (n_lines,)
            Row of the customer of each line, for whom there must be something.
        population : Population

        Returns
        -------
        ndarray of int, shape (n_lines,)
            Row of the product.
        """
        import numpy as np

        years = self._child_years(population)
        edges = np.cumsum(population.department_weights * self.factors[years], axis=1)
        position = draws.uniform("department", keys) * edges[customers, -1]
        department = np.zeros(len(keys), dtype=np.int64)
        for place in range(edges.shape[1] - 1):
            department += position > edges[customers, place]
        tilts, groups, years = population.price_tilts[customers], population.groups[customers], years[customers]
        model = self._model_at(draws.uniform("product", keys) ** tilts, years, department)
        looking = np.arange(len(keys))
        for look in range(1, _LOOKS):
            appeal = self.catalogue.appeal[groups[looking], model[looking]]
            looking, appeal = looking[appeal < 1], appeal[appeal < 1]
            looking = looking[draws.uniform(f"takes product {look}", keys[looking]) >= appeal]
            rank = draws.uniform(f"product {look}", keys[looking]) ** tilts[looking]
            model[looking] = self._model_at(rank, years[looking], department[looking])
        starts = self.catalogue.model_starts
        size = (population.variants[customers] * (starts[model + 1] - starts[model])).astype(np.int64)
        fitting = self.catalogue.child_variants[years, model]
        return starts[model] + np.where(self.catalogue.is_for_children[model], fitting, size)

    def _model_at(
        self, rank: NDArray[np.float64], years: NDArray[np.int64], department: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Find the models at ranks of price, 0 to 1, among those of departments that fit children of so many years."""
        import numpy as np

        sizes = self.sizes[years, department]
        return self.models[self.firsts[years, department] + np.minimum((rank * sizes).astype(np.int64), sizes - 1)]


def make_assortment(
    draws: Draws, catalogue: Catalogue, settings: SyntheticSettings, calendar: BusinessCalendar, month: int
) -> Assortment:
    """Make the assortment of a month; it depends on no later month."""
    import numpy as np

    starts = catalogue.model_starts
    prices = list_cents(draws, catalogue, settings, month)
    department = catalogue.department_codes[starts[:-1]]
    launched = catalogue.products["launched"].to_numpy()[starts[:-1]]
    order = np.lexsort((starts[:-1], prices[starts[:-1]], department))
    on_sale = order[launched[order] <= month]
    years, places = np.nonzero(catalogue.child_variants[:, on_sale] >= 0)
    models, shape = on_sale[places], (len(catalogue.child_variants), len(catalogue.departments))
    group = np.ravel_multi_index((years, department[models]), shape)
    sizes = np.bincount(group, minlength=shape[0] * shape[1]).reshape(shape)
    return Assortment(
        catalogue=catalogue,
        list_cents=prices,
        models=models,
        firsts=np.cumsum(sizes).reshape(shape) - sizes,
        sizes=sizes,
        factors=(sizes > 0) * department_factors(settings, catalogue.departments, month),
        month=month,
        is_november=bool(calendar.month_of_year[month] == NOVEMBER),
    )


def list_cents(draws: Draws, catalogue: Catalogue, settings: SyntheticSettings, month: int) -> NDArray[np.int64]:
    """List prices of a month in hundredths: those of the first, moved now and then, and by drift.

    All variants of a model cost the same.
    """
    import numpy as np

    models = catalogue.products["model"].to_numpy()
    keys = np.arange(int(models.max()) + 1)[:, None] * _MONTHS_BY_PRODUCT + np.arange(1, month + 1)[None, :]
    is_changed = draws.uniform("price change", keys) < _CHANGED_SHARE
    span = _HIGHEST_CHANGE - _LOWEST_CHANGE
    change = np.where(is_changed, _LOWEST_CHANGE + span * draws.uniform("price step", keys), 1.0)
    prices = catalogue.products["unit_price"].to_numpy() * change.prod(axis=1)[models]
    cents: NDArray[np.int64] = np.maximum(np.rint(prices * price_factor(settings, month) * 100), 1).astype(np.int64)
    return cents
