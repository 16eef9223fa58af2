import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.delivery import PERSONAL_COLUMNS
from segmentation_assets.synthetic.shop import Shop, generate_shop, open_business
from segmentation_assets.synthetic.states import STATES

TABLES = ("customers", "products", "order_lines", "engagement_events", "true_customers", "true_states")


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
        found = keep_customers(found, small.true_customers["customer_id"])
    assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    ("table", "instant"),
    [
        ("customers", "registered_on"),
        ("order_lines", "order_at"),
        ("engagement_events", "event_at"),
        ("true_states", "month"),
    ],
)
def test_a_longer_shop_starts_with_the_months_of_a_shorter_one(table: str, instant: str) -> None:
    short, long = (generate_shop(SyntheticSettings(customers=400, months=months)) for months in (12, 18))
    assert_frame_equal(keep_before(getattr(long, table), instant, "2024-09-01"), getattr(short, table))
    assert len(getattr(long, table)) > len(getattr(short, table))


def test_a_longer_shop_knows_the_same_customers_and_starts_with_the_same_products() -> None:
    short, long = (generate_shop(SyntheticSettings(customers=400, months=months)) for months in (6, 12))
    assert_frame_equal(long.true_customers, short.true_customers)
    assert_frame_equal(long.products.head(len(short.products)), short.products)
    assert len(long.products) > len(short.products)


def test_personal_data_change_nothing_else() -> None:
    without, with_it = (
        generate_shop(SyntheticSettings(customers=150, months=4, personal_data=personal)) for personal in (False, True)
    )
    assert_frame_equal(with_it.customers[list(without.customers)], without.customers)
    assert set(with_it.customers) - set(without.customers) == set(PERSONAL_COLUMNS)
    for table in TABLES[1:]:
        assert_frame_equal(getattr(with_it, table), getattr(without, table))


def test_some_customers_have_an_account_and_no_order_yet(shop: Shop) -> None:
    has_ordered = shop.customers["customer_id"].isin(shop.order_lines["customer_id"])
    assert 0.01 < 1 - has_ordered.mean() < 0.3


def test_keys_are_unique_and_point_to_known_rows(shop: Shop) -> None:
    lines = shop.order_lines
    assert shop.customers["customer_id"].is_unique
    assert not lines.duplicated(["order_id", "product_id"]).any()
    assert lines["customer_id"].isin(shop.customers["customer_id"]).all()
    assert lines["product_id"].isin(shop.products["product_id"]).all()
    assert shop.engagement_events["customer_id"].isin(shop.customers["customer_id"]).all()
    assert set(shop.customers["customer_id"]) < set(shop.true_customers["customer_id"])
    assert not shop.true_states.duplicated(["customer_id", "month"]).any()
    assert len(shop.true_states) == len(shop.true_customers) * 18


def test_an_order_has_one_customer_and_one_instant(shop: Shop) -> None:
    per_order = shop.order_lines.groupby("order_id")[["customer_id", "order_at"]].nunique()
    assert (per_order == 1).all(axis=None)


def test_columns_and_types_are_those_promised(shop: Shop, settings: SyntheticSettings) -> None:
    assert list(shop.order_lines) == [
        "order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price", "country", "channel", "store_id",
        "brand", "list_price", "cost_price", "currency", "product_name",
    ]  # fmt: skip
    assert list(shop.engagement_events) == ["customer_id", "event_at", "event_type"]
    assert list(shop.true_customers) == ["customer_id", "archetype", "outlier"]
    assert list(shop.true_states) == ["customer_id", "month", "true_state"]
    assert shop.order_lines["order_at"].dtype == "datetime64[s]"
    assert shop.order_lines["quantity"].dtype == np.int64
    assert shop.true_customers["customer_id"].iloc[[0, -1]].tolist() == ["C0000001", f"C{settings.customers:07d}"]
    missing = {
        column for table in TABLES for column in getattr(shop, table) if getattr(shop, table)[column].isna().any()
    }
    assert missing == {"newsletter_since", "store_id", "size", "child_age", "outlier"}


