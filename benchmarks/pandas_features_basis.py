"""What the blocks of pandas_features.py share: numbered lines, orders, sums per customer, arithmetic with nulls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from segmentation_assets.config.features import FeatureSettings

MONEY_UNITS = 10_000
"""Money is in whole 1/10000 of the currency."""

Array = npt.NDArray[Any]


class Runs:
    """Rows with equal keys, side by side.

    Parameters
    ----------
    keys : int64 array, shape (n_rows,)

    Attributes
    ----------
    keys : array, shape (n_keys,)
        The different keys, ascending.
    rows : array, shape (n_rows,)
        Row numbers, those of a key side by side and in their order.
    starts, sizes : array, shape (n_keys,)
        Place in `rows` of the first of a key, and how many there are.
    """

    def __init__(self, keys: Array) -> None:
        self.rows = np.argsort(keys, kind="stable")
        ordered = keys[self.rows]
        self.starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
        self.keys = ordered[self.starts]
        self.sizes = np.diff(self.starts, append=len(keys))

    def sum(self, values: Array) -> Array:
        """Sum per key."""
        return np.add.reduceat(values[self.rows], self.starts)

    def min(self, values: Array) -> Array:
        """Smallest value per key."""
        return np.minimum.reduceat(values[self.rows], self.starts)

    def max(self, values: Array) -> Array:
        """Largest value per key."""
        return np.maximum.reduceat(values[self.rows], self.starts)


@dataclass
class Basis:
    """The lookback as numbers.

    Attributes
    ----------
    as_of, since : datetime64
        The instant before which, and the one from which on everything counts.
    customer_ids, product_ids : Index
        Id of each customer and product number, in alphabetical order.
    sales, returns : DataFrame
        Lines with `customer`, `product` and `order` as numbers; the order of a sale is its row in `orders`, the one of
        a return its place among all order ids.
    orders : DataFrame
        Customer and order with a sale, in the order in which each customer placed them.
    order_days : DataFrame
        Customer and day, counted from `since`, of every day with a sale, in that order.
    history, customers : DataFrame, shape (n_customers, ...)
        By customer number, null where there is no row.
    events : DataFrame
        Engagement events of the lookback.
    products : DataFrame, shape (n_products, ...)
        By product number, null where there is no row.
    traced : DataFrame
        Returns traced to purchases, as `trace_returns` says.
    features : dict of str to array
        What the blocks so far have made.
    """

    settings: FeatureSettings
    as_of: np.datetime64
    since: np.datetime64
    customer_ids: pd.Index
    product_ids: pd.Index
    sales: pd.DataFrame
    returns: pd.DataFrame
    orders: pd.DataFrame
    order_days: pd.DataFrame
    history: pd.DataFrame
    products: pd.DataFrame
    customers: pd.DataFrame
    events: pd.DataFrame
    traced: pd.DataFrame = field(default_factory=pd.DataFrame)
    features: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of customers."""
        return len(self.customer_ids)

    @property
    def department_of(self) -> Array:
        """Number of the department by product, in alphabetical order; -1 of unknown products."""
        return self.products["department"].cat.codes.to_numpy().astype("int64")

    @property
    def class_of(self) -> Array:
        """Number of department and class by product; -1 of unknown products and where there is no class."""
        classes = self.products["class"].cat
        both = self.department_of * len(classes.categories) + classes.codes.to_numpy()
        return np.where(classes.codes.to_numpy() >= 0, both, -1)

    def days_ago(self, days: int) -> np.datetime64:
        """Instant a number of days before as-of."""
        return self.as_of - np.timedelta64(days, "D")

    def days_until_as_of(self, instants: Array) -> Array:
        """Calendar days from instants to as-of; NaN of NaT."""
        return days_between(instants, self.as_of)

    def covered_days(self, first: Array) -> Array:
        """Calendar days from the days given, or from the beginning of the lookback, to as-of."""
        return self.days_until_as_of(np.maximum(first.astype("datetime64[us]"), self.since))

    def sum(self, customers: Array, values: Array | None = None) -> Array:
        """Sum whole numbers, or count rows, per customer; exact below 2**53."""
        return np.bincount(customers, values, self.size).astype("int64")

    def table(self, customers: Array, columns: Array, width: int, values: Array | None = None) -> Array:
        """Sum whole numbers, or count rows, per customer and column; shape (n_customers, width)."""
        cells = customers.astype("int64") * width + columns
        return np.bincount(cells, values, self.size * width).astype("int64").reshape(self.size, width)

    def spread(self, customers: Array, values: Array) -> Array:
        """Give each customer the one value it has; NaN, or NaT, to all others."""
        is_time = values.dtype.kind == "M"
        spread = np.full(self.size, "NaT" if is_time else np.nan, dtype=values.dtype if is_time else "float64")
        spread[customers] = values
        return spread


