"""Settings of archetypes and states, measured in what a shop of a few thousand customers sells and records."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.shop import Shop, generate_shop
from segmentation_assets.synthetic.states import TRAITS

PLAIN = {
    "share": 1.0,
    "orders_per_month": 1.2,
    "one_order_share": 0.0,
    "established_share": 0.8,
    "stays_months": 1e6,
    "lines_per_order": 3.0,
    "units": 1.0,
    "discount_probability": 0.2,
    "return_probability": 0.1,
    "settles_as": {"active": 1.0},
}
OWN = {
    "orders_per_month": 3.0,
    "lines_per_order": 6.0,
    "units": 4.0,
    "price_tilt": 3.0,
    "discount_probability": 0.5,
    "return_probability": 0.2,
    "settles_as": {"deal_seeker": 1.0},
}
"""Settings of one archetype each, which has the setting's name and is plain otherwise."""


@dataclass(frozen=True)
class Measured:
    """A shop whose customers never change, and what is measured in it by archetype."""

    shop: Shop

    @cached_property
    def months(self) -> pd.DataFrame:
        """Customers and months, with archetype and state; the first customer, who is always loyal, is left out."""
        states = self.shop.true_states.merge(self.shop.true_customers, on="customer_id")
        return states[states["customer_id"] != "C0000001"].rename(columns={"month": "month_start"})

    @cached_property
    def lines(self) -> pd.DataFrame:
        lines = self.shop.order_lines.assign(
            month_start=self.shop.order_lines["order_at"].dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
        )
        lines = lines.merge(self.months, on=["customer_id", "month_start"])
        return lines.merge(self.shop.products[["product_id", "department", "unit_price"]], on="product_id")

    @cached_property
    def settled_sales(self) -> pd.DataFrame:
        sold = self.lines[(self.lines["quantity"] > 0) & self.lines["true_state"].isin(["active", "deal_seeker"])]
        return sold.assign(
            is_november=sold["order_at"].dt.month == 11, is_cheaper=sold.eval("unit_price_x < list_price")
        )

    @cached_property
    def orders_per_month(self) -> pd.DataFrame:
        """Orders per settled customer, by month and archetype, in an ordinary month."""
        keys = ["month_start", "archetype"]
        settled = self.months[self.months["true_state"].isin(["active", "deal_seeker"])]
        orders = self.settled_sales.groupby(keys, observed=True)["order_id"].nunique()
        return (orders / settled.groupby(keys, observed=True).size()).unstack()


@pytest.fixture(scope="module")
def measured() -> Measured:
    archetypes = [PLAIN | {"name": name, name: value} for name, value in OWN.items()]
    archetypes += [
        PLAIN | {"name": "few_units", "units": 0.1, "lines_per_order": 6.0},
        PLAIN | {"name": "always", "share": 0.4, "discount_probability": 1.0, "return_probability": 1.0},
    ]
    still = dict.fromkeys(("move", "leave", "leave_dormant"), 0.0)
    settings = {
        "customers": 5_000,
        "first_month": "2023-09",
        "months": 6,
        "outlier_share": 0.0,
        "archetypes": [PLAIN | {"name": "plain"}, *archetypes],
        "transitions": still,
    }
    return Measured(generate_shop(SyntheticSettings.model_validate(settings)))


@pytest.mark.parametrize(("archetype", "expected"), [("plain", 1.2), ("orders_per_month", 3.0)])
def test_orders_come_at_the_rate_of_the_archetype_and_the_season(
    measured: Measured, archetype: str, expected: float
) -> None:
    season = [1.00, 1.10, 1.75, 1.40, 0.85, 0.80]
    rates = measured.orders_per_month[archetype] / season
    assert rates.mean() == pytest.approx(expected, rel=0.07)
    assert rates.to_numpy() == pytest.approx(np.full(6, rates.mean()), rel=0.15)


def test_deal_seekers_order_half_as_much_again_in_november(measured: Measured) -> None:
    by_month = measured.orders_per_month
    more = by_month["settles_as"] / by_month["plain"]
    assert more.loc["2023-11-01"] / more.drop(pd.Timestamp("2023-11-01")).mean() == pytest.approx(1.5, rel=0.12)


@pytest.mark.parametrize(("archetype", "expected"), [("plain", 3.0), ("lines_per_order", 6.0)])
def test_orders_have_as_many_lines_as_the_archetype_says(measured: Measured, archetype: str, expected: float) -> None:
    sold = measured.settled_sales.query("archetype == @archetype")
    assert len(sold) / sold["order_id"].nunique() == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize(("archetype", "expected"), [("plain", 1.0), ("units", 4.0), ("few_units", 0.1)])
def test_lines_have_as_many_units_beyond_the_first_as_the_archetype_says(
    measured: Measured, archetype: str, expected: float
) -> None:
    sold = measured.settled_sales.query("archetype == @archetype")
    by_customer = (sold["quantity"] - 1).groupby(sold["customer_id"]).mean()
    assert by_customer.mean() == pytest.approx(expected, rel=0.1)


def test_what_is_certain_always_happens(measured: Measured) -> None:
    sold = measured.settled_sales.query("archetype == 'always' and month_start < '2024-02-01'")
    back = measured.shop.order_lines.query("quantity < 0")["order_id"].str.replace("R", "S")
    likely = sold[sold["department"].isin(["Accessories & Footwear", "Apparel"])]
    assert (sold["unit_price_x"] < sold["list_price"]).all()
    assert likely["order_id"].isin(back).all()
    assert len(likely) > 100


