"""The catalogue of the built-in shop as it is written: departments, classes and items in an editable YAML file."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from segmentation_assets.config.section import Section
from segmentation_assets.errors import DataError

CATALOGUE_FILE = "synthetic/data/catalogue.yaml"
_MOST_CLASSES, _MOST_ITEMS = 9, 99

Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Item(Section):
    """An item of a class, with the list price of its classic quality in the first month."""

    name: Name
    price: float = Field(gt=0, le=1_000_000)
    launched: int = Field(1, ge=1)


def child_years(text: str) -> tuple[int, int]:
    """Read for children of which age something is: from one birthday to before another.

    Raises
    ------
    ValueError
        The text is not one year or two with a hyphen, and a word.

    Examples
    --------
    >>> child_years("3-5 years")
    (3, 6)
    >>> child_years("1 year")
    (1, 2)
    """
    found = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))? years?", text)
    if not found:
        raise ValueError(f"the child age {text!r} is not written in years, such as '3-5 years' or '1 year'")
    return int(found[1]), int(found[2] or found[1]) + 1


class ProductClass(Section):
    """A class of a department; sizes or child ages list the variants of each item.

    Child ages go from young to old, each written as years from the first to the last, such as 3-5 years: for children
    from their third birthday to the day before the sixth.

    `appeal` is the probability that customers take something of the class they come upon, rather than look further in
    the department: by gender, and with and without children. It is 1 where it is not named; two that hold for a
    customer are multiplied.
    """

    name: Name
    appeal: dict[Literal["female", "male", "diverse", "not stated", "children", "no children"], Share] = Field({})
    sizes: tuple[Name, ...] = ()
    child_ages: tuple[Name, ...] = ()
    items: tuple[Item, ...] = Field(min_length=1, max_length=_MOST_ITEMS)

    @model_validator(mode="after")
    def _check_variants(self) -> ProductClass:
        if self.sizes and self.child_ages:
            raise ValueError("a class has sizes or child_ages, not both")
        return self

    @model_validator(mode="after")
    def _check_child_ages(self) -> ProductClass:
        spans = [child_years(text) for text in self.child_ages]
        for text, (first, end) in zip(self.child_ages, spans, strict=True):
            if first >= end:
                raise ValueError(f"the child age {text!r} does not go from a year to a later one")
        for (_, end), (first, _), text in zip(spans, spans[1:], self.child_ages[1:], strict=False):
            if first < end:
                raise ValueError(f"the child age {text!r} begins before the one that stands before it ends")
        return self


class Department(Section):
    """A department, how often its goods come back, and what they cost the shop."""

    name: Name
    return_factor: float = Field(1.0, ge=0, le=10)
    cost_share: float = Field(0.5, ge=0, le=1)
    classes: tuple[ProductClass, ...] = Field(min_length=1, max_length=_MOST_CLASSES)


class Quality(Section):
    """A quality every item is made in."""

    suffix: str = Field(max_length=3)
    name: Name
    price_factor: float = Field(gt=0, le=1_000)
    brand: Name


class CatalogueFile(Section):
    """The catalogue as it is written."""

    qualities: tuple[Quality, ...] = Field(min_length=1)
    departments: tuple[Department, ...] = Field(min_length=1, max_length=99)

    @model_validator(mode="after")
    def _check_names(self) -> CatalogueFile:
        """Refuse two departments, or classes of a department, of one name, and two qualities of one suffix."""
        named = {
            "departments": [department.name for department in self.departments],
            "suffixes of the qualities": [quality.suffix for quality in self.qualities],
        } | {f"classes of {one.name}": [entry.name for entry in one.classes] for one in self.departments}
        for kind, names in named.items():
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise ValueError(f"'{repeated[0]}' stands twice among the {kind}; give each its own")
        return self

    @property
    def department_names(self) -> tuple[str, ...]:
        """Names of the departments, in the order of the file."""
        return tuple(department.name for department in self.departments)

    @property
    def first_sold(self) -> frozenset[str]:
        """Departments that have an item on sale in the first month of business."""
        return frozenset(
            department.name
            for department in self.departments
            if any(item.launched == 1 for entry in department.classes for item in entry.items)
        )


def catalogue_name(path: Path | None) -> str:
    """Return what a catalogue is called in messages."""
    return str(path) if path else "the packaged catalogue"


def read_catalogue_file(path: Path | None = None) -> CatalogueFile:
    """Read a written catalogue, by default the packaged one, which is read once.

    Raises
    ------
    DataError
        The file is missing, is no YAML, or says something that a catalogue does not have.
    """
    return _read(path) if path else _packaged()


@cache
def _packaged() -> CatalogueFile:
    return _read(None)


def _read(path: Path | None) -> CatalogueFile:
    import yaml

    name = catalogue_name(path)
    source = path or files("segmentation_assets").joinpath(CATALOGUE_FILE)
    try:
        return CatalogueFile.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise DataError(
            f"{name} cannot be read: {problem}", "name a readable file in synthetic.catalogue."
        ) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        said = first["msg"].removeprefix("Value error, ")
        got = "" if first["type"] == "value_error" else f", got {first['input']!r:.80}"
        raise DataError(
            f"{name}: {place}: {said}{got}",
            f"write it as in segmentation_assets/{CATALOGUE_FILE}.",
        ) from problem
