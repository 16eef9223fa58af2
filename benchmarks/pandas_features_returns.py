"""Blocks of pandas_features.py made from what comes back, each return traced to a purchase."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pandas_features_basis import (
    Array,
    Basis,
    Runs,
    capped_share,
    days_between,
    month_numbers,
    safe_div,
)

_EXCHANGE_DAYS = 14


def trace_returns(basis: Basis) -> pd.DataFrame:
    """Trace returns to the purchases that they cancel, else to the latest that they may be of and nothing cancels.

    Returns
    -------
    DataFrame
        customer, product, order (place among all order ids), order_at, line_count, unit_count and amount of the lines
        of one product returned at one instant under one order id; purchase (row in `orders`, -1 where there is none),
        bought_at, purchase_line_count, is_cancellation.
    """
    returned = _grouped(basis, basis.returns)
    returned[["unit_count", "amount"]] *= -1
    sales = basis.sales[_pairs(basis, basis.sales).isin(returned["pair"]).to_numpy()]
    bought = _grouped(basis, sales).rename(columns={"order": "purchase"})
    bought = bought.assign(order=basis.orders["order"].to_numpy()[bought["purchase"]])
    returned, bought = (_in_time(frame) for frame in (returned, bought))
    pairs = _possible_purchases(returned, bought)
    cancelled = np.full(len(returned), -1)
    for is_own in (True, False):
        is_left = pairs["is_whole"] & (pairs["is_own"] == is_own) & ~pairs["row_bought"].isin(cancelled)
        _cancel(cancelled, returned, bought, pairs[is_left])
    others = pairs[~pairs["row_bought"].isin(cancelled)]
    latest = others.groupby("row")["row_bought"].max().reindex(range(len(returned)), fill_value=-1).to_numpy()
    found = bought.reindex(np.where(cancelled >= 0, cancelled, latest))
    return returned.assign(
        purchase=found["purchase"].fillna(-1).to_numpy("int64"),
        bought_at=found["order_at"].to_numpy(),
        purchase_line_count=found["line_count"].fillna(0).to_numpy("int64"),
        is_cancellation=cancelled >= 0,
    )


def _in_time(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort what was bought or returned by customer and product, then by time and order id."""
    rows = frame.sort_values(["pair", "order_at", "order"], ignore_index=True)
    return rows.assign(row=range(len(rows)))


