import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.synthetic import DriftEvent, SyntheticSettings
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.drift import app_shares, department_factors, price_factor
from segmentation_assets.synthetic.shop import Shop, generate_shop, open_business

RISE = DriftEvent(kind="price_rise", from_month="2024-01", amount=0.25)
APP = DriftEvent(kind="channel_shift", from_month="2024-01", amount=0.9)
NEW = DriftEvent(kind="new_department", from_month="2024-01", amount=0.5, department="Apparel")


def shop_with(*events: DriftEvent) -> Shop:
    return generate_shop(SyntheticSettings(customers=300, first_month="2023-11", months=4, drift=events))


def is_late(lines: pd.DataFrame) -> pd.Series:
    return lines["order_at"] >= "2024-01-01"


def test_amounts_hold_from_their_month_on_and_multiply() -> None:
    settings = SyntheticSettings(first_month="2023-11", drift=(RISE, RISE, APP, APP))
    assert [price_factor(settings, month) for month in (1, 2, 30)] == [1.0, 1.5625, 1.5625]
    assert app_shares(settings, np.array([1, 2])).tolist() == pytest.approx([0.0, 0.99])


def test_a_new_department_has_no_customers_until_its_month() -> None:
    settings = SyntheticSettings(first_month="2023-11", drift=(NEW,))
    assert department_factors(settings, ("Garden", "Apparel"), 1).tolist() == [1.0, 0.0]
    assert department_factors(settings, ("Garden", "Apparel"), 2).tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (
            [NEW.model_copy(update={"department": "Aparel"})],
            r"drift names the department 'Aparel', which the packaged "
            r"catalogue does not have; did you mean 'Apparel'\?",
        ),
        ([NEW, NEW], r"drift has two events new_department of 'Apparel'; a department is new once"),
        (
            [RISE.model_copy(update={"from_month": "2040-01"})],
            r"price_rise from 2040-01, outside of business, which "
            r"goes from 2023-11 to 2024-02",
        ),
        ([APP.model_copy(update={"from_month": "2023-10"})], r"channel_shift from 2023-10, outside of business"),
        (
            [NEW.model_copy(update={"department": name}) for name in read_catalogue().departments],
            r"the packaged catalogue has nothing on sale in the first month",
        ),
    ],
)
def test_drift_that_cannot_take_place_is_refused(events: list[DriftEvent], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SyntheticSettings(first_month="2023-11", months=4, drift=tuple(events))


def test_prices_rise_and_nothing_before_changes() -> None:
    plain, drifted = shop_with().order_lines, shop_with(RISE).order_lines
    ratio = drifted["list_price"] / plain["list_price"]
    bought_late = is_late(plain) & (plain["quantity"] > 0)
    assert ratio[bought_late].mean() == pytest.approx(1.25, abs=0.01)
    assert (ratio[~is_late(plain)] == 1).all()


def test_orders_move_to_the_app() -> None:
    lines = shop_with(APP).order_lines
    share = (lines["channel"] == "app").groupby(is_late(lines)).mean()
    assert share[False] < 0.6 < 0.85 < share[True]
    assert lines["store_id"].notna().equals(lines["channel"] == "store")


def test_a_department_is_sold_from_its_month_on() -> None:
    shop = shop_with(NEW)
    lines = shop.order_lines.merge(shop.products, on="product_id").query("department == 'Apparel'")
    assert len(lines) > 100
    assert is_late(lines).all()


def test_goods_of_a_new_department_are_delivered_from_its_month_on() -> None:
    late = NEW.model_copy(update={"from_month": "2024-05"})
    settings = SyntheticSettings(customers=20, first_month="2023-11", months=8, drift=(late,))
    made = list(open_business(settings).months())
    found = {month.month: set(month.products["department"]) for month in made if len(month.products)}
    others = set(read_catalogue().departments) - {"Apparel"}
    assert found["2023-11"] == others
    assert [month for month, departments in found.items() if "Apparel" in departments] == ["2024-05"]
    whole = pd.concat([month.products for month in made])
    assert whole["product_id"].is_unique
    assert set(read_catalogue().products.query("launched < 8")["product_id"]) == set(whole["product_id"])


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"kind": "new_department"}, "kind 'new_department' needs department"),
        ({"kind": "price_rise", "department": "Apparel"}, "kind 'price_rise' takes no department"),
        (
            {"kind": "new_department", "department": "Apparel", "amount": -0.9},
            "amount -0.9 of a new_department is a",
        ),
        ({"kind": "channel_shift", "amount": 2.0}, "amount 2.0 of a channel_shift is not a share from 0 to 1"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(event: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DriftEvent(from_month="2024-01", **event)
