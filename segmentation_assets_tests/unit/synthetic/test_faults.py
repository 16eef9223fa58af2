import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.config.synthetic import REAL_RATES, FaultSettings, SyntheticSettings
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.faults import NON_PRODUCT_CODES, FaultPlanter
from segmentation_assets.synthetic.shop import Shop, generate_shop

LINE_FAULTS = (
    "unmatched_returns", "write_offs", "free_lines", "guests", "duplicate_lines", "non_product_lines", "code_variants",
)  # fmt: skip


@pytest.fixture(scope="module")
def small_shop() -> Shop:
    return generate_shop(SyntheticSettings(customers=400, first_month="2023-11", months=2))


@pytest.fixture(scope="module")
def lines(small_shop: Shop) -> pd.DataFrame:
    return small_shop.order_lines[small_shop.order_lines["order_at"] < "2023-12-01"].reset_index(drop=True)


def plant(lines: pd.DataFrame, **rates: object) -> tuple[pd.DataFrame, dict[str, int]]:
    planter = FaultPlanter(Draws(7), FaultSettings(**rates))
    planted = planter.plant_lines(lines, "2023-11")
    return planted, {fault: rows for _, fault, rows in planter.counts}


def test_nothing_is_planted_by_default(lines: pd.DataFrame) -> None:
    found, counts = plant(lines)
    assert_frame_equal(found, lines)
    assert counts == {}


def test_the_preset_names_every_fault_and_a_rate_of_ones_own_wins() -> None:
    assert set(REAL_RATES) == set(FaultSettings.model_fields) - {"preset"}
    faults = FaultSettings(preset="real", guests=0.0)
    assert (faults.rate("guests"), faults.rate("write_offs")) == (0.0, REAL_RATES["write_offs"])


@pytest.mark.parametrize("fault", LINE_FAULTS)
def test_each_fault_is_planted_alone_at_its_rate_and_counted(lines: pd.DataFrame, fault: str) -> None:
    _, counts = plant(lines, **{fault: 0.2})
    basis = lines["order_id"].nunique() if fault == "non_product_lines" else len(lines)
    expected = 0.2 / (1.5 if fault == "code_variants" else 1)
    assert set(counts) == {fault}
    assert counts[fault] / basis == pytest.approx(expected, rel=0.3)


def test_guests_are_whole_orders_without_customer(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, guests=0.2)
    assert found["customer_id"].isna().sum() == counts["guests"]
    per_order = found.groupby("order_id")["customer_id"].agg(lambda ids: ids.isna().mean())
    assert set(per_order) == {0.0, 1.0}


def test_duplicates_are_equal_rows(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, duplicate_lines=0.05)
    assert found.duplicated().sum() == counts["duplicate_lines"] == len(found) - len(lines)


def test_write_offs_are_nobodys_negative_and_free(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, write_offs=0.05)
    off = found[found["order_id"].str.startswith("W")]
    assert len(off) == counts["write_offs"] > 0
    assert (off["quantity"] < 0).all()
    assert (off["unit_price"] == 0).all()
    assert off["customer_id"].isna().all()


def test_a_giant_order_is_cancelled_twelve_minutes_later(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, giant_orders=1.0)
    giant = found[found["quantity"].abs() >= 50_000]
    assert counts == {"giant_orders": 1}
    assert giant["quantity"].sum() == 0
    assert giant["order_at"].diff().iloc[1] == pd.Timedelta(minutes=12)


def test_adjustments_and_fees_can_be_told_by_prefix_and_code(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, adjustments=1.0, non_product_lines=0.3)
    adjustment = found[found["order_id"].str.startswith("A")]
    assert len(adjustment) == counts["adjustments"] == 1
    assert adjustment["unit_price"].iloc[0] < 0
    assert found["product_id"].isin(NON_PRODUCT_CODES).sum() == counts["non_product_lines"] > 0


def test_code_variants_are_no_codes_of_the_catalogue(small_shop: Shop, lines: pd.DataFrame) -> None:
    found, counts = plant(lines, code_variants=0.3)
    unknown = found[~found["product_id"].isin(small_shop.products["product_id"])]
    assert len(unknown) == counts["code_variants"] > 0
    assert unknown["product_id"].str.strip().str.upper().str.zfill(5).str.len().min() >= 5


def test_orders_of_the_last_days_stand_again_in_the_next_file(small_shop: Shop) -> None:
    is_first = small_shop.order_lines["order_at"] < "2023-12-01"
    planter = FaultPlanter(Draws(7), FaultSettings(redelivered=0.5))
    first = planter.plant_lines(small_shop.order_lines[is_first], "2023-11")
    second = planter.plant_lines(small_shop.order_lines[~is_first], "2023-12")
    again = second[second["order_at"] < "2023-12-01"]
    assert len(again) == planter.counts[0][2] > 0
    assert (again["order_at"] >= "2023-11-28").all()
    assert first.merge(again.drop_duplicates()).shape[0] == len(again)


def test_customers_lack_fields_and_names_are_padded_and_broken(small_shop: Shop) -> None:
    planter = FaultPlanter(Draws(7), FaultSettings(blank_fields=0.1, padded_names=0.2, broken_names=1.0))
    customers = planter.plant_customers(small_shop.customers, "2023-11")
    products = planter.plant_products(small_shop.products, "2023-11")
    counts = {fault: rows for _, fault, rows in planter.counts}
    assert counts["blank_fields"] == customers.drop(columns="newsletter_since").isna().sum().sum() > 0
    assert counts["padded_names"] == (products["product_name"].str.strip() != products["product_name"]).sum() > 0
    assert counts["broken_names"] == products["product_name"].str.contains("Ã").sum() > 0


def test_planting_in_one_month_does_not_depend_on_the_others(small_shop: Shop) -> None:
    is_first = small_shop.order_lines["order_at"] < "2023-12-01"
    settings = FaultSettings(preset="real", redelivered=0.0)
    alone = FaultPlanter(Draws(7), settings).plant_lines(small_shop.order_lines[~is_first], "2023-12")
    planter = FaultPlanter(Draws(7), settings)
    planter.plant_lines(small_shop.order_lines[is_first], "2023-11")
    assert_frame_equal(planter.plant_lines(small_shop.order_lines[~is_first], "2023-12"), alone)
