"""What the synthetic shop sells, as products.

The editable YAML file they come from is described in `config/catalogue.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.catalogue import CatalogueFile, ProductClass, child_years, read_catalogue_file
from segmentation_assets.synthetic.households import GENDERS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Catalogue:
    """The products of a shop.

    Parameters
    ----------
    products : DataFrame
        One row per item, quality and variant, sorted by ``product_id``: ``product_id`` (five digits that start with 0
        in the packaged catalogue, and the suffix of quality and variant), ``product_name``, ``department``, ``class``,
        ``child_age``, ``size`` (``None`` where they do not apply), ``unit_price`` (list price of the first month, two
        decimals), ``brand``, ``launched`` (month of business, from 0), ``model`` (row of the item and quality).
    departments : tuple of str
        In the order of the file.
    return_factors, cost_shares : tuple of float
        One per department.
    appeals : dict of (str, str) to dict of str to float
        Department and class → as in `ProductClass`.
    """

    products: pd.DataFrame
    departments: tuple[str, ...]
    return_factors: tuple[float, ...]
    cost_shares: tuple[float, ...]
    appeals: dict[tuple[str, str], dict[str, float]]

    def with_starts(self, starts: NDArray[np.int64]) -> Catalogue:
        """Launch nothing before its department is sold, which begins in so many months of business each."""
        import numpy as np

        launched = np.maximum(self.products["launched"], starts[self.department_codes])
        return replace(self, products=self.products.assign(launched=launched))

    @cached_property
    def appeal(self) -> NDArray[np.float64]:
        """Probability that a group of customers takes a model it comes upon; shape (n_groups, n_models)."""
        import numpy as np

        models = self.products.iloc[self.model_starts[:-1]]
        named = [self.appeals[pair] for pair in zip(models["department"], models["class"], strict=True)]
        groups = [(gender, family) for gender in GENDERS for family in ("no children", "children")]
        return np.array([[one.get(gender, 1.0) * one.get(family, 1.0) for one in named] for gender, family in groups])

    @cached_property
    def is_for_children(self) -> NDArray[np.bool_]:
        """Whether the variants of each model are child ages; shape (n_models,)."""
        is_for_children: NDArray[np.bool_] = self.products["child_age"].notna().to_numpy()[self.model_starts[:-1]]
        return is_for_children

    @cached_property
    def child_variants(self) -> NDArray[np.int64]:
        """Variant of each model that fits a child of so many full years; shape (n_years, n_models).

        It is −1 where none fits, as in the last year for all, and 0 for what is not for children.
        """
        import numpy as np

        ages = self.products["child_age"].dropna()
        spans = np.array([child_years(text) for text in ages], dtype=np.int64).reshape(-1, 2)
        rows = ages.index.to_numpy()
        models = self.products["model"].to_numpy()[rows]
        variants = np.tile(-1 * self.is_for_children, (int(spans.max(initial=0)) + 1, 1))
        for year in range(len(variants)):
            fits = (spans[:, 0] <= year) & (year < spans[:, 1])
            variants[year, models[fits]] = rows[fits] - self.model_starts[models[fits]]
        return variants

    @cached_property
    def department_codes(self) -> NDArray[np.int64]:
        """Place of each product's department in `departments`."""
        import numpy as np

        places = {name: place for place, name in enumerate(self.departments)}
        return np.array([places[name] for name in self.products["department"]], dtype=np.int64)

    @cached_property
    def model_starts(self) -> NDArray[np.int64]:
        """First product row of each model, and the number of products last; shape (n_models + 1,)."""
        import numpy as np

        models = self.products["model"].to_numpy()
        return np.append(np.unique(models, return_index=True)[1], len(models)).astype(np.int64)


def read_catalogue(path: Path | None = None) -> Catalogue:
    """Read a catalogue from YAML, by default the packaged one.

    Raises
    ------
    DataError
        The file is missing, is no YAML, or says something that a catalogue does not have.
    """
    return build_catalogue(read_catalogue_file(path))


def build_catalogue(written: CatalogueFile) -> Catalogue:
    """List the products of a written catalogue."""
    import pandas as pd

    frame = pd.DataFrame(list(_rows(written))).sort_values("product_id", ignore_index=True)
    frame["model"] = (frame["item"] != frame["item"].shift()).cumsum() - 1
    return Catalogue(
        frame.drop(columns="item"),
        written.department_names,
        tuple(department.return_factor for department in written.departments),
        tuple(department.cost_share for department in written.departments),
        {
            (department.name, entry.name): {str(kind): share for kind, share in entry.appeal.items()}
            for department in written.departments
            for entry in department.classes
        },
    )


def _rows(written: CatalogueFile) -> Iterator[dict[str, Any]]:
    """Yield one row per item, quality and variant."""
    for d, department in enumerate(written.departments, start=1):
        for c, entry in enumerate(department.classes, start=1):
            for i, item in enumerate(entry.items, start=1):
                for quality in written.qualities:
                    code = f"{d:02d}{c}{i:02d}{quality.suffix}"
                    common = {
                        "item": code,
                        "department": department.name,
                        "class": entry.name,
                        "unit_price": round(item.price * quality.price_factor, 2),
                        "brand": quality.brand,
                        "launched": item.launched - 1,
                    }
                    yield from _variants(code, f"{item.name}, {quality.name}", entry, common)


def _variants(code: str, name: str, entry: ProductClass, common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the product, or one per size or child age."""
    for place, variant in enumerate(entry.sizes or entry.child_ages or (None,), start=1):
        yield {
            **common,
            "product_id": code if variant is None else f"{code}-{place:02d}",
            "product_name": name if variant is None else f"{name}, {variant}",
            "size": variant if entry.sizes else None,
            "child_age": variant if entry.child_ages else None,
        }