def test_order_lines_are_sorted_by_instant_order_and_product(shop: Shop) -> None:
    expected = shop.order_lines.sort_values(["order_at", "order_id", "product_id"], ignore_index=True)
    assert_frame_equal(shop.order_lines, expected)


def test_events_are_sorted_by_instant_customer_and_type(shop: Shop) -> None:
    expected = shop.engagement_events.sort_values(["event_at", "customer_id", "event_type"], ignore_index=True)
    assert_frame_equal(shop.engagement_events, expected)


def test_prices_are_whole_cents_at_or_below_the_list_price(shop: Shop) -> None:
    lines = sales(shop)
    assert (lines["unit_price"].round(2) == lines["unit_price"]).all()
    assert (lines["unit_price"] <= lines["list_price"]).all()
    assert (lines["unit_price"] >= 0.69 * lines["list_price"]).all()
    assert 0.1 < (lines["unit_price"] < lines["list_price"]).mean() < 0.6
    assert (lines["cost_price"] < lines["list_price"]).mean() > 0.99


def test_goods_cost_the_share_of_their_first_price_that_the_department_says(shop: Shop) -> None:
    catalogue = read_catalogue()
    shares = dict(zip(catalogue.departments, catalogue.cost_shares, strict=True))
    costs = shop.order_lines.groupby("product_id", observed=True)["cost_price"].agg(["min", "max"])
    products = shop.products.set_index("product_id").loc[costs.index]
    expected = (products["unit_price"] * products["department"].map(shares)).to_numpy()
    assert len(shares) == products["department"].nunique() == 4
    assert costs.to_numpy() == pytest.approx(np.column_stack([expected, expected]), abs=0.006)


def test_list_prices_change_between_months_but_not_within_one(shop: Shop) -> None:
    lines = sales(shop).assign(month=lambda frame: frame["order_at"].dt.to_period("M"))
    assert (lines.groupby(["product_id", "month"], observed=True)["list_price"].nunique() == 1).all()
    assert 1.5 < lines.groupby("product_id", observed=True)["list_price"].nunique().median() < 5


def test_new_products_sell_from_their_launch_on(shop: Shop) -> None:
    new = shop.products[shop.products["launched"] > 0].set_index("product_id")
    first = sales(shop).groupby("product_id", observed=True)["order_at"].min().dt.to_period("M")
    launches = pd.Period("2023-09") + new["launched"].astype(int)
    assert len(new) > 5
    assert (first.loc[[product for product in new.index if product in first.index]] >= launches).all()


def test_a_customer_keeps_one_size_and_one_store(shop: Shop) -> None:
    lines = sales(shop).merge(shop.products[["product_id", "class", "size"]], on="product_id")
    assert (lines[lines["class"] == "Women"].groupby("customer_id")["size"].nunique() <= 1).all()
    assert (lines.groupby("customer_id")["store_id"].nunique() <= 1).all()
    assert (lines["store_id"].notna() == (lines["channel"] == "store")).all()
    assert lines["channel"].value_counts(normalize=True).between(0.1, 0.6).all()


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


def test_what_comes_back_of_several_units_is_mostly_a_part_of_them(shop: Shop) -> None:
    bought = sales(shop)[["order_id", "product_id", "quantity"]]
    returned = returns(shop).assign(order_id=lambda lines: "S" + lines["order_id"].str[1:])
    pairs = returned.merge(bought, on=["order_id", "product_id"], suffixes=("_back", ""))
    several = pairs[pairs["quantity"] > 1]
    assert (-several["quantity_back"] < several["quantity"]).mean() > 0.4
    assert len(several) / len(pairs) > 1.2 * (bought["quantity"] > 1).mean()


def test_order_ids_tell_returns_from_purchases(shop: Shop) -> None:
    assert (sales(shop)["order_id"].str[0] == "S").all()
    assert (returns(shop)["order_id"].str[0] == "R").all()


def test_few_lines_come_back(shop: Shop) -> None:
    assert 0.015 < len(returns(shop)) / len(sales(shop)) < 0.06


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
    assert 0.25 < (orders == 1).mean() < 0.40


