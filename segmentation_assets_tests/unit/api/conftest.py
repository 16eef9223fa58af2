"""One small shop, and its model matrix, for all tests of the public functions."""

from __future__ import annotations

import pandas as pd
import pytest

from segmentation_assets.api import GeneratedShop, generate_shop, prepare_matrix


@pytest.fixture(scope="session")
def shop() -> GeneratedShop:
    """A shop of some hundred customers."""
    return generate_shop(customers=400, months=12, seed=3)


@pytest.fixture(scope="session")
def matrix(shop: GeneratedShop) -> pd.DataFrame:
    """Its model matrix."""
    return prepare_matrix(shop.features)[0]
