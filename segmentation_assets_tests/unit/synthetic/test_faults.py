import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pydantic import ValidationError

from segmentation_assets.config.shop_faults import REAL_RATES, FaultSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.added_lines import NON_PRODUCT_CODES, cancel
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.faults import FaultPlanter
from segmentation_assets.synthetic.line_keys import with_keys
from segmentation_assets.synthetic.shop import Shop, generate_shop, open_business

LINE_FAULTS = (
    "unmatched_returns", "write_offs", "free_lines", "guests", "duplicate_lines", "non_product_lines", "code_variants",
    "odd_countries", "several_texts",
)  # fmt: skip

GOODS = open_business(SyntheticSettings()).lasting_goods
EVERY_FAULT = FaultSettings(**dict.fromkeys(REAL_RATES, 0.2))


def plant_shop(faults: FaultSettings, **settings: object) -> tuple[pd.DataFrame, dict[str, int]]:
    """Planted lines of every month, and what was planted in all of them."""
    business = open_business(SyntheticSettings(first_month="2023-11", **settings))
    planter = FaultPlanter(business.draws, faults, business.lasting_goods)
    lines = pd.concat([planter.plant_lines(month.order_lines, month.month) for month in business.months()])
    counts = pd.Series(0, index=list(REAL_RATES))
    for _, fault, rows in planter.counts:
        counts[fault] += rows
    return lines, counts.to_dict()


@pytest.fixture(scope="module")
def small_shop() -> Shop:
    return generate_shop(SyntheticSettings(customers=400, first_month="2023-11", months=2))


@pytest.fixture(scope="module")
def lines(small_shop: Shop) -> pd.DataFrame:
    return small_shop.order_lines[small_shop.order_lines["order_at"] < "2023-12-01"].reset_index(drop=True)


def plant(lines: pd.DataFrame, **rates: object) -> tuple[pd.DataFrame, dict[str, int]]:
    planter = FaultPlanter(Draws(7), FaultSettings(**rates), GOODS)
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


@pytest.mark.parametrize(
    ("fault", "needed"), [("decimal_ids", "mixed_ids"), ("staff_notes", "write_offs"), ("blank_texts", "write_offs")]
)
def test_a_fault_asked_for_that_cannot_occur_is_refused(fault: str, needed: str) -> None:
    said = f"{fault} is 0.5 and {needed} is 0, so that it cannot occur; set {needed} above 0, or leave {fault} out"
    for others in ({}, {"preset": "real", needed: 0.0}):
        with pytest.raises(ValidationError, match=said):
            FaultSettings.model_validate({fault: 0.5} | others)
    assert FaultSettings.model_validate({"preset": "real", needed: 0.0}).rate(fault) == REAL_RATES[fault]
    assert FaultSettings.model_validate({"preset": "real", fault: 0.5}).rate(needed) > 0


@pytest.mark.parametrize("fault", LINE_FAULTS)
def test_each_fault_is_planted_alone_at_its_rate_and_counted(lines: pd.DataFrame, fault: str) -> None:
    _, counts = plant(lines, **{fault: 0.2})
    basis = lines["order_id"].nunique() if fault == "non_product_lines" else len(lines)
    assert set(counts) == {fault}
    assert counts[fault] / basis == pytest.approx(0.2, rel=0.3)


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
    assert counts == {"giant_orders": 2}
    assert giant["quantity"].sum() == 0
    assert giant["order_at"].diff().iloc[1] == pd.Timedelta(minutes=12)
    first = lines["customer_id"].isin([f"C{number:07d}" for number in range(1, 11)]) & (lines["quantity"] > 0)
    assert giant["unit_price"].tolist() == [lines.loc[first, "unit_price"].min()] * 2


def test_a_cancellation_is_of_the_day_of_its_order_and_in_a_store_before_it_closes(lines: pd.DataFrame) -> None:
    hours = {"23:47:59": "web", "23:55:00": "app", "19:55:00": "store", "19:55:01": "web"}
    at = pd.to_datetime([f"2024-01-31 {hour}" for hour in hours]).as_unit("s")
    ordered = with_keys(lines.head(4)).assign(order_at=at, channel=list(hours.values()))
    found = cancel(ordered)
    assert found["order_at"].dt.strftime("%d %T").tolist() == [
        "31 23:59:59",
        "31 23:59:59",
        "31 19:59:59",
        "31 20:07:01",
    ]
    assert found["quantity"].tolist() == (-ordered["quantity"]).tolist()


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
    planter = FaultPlanter(Draws(7), FaultSettings(redelivered=0.5), GOODS)
    first = planter.plant_lines(small_shop.order_lines[is_first], "2023-11")
    second = planter.plant_lines(small_shop.order_lines[~is_first], "2023-12")
    again = second[second["order_at"] < "2023-12-01"]
    assert len(again) == planter.counts[0][2] > 0
    assert (again["order_at"] >= "2023-11-28").all()
    assert first.merge(again.drop_duplicates()).shape[0] == len(again)