def _possible_purchases(returned: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    """Pair each return with the purchases at or before it: those of its own order where there are any, else all."""
    pairs = returned.merge(bought, on="pair", suffixes=("", "_bought"))
    pairs = pairs[pairs["order_at_bought"] <= pairs["order_at"]]
    is_own = pairs["order"] == pairs["order_bought"]
    is_alike = (pairs["unit_count"] == pairs["unit_count_bought"]) & (pairs["amount"] == pairs["amount_bought"])
    is_whole = is_alike & (pairs["order_at"] - pairs["order_at_bought"] < pd.Timedelta(days=1))
    pairs = pairs[["row", "row_bought"]].assign(is_own=is_own, is_whole=is_whole)
    return pairs[is_own | ~pairs["row"].isin(pairs["row"][is_own])]


def _cancel(cancelled: Array, returned: pd.DataFrame, bought: pd.DataFrame, pairs: pd.DataFrame) -> None:
    """Let each return of some pairs close the latest purchase of its kind that is open, as brackets do."""
    kind = ["pair", "unit_count", "amount", *(["order"] if pairs["is_own"].all() else [])]
    sold = bought.loc[pairs["row_bought"].unique()].assign(is_return=False, step=1)
    back = returned.loc[pairs["row"].unique()].assign(is_return=True, step=-1)
    moves = pd.concat([sold, back]).sort_values(["order_at", "is_return", "row"], ignore_index=True)
    moves["level"] = moves.groupby(kind)["step"].cumsum() + moves["is_return"]
    before = moves.groupby([*kind, "level"])[["row", "order_at"]].shift()
    closes = moves["is_return"] & (moves["order_at"] - before["order_at"] < pd.Timedelta(days=1))
    cancelled[moves["row"][closes]] = before["row"][closes]


def _pairs(basis: Basis, lines: pd.DataFrame) -> pd.Series:
    """Number the pairs of customer and product."""
    return lines["customer"].astype("int64") * len(basis.product_ids) + lines["product"]


def _grouped(basis: Basis, lines: pd.DataFrame) -> pd.DataFrame:
    """Add up the lines of one pair in one order at one instant."""
    keys = lines.assign(pair=_pairs(basis, lines)).groupby(["pair", "order", "order_at"], sort=False)
    return keys.agg(
        customer=("customer", "first"),
        product=("product", "first"),
        line_count=("quantity", "size"),
        unit_count=("quantity", "sum"),
        amount=("amount", "sum"),
    ).reset_index()


def returns(basis: Basis) -> dict[str, Any]:
    """How much comes back; whole purchases cancelled within a day left out on both sides."""
    traced, sales = basis.traced, basis.sales
    real, cancelled = traced[~traced["is_cancellation"]], traced[traced["is_cancellation"]]
    columns = {}
    for name, kept, returned, taken_back in (
        ("return_rate", None, "line_count", "purchase_line_count"),
        ("return_unit_share", sales["quantity"], "unit_count", "unit_count"),
        ("return_value_share", sales["amount"], "amount", "amount"),
    ):
        whole = basis.sum(sales["customer"], kept) - basis.sum(cancelled["customer"], cancelled[taken_back])
        columns[name] = capped_share(basis.sum(real["customer"], real[returned]), whole)
    orders = real[["customer", "order"]].drop_duplicates()
    return columns | {
        "return_order_count": basis.sum(orders["customer"]),
        "cancelled_line_count": basis.sum(cancelled["customer"], cancelled["line_count"]),
    }


def return_habits(basis: Basis) -> dict[str, Any]:
    """How soon, of which orders and in which season goods come back."""
    real = basis.traced[~basis.traced["is_cancellation"]]
    customer, lines = real["customer"].to_numpy(), real["line_count"].to_numpy()
    days = days_between(real["bought_at"].to_numpy(), real["order_at"].to_numpy())
    is_traced = ~np.isnan(days)
    is_in_peak = np.isin(month_numbers(real["order_at"].to_numpy()) % 12 + 1, basis.settings.peak_months)
    all_lines, traced_lines = basis.sum(customer, lines), basis.sum(customer, lines * is_traced)
    first_share, streak = _habits_by_order(basis)
    return {
        "days_to_return_mean": safe_div(basis.sum(customer, np.nan_to_num(days) * lines), traced_lines),
        **{f"return_share_{n}d": safe_div(basis.sum(customer, lines * (days <= n)), traced_lines) for n in (7, 30)},
        "traced_return_share": safe_div(traced_lines, all_lines),
        "first_order_return_share": first_share,
        "return_streak_order_count": streak,
        "peak_return_share": safe_div(basis.sum(customer, lines * is_in_peak), all_lines),
    }


def _habits_by_order(basis: Basis) -> tuple[Array, Array]:
    """Share of the first order that came back, and the longest run of orders of which something did."""
    found = basis.traced[basis.traced["purchase"] >= 0]
    is_cancellation = found["is_cancellation"].to_numpy()
    returned, cancelled = (
        np.bincount(found["purchase"], found["unit_count"] * chosen, len(basis.orders)).astype("int64")
        for chosen in (~is_cancellation, is_cancellation)
    )
    left = basis.orders["unit_count"].to_numpy() - cancelled
    is_kept = left > 0
    customer, left, returned = basis.orders["customer"].to_numpy()[is_kept], left[is_kept], returned[is_kept]
    people = Runs(customer)
    first = basis.spread(people.keys, capped_share(returned[people.starts], left[people.starts]))
    came_back = returned > 0
    begins = ~came_back | (np.diff(customer, prepend=-1) != 0)
    lengths = Runs(np.cumsum(begins)[came_back])
    streaks = Runs(customer[came_back][lengths.starts])
    longest = basis.spread(streaks.keys, streaks.max(lengths.sizes))
    return first, np.nan_to_num(longest).astype("int64")


def return_mix(basis: Basis) -> dict[str, Any]:
    """From how many departments goods come back, and whether something of the kind is bought instead."""
    real = basis.traced[~basis.traced["is_cancellation"]]
    department = basis.department_of[real["product"]]
    real, department = real[department >= 0], department[department >= 0]
    width = len(basis.products["department"].cat.categories)
    cells = Runs(real["customer"].to_numpy().astype("int64") * width + department)
    amount = cells.sum(real["amount"].to_numpy()).astype("float64")
    people = Runs(cells.keys // width)
    concentration = safe_div(people.sum(amount**2), people.sum(amount) ** 2)
    lines = real["line_count"].to_numpy()
    exchanged = basis.sum(real["customer"], lines * _is_exchanged(basis, real))
    return {
        "return_department_concentration": basis.spread(people.keys, concentration),
        "exchange_share_14d": safe_div(exchanged, basis.sum(real["customer"], lines)),
    }


def _is_exchanged(basis: Basis, returned: pd.DataFrame) -> Array:
    """Whether something of the class, or of the department where there is no class, is bought with it or soon after."""
    is_exchanged = np.zeros(len(returned), dtype=bool)
    has_class = basis.class_of[returned["product"]] >= 0
    sales = _kept_sales(basis)
    for kind_of, chosen in ((basis.class_of, has_class), (basis.department_of, ~has_class)):
        if not chosen.any():
            continue
        left = _kinds(basis, returned[chosen], kind_of).assign(row=np.flatnonzero(chosen))
        right = _kinds(basis, sales.rename(columns={"order": "purchase"}), kind_of)
        right = right[right["kind"].isin(left["kind"])].assign(next_at=lambda sales: sales["order_at"])
        next_one = pd.merge_asof(
            left.sort_values("order_at"),
            right[["kind", "order_at", "next_at"]].sort_values("order_at"),
            on="order_at",
            by="kind",
            direction="forward",
            allow_exact_matches=False,
        )
        days = days_between(next_one["order_at"].to_numpy(), next_one["next_at"].to_numpy())
        is_exchanged[next_one["row"]] = days <= _EXCHANGE_DAYS
        is_exchanged[_rows_exchanged_at_once(left, right)] = True
    return is_exchanged


def _rows_exchanged_at_once(left: pd.DataFrame, right: pd.DataFrame) -> pd.Series:
    """Rows of returns at whose instant something of the kind is bought that is not what they are of."""
    both = left.merge(right, on=["kind", "order_at"], suffixes=("", "_sold"))
    is_same = (both["product"] == both["product_sold"]) & (both["purchase"] == both["purchase_sold"])
    return both["row"][~is_same | (both["bought_at"] != both["order_at"])]


def _kept_sales(basis: Basis) -> pd.DataFrame:
    """Lines sold without those of cancelled purchases."""
    gone = basis.traced[basis.traced["is_cancellation"]]
    purchase = ["product", "order", "order_at"]
    cancelled = gone.drop(columns=["order", "order_at"]).rename(columns={"purchase": "order", "bought_at": "order_at"})
    is_gone = basis.sales["order"].isin(cancelled["order"]).to_numpy(copy=True)
    touched = pd.MultiIndex.from_frame(basis.sales.loc[is_gone, purchase])
    is_gone[is_gone] = touched.isin(pd.MultiIndex.from_frame(cancelled[purchase]))
    return basis.sales[~is_gone]


def _kinds(basis: Basis, lines: pd.DataFrame, kind_of: Array) -> pd.DataFrame:
    """Number the pairs of customer and kind of product; lines of unknown kind are left out."""
    kind = kind_of[lines["product"]]
    pair = lines["customer"].to_numpy().astype("int64") * (kind_of.max(initial=0) + 1) + kind
    names = [name for name in ("order_at", "product", "purchase", "bought_at") if name in lines]
    return lines[names].assign(kind=pair)[kind >= 0]
