"""What every feature is and how it is treated, in words, from its declaration alone; what it looks like is not here."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, ImputationClass
from segmentation_assets.features.fills import UNKNOWN_CATEGORY
from segmentation_assets.features.registry import feature_blocks

DIRECTIONS = {"more_is_better": "more is better", "more_is_worse": "less is better", "neutral": "neither"}
"""How the shop sees a larger value, in words."""

_FILLS: dict[ImputationClass, str] = {
    "core": "the customer is set aside",
    "returns": "0: no returns",
    "ordinary": "as imputation.method says",
    "exempt": "never filled",
}
"""What happens where a value is missing; features of the class undefined have a rule of their own."""


@dataclass(frozen=True)
class DictionaryEntry:
    """One feature as the data dictionary tells it.

    Parameters
    ----------
    block : str
        Name of the block it is computed in.
    column : FeatureColumn
    requires : tuple of str
        Optional inputs that it needs, those of its block included.
    """

    block: str
    column: FeatureColumn
    requires: tuple[str, ...]

    @property
    def fill(self) -> str:
        """What stands in for a missing value when clusterings are fitted; empty where none can be missing."""
        if not self.column.nullable:
            return ""
        rule = self.column.undefined_rule
        if rule is not None:
            return rule.description
        if self.column.is_category and self.column.imputation == "ordinary":
            return f"the category '{UNKNOWN_CATEGORY}'"
        return _FILLS[self.column.imputation]

    @property
    def use(self) -> str:
        """Whether clusterings are offered it when `matrix.features` is auto."""
        return "clustered on by default" if self.column.is_clustering_feature else ""


@dataclass(frozen=True)
class DictionarySection:
    """The features of a block.

    Parameters
    ----------
    block : FeatureBlock
    subject : str
        What the block is about, in a sentence: the first paragraph of its file.
    entries : tuple of DictionaryEntry
    """

    block: FeatureBlock
    subject: str
    entries: tuple[DictionaryEntry, ...]


def list_sections(settings: FeatureSettings, available: Collection[str]) -> tuple[DictionarySection, ...]:
    """List what is computed, block by block.

    Parameters
    ----------
    settings : FeatureSettings
    available : collection of str
        Optional inputs that are there, as for `registry.feature_blocks`.

    Returns
    -------
    tuple of DictionarySection
        In the order the columns are stored.
    """
    return tuple(
        DictionarySection(
            block,
            _subject(block),
            tuple(
                DictionaryEntry(block.name, column, tuple(dict.fromkeys((*block.requires, *column.requires))))
                for column in block.columns
            ),
        )
        for block in feature_blocks(settings, available)
    )


def _subject(block: FeatureBlock) -> str:
    text = inspect.getdoc(inspect.getmodule(block.select)) or ""
    return " ".join(text.partition("\n\n")[0].split())