def test_money_is_skewed(shop: Shop) -> None:
    lines = sales(shop)
    money = (lines["quantity"] * lines["unit_price"]).groupby(lines["customer_id"]).sum()
    assert money.skew() > 2
    assert 0.5 < money.nlargest(len(money) // 10).sum() / money.sum() < 0.72


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


def test_customers_register_in_the_shares_that_the_setting_tells() -> None:
    settings = SyntheticSettings(customers=20_000, months=36)
    customers, months = open_business(settings)._all_customers
    shares = [(months < n).mean() for n in (12, 24, 36)]
    assert len(customers) == settings.customers
    assert shares == pytest.approx([0.83, 0.94, 0.98], abs=0.01)
    assert "83 % of them have registered after 12 months, 94 % after 24 and 98 % after 36" in str(
        SyntheticSettings.model_fields["customers"].description
    )


def test_customers_are_adults_of_several_countries(shop: Shop) -> None:
    assert shop.customers["birth_year"].between(1933, 2005).all()
    assert shop.customers["country"].nunique() == 6


def test_engagement_follows_activity_at_a_modest_volume(shop: Shop) -> None:
    visits = shop.engagement_events.query("event_type == 'visit'").groupby("customer_id").size()
    orders = sales(shop).groupby("customer_id")["order_id"].nunique()
    counts = pd.concat([visits, orders], axis=1).fillna(0)
    assert counts.corr(method="spearman").iloc[0, 1] > 0.6
    assert 0.1 * len(shop.order_lines) < len(shop.engagement_events) < 2 * len(shop.order_lines)


def test_some_opened_mails_are_clicked_and_few_customers_call(shop: Shop) -> None:
    counts = shop.engagement_events["event_type"].value_counts()
    assert set(counts.index) == {"visit", "email_open", "email_click", "service_contact"}
    assert counts["email_click"] / counts["email_open"] == pytest.approx(0.22, abs=0.03)
    assert counts["service_contact"] < 0.15 * counts["visit"]


def test_every_state_occurs_and_customers_move(shop: Shop) -> None:
    states = shop.true_states
    assert set(states["true_state"]) == set(STATES)
    last = states[states["month"] == "2025-02-01"]["true_state"].value_counts(normalize=True)
    assert (last.drop(["reactivated", "new"]) > 0.01).all()
    per_customer = states.groupby("customer_id")["true_state"].nunique()
    assert (per_customer >= 3).mean() > 0.5


def test_the_gone_never_order_and_prospects_do_nothing(shop: Shop) -> None:
    month = sales(shop)["order_at"].dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
    ordering = sales(shop).assign(month=month).merge(shop.true_states, on=["customer_id", "month"])
    assert len(ordering) == len(sales(shop))
    assert not ordering["true_state"].isin(["gone", "dormant", "prospect"]).any()
    month = shop.engagement_events["event_at"].dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
    events = shop.engagement_events.assign(month=month).merge(shop.true_states, on=["customer_id", "month"])
    mails = events["event_type"].isin(["email_open", "email_click"])
    assert not (events["true_state"][~mails] == "prospect").any()


def test_states_shape_behaviour(shop: Shop) -> None:
    month = shop.order_lines["order_at"].dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
    lines = shop.order_lines.assign(month=month).merge(shop.true_states, on=["customer_id", "month"])
    sold = lines[lines["quantity"] > 0].groupby("true_state", observed=True)
    months = shop.true_states["true_state"].value_counts()
    orders = sold["order_id"].nunique() / months
    assert orders["vip"] > 1.5 * orders["loyal"] > 1.5 * orders["active"] > orders["slipping"]
    discounted = (lines["unit_price"] < lines["list_price"]).groupby(lines["true_state"], observed=True).mean()
    assert discounted["deal_seeker"] > 2 * discounted["active"]
    back = lines[lines["quantity"] < 0].groupby("true_state", observed=True).size() / sold.size()
    assert back["returner"] > 3 * back["loyal"]


def test_planted_bulk_buyers_buy_many_units() -> None:
    shop = generate_shop(SyntheticSettings(customers=500, months=6, outlier_share=0.05))
    is_bulk = sales(shop)["customer_id"].map(shop.true_customers.set_index("customer_id")["outlier"]).notna()
    assert 0 < is_bulk.mean() < 0.2
    assert sales(shop)["quantity"][is_bulk].mean() > 4 * sales(shop)["quantity"][~is_bulk].mean()


def sold_departments(**settings: object) -> pd.DataFrame:
    """Sold lines with department and launch of their products, of customers who prefer only what is told."""
    archetypes = [
        {"name": "picky", "share": 1, "orders_per_month": 1, "settles_as": {"active": 1}, **settings.pop("habits", {})}
    ]
    shop = generate_shop(
        SyntheticSettings.model_validate({"customers": 300, "months": 4, "archetypes": archetypes, **settings})
    )
    lines = sales(shop).merge(shop.products, on="product_id", how="left")
    return lines.assign(month=lines["order_at"].dt.strftime("%Y-%m"))


DEPARTMENTS = ("Accessories & Footwear", "Health & Wellness", "Home & Lifestyle", "Apparel")


@pytest.mark.parametrize("wanted", DEPARTMENTS)
def test_who_prefers_one_department_buys_nothing_else_and_nothing_before_it_is_new(wanted: str) -> None:
    lines = sold_departments(
        habits={"departments": {name: float(name == wanted) for name in DEPARTMENTS}},
        drift=[{"kind": "new_department", "from_month": "2023-11", "department": wanted, "amount": 0.1}],
    )
    assert set(lines["department"]) == {wanted}
    assert set(lines["month"]) == {"2023-11", "2023-12"}


@pytest.mark.parametrize("unwanted", DEPARTMENTS)
def test_a_department_of_no_preference_is_never_bought(unwanted: str) -> None:
    lines = sold_departments(habits={"departments": {unwanted: 0.0}})
    assert set(lines["department"]) == set(DEPARTMENTS) - {unwanted}


def test_who_can_buy_nothing_places_no_order_and_leaves_no_trace_of_one() -> None:
    nothing = {"departments": {name: float(name == "Apparel") for name in DEPARTMENTS}}
    archetypes = [{"name": "x", "share": 1, "orders_per_month": 3, "settles_as": {"vip": 1}, **nothing}]
    drift = [{"kind": "new_department", "from_month": "2023-10", "department": "Apparel", "amount": 1.0}]
    made = generate_shop(
        SyntheticSettings.model_validate({"customers": 400, "months": 2, "archetypes": archetypes, "drift": drift})
    )
    visits = made.engagement_events.query("event_type == 'visit'")["event_at"].dt.month.value_counts()
    assert made.order_lines["order_at"].min() >= pd.Timestamp("2023-10-01")
    assert visits[10] > 2 * visits[9] > 0


def test_no_delivered_column_gives_the_planted_outliers_away() -> None:
    shop = generate_shop(SyntheticSettings(customers=2_000, months=2, outlier_share=0.05))
    is_outlier = shop.true_customers.set_index("customer_id")["outlier"].notna()
    customers = shop.customers.set_index("customer_id")
    for column in ("account_type", "gender", "household_size", "acquisition_channel", "country"):
        by_value = is_outlier.groupby(customers[column], observed=True).mean()
        assert by_value.max() < 0.9
        assert customers.loc[is_outlier, column].nunique() > 1


def test_true_states_are_recoverable_but_overlap(shop: Shop) -> None:
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
        }
    )
    shares = pd.crosstab(lines["customer_id"], lines["department"], normalize="index")
    matrix = StandardScaler().fit_transform(features.join(shares).to_numpy())
    found = KMeans(n_clusters=6, n_init=5, random_state=7).fit_predict(matrix)
    truth = shop.true_customers.set_index("customer_id")["archetype"].loc[features.index]
    assert 0.25 < adjusted_rand_score(truth, found) < 0.9