def test_customers_lack_fields_and_names_are_padded_and_broken(small_shop: Shop) -> None:
    planter = FaultPlanter(Draws(7), FaultSettings(blank_fields=0.1, padded_names=0.2, broken_names=1.0), GOODS)
    customers = planter.plant_customers(small_shop.customers, "2023-11")
    products = planter.plant_products(small_shop.products, "2023-11")
    counts = {fault: rows for _, fault, rows in planter.counts}
    assert counts["blank_fields"] == customers.drop(columns="newsletter_since").isna().to_numpy().sum() > 0
    assert counts["padded_names"] == (products["product_name"].str.strip() != products["product_name"]).sum() > 0
    assert counts["broken_names"] == products["product_name"].str.contains("Ã").sum() > 0


def test_the_preset_misreads_some_names_whatever_the_seed_and_the_department() -> None:
    products = read_catalogue().products
    accented = products[~products["product_name"].map(str.isascii)]
    counts = []
    for seed in range(100):
        planter = FaultPlanter(Draws(seed), FaultSettings(preset="real"), GOODS)
        planter.plant_products(products, "2023-11")
        counts.append(dict(fault[1:] for fault in planter.counts).get("broken_names", 0))
    assert accented["department"].nunique() == 4
    assert min(counts) >= 4
    assert sum(counts) / 100 == pytest.approx(0.5 * len(accented), rel=0.1)


def test_planting_in_one_month_does_not_depend_on_the_others(small_shop: Shop) -> None:
    is_first = small_shop.order_lines["order_at"] < "2023-12-01"
    settings = FaultSettings(preset="real", redelivered=0.0)
    alone = FaultPlanter(Draws(7), settings, GOODS).plant_lines(small_shop.order_lines[~is_first], "2023-12")
    planter = FaultPlanter(Draws(7), settings, GOODS)
    planter.plant_lines(small_shop.order_lines[is_first], "2023-11")
    assert_frame_equal(planter.plant_lines(small_shop.order_lines[~is_first], "2023-12"), alone)


@pytest.mark.parametrize("seed", [1, 7, 23])
def test_unmatched_returns_were_never_bought_by_the_customer_before(seed: int) -> None:
    lines, counts = plant_shop(FaultSettings(unmatched_returns=0.3), seed=seed, customers=60, months=3)
    unmatched = lines[lines["order_id"].str.startswith("RU")]
    bought = lines.loc[lines["quantity"] > 0, ["customer_id", "product_id", "order_at"]]
    pairs = unmatched.merge(bought, on=["customer_id", "product_id"], suffixes=("", "_bought"))
    assert len(unmatched) == counts["unmatched_returns"] > 30
    assert unmatched["customer_id"].notna().all()
    assert pairs[pairs["order_at_bought"] <= pairs["order_at"]].empty


def test_stores_are_open_at_all_hours_of_their_lines_whatever_is_planted() -> None:
    lines, counts = plant_shop(
        FaultSettings(**dict.fromkeys(REAL_RATES, 0.3) | {"free_lines": 0.0}), customers=500, months=3
    )
    hours = lines["order_at"].dt.hour
    in_store = lines["channel"] == "store"
    assert hours[in_store].between(8, 19).all()
    for prefix in ("RU", "R0", "W", "S"):
        assert (in_store & lines["order_id"].str.startswith(prefix)).sum() > 100
    assert (hours[~in_store & lines["order_id"].str.startswith("RU")] >= 20).any()
    assert counts["split_times"] > 100


def test_nothing_comes_back_unbought_that_some_month_does_not_sell() -> None:
    drift = [{"kind": "new_department", "from_month": "2024-03", "department": "Apparel", "amount": 1.0}]
    business = open_business(SyntheticSettings.model_validate({"customers": 600, "months": 8, "drift": drift}))
    planter = FaultPlanter(business.draws, FaultSettings(unmatched_returns=0.5), business.lasting_goods)
    first = next(iter(business.months()))
    lines = planter.plant_lines(first.order_lines, first.month)
    back = lines[lines["order_id"].str.startswith("RU")]
    products = read_catalogue().products
    late = products[(products["department"] == "Apparel") | (products["launched"] > 0)]
    assert late["department"].nunique() == 4
    assert len(back) > 300
    assert not back["product_id"].isin(late["product_id"]).any()


def test_unmatched_returns_have_an_hour_of_their_own_and_the_price_of_their_month() -> None:
    business = open_business(SyntheticSettings(customers=150, months=8))
    planter = FaultPlanter(business.draws, FaultSettings(unmatched_returns=0.3), business.lasting_goods)
    changed = 0
    for made in business.months():
        lines = planter.plant_lines(made.order_lines, made.month)
        unmatched = lines[lines["order_id"].str.startswith("RU")]
        sold = lines[lines["quantity"] > 0]
        assert unmatched.merge(sold, on=["customer_id", "order_at"]).empty
        assert (unmatched["order_at"].dt.strftime("%Y-%m") == made.month).all()
        assert unmatched.groupby("order_id")["order_at"].nunique().max() == 1
        prices = sold.drop_duplicates("product_id").set_index("product_id")["list_price"]
        found = unmatched[unmatched["product_id"].isin(prices.index)]
        assert found["unit_price"].to_list() == prices[found["product_id"]].to_list()
        first = business.lasting_goods("2023-09").set_index("product_id")["list_price"]
        changed += (found["unit_price"].to_numpy() != first[found["product_id"]].to_numpy()).sum()
    assert changed > 0


