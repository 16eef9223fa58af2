"""Blocks of pandas_features.py made from what is bought: variety, spread over departments, sizes and ages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pandas_features_basis import Array, Basis, Runs, largest_parts, safe_div


def variety(basis: Basis) -> dict[str, Any]:
    """Different products, and how many of them are bought again or new."""
    width = len(basis.product_ids)
    runs = Runs(basis.sales["customer"].to_numpy().astype("int64") * width + basis.sales["product"].to_numpy())
    at = basis.sales["order_at"].to_numpy()
    customers, first, last = runs.keys // width, runs.min(at), runs.max(at)
    since = basis.days_ago(90)
    products = basis.sum(customers)
    is_repeated = first.astype("datetime64[D]") < last.astype("datetime64[D]")
    return {
        "product_count": products,
        "repeat_product_share": safe_div(basis.sum(customers[is_repeated]), products),
        "new_product_share_90d": safe_div(basis.sum(customers[first >= since]), basis.sum(customers[last >= since])),
    }


def mix(basis: Basis) -> dict[str, Any]:
    """How money spreads over departments and classes."""
    departments, classes = _spread_over_kinds(basis)
    names = basis.products["department"].cat.categories.to_numpy()
    main = np.full(basis.size, None, dtype=object)
    main[departments["customer"]] = names[departments["main"]]
    columns: dict[str, Any] = {}
    for level, found in (("department", departments), ("class", classes)):
        columns[f"{level}_count"] = np.nan_to_num(basis.spread(found["customer"], found["count"].to_numpy()))
        columns[f"{level}_entropy"] = basis.spread(found["customer"], found["entropy"].to_numpy())
    share = safe_div(departments["most"], departments["total"])
    return columns | {"main_department": main, "main_department_share": basis.spread(departments["customer"], share)}


def _spread_over_kinds(basis: Basis) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up the money of each customer by department, and by class of a department."""
    codes = basis.products["class"].cat.codes.to_numpy()
    width = len(basis.products["class"].cat.categories) + 1
    kind = (basis.department_of * width + codes + 1)[basis.sales["product"].to_numpy()]
    sales, kind = basis.sales[kind >= 0], kind[kind >= 0]
    kinds = width * len(basis.products["department"].cat.categories)
    cells = Runs(sales["customer"].to_numpy().astype("int64") * kinds + kind)
    customer, kind, amount = cells.keys // kinds, cells.keys % kinds, cells.sum(sales["amount"].to_numpy())
    has_class = kind % width > 0
    return (
        largest_parts(customer, kind // width, amount),
        largest_parts(customer[has_class], kind[has_class], amount[has_class]),
    )


def departments(basis: Basis) -> dict[str, Any]:
    """Money, units and shares of the configured departments and classes."""
    names = basis.products["department"]
    listed = basis.settings.departments
    levels = {"department": _parts(names, listed)}
    slugs = {"department": [*map(_slug, listed), "other"]}
    for department in listed:
        classes = basis.settings.classes.get(department, ())
        if classes:
            key = f"class of {department}"
            levels[key] = np.where(names == department, _parts(basis.products["class"], classes), -1)
            slugs[key] = [f"{_slug(department)}_{slug}" for slug in (*map(_slug, classes), "other")]
    columns: dict[str, Any] = {}
    for key, part_of in levels.items():
        columns |= _sums_of_parts(basis, key.split()[0], slugs[key], part_of)
    return columns


def _parts(texts: pd.Series, listed: Sequence[str]) -> Array:
    """Place of each text in a list; all others, and nulls, have the place after the last."""
    places = pd.Index(listed).get_indexer(texts.cat.categories)
    places = np.append(np.where(places < 0, len(listed), places), len(listed))
    return places[texts.cat.codes]


def _sums_of_parts(basis: Basis, level: str, slugs: Sequence[str], part_of: Array) -> dict[str, Any]:
    part = part_of[basis.sales["product"].to_numpy()]
    is_in = part >= 0
    customer, quantity, money = (basis.sales[name].to_numpy()[is_in] for name in ("customer", "quantity", "amount"))
    amounts = basis.table(customer, part[is_in], len(slugs), money)
    units = basis.table(customer, part[is_in], len(slugs), quantity)
    gross = basis.sum(basis.orders["customer"], basis.orders["amount"])
    columns: dict[str, Any] = {}
    for place, slug in enumerate(slugs):
        columns[f"{level}_revenue_amount_{slug}"] = amounts[:, place]
        columns[f"{level}_unit_count_{slug}"] = units[:, place]
        columns[f"{level}_share_{slug}"] = safe_div(amounts[:, place], gross)
    return columns


def fit(basis: Basis) -> dict[str, Any]:
    """Units by age of child and by size."""
    customer, product, quantity = (basis.sales[name].to_numpy() for name in ("customer", "product", "quantity"))
    is_for_child = basis.products["child_age"].notna().to_numpy()[product]
    columns: dict[str, Any] = {"child_unit_count": basis.sum(customer[is_for_child], quantity[is_for_child])}
    for column, listed in (("child_age", basis.settings.child_ages), ("size", basis.settings.sizes)):
        part = _parts(basis.products[column], listed)[product]
        is_in = part < len(listed)
        units = basis.table(customer[is_in], part[is_in], len(listed), quantity[is_in])
        columns |= {f"{column}_unit_count_{_slug(value)}": units[:, place] for place, value in enumerate(listed)}
    return columns


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
