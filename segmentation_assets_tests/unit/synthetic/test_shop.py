import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.config.settings import SyntheticSettings
from segmentation_assets.synthetic.archetypes import TRUE_SEGMENTS
from segmentation_assets.synthetic.shop import Shop, generate_shop

TABLES = ("customers", "products", "order_lines", "engagement_events", "ground_truth")


def sales(shop: Shop) -> pd.DataFrame:
    return shop.order_lines[shop.order_lines["quantity"] > 0]


def returns(shop: Shop) -> pd.DataFrame:
    return shop.order_lines[shop.order_lines["quantity"] < 0]


def keep_customers(frame: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    return frame[frame["customer_id"].isin(ids)].reset_index(drop=True)


def keep_before(frame: pd.DataFrame, instant: str, date: str) -> pd.DataFrame:
    return frame[frame[instant] < pd.Timestamp(date)].reset_index(drop=True)


@pytest.mark.parametrize("table", TABLES)
def test_same_settings_give_the_same_shop(table: str) -> None:
    settings = SyntheticSettings(customers=150, months=6)
    assert_frame_equal(getattr(generate_shop(settings), table), getattr(generate_shop(settings), table))


def test_another_seed_gives_another_shop() -> None:
    first, second = (generate_shop(SyntheticSettings(customers=150, months=6, seed=seed)) for seed in (7, 8))
    assert not first.order_lines.equals(second.order_lines)
    assert not first.customers.equals(second.customers)
    assert_frame_equal(first.products, second.products)


@pytest.mark.parametrize("table", TABLES)
def test_a_larger_shop_starts_with_the_customers_of_a_smaller_one(table: str) -> None:
    small, large = (generate_shop(SyntheticSettings(customers=n, months=8)) for n in (200, 1_500))
    expected, found = getattr(small, table), getattr(large, table)
    if table != "products":
        found = keep_customers(found, small.customers["customer_id"])
    assert_frame_equal(found, expected)


@pytest.mark.parametrize(("table", "instant"), [("order_lines", "order_at"), ("engagement_events", "event_at")])
def test_a_longer_shop_starts_with_the_months_of_a_shorter_one(table: str, instant: str) -> None:
    short, long = (generate_shop(SyntheticSettings(customers=400, months=months)) for months in (12, 18))
    assert_frame_equal(keep_before(getattr(long, table), instant, "2024-09-01"), getattr(short, table))
    assert len(getattr(long, table)) > len(getattr(short, table))


def test_a_longer_shop_keeps_who_its_ordering_customers_are() -> None:
    short, long = (generate_shop(SyntheticSettings(customers=400, months=months)) for months in (12, 18))
    ordering = short.order_lines["customer_id"].drop_duplicates()
    assert_frame_equal(keep_customers(long.customers, ordering), keep_customers(short.customers, ordering))


def test_keys_are_unique_and_point_to_known_rows(shop: Shop) -> None:
    lines = shop.order_lines
    assert shop.customers["customer_id"].is_unique
    assert not lines.duplicated(["order_id", "product_id"]).any()
    assert lines["customer_id"].isin(shop.customers["customer_id"]).all()
    assert lines["product_id"].isin(shop.products["product_id"]).all()
    assert shop.engagement_events["customer_id"].isin(shop.customers["customer_id"]).all()
    assert shop.ground_truth["customer_id"].tolist() == shop.customers["customer_id"].tolist()


def test_an_order_has_one_customer_and_one_instant(shop: Shop) -> None:
    per_order = shop.order_lines.groupby("order_id")[["customer_id", "order_at"]].nunique()
    assert (per_order == 1).all(axis=None)


def test_columns_and_types_are_those_promised(shop: Shop, settings: SyntheticSettings) -> None:
    assert list(shop.customers) == ["customer_id", "registered_on", "birth_year", "country"]
    assert list(shop.order_lines) == ["order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price"]
    assert list(shop.engagement_events) == ["customer_id", "event_at", "event_type"]
    assert list(shop.ground_truth) == ["customer_id", "true_segment"]
    assert shop.order_lines["order_at"].dtype == "datetime64[s]"
    assert shop.order_lines["quantity"].dtype == np.int64
    assert shop.customers["customer_id"].iloc[[0, -1]].tolist() == ["C0000001", f"C{settings.customers:07d}"]
    assert not any(getattr(shop, table).isna().any(axis=None) for table in TABLES)


def test_order_lines_are_sorted_by_instant_order_and_product(shop: Shop) -> None:
    expected = shop.order_lines.sort_values(["order_at", "order_id", "product_id"], ignore_index=True)
    assert_frame_equal(shop.order_lines, expected)


def test_events_are_sorted_by_instant_customer_and_type(shop: Shop) -> None:
    expected = shop.engagement_events.sort_values(["event_at", "customer_id", "event_type"], ignore_index=True)
    assert_frame_equal(shop.engagement_events, expected)


def test_prices_are_whole_cents_at_or_below_the_list_price(shop: Shop) -> None:
    listed = sales(shop)["product_id"].map(shop.products.set_index("product_id")["unit_price"])
    paid = sales(shop)["unit_price"]
    assert (paid.round(2) == paid).all()
    assert (paid <= listed).all()
    assert (paid >= 0.69 * listed).all()
    assert 0.1 < (paid < listed).mean() < 0.6


def test_returns_refer_to_an_earlier_purchase_of_that_customer_product_and_price(shop: Shop) -> None:
    bought = sales(shop).assign(purchase=lambda lines: lines["order_id"].str[1:])
    returned = returns(shop).assign(purchase=lambda lines: lines["order_id"].str[1:])
    keys = ["purchase", "customer_id", "product_id", "unit_price"]
    pairs = returned.merge(bought, on=keys, how="left", suffixes=("_back", ""), validate="one_to_one")
    days = pairs["order_at_back"].dt.normalize() - pairs["order_at"].dt.normalize()
    assert len(pairs) > 100
    assert pairs["order_id"].notna().all()
    assert (-pairs["quantity_back"] <= pairs["quantity"]).all()
    assert days.dt.days.between(2, 14).all()


def test_order_ids_tell_returns_from_purchases(shop: Shop) -> None:
    assert (sales(shop)["order_id"].str[0] == "S").all()
    assert (returns(shop)["order_id"].str[0] == "R").all()


def test_a_return_share_as_in_fashion_retail_is_reached(shop: Shop) -> None:
    assert 0.04 < len(returns(shop)) / len(sales(shop)) < 0.20


def test_every_month_and_every_last_day_of_a_month_has_orders(shop: Shop, settings: SyntheticSettings) -> None:
    days = shop.order_lines["order_at"].dt.normalize().unique()
    month_ends = pd.date_range("2023-09-01", periods=settings.months, freq="ME")
    assert set(month_ends) <= set(days)
    assert days.min() >= pd.Timestamp("2023-09-01")
    assert days.max() == month_ends[-1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_smallest_shop_has_orders_in_every_month(seed: int) -> None:
    shop = generate_shop(SyntheticSettings(customers=10, months=30, seed=seed))
    assert sales(shop)["order_at"].dt.to_period("M").nunique() == 30


def test_about_a_third_of_buyers_order_once(shop: Shop) -> None:
    orders = sales(shop).groupby("customer_id")["order_id"].nunique()
    assert 0.25 < (orders == 1).mean() < 0.42


def test_money_is_skewed(shop: Shop) -> None:
    lines = sales(shop)
    money = (lines["quantity"] * lines["unit_price"]).groupby(lines["customer_id"]).sum()
    assert money.skew() > 2
    assert 0.4 < money.nlargest(len(money) // 10).sum() / money.sum() < 0.75


def test_november_is_the_busiest_month_of_its_year(shop: Shop) -> None:
    orders = sales(shop).groupby(sales(shop)["order_at"].dt.to_period("M"))["order_id"].nunique()
    for year in (2023, 2024):
        months = orders[orders.index.year == year]
        assert months.idxmax() == pd.Period(f"{year}-11")
        assert months.max() > 1.3 * months.median()


def test_customers_register_before_they_order_and_within_business(shop: Shop) -> None:
    first = shop.order_lines.groupby("customer_id")["order_at"].min()
    registered = shop.customers.set_index("customer_id")["registered_on"]
    assert (registered.loc[first.index] <= first).all()
    assert registered.max() < pd.Timestamp("2025-03-01")
    assert (registered == registered.dt.normalize()).all()


def test_customers_are_adults_of_several_countries(shop: Shop) -> None:
    assert shop.customers["birth_year"].between(1933, 2005).all()
    assert shop.customers["country"].nunique() == 6


def test_engagement_follows_activity_at_a_modest_volume(shop: Shop) -> None:
    visits = shop.engagement_events.query("event_type == 'visit'").groupby("customer_id").size()
    orders = sales(shop).groupby("customer_id")["order_id"].nunique()
    counts = pd.concat([visits, orders], axis=1).fillna(0)
    assert counts.corr(method="spearman").iloc[0, 1] > 0.6
    assert set(shop.engagement_events["event_type"]) == {"visit", "email_open"}
    assert 0.2 * len(shop.order_lines) < len(shop.engagement_events) < 2 * len(shop.order_lines)


def test_all_main_true_segments_occur(shop: Shop) -> None:
    shares = shop.ground_truth["true_segment"].value_counts(normalize=True)
    assert set(shares.index) <= set(TRUE_SEGMENTS)
    assert (shares.drop("fading", errors="ignore") > 0.015).all()
    assert len(shares.drop("fading", errors="ignore")) == len(TRUE_SEGMENTS) - 1


def test_prospects_have_neither_orders_nor_events(shop: Shop) -> None:
    prospects = shop.ground_truth.query("true_segment == 'prospect'")["customer_id"]
    assert len(prospects) > 0
    assert keep_customers(shop.order_lines, prospects).empty
    assert keep_customers(shop.engagement_events, prospects).empty


def test_true_segments_are_recoverable_but_overlap(shop: Shop) -> None:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score
    from sklearn.preprocessing import StandardScaler

    lines = sales(shop).merge(shop.products[["product_id", "department"]], on="product_id")
    by_customer = lines.groupby("customer_id")
    features = pd.DataFrame(
        {
            "recency": np.log1p((pd.Timestamp("2025-03-01") - by_customer["order_at"].max()).dt.days),
            "orders": np.log(by_customer["order_id"].nunique()),
            "price": np.log(by_customer["unit_price"].mean()),
            "returned": (returns(shop).groupby("customer_id").size() / by_customer.size()),
        }
    ).fillna(0.0)
    features = features.loc[by_customer.size().index]
    shares = pd.crosstab(lines["customer_id"], lines["department"], normalize="index")
    matrix = StandardScaler().fit_transform(features.join(shares).to_numpy())
    found = KMeans(n_clusters=7, n_init=5, random_state=7).fit_predict(matrix)
    truth = shop.ground_truth.set_index("customer_id")["true_segment"].loc[features.index]
    assert 0.35 < adjusted_rand_score(truth, found) < 0.9