@pytest.mark.parametrize(("archetype", "expected"), [("plain", 0.2), ("discount_probability", 0.5)])
def test_lines_are_discounted_as_the_archetype_says_and_more_in_november(
    measured: Measured, archetype: str, expected: float
) -> None:
    by_month = measured.settled_sales.query("archetype == @archetype").groupby("is_november")["is_cheaper"].mean()
    assert by_month[False] == pytest.approx(expected, rel=0.07)
    assert by_month[True] / by_month[False] == pytest.approx(1.4, rel=0.08)


@pytest.mark.parametrize(("archetype", "expected"), [("plain", 0.1), ("return_probability", 0.2)])
def test_lines_come_back_as_archetype_and_department_say(measured: Measured, archetype: str, expected: float) -> None:
    catalogue = read_catalogue()
    factors = dict(zip(catalogue.departments, catalogue.return_factors, strict=True))
    sold = measured.settled_sales.query("archetype == @archetype and month_start < '2024-02-01'")
    returned = measured.shop.order_lines.query("quantity < 0")["order_id"].str.replace("R", "S")
    back = returned[returned.isin(sold["order_id"])]
    assert len(back) / sold["department"].map(factors).sum() == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize(("archetype", "tilt"), [("plain", 1.0), ("price_tilt", 3.0)])
def test_a_price_tilt_moves_choices_towards_cheap_products(measured: Measured, archetype: str, tilt: float) -> None:
    models = read_catalogue().products.drop_duplicates("model")
    prices = {name: np.sort(group) for name, group in models.groupby("department")["unit_price"]}
    sold = measured.settled_sales.query("archetype == @archetype")
    ranks = [
        np.searchsorted(prices[name], group) / len(prices[name])
        for name, group in sold.groupby("department")["unit_price_y"]
    ]
    assert np.concatenate(ranks).mean() == pytest.approx(1 / (1 + tilt), abs=0.035)


def test_weekends_are_busier_than_the_start_of_the_week(measured: Measured) -> None:
    orders = measured.settled_sales.drop_duplicates("order_id")["order_at"]
    by_day = (
        orders.dt.day_of_week.value_counts()
        / pd.Series(pd.date_range("2023-09-01", "2024-02-29")).dt.day_of_week.value_counts()
    )
    assert by_day[5] / by_day[1] == pytest.approx(1.25 / 0.85, rel=0.1)
    assert by_day.sort_values().index.tolist()[-3:] == [4, 6, 5]


def test_visits_follow_orders_and_the_engagement_of_the_state(shop: Shop) -> None:
    keys = ["customer_id", "month_start"]
    frames = {"visits": shop.engagement_events.query("event_type == 'visit'").rename(columns={"event_at": "at"})}
    frames["orders"] = (
        shop.order_lines.query("quantity > 0").drop_duplicates("order_id").rename(columns={"order_at": "at"})
    )
    counts = shop.true_states.rename(columns={"month": "month_start"}).set_index(keys)
    for name, frame in frames.items():
        months = frame["at"].dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
        counts[name] = (
            frame.groupby(["customer_id", months.rename("month_start")]).size().reindex(counts.index, fill_value=0)
        )
    by_state = counts.groupby("true_state", observed=True)[["visits", "orders"]].mean()
    without_orders = by_state["visits"] - 0.8 * by_state["orders"]
    expected = {name: 0.35 * TRAITS[name].engagement for name in ("active", "vip", "slipping", "dormant", "gone")}
    assert without_orders.loc[list(expected)].to_dict() == pytest.approx(expected, rel=0.25, abs=0.01)
    assert expected["vip"] > 3 * expected["slipping"] > 9 * expected["dormant"] > 0


def test_events_begin_with_the_registration_and_clicks_follow_an_opened_mail(shop: Shop) -> None:
    events = shop.engagement_events.merge(shop.customers[["customer_id", "registered_on"]], on="customer_id")
    assert (events["event_at"] >= events["registered_on"]).all()
    clicks = events.query("event_type == 'email_click'").sort_values("event_at")
    opens = events.query("event_type == 'email_open'").assign(opened_at=lambda frame: frame["event_at"])
    pairs = pd.merge_asof(
        clicks, opens.sort_values("event_at")[["customer_id", "event_at", "opened_at"]], on="event_at", by="customer_id"
    )
    assert len(pairs) > 100
    assert (pairs["event_at"] - pairs["opened_at"]).dt.total_seconds().between(0, 600).all()


def test_mails_go_to_who_takes_the_newsletter_also_before_the_first_order(shop: Shop) -> None:
    mails = shop.engagement_events[shop.engagement_events["event_type"].isin(["email_open", "email_click"])]
    mails = mails.merge(shop.customers[["customer_id", "newsletter_since"]], on="customer_id")
    first_order = shop.order_lines.groupby("customer_id")["order_at"].min()
    assert (mails["event_at"] >= mails["newsletter_since"]).all()
    assert 0.01 < (mails["event_at"] < mails["customer_id"].map(first_order)).mean() < 0.3


def test_nobody_visits_or_calls_before_the_first_order(shop: Shop) -> None:
    events = shop.engagement_events.query("event_type in ['visit', 'service_contact']")
    newcomers = shop.customers[shop.customers["registered_on"] > "2023-09-01"]["customer_id"]
    events = events[events["customer_id"].isin(newcomers)]
    first_order = shop.order_lines.groupby("customer_id")["order_at"].min()
    assert len(events) > 500
    assert (events["event_at"] >= events["customer_id"].map(first_order)).all()


def test_stores_sell_and_take_back_in_opening_hours_and_the_web_at_night_too(shop: Shop) -> None:
    hours = shop.order_lines["order_at"].dt.hour
    by_channel = shop.order_lines["channel"].astype(str)
    assert hours[by_channel == "store"].between(8, 19).all()
    assert (hours[by_channel == "web"] >= 20).mean() > 0.15
