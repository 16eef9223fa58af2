import pandas as pd
import pytest

from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.customers import customers_frame
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.faults import FaultPlanter
from segmentation_assets.synthetic.population import make_population

SETTINGS = SyntheticSettings(customers=20_000, outlier_share=0.0)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    population = make_population(SETTINGS, ("Apparel",))
    return customers_frame(Draws(SETTINGS.seed), population, make_calendar(SETTINGS), SETTINGS)


def test_a_few_accounts_are_staff_and_wholesale(customers: pd.DataFrame) -> None:
    shares = customers["account_type"].value_counts(normalize=True)
    assert shares["staff"] == pytest.approx(0.004, abs=0.0015)
    assert shares["wholesale"] == pytest.approx(0.005, abs=0.0015)


def test_everybody_is_18_when_registering(customers: pd.DataFrame) -> None:
    assert (customers["registered_on"].dt.year - customers["birth_year"]).min() == 19


def test_three_in_five_take_the_newsletter_from_registration_on(customers: pd.DataFrame) -> None:
    taken = customers["newsletter_since"].notna()
    assert taken.mean() == pytest.approx(0.6, abs=0.011)
    assert (customers["newsletter_since"] == customers["registered_on"])[taken].all()


def test_every_demographic_column_is_blanked_at_the_rate_set(customers: pd.DataFrame) -> None:
    blanked = FaultPlanter(Draws(7), FaultSettings(blank_fields=0.1), pd.DataFrame()).plant_customers(
        customers, "2023-09"
    )
    shares = blanked.drop(columns="newsletter_since").isna().mean()
    assert shares[shares > 0].to_dict() == pytest.approx(
        dict.fromkeys(["birth_year", "gender", "household_size", "acquisition_channel"], 0.1), abs=0.008
    )
