"""Blocks of pandas_features.py made from orders and lines: how often, how much, when, where, at which price."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.pandas_features_basis import (
    MONEY_UNITS,
    Array,
    Basis,
    Runs,
    largest_parts,
    money_per,
    month_numbers,
    round_cents,
    safe_div,
)

_TREND_MONTHS = 12
_SEASONS = ("winter", "spring", "summer", "autumn")
_DAY_PARTS = ("night", "morning", "afternoon", "evening")


def rfm(basis: Basis) -> dict[str, Any]:
    """Recency, order count and money."""
    sales, orders, history = basis.sales, basis.orders, basis.history
    gross = basis.sum(sales["customer"], sales["amount"])
    net = gross + basis.sum(basis.returns["customer"], basis.returns["amount"])
    order_count = basis.sum(orders["customer"])
    last = _last_sale_at(basis)
    first_date = history["first_order_date"].to_numpy()
    tenure = basis.days_until_as_of(first_date)
    ordered = np.where(np.isnan(tenure), np.nan, history["lifetime_order_count"])
    return {
        "recency_days": _recency_days(basis, last),
        "order_count": order_count,
        "unit_count": basis.sum(sales["customer"], sales["quantity"]),
        "gross_revenue_amount": round_cents(gross),
        "returned_revenue_amount": round_cents(gross) - round_cents(net),
        "net_revenue_amount": round_cents(net),
        "average_order_value_amount": money_per(gross, order_count),
        "tenure_days": tenure,
        "lifetime_months": tenure * 16 / 487,
        "orders_per_month": np.where(tenure * 16 > 487, safe_div(ordered * 487, tenure * 16), ordered),
        "order_day_count": basis.sum(basis.order_days["customer"]),
        "first_order_date": first_date,
        "last_order_date": last.astype("datetime64[D]").astype("datetime64[us]"),
    }


def _last_sale_at(basis: Basis) -> Array:
    people = Runs(basis.orders["customer"].to_numpy())
    return basis.spread(people.keys, people.max(basis.orders["last_sale_at"].to_numpy()))


def _recency_days(basis: Basis, last: Array) -> Array:
    if basis.settings.recency == "calendar_days":
        return basis.days_until_as_of(last)
    elapsed = (basis.as_of - last) // np.timedelta64(1, "D")
    return np.where(np.isnat(last), np.nan, elapsed)


def windows(basis: Basis) -> dict[str, Any]:
    """Orders, units and money in the last days."""
    columns: dict[str, Any] = {}
    counts, grosses = {}, {}
    for days in basis.settings.windows:
        orders = basis.orders[basis.orders["last_sale_at"].to_numpy() >= basis.days_ago(days)]
        counts[days] = basis.sum(orders["customer"])
        grosses[days] = basis.sum(orders["customer"], orders["amount"])
        columns[f"order_count_{days}d"] = counts[days]
        columns[f"unit_count_{days}d"] = basis.sum(orders["customer"], orders["unit_count"])
        columns[f"net_revenue_amount_{days}d"] = round_cents(_net_since(basis, days))
        columns[f"average_order_value_amount_{days}d"] = money_per(grosses[days], counts[days])
    covered = basis.covered_days(basis.history["first_order_date"].to_numpy())
    for short, long in pairwise(basis.settings.windows):
        days, is_free = np.minimum(covered, long), (counts[long] > 0) & (grosses[long] == 0)
        for noun, values in (("order", counts), ("revenue", grosses)):
            pace = safe_div(values[short] * days, values[long] * short)
            pace = np.where(is_free, 1, pace) if noun == "revenue" else pace
            columns[f"{noun}_momentum_{short}d_{long}d"] = np.where(covered > short, pace, np.nan)
    return columns


def _net_since(basis: Basis, days: int) -> Array:
    net = np.zeros(basis.size, dtype="int64")
    for lines in (basis.sales, basis.returns):
        is_recent = lines["order_at"].to_numpy() >= basis.days_ago(days)
        net += basis.sum(lines["customer"].to_numpy()[is_recent], lines["amount"].to_numpy()[is_recent])
    return net


def trend(basis: Basis) -> dict[str, Any]:
    """Slope of net money over calendar months, and months with an order."""
    newest = int(month_numbers(basis.as_of - np.timedelta64(1, "us")))
    width = newest - int(month_numbers(basis.since)) + 1
    unfinished = newest - int(month_numbers(basis.as_of)) + 1
    most = width - unfinished - int(basis.since > basis.since.astype("datetime64[M]"))
    backs = [newest - month_numbers(lines["order_at"].to_numpy()) for lines in (basis.sales, basis.returns)]
    is_active = basis.table(basis.sales["customer"].to_numpy(), backs[0], width) > 0
    money = sum(
        basis.table(lines["customer"].to_numpy(), back, width, lines["amount"].to_numpy())
        for lines, back in zip((basis.sales, basis.returns), backs, strict=True)
    )
    first = basis.history["first_order_date"].to_numpy()
    since_first = newest - unfinished - month_numbers(first) + 1
    months = np.where(np.isnat(first), np.nan, np.minimum(since_first, max(0, min(_TREND_MONTHS, most))))
    back = np.arange(width) - unfinished
    is_counted = (back >= 0) & (back < months[:, None])
    counted = np.where(is_counted, money, 0)
    slope = 6 * ((months - 1) * counted.sum(axis=1) - 2 * (counted @ back)) / MONEY_UNITS
    return {
        "active_month_count": is_active.sum(axis=1),
        "revenue_slope_per_month": np.where(months >= 3, safe_div(slope, months * (months * months - 1)), np.nan),
        "active_month_share": safe_div((is_active & is_counted).sum(axis=1), months),
    }


def cadence(basis: Basis) -> dict[str, Any]:
    """Gaps between order days."""
    customers, days = (basis.order_days[name].to_numpy() for name in ("customer", "day"))
    is_same = customers[1:] == customers[:-1]
    customers, gaps = customers[1:][is_same], np.diff(days)[is_same]
    people = Runs(customers)
    count, total = basis.sum(customers), basis.sum(customers, gaps)
    last = basis.spread(people.keys, gaps[people.starts + people.sizes - 1])
    longest = basis.spread(people.keys, people.max(gaps))
    mean = safe_div(total, count)
    deviation = safe_div(np.sqrt(count * basis.sum(customers, gaps * gaps) - total * total), count)
    median = basis.spread(people.keys, _medians(people, customers, gaps))
    last_at = _last_sale_at(basis)
    return {
        "gap_days_mean": mean,
        "gap_days_median": median,
        "gap_days_std": deviation,
        "gap_regularity": np.where(count > 1, safe_div(mean, mean + deviation), np.nan),
        "last_gap_days": last,
        "last_gap_ratio": safe_div(last, median),
        "longest_silence_days": np.fmax(longest, basis.days_until_as_of(last_at)),
        "overdue_ratio": safe_div(_recency_days(basis, last_at) * count, total),
    }


def _medians(people: Runs, customers: Array, gaps: Array) -> Array:
    """Median of the gaps of each customer; both arrays are in the order of customers."""
    ordered = gaps[np.lexsort((gaps, customers))]
    middles = (ordered[people.starts + middle] for middle in ((people.sizes - 1) // 2, people.sizes // 2))
    return sum(middles) / 2


def basket(basis: Basis) -> dict[str, Any]:
    """How much goes into an order."""
    made, orders = basis.features, basis.orders
    sale_lines = basis.sum(basis.sales["customer"])
    people = Runs(orders["customer"].to_numpy())
    gross = basis.sum(orders["customer"], orders["amount"])
    return {
        "units_per_order": safe_div(made["unit_count"], made["order_count"]),
        "lines_per_order": safe_div(sale_lines, made["order_count"]),
        "units_per_line": safe_div(made["unit_count"], sale_lines),
        "largest_order_value_amount": basis.spread(people.keys, round_cents(people.max(orders["amount"].to_numpy()))),
        "average_unit_price_amount": money_per(gross, made["unit_count"]),
    }


def discounts(basis: Basis) -> dict[str, Any]:
    """Money saved against list prices, over lines that have one."""
    is_priced = (basis.sales["list_price"].to_numpy() > 0) & (basis.sales["unit_price"].to_numpy() > 0)
    lines = basis.sales[is_priced]
    customer, order, amount = (lines[name].to_numpy() for name in ("customer", "order", "amount"))
    listed, paid = lines["list_price"].to_numpy(), lines["unit_price"].to_numpy()
    is_deal = paid * 10_000 <= listed * round((1 - basis.settings.deal_discount) * 10_000)
    at_list_price = np.floor(_currency(amount) * _currency(listed) / _currency(paid) * MONEY_UNITS + 0.5)
    gross, line_count = basis.sum(customer, amount), basis.sum(customer)
    full = basis.sum(customer, np.where(listed > paid, at_list_price, amount))
    return {
        "discount_share": safe_div(full - gross, full),
        "discounted_line_share": safe_div(basis.sum(customer[listed > paid]), line_count),
        "deal_line_share": safe_div(basis.sum(customer[is_deal]), line_count),
        "deal_revenue_share": safe_div(basis.sum(customer[is_deal], amount[is_deal]), gross),
        "deal_order_share": safe_div(_orders_with(basis, order[is_deal]), _orders_with(basis, order)),
    }


def _currency(money: Array) -> Array:
    return money / MONEY_UNITS


def _orders_with(basis: Basis, orders: Array) -> Array:
    """Count the different orders of each customer among those of lines."""
    is_there = np.zeros(len(basis.orders), dtype=bool)
    is_there[orders] = True
    return basis.sum(basis.orders["customer"].to_numpy()[is_there])


def channels(basis: Basis) -> dict[str, Any]:
    """Where orders come from."""
    columns: dict[str, Any] = {}
    for place, column in (("channel", "channel"), ("country", "country"), ("store", "store_id")):
        codes, texts = basis.orders[column].cat.codes.to_numpy(), basis.orders[column].cat.categories
        is_known = codes >= 0
        customers, parts = basis.orders["customer"].to_numpy()[is_known], codes[is_known]
        found = largest_parts(customers, parts, np.ones(len(parts), dtype="int64"))
        main = np.full(basis.size, None, dtype=object)
        main[found["customer"]] = texts.to_numpy()[found["main"]]
        columns[f"main_{place}"] = main
        columns[f"main_{place}_share"] = basis.spread(found["customer"], safe_div(found["most"], found["total"]))
        columns[f"{place}_count"] = np.nan_to_num(basis.spread(found["customer"], found["count"].to_numpy()))
    return columns | {"channel_switch_share": _channel_switches(basis)}


def _channel_switches(basis: Basis) -> Array:
    orders = basis.orders[basis.orders["channel"].notna()]
    customers, codes = orders["customer"].to_numpy(), orders["channel"].cat.codes.to_numpy()
    is_pair = customers[1:] == customers[:-1]
    is_switch = is_pair & (codes[1:] != codes[:-1])
    return safe_div(basis.sum(customers[1:][is_switch]), basis.sum(customers[1:][is_pair]))


def calendar(basis: Basis) -> dict[str, Any]:
    """When orders are placed, by their first sale."""
    customers, at = basis.orders["customer"].to_numpy(), basis.orders["first_sale_at"].to_numpy()
    days = at.astype("datetime64[D]")
    has_time = at != days
    quarters = ((at - days) // np.timedelta64(6, "h"))[has_time]
    parts = basis.table(customers[has_time], quarters, 4)
    weekdays = basis.table(customers, (days.astype("int64") + 3) % 7, 7)
    months = basis.table(customers, month_numbers(at) % 12, 12)
    seasons = np.roll(months, 1, axis=1).reshape(basis.size, 4, 3).sum(axis=2)
    count = weekdays.sum(axis=1)
    peak = months[:, [month - 1 for month in basis.settings.peak_months]].sum(axis=1)
    return {
        **{f"{name}_order_share": safe_div(parts[:, i], parts.sum(axis=1)) for i, name in enumerate(_DAY_PARTS)},
        "weekend_order_share": safe_div(weekdays[:, 5:].sum(axis=1), count),
        "weekday_concentration": safe_div((weekdays**2).sum(axis=1), count**2),
        **{f"{name}_order_share": safe_div(seasons[:, i], count) for i, name in enumerate(_SEASONS)},
        "peak_order_share": safe_div(peak, count),
    }


def margin(basis: Basis) -> dict[str, Any]:
    """Money left after the cost of the goods, over lines of known cost."""
    totals, known_lines = np.zeros(basis.size, dtype="int64"), np.zeros(basis.size, dtype="int64")
    for lines in (basis.returns, basis.sales):
        known = lines[lines["margin_amount"].notna()]
        of_kind = basis.sum(known["customer"], known["margin_amount"])
        totals, known_lines = totals + of_kind, known_lines + basis.sum(known["customer"])
    cost = basis.sum(known["customer"], known["cost_amount"].fillna(0))
    return {
        "gross_margin_amount": np.where(known_lines > 0, round_cents(totals), np.nan),
        "gross_margin_ratio": safe_div(of_kind, of_kind + cost),
    }