def test_what_cost_nothing_does_not_come_back() -> None:
    faults = {"free_lines": 0.3, "tiny_prices": 0.2}
    lines, counts = plant_shop(FaultSettings(**faults), customers=400, months=3, profile="fashion")
    plain, _ = plant_shop(FaultSettings(), customers=400, months=3, profile="fashion")
    cheap = lines.loc[lines["unit_price"] < 0.01, ["order_id", "product_id"]].copy()
    cheap["order_id"] = "R" + cheap["order_id"].str[1:]
    back = lines[lines["quantity"] < 0].merge(cheap, on=["order_id", "product_id"])
    assert (len(cheap), len(back)) == (counts["free_lines"] + counts["tiny_prices"], 0)
    assert 0.35 < (lines["quantity"] < 0).sum() / (plain["quantity"] < 0).sum() < 0.65


def test_some_customers_only_return_and_others_get_all_their_money_back() -> None:
    faults = {"return_only_customers": 0.2, "refunded_customers": 0.2}
    lines, counts = plant_shop(FaultSettings(**faults), customers=300, months=3)
    amounts = (lines["unit_price"] * lines["quantity"]).groupby(lines["customer_id"]).sum().round(2)
    only_returns = lines.groupby("customer_id")["quantity"].max() < 0
    assert (amounts[only_returns] < 0).all()
    assert (amounts[~only_returns] == 0).sum() > 10 < only_returns.sum()
    assert lines["customer_id"].isin(amounts[only_returns].index).sum() == counts["return_only_customers"]


def test_a_quarter_of_the_adjustments_is_positive() -> None:
    settings = FaultSettings(adjustments=1.0)
    lines, counts = plant_shop(settings, customers=10, months=120)
    amounts = lines.loc[lines["product_id"] == "B", "unit_price"]
    assert len(amounts) == counts["adjustments"] == 120
    assert 15 < (amounts > 0).sum() < 45


def test_faults_of_the_first_customers_do_not_depend_on_the_others() -> None:
    few, _ = plant_shop(EVERY_FAULT, customers=30, months=2)
    many, _ = plant_shop(EVERY_FAULT, customers=90, months=2)
    is_first = many["order_id"].str[-9:-2].astype(int) <= 30
    columns = list(few.columns)
    assert_frame_equal(
        few.sort_values(columns, ignore_index=True), many[is_first].sort_values(columns, ignore_index=True)
    )


def test_faults_of_a_month_do_not_depend_on_the_months_after_it() -> None:
    short, _ = plant_shop(EVERY_FAULT, customers=30, months=2)
    long, _ = plant_shop(EVERY_FAULT, customers=30, months=4)
    assert_frame_equal(long.iloc[: len(short)], short)


def test_ids_that_are_numbers_are_one_customer_however_they_are_written() -> None:
    lines, counts = plant_shop(FaultSettings(mixed_ids=0.5, decimal_ids=0.5), customers=60, months=2)
    plain, _ = plant_shop(FaultSettings(), customers=60, months=2)
    texts = lines["customer_id"].astype(str)
    assert texts.str.endswith(".0").sum() == counts["decimal_ids"] > 0
    assert texts.str.startswith("1").sum() == counts["mixed_ids"] > counts["decimal_ids"]
    assert texts.str.fullmatch("C[0-9]{7}").any()
    assert texts.str.removesuffix(".0").nunique() == plain["customer_id"].nunique() < texts.nunique()


def test_odd_countries_hold_for_whole_orders(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, odd_countries=0.2)
    odd = found["country"].isin(["Unspecified", "European Community", "EIRE"])
    assert odd.sum() == counts["odd_countries"] > 0
    assert found["country"].groupby(found["order_id"]).nunique().max() == 1


def test_split_orders_carry_two_times_of_one_day(lines: pd.DataFrame) -> None:
    found, counts = plant(lines, split_times=0.3)
    times = found.groupby("order_id")["order_at"]
    assert lines.groupby("order_id")["order_at"].nunique().max() == 1
    assert (times.nunique() == 2).sum() == counts["split_times"] > 0
    assert times.agg(lambda at: at.dt.date.nunique()).max() == 1


def test_what_comes_again_holds_all_lines_of_its_orders() -> None:
    faults = FaultSettings(redelivered=0.5, non_product_lines=0.5, duplicate_lines=0.2)
    business = open_business(SyntheticSettings(first_month="2023-11", customers=200, months=2))
    planter = FaultPlanter(business.draws, faults, business.lasting_goods)
    first, second = (planter.plant_lines(month.order_lines, month.month) for month in business.months())
    again = set(first["order_id"]) & set(second["order_id"])
    earlier, later = (frame[frame["order_id"].isin(again)] for frame in (first, second))
    counted = sum(rows for _, fault, rows in planter.counts if fault == "redelivered")
    assert len(earlier) == len(later) == counted > 0
