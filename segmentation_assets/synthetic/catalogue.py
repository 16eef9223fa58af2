"""What the synthetic shop sells: departments, classes and items from an editable YAML file, as products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from segmentation_assets.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

CATALOGUE_FILE = "synthetic/data/catalogue.yaml"
_MOST_CLASSES, _MOST_ITEMS = 9, 99

Name = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Item(_Entry):
    """An item of a class, with the list price of its classic quality in the first month."""

    name: Name
    price: float = Field(gt=0, le=1_000_000)
    launched: int = Field(1, ge=1)


class ProductClass(_Entry):
    """A class of a department; sizes or child ages list the variants of each item."""

    name: Name
    sizes: tuple[Name, ...] = ()
    child_ages: tuple[Name, ...] = ()
    items: tuple[Item, ...] = Field(min_length=1, max_length=_MOST_ITEMS)

    @model_validator(mode="after")
    def _check_variants(self) -> ProductClass:
        if self.sizes and self.child_ages:
            raise ValueError("a class has sizes or child_ages, not both")
        return self


class Department(_Entry):
    """A department, how often its goods come back, and what they cost the shop."""

    name: Name
    return_factor: float = Field(1.0, ge=0, le=10)
    cost_share: float = Field(0.5, ge=0, le=1)
    classes: tuple[ProductClass, ...] = Field(min_length=1, max_length=_MOST_CLASSES)


class Quality(_Entry):
    """A quality every item is made in."""

    suffix: str = Field(max_length=3)
    name: Name
    price_factor: float = Field(gt=0)
    brand: Name


class CatalogueFile(_Entry):
    """The catalogue as it is written."""

    qualities: tuple[Quality, ...] = Field(min_length=1)
    departments: tuple[Department, ...] = Field(min_length=1, max_length=99)


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
    """

    products: pd.DataFrame
    departments: tuple[str, ...]
    return_factors: tuple[float, ...]
    cost_shares: tuple[float, ...]

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
    import yaml

    name = str(path) if path else "the packaged catalogue"
    try:
        text = (
            path.read_text("utf-8")
            if path
            else files("segmentation_assets").joinpath(CATALOGUE_FILE).read_text("utf-8")
        )
        written = CatalogueFile.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise DataError(
            f"{name} cannot be read: {problem}", "name a readable file in synthetic.catalogue."
        ) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(
            f"{name}: {place}: {first['msg']}, got {first['input']!r:.80}",
            f"write it as in segmentation_assets/{CATALOGUE_FILE}.",
        ) from problem
    return build_catalogue(written, name)


def build_catalogue(written: CatalogueFile, name: str) -> Catalogue:
    """List the products of a written catalogue.

    Raises
    ------
    DataError
        A department, or a class of one, stands twice, or two products would get the same code.
    """
    import pandas as pd

    names = [department.name for department in written.departments]
    pairs = [(department.name, entry.name) for department in written.departments for entry in department.classes]
    frame = pd.DataFrame(list(_rows(written))).sort_values("product_id", ignore_index=True)
    repeated = [
        *sorted({name for name in names if names.count(name) > 1}),
        *sorted({f"{first} / {second}" for first, second in pairs if pairs.count((first, second)) > 1}),
        *frame["product_id"][frame["product_id"].duplicated()],
    ]
    if repeated:
        raise DataError(f"{name}: {repeated[0]} stands twice", "give every department, class and suffix its own name.")
    frame["model"] = (frame["item"] != frame["item"].shift()).cumsum() - 1
    return Catalogue(
        frame.drop(columns="item"),
        tuple(names),
        tuple(department.return_factor for department in written.departments),
        tuple(department.cost_share for department in written.departments),
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
