"""The features of segmentation_assets/features a third time, in vectorised pandas, for benchmarks/features.py to time.

    frames = read_frames(connection, relations)
    features = compute_features(*frames, SETTINGS, as_of, lookback_start)

As one would write it in pandas for speed: ids and texts as categories, money as whole 1/10000, one pass of numpy or a
sort per question, no Python per customer. It shares no code with the SQL and needs every optional input. Interactions,
which are no block, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks import pandas_features_orders as orders
from benchmarks import pandas_features_people as people
from benchmarks import pandas_features_products as products_of
from benchmarks import pandas_features_returns as returns_of
from benchmarks.pandas_features_basis import MONEY_UNITS, Array, Basis, make_basis
from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.storage.engine import Connection, quote_identifier
from segmentation_assets.tables.declaration import Table

BLOCKS: tuple[Callable[[Basis], dict[str, Any]], ...] = (
    orders.rfm,
    orders.windows,
    orders.trend,
    orders.cadence,
    returns_of.returns,
    returns_of.return_habits,
    returns_of.return_mix,
    products_of.variety,
    products_of.mix,
    products_of.departments,
    products_of.fit,
    orders.basket,
    orders.discounts,
    orders.channels,
    orders.calendar,
    people.engagement,
    people.profile,
    people.lifetime,
    orders.margin,
    people.scores,
)
"""Every block in the order of the registry, as its columns by name, customers in the order of their ids."""


class Frames(NamedTuple):
    """The inputs as `compute_features` wants them: texts as categories in alphabetical order, money in 1/10000."""

    lines: pd.DataFrame
    history: pd.DataFrame
    products: pd.DataFrame
    customers: pd.DataFrame
    events: pd.DataFrame


def compute_features(
    lines: pd.DataFrame,
    history: pd.DataFrame,
    products: pd.DataFrame,
    customers: pd.DataFrame,
    events: pd.DataFrame,
    settings: FeatureSettings,
    as_of: datetime,
    lookback_start: date,
) -> pd.DataFrame:
    """Compute every feature of every block.

    Parameters
    ----------
    lines, history, products, customers, events : DataFrame
        As `read_frames` reads them.
    settings : FeatureSettings
    as_of : datetime
        Instant before which everything counts.
    lookback_start : date
        First day that counts.

    Returns
    -------
    DataFrame, shape (n_customers, n_features)
        Indexed by customer_id, in its order; columns in stored order. Money in whole 1/10000; numbers that can be null
        are float64, which holds whole ones exactly below 2**53.
    """
    basis = make_basis(lines, history, products, customers, events, settings, as_of, lookback_start)
    basis.traced = returns_of.trace_returns(basis)
    for block in BLOCKS:
        basis.features |= block(basis)
    return pd.DataFrame(basis.features, index=basis.customer_ids.rename("customer_id"))


_LINE_TEXTS = ("customer_id", "order_id", "product_id", "line_type", "channel", "country", "store_id")
_LINE_MONEY = ("amount", "unit_price", "list_price", "cost_amount", "margin_amount")
_HISTORY = ("first_order_date", "lifetime_order_count", "btyd_frequency", "btyd_recency", "btyd_T")
_HISTORY_MONEY = ("lifetime_gross_revenue_amount", "first_day_revenue_amount")
_PRODUCT_TEXTS = ("product_id", "department", "class", "child_age", "size")
_CUSTOMER_TEXTS = ("customer_id", "gender", "acquisition_channel")
_CUSTOMER_FACTS = ("registered_on", "birth_year", "household_size", "newsletter_since")


def read_frames(connection: Connection, relations: FeatureRelations) -> Frames:
    """Read the columns that features need.

    Parameters
    ----------
    connection : Connection
        One that keeps the order of rows, as `Engine` makes them: columns of texts are read one at a time.
    relations : FeatureRelations
        With every optional table.
    """
    return Frames(
        _read(connection, relations.order_lines, _LINE_TEXTS, ("order_at", "quantity"), _LINE_MONEY),
        _read(connection, relations.history, ("customer_id",), _HISTORY, _HISTORY_MONEY),
        _read(connection, str(relations.products), _PRODUCT_TEXTS),
        _read(connection, str(relations.customers), _CUSTOMER_TEXTS, _CUSTOMER_FACTS),
        _read(connection, str(relations.engagement_events), ("customer_id", "event_type"), ("event_at",)),
    )


def _read(
    connection: Connection,
    relation: str,
    texts: Sequence[str],
    others: Sequence[str] = (),
    money: Sequence[str] = (),
) -> pd.DataFrame:
    """Read texts one column at a time, so that only one of them stands in memory as texts."""
    read: dict[str, Any] = {}
    for name in texts:
        found = connection.execute(f"SELECT {quote_identifier(name)} FROM {relation}").fetchnumpy()[name]
        read[name] = _category(np.where(np.ma.getmaskarray(found), None, np.ma.getdata(found)))
    if others:
        selected = ", ".join(map(quote_identifier, (*others, *money)))
        frame = connection.execute(f"SELECT {selected} FROM {relation}").df()
        read |= {name: frame[name] for name in others} | {name: _whole(frame[name]) for name in money}
    return pd.DataFrame(read, copy=False)


def _category(texts: Array) -> pd.Categorical:
    """Number texts in alphabetical order; sorting them as an array of fixed width is several times faster."""
    codes, names = pd.factorize(texts)
    order = np.argsort(names.astype("U"))
    places = np.empty(len(order) + 1, dtype="int32")
    places[order], places[-1] = np.arange(len(order)), -1
    return pd.Categorical.from_codes(places[codes], pd.Index(names[order], dtype=object))


def _whole(money: pd.Series) -> pd.Series:
    """Money in whole 1/10000; float64 where some is null."""
    scaled = (money * MONEY_UNITS).round()
    return scaled if scaled.hasnans else scaled.astype("int64")


def find_differences(connection: Connection, relation: str, table: Table, features: pd.DataFrame) -> list[str]:
    """Compare features with those that the SQL made.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression of silver/customer_features.
    table : Table
        Its declaration.
    features : DataFrame
        What `compute_features` returned.

    Returns
    -------
    list of str
        Columns that are not the same: doubles within 1e-9 of their size (or 1e-12), all else to the bit.
    """
    columns = [column for column in table.columns if column.name != "customer_id"]
    if list(features.columns) != [column.name for column in columns]:
        return sorted({column.name for column in columns} ^ set(features.columns)) or ["order of columns"]
    keys = connection.execute(f"SELECT customer_id FROM {relation} ORDER BY customer_id").df()["customer_id"]
    if list(features.index) != list(keys):
        return ["customer_id"]
    scale = dict.fromkeys(("DECIMAL(18,2)", "DECIMAL(18,4)"), MONEY_UNITS)
    selected = ", ".join(
        f"CAST({quote_identifier(c.name)} * {scale[c.dtype]} AS BIGINT) AS {quote_identifier(c.name)}"
        if c.dtype in scale
        else quote_identifier(c.name)
        for c in columns
    )
    wanted = connection.execute(f"SELECT {selected} FROM {relation} ORDER BY customer_id").df()
    return [c.name for c in columns if not _is_same(features[c.name], wanted[c.name], is_exact=c.dtype != "DOUBLE")]


def _is_same(found: pd.Series, wanted: pd.Series, *, is_exact: bool) -> bool:
    if not np.array_equal(found.isna(), wanted.isna()):
        return False
    known = found.notna().to_numpy()
    values, others = found.to_numpy()[known], wanted.to_numpy()[known]
    return bool(np.array_equal(values, others) if is_exact else np.allclose(values, others, rtol=1e-9, atol=1e-12))