def make_basis(
    lines: pd.DataFrame,
    history: pd.DataFrame,
    products: pd.DataFrame,
    customers: pd.DataFrame,
    events: pd.DataFrame,
    settings: FeatureSettings,
    as_of: datetime,
    lookback_start: date,
) -> Basis:
    """Number what counts, and find the orders; the parameters are those of `compute_features`."""
    until, since = np.datetime64(as_of, "us"), np.datetime64(lookback_start, "us")
    counted = _counted_lines(lines, since, until)
    customer_ids = _used_categories(counted["customer_id"])
    product_ids = pd.Index(counted["product_id"].cat.categories)
    numbered = pd.DataFrame(
        {
            "customer": _numbers(counted["customer_id"], customer_ids),
            "product": counted["product_id"].cat.codes,
            "order": counted["order_id"].cat.codes,
            **{name: counted[name] for name in counted if name not in ("customer_id", "product_id", "order_id")},
        },
        copy=False,
    )
    is_sale = (counted["line_type"] == "sale").to_numpy()
    sales, orders = _sales_and_orders(numbered, np.flatnonzero(is_sale), len(counted["order_id"].cat.categories))
    happened = events["event_at"].to_numpy()
    return Basis(
        settings=settings,
        as_of=until,
        since=since,
        customer_ids=customer_ids,
        product_ids=product_ids,
        sales=sales,
        returns=numbered[~is_sale],
        orders=orders,
        order_days=_order_days(sales, since, until),
        history=_by_number(history, "customer_id", customer_ids),
        products=_by_number(products, "product_id", product_ids),
        customers=_by_number(customers, "customer_id", customer_ids),
        events=_events(events[(happened >= since) & (happened < until)], customer_ids),
    )


def _counted_lines(lines: pd.DataFrame, since: np.datetime64, until: np.datetime64) -> pd.DataFrame:
    """Sales and returns of known customers in the lookback."""
    at = lines["order_at"].to_numpy()
    is_counted = lines["line_type"].isin(["sale", "return"]).to_numpy() & (at >= since) & (at < until)
    is_counted &= lines["customer_id"].notna().to_numpy()
    return lines if is_counted.all() else lines[is_counted]


def _used_categories(values: pd.Series) -> pd.Index:
    counts = np.bincount(values.cat.codes, minlength=len(values.cat.categories))
    return pd.Index(values.cat.categories[counts > 0])


def _numbers(values: pd.Series, ids: pd.Index) -> Array:
    """Place of each value among ids; -1 of those that are not there."""
    places = np.append(ids.get_indexer(values.cat.categories), -1)
    return places.astype("int32")[values.cat.codes]


def _by_number(frame: pd.DataFrame, key: str, ids: pd.Index) -> pd.DataFrame:
    """One row for each id, null where the frame has none."""
    numbers = _numbers(frame[key], ids)
    found = frame.drop(columns=key)[numbers >= 0].set_axis(numbers[numbers >= 0])
    return found.reindex(range(len(ids)))


def _events(events: pd.DataFrame, customer_ids: pd.Index) -> pd.DataFrame:
    numbered = events.assign(customer=_numbers(events["customer_id"], customer_ids))
    return numbered[numbered["customer"] >= 0]


_PLACES = ("channel", "country", "store_id")


