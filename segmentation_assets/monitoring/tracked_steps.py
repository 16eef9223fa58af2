"""Which steps make a model or a clustering, and what is worth keeping of one: metrics, seed, data."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

_LAYERS = ("models", "clusters")
_CHAMPION = "gold/champion"


def is_tracked(key: str) -> bool:
    """Whether the asset is a model, a clustering, a comparison of them, or the segmentation in force.

    Examples
    --------
    >>> is_tracked("models/churn"), is_tracked("gold/champion"), is_tracked("gold/segment_profiles")
    (True, True, False)
    """
    return key.partition("/")[0] in _LAYERS or key == _CHAMPION


def metrics_of(metadata: Mapping[str, Any]) -> dict[str, float | int]:
    """Return the numbers among the figures that a step left, by name.

    Examples
    --------
    >>> metrics_of({"auc": 0.8, "n_clusters": 4, "is_small": True, "notes": ["x"], "gap": float("nan")})
    {'auc': 0.8, 'n_clusters': 4}
    """
    return {name: value for name, value in sorted(metadata.items()) if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def seed_of(parameters: Mapping[str, Any]) -> int | None:
    """Return the seed among the parameters of a step, by dotted path; ``None`` where nothing is drawn.

    Examples
    --------
    >>> seed_of({"prediction.seed": 7, "prediction.churn.algorithms.random_forest.seed": None})
    7
    """
    return next((value for name, value in parameters.items() if name.count(".") == 1 and name.endswith(".seed")), None)


def data_hash(inputs: Mapping[str, str]) -> str:
    """Return one hash, 32 hex digits, of the content hashes of all that a step read."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()[:32]
