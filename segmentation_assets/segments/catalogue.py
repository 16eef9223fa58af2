"""Names, descriptions and strategies by kind of segment: the packaged catalogue with own texts on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from segmentation_assets.config.segment_catalogue import SegmentCatalogueSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES

CATALOGUE_FILE = "segments/data/catalogue.yaml"

KIND_BY_POSITION = {name: name.lower().replace(" ", "_") for name in RFM_SEGMENT_NAMES}
"""Kind of segment by named position."""

KIND_BY_TRAIT = {"discount_share": "bargain_hunters", "return_rate": "serial_returners"}
"""Kind of segment by the feature whose striking height makes it."""

EVERYONE = "everyone"
"""Kind of the only segment there is."""


@dataclass(frozen=True)
class CatalogueEntry:
    """What one kind of segment is called, who is in it and what to do about it, in the words people will read."""

    name: str
    description: str
    goal: str
    message: str
    offer: str
    channel: str
    cadence: str
    do_not: str


def load_catalogue(settings: SegmentCatalogueSettings | None = None) -> dict[str, CatalogueEntry]:
    """Return the entries by kind.

    Parameters
    ----------
    settings : SegmentCatalogueSettings, optional
        Own texts, each in place of the packaged one.

    Raises
    ------
    SettingsError
        Two kinds have the same name, upper and lower case being the same.

    Examples
    --------
    >>> load_catalogue()["champions"].name
    'VIP Champions'
    """
    own = {} if settings is None else settings.model_dump(exclude_none=True)
    entries = {kind: CatalogueEntry(**{**texts, **own.get(kind, {})}) for kind, texts in _packaged().items()}
    _check_names(entries)
    return entries


def name_by_position(entries: Mapping[str, CatalogueEntry]) -> dict[str, str]:
    """Return what the catalogue calls a segment at each named position."""
    return {position: entries[kind].name for position, kind in KIND_BY_POSITION.items()}


def name_by_trait(entries: Mapping[str, CatalogueEntry]) -> dict[str, str]:
    """Return what the catalogue calls a segment in which a feature is strikingly high."""
    return {feature: entries[kind].name for feature, kind in KIND_BY_TRAIT.items()}


@cache
def _packaged() -> dict[str, dict[str, str]]:
    text = resources.files("segmentation_assets").joinpath(CATALOGUE_FILE).read_text(encoding="utf-8")
    entries: dict[str, dict[str, str]] = yaml.safe_load(text)
    return entries


def _check_names(entries: Mapping[str, CatalogueEntry]) -> None:
    kinds: dict[str, str] = {}
    for kind, entry in entries.items():
        other = kinds.setdefault(entry.name.casefold(), kind)
        if other != kind:
            raise SettingsError(
                f"segment_catalogue.{kind}.name and segment_catalogue.{other}.name are both '{entry.name}'",
                "give each kind of segment a name of its own.",
            )