def _sales_and_orders(lines: pd.DataFrame, rows: Array, n_orders: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sales by customer and order, with the row of their order; orders in the order in which they were placed."""
    keys = lines["customer"].to_numpy()[rows].astype("int64") * n_orders + lines["order"].to_numpy()[rows]
    by_order = np.argsort(keys, kind="stable")
    runs, sales = Runs(keys[by_order]), lines.take(rows[by_order])
    at = sales["order_at"].to_numpy()
    orders = pd.DataFrame(
        {
            "customer": (runs.keys // n_orders).astype("int32"),
            "order": (runs.keys % n_orders).astype("int32"),
            "first_sale_at": runs.min(at),
            "last_sale_at": runs.max(at),
            "amount": runs.sum(sales["amount"].to_numpy()),
            "unit_count": runs.sum(sales["quantity"].to_numpy()),
            **{name: _first_in_alphabet(runs, sales[name]) for name in _PLACES},
        },
        copy=False,
    )
    placed = np.lexsort((orders["first_sale_at"].to_numpy(), orders["customer"].to_numpy()))
    places = np.empty(len(placed), dtype="int32")
    places[placed] = np.arange(len(placed))
    sales = sales.drop(columns=["line_type", *_PLACES]).assign(order=np.repeat(places, runs.sizes))
    return sales, orders.take(placed).reset_index(drop=True)


def _first_in_alphabet(runs: Runs, texts: pd.Series) -> pd.Categorical:
    codes = texts.cat.codes.to_numpy().astype("int32")
    none = len(texts.cat.categories)
    first = runs.min(np.where(codes < 0, none, codes))
    return pd.Categorical.from_codes(np.where(first == none, -1, first), dtype=texts.dtype)


def _order_days(sales: pd.DataFrame, since: np.datetime64, until: np.datetime64) -> pd.DataFrame:
    """Different days with a sale; most lines of an order are of one day, which saves sorting them."""
    width = (until - since) // np.timedelta64(1, "D") + 1
    days = (sales["order_at"].to_numpy() - since) // np.timedelta64(1, "D")
    keys = sales["customer"].to_numpy().astype("int64") * width + days
    different = Runs(keys[np.diff(keys, prepend=-1) != 0]).keys
    return pd.DataFrame({"customer": different // width, "day": different % width})


def days_between(earlier: Array, later: Any) -> Array:
    """Calendar days between instants, as float64; NaN where one is NaT."""
    days = later.astype("datetime64[D]") - earlier.astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype("int64"))


def month_numbers(instants: Any) -> Array:
    """Number of the calendar month; successive months have successive numbers, and January is a multiple of 12."""
    return instants.astype("datetime64[M]").astype("int64")


def safe_div(part: Any, whole: Any) -> Array:
    """Quotient; NaN where the second is NaN or 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, "float64"), np.asarray(whole, "float64"))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)


def capped_share(part: Any, whole: Any) -> Array:
    """Quotient, at most 1; NaN where the second is not above 0."""
    return np.where(np.asarray(whole) > 0, np.minimum(safe_div(part, whole), 1), np.nan)


def round_cents(amount: Array) -> Array:
    """Money rounded to the cent, halves away from zero."""
    return np.sign(amount) * ((np.abs(amount) + 50) // 100 * 100)


def money_per(amount: Array, divisor: Array) -> Array:
    """Money of 0 or more per unit, rounded to the cent, halves up; NaN per 0 and below."""
    cents = (2 * amount + 100 * divisor) // np.where(divisor > 0, 200 * divisor, 1)
    return np.where(divisor > 0, cents * 100, np.nan)


def largest_parts(customers: Array, parts: Array, amounts: Array) -> pd.DataFrame:
    """Add up amounts per customer and part, and find the largest; of several the first.

    Parameters
    ----------
    customers, parts, amounts : array, shape (n_rows,)
        Numbers of customers, and of parts, from 0.

    Returns
    -------
    DataFrame
        customer, main (number of the largest part), most (its amount), total, count (of parts), entropy (of the
        shares, in nats): a row for every customer who has a part.
    """
    width = int(parts.max(initial=0)) + 1
    cells = Runs(customers.astype("int64") * width + parts)
    amount = cells.sum(amounts)
    people = Runs(cells.keys // width)
    total = people.sum(amount)
    shares = safe_div(amount, np.repeat(total, people.sizes))
    terms = np.where(shares > 0, -shares * np.log(np.where(shares > 0, shares, 1)), 0)
    most = people.max(amount)
    largest = cells.keys[amount == np.repeat(most, people.sizes)]
    main = largest[np.diff(largest // width, prepend=-1) != 0] % width
    return pd.DataFrame(
        {
            "customer": people.keys,
            "main": main,
            "most": most,
            "total": total,
            "count": people.sizes,
            "entropy": np.where(total > 0, people.sum(terms), np.nan),
        }
    )
