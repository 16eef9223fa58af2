"""Planted faults are counted here anew, from the delivered rows and the same shop without faults alone."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import pandas as pd
import pytest

from segmentation_assets.config.shop_faults import REAL_RATES, FaultSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.faults import FaultPlanter
from segmentation_assets.synthetic.shop import BusinessMonth, open_business

FEES = {"POST", "DOT", "M", "C2", "D", "S", "BANK CHARGES", "AMAZONFEE", "ADJUST", "TEST001", "GIFT_0001_20"}
ODD = {"Unspecified", "European Community", "EIRE"}
BLANKED = ["birth_year", "gender", "household_size", "acquisition_channel"]
MONTHLY = {"giant_orders": 1.0, "adjustments": 1.0}
BUSINESS = open_business(SyntheticSettings(customers=1_200, first_month="2023-11", months=3, profile="fashion"))

CASES = {
    **{fault: {fault: 0.2, "redelivered": 0.5} for fault in REAL_RATES},
    "mixed_ids": {"mixed_ids": 0.3, "guests": 0.2, "redelivered": 0.5},
    "decimal_ids": {"mixed_ids": 0.3, "decimal_ids": 0.2, "redelivered": 0.5},
    "staff_notes": {"write_offs": 0.2, "staff_notes": 0.4, "duplicate_lines": 0.2},
    "blank_texts": {"write_offs": 0.2, "staff_notes": 0.2, "blank_texts": 0.4},
    "several_texts": {"several_texts": 0.2, "duplicate_lines": 0.2, "unmatched_returns": 0.2, "redelivered": 0.5},
    "giant_orders": {"giant_orders": 1.0, "mixed_ids": 1.0},
    "adjustments": {"adjustments": 1.0},
    "the preset": {"preset": "real"},
    "many at once": dict.fromkeys(REAL_RATES, 0.15) | MONTHLY,
    "all at once": dict.fromkeys(REAL_RATES, 1.0),
}


@dataclass(frozen=True)
class Delivered:
    """What a shop delivers: rows of all months, those of order lines apart from what comes again.

    `months` are those of the shop without faults, as far as they are delivered.
    """

    lines: pd.DataFrame
    again: pd.DataFrame
    customers: pd.DataFrame
    products: pd.DataFrame
    events: pd.DataFrame
    months: list[BusinessMonth]
    planted: dict[str, int]

    @property
    def last_day(self) -> pd.Timestamp:
        """Day of the last event; every day has some."""
        return self.events["event_at"].max().normalize()


@pytest.fixture(scope="module")
def months() -> list[BusinessMonth]:
    return list(BUSINESS.months())


def deliver(months: list[BusinessMonth], rates: dict[str, object]) -> Delivered:
    planter = FaultPlanter(BUSINESS.draws, FaultSettings.model_validate(rates), BUSINESS.lasting_goods, "2024-01")
    lines, customers, products, events = [], [], [], []
    months = [planter.cut_short(made) for made in months]
    for made in months:
        lines.append(planter.plant_lines(made.order_lines, made.month).assign(file=made.month))
        customers.append(planter.write_ids(planter.plant_customers(made.customers, made.month), made.month))
        products.append(planter.plant_products(made.products, made.month))
        events.append(planter.write_ids(made.engagement_events, made.month))
    whole = pd.concat(lines, ignore_index=True)
    whole["product_id"] = whole["product_id"].astype(object)
    is_own = whole["order_at"].dt.strftime("%Y-%m") == whole["file"]
    counts = planter.counts_frame().groupby("fault")["row_count"].sum()
    rest = (pd.concat(frames, ignore_index=True) for frames in (customers, products, events))
    return Delivered(whole[is_own], whole[~is_own], *rest, months=months, planted=counts.to_dict())


def of_day(lines: pd.DataFrame) -> pd.Series:
    """Order and day: what is cancelled comes back on the day of the order, a return days later."""
    return lines["order_id"] + lines["order_at"].dt.strftime(" %F")


def recount(found: Delivered, months: list[BusinessMonth]) -> dict[str, int]:
    """Rows that show each fault; of a month that is cut short those that are missing."""
    cut = sum(
        int((frame[at] >= found.last_day + pd.Timedelta(days=1)).sum())
        for made in months
        for frame, at in (
            (made.order_lines, "order_at"),
            (made.engagement_events, "event_at"),
            (made.customers, "registered_on"),
        )
    )
    months = found.months
    twin = pd.concat([made.order_lines for made in months])
    lines, order = found.lines, found.lines["order_id"]
    is_plain = order.str.fullmatch("[SR][0-9]+")
    is_back = order.str.startswith("R")
    ids = [frame["customer_id"].dropna().astype(str) for frame in (lines, found.customers, found.events)]
    known = {*BUSINESS.catalogue.products["product_id"], *FEES, "B"}
    bought_once = set(twin.loc[twin["quantity"] > 0, "order_id"].str[1:])
    cancelled = is_plain & is_back & ~of_day(lines).isin(of_day(twin)) & (lines["quantity"] < 0)
    has_sale = order.str[1:].isin(order[order.str.startswith("S")].str[1:])
    names = found.products["product_name"]
    true_names = pd.concat([made.products for made in months], ignore_index=True)["product_name"]
    true_customers = pd.concat([made.customers for made in months])[BLANKED]
    counts = {
        "unmatched_returns": order.str.startswith("RU").sum(),
        "giant_orders": (lines["quantity"].abs() >= 50_000).sum(),
        "write_offs": (order.str.startswith("W") & (lines["quantity"] < 0) & (lines["unit_price"] == 0)).sum(),
        "free_lines": (order.str.startswith("S") & (lines["unit_price"] == 0)).sum(),
        "tiny_prices": lines["unit_price"].between(0, 0.01, inclusive="neither").sum(),
        "adjustments": (order.str.startswith("A") & (lines["product_id"] == "B")).sum(),
        "guests": (is_plain & lines["customer_id"].isna()).sum(),
        "duplicate_lines": lines.duplicated().sum(),
        "redelivered": len(found.again),
        "non_product_lines": lines["product_id"].isin(FEES).sum(),
        "code_variants": (~lines["product_id"].isin(known)).sum(),
        "mixed_ids": sum(int((~text.str.startswith("C")).sum()) for text in ids),
        "decimal_ids": ids[0].str.endswith(".0").sum(),
        "odd_countries": lines["country"].isin(ODD).sum(),
        "split_times": (lines["order_at"] > lines.groupby("order_id")["order_at"].transform("min")).sum(),
        "positive_cancellations": (is_back & is_plain & (lines["quantity"] > 0)).sum(),
        "return_only_customers": (
            cancelled & ~has_sale & order.str[1:].isin(bought_once) & lines["customer_id"].notna()
        ).sum(),
        "refunded_customers": (cancelled & has_sale & lines["customer_id"].notna()).sum(),
        "blank_fields": (found.customers[BLANKED].isna() & true_customers.notna().to_numpy()).sum().sum(),
        "missing_names": names.isna().sum(),
        "padded_names": (names.str.strip() != names)[names.notna()].sum(),
        "broken_names": (names.str.strip() != true_names)[names.notna()].sum(),
        "several_texts": lines["product_name"].str.isupper().sum(),
        "staff_notes": (lines["product_name"].str.lower() == lines["product_name"]).sum(),
        "blank_texts": lines["product_name"].isna().sum(),
        "cut_last_month": cut,
    }
    return {fault: int(rows) for fault, rows in counts.items() if rows}


@pytest.mark.parametrize("case", CASES)
def test_rows_of_the_files_show_each_fault_as_often_as_the_truth_says(months: list[BusinessMonth], case: str) -> None:
    found = deliver(months, CASES[case])
    assert recount(found, months) == found.planted
    named = [name for name in CASES[case] if name != "preset"]
    assert set(found.planted) >= set(named if case != "all at once" else ["mixed_ids", "guests"])


def test_a_row_delivered_again_counts_as_that_alone(months: list[BusinessMonth]) -> None:
    once = deliver(months, {"guests": 0.2, "mixed_ids": 0.2, "decimal_ids": 0.5})
    twice = deliver(months, {"guests": 0.2, "mixed_ids": 0.2, "decimal_ids": 0.5, "redelivered": 1.0})
    assert twice.planted == once.planted | {"redelivered": len(twice.again)}
    assert twice.again["customer_id"].isna().any()


def realised(found: Delivered) -> dict[str, tuple[int, int]]:
    """Fault → what was struck, and of how many."""
    months = found.months
    lines = found.lines
    plain = lines[lines["order_id"].str.fullmatch("[SR][0-9]+")]
    unrepeated = plain[~plain.duplicated()]
    goods = unrepeated[~unrepeated["product_id"].isin(FEES)]
    sold = goods[goods["order_id"].str.startswith("S")]
    back = goods[goods["order_id"].str.startswith("R")]
    number = plain["order_id"].str[1:]
    orders = number.nunique()
    days = goods.groupby("order_id")["order_at"].agg(["size", "nunique"])
    days = days[days["size"] > 1]
    last = goods[(goods["order_at"].dt.days_in_month - goods["order_at"].dt.day < 3) & (goods["file"] != "2024-01")]
    known = BUSINESS.catalogue.products["product_id"]
    owner = number.str[-9:-2]
    numeric = plain[~plain["customer_id"].fillna("C").str.startswith("C")]
    buyers = pd.concat([made.order_lines for made in months])
    buyers = set(buyers.loc[buyers["quantity"] > 0, "order_id"].str[-9:-2])
    true_days = pd.concat([of_day(made.order_lines) for made in months])
    cancelled = set(back.loc[~of_day(back).isin(true_days), "order_id"])
    sellers = set(sold["order_id"].str[-9:-2])
    names = found.products["product_name"]
    off = lines.loc[lines["order_id"].str.startswith("W"), "product_name"]
    with_id = plain["customer_id"].notna()
    return {
        "unmatched_returns": (int(lines["order_id"].str.startswith("RU").sum()), len(sold)),
        "write_offs": (int(lines["order_id"].str.startswith("W").sum()), len(sold)),
        "free_lines": (int((sold["unit_price"] == 0).sum()), len(sold)),
        "tiny_prices": (int(sold["unit_price"].between(0, 0.01, inclusive="neither").sum()), len(sold)),
        "giant_orders": (int((lines["quantity"].abs() >= 50_000).sum() / 2), len(months)),
        "adjustments": (int((lines["product_id"] == "B").sum()), len(months)),
        "guests": (number[~with_id].nunique(), orders),
        "duplicate_lines": (int(plain.duplicated().sum()), len(goods)),
        "redelivered": (found.again["order_id"].nunique(), last["order_id"].nunique()),
        "non_product_lines": (int(unrepeated["product_id"].isin(FEES).sum()), sold["order_id"].nunique()),
        "code_variants": (int((~goods["product_id"].isin(known)).sum()), len(goods)),
        "mixed_ids": (owner[numeric.index].nunique(), owner[with_id].nunique()),
        "decimal_ids": (
            numeric.loc[numeric["customer_id"].str.endswith(".0"), "order_id"].str[1:].nunique(),
            numeric["order_id"].str[1:].nunique(),
        ),
        "odd_countries": (number[plain["country"].isin(ODD)].nunique(), orders),
        "split_times": (int((days["nunique"] > 1).sum()), len(days)),
        "positive_cancellations": (int((back["quantity"] > 0).sum()), len(back)),
        "return_only_customers": (len(buyers - sellers), len(buyers)),
        "refunded_customers": (len({order[-9:-2] for order in cancelled} & sellers), len(buyers)),
        "blank_fields": (int(found.customers[BLANKED].isna().sum().sum()), 4 * len(found.customers)),
        "missing_names": (int(names.isna().sum()), len(names)),
        "padded_names": (int((names.str.strip() != names)[names.notna()].sum()), len(names)),
        "several_texts": (int(goods["product_name"].str.isupper().sum()), len(goods)),
        "staff_notes": (int((off.str.lower() == off).sum()), len(off)),
        "blank_texts": (int(off.isna().sum()), len(off)),
        "cut_last_month": (31 - found.last_day.day, 31),
    }


WITH_OTHERS = {"broken_names", "decimal_ids", "staff_notes", "blank_texts"}
"""Faults that another one must come with, or that strike a share of what only few products have."""

RATES = {
    **{f"{fault} alone": {fault: 0.3} for fault in REAL_RATES if fault not in WITH_OTHERS},
    **{f"{fault} always": {fault: 1.0} for fault in ("giant_orders", "adjustments", "guests", "code_variants")},
    "decimal_ids alone": {"mixed_ids": 0.3, "decimal_ids": 0.3},
    "texts of write-offs alone": {"write_offs": 0.3, "staff_notes": 0.3, "blank_texts": 0.6},
    "the preset": {"preset": "real"},
    "many at once": dict.fromkeys(REAL_RATES, 0.15) | MONTHLY,
    "more at once": dict.fromkeys(REAL_RATES, 0.3) | MONTHLY | {"free_lines": 0.05, "tiny_prices": 0.05},
}


@pytest.mark.parametrize("case", RATES)
def test_each_fault_strikes_at_the_rate_that_is_set(months: list[BusinessMonth], case: str) -> None:
    settings = FaultSettings.model_validate(RATES[case])
    found = realised(deliver(months, RATES[case]))
    off = {}
    for fault, (struck, of) in found.items():
        rate = settings.rate(fault)
        error = math.sqrt(max(rate * (1 - rate), 0) * of)
        if abs(struck - rate * of) > 4 * error + 0.002 * of * rate + (fault in MONTHLY) * 2:
            off[fault] = (struck, rate * of, error)
    assert off == {}


def test_the_preset_delivers_the_share_of_rows_again_that_online_retail_has() -> None:
    business = open_business(SyntheticSettings(customers=800, months=13))
    planter = FaultPlanter(business.draws, FaultSettings(preset="real"), business.lasting_goods)
    files = [planter.plant_lines(made.order_lines, made.month) for made in business.months()]
    again = planter.counts_frame().query("fault == 'redelivered'")["row_count"].sum()
    assert again / sum(map(len, files[:-1])) == pytest.approx(22_523 / 541_909, rel=0.15)


def test_counts_are_one_row_per_month_and_fault(months: list[BusinessMonth]) -> None:
    planter = FaultPlanter(BUSINESS.draws, FaultSettings(mixed_ids=0.3), BUSINESS.lasting_goods)
    planter.plant_lines(months[0].order_lines, months[0].month)
    planter.write_ids(months[0].engagement_events, months[0].month)
    counts = Counter(fault for _, fault, _ in planter.counts)
    assert counts == {"mixed_ids": 2}
    assert len(planter.counts_frame()) == 1
