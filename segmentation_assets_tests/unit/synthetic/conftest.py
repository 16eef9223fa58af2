"""A small synthetic shop that the tests of this folder share."""

import pytest

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.shop import Shop, generate_shop


@pytest.fixture(scope="session")
def settings() -> SyntheticSettings:
    return SyntheticSettings(customers=1_000, first_month="2023-09", months=18, seed=7)


@pytest.fixture(scope="session")
def shop(settings: SyntheticSettings) -> Shop:
    return generate_shop(settings)
