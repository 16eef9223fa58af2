"""Second implementation of the interactions, from the features that they combine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import ratio


def expected(features: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Product and ratio of each pair."""
    return {
        name: value
        for first, second in pairs
        for name, value in (
            (f"{first}_times_{second}", _product(features[first], features[second])),
            (f"{first}_per_{second}", _ratio(features[first], features[second])),
        )
    }


def _product(first: Any, second: Any) -> float | None:
    return None if first is None or second is None else float(first) * float(second)


def _ratio(first: Any, second: Any) -> float | None:
    return None if first is None or second is None else ratio(first, second)
