"""The truth of the shop stands in no column it delivers, and one module alone names its folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import segmentation_assets
from segmentation_assets.synthetic.shop import Shop

NAMES_THE_FOLDER = {"graph/sources.py", "orchestration/assets/source.py"}
"""Modules that may name it: what writes the truth, and the description of the asset."""


def guessed(values: pd.Series, archetypes: pd.Series) -> float:
    """Share of the customers who have the most frequent archetype of those with their value."""
    most_frequent = archetypes.groupby(values.astype(str).to_numpy()).agg(lambda some: some.value_counts().max())
    return float(most_frequent.sum()) / len(values)


@pytest.fixture(scope="module")
def known(shop: Shop) -> pd.DataFrame:
    return shop.customers.merge(shop.true_customers, on="customer_id", validate="one_to_one")


def test_only_what_writes_and_describes_the_truth_names_its_folder() -> None:
    package = Path(segmentation_assets.__file__).parent
    named = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "ground_truth" in path.read_text(encoding="utf-8")
    }
    assert named == NAMES_THE_FOLDER


def test_no_delivered_column_of_customers_holds_or_determines_the_archetype(shop: Shop, known: pd.DataFrame) -> None:
    baseline = known["archetype"].value_counts(normalize=True).max()
    columns = [name for name in shop.customers.columns if name != "customer_id" and known[name].nunique() < 100]
    found = {name: guessed(known[name], known["archetype"]) for name in columns}
    assert len(columns) > 4
    assert {name: share for name, share in found.items() if share > baseline + 0.1} == {}
    assert guessed(known["archetype"], known["archetype"]) == 1
