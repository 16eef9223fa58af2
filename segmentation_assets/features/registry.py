"""The registry of feature blocks, and what follows from it: the declared table and the one query that fills it.

A new block is one file in `blocks/` and one line in `BLOCKS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.blocks import (
    basket,
    cadence,
    calendar,
    channels,
    departments,
    discounts,
    engagement,
    fit,
    lifetime,
    margin,
    mix,
    profile,
    return_habits,
    return_mix,
    returns,
    rfm,
    scores,
    trend,
    variety,
    windows,
)
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, closed_over
from segmentation_assets.features.interactions import interactions_block
from segmentation_assets.features.macros import create_macros_sql
from segmentation_assets.features.relations import FeatureRelations, shared_relations
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.declaration import Table

BLOCKS: tuple[Callable[[FeatureSettings], FeatureBlock], ...] = (
    rfm.block,
    windows.block,
    trend.block,
    cadence.block,
    returns.block,
    return_habits.block,
    return_mix.block,
    variety.block,
    mix.block,
    departments.block,
    fit.block,
    basket.block,
    discounts.block,
    channels.block,
    calendar.block,
    engagement.block,
    profile.block,
    lifetime.block,
    margin.block,
    scores.block,
)
"""Every block, in the order its columns are stored; of two redundant columns the earlier one is clustered on."""

CUSTOMER_ID = FeatureColumn(
    name="customer_id",
    dtype="VARCHAR",
    meaning="Customer as the shop writes it.",
    imputation="exempt",
    reads=("order_lines.customer_id",),
)


BASIC = (
    "recency_days",
    "order_count",
    "net_revenue_amount",
    "average_order_value_amount",
    "orders_per_month",
    "lifetime_months",
    "return_rate",
)
"""What `features.set: basic` keeps, beside what interactions are made from."""

_BASIC_REASON = "features.set is basic"


def feature_blocks(settings: FeatureSettings, available: Collection[str]) -> tuple[FeatureBlock, ...]:
    """List the blocks that are stored.

    Parameters
    ----------
    settings : FeatureSettings
    available : collection of str
        Optional inputs that are there: tables such as ``products``, and columns such as ``order_lines.channel``.

    Returns
    -------
    tuple of FeatureBlock
        In registry order, each with the columns that can be computed and are asked for; the interactions last.

    Raises
    ------
    SettingsError
        Two things listed in the settings would have columns of the same name.
    """
    *blocks, interactions = _possible_blocks(settings, available)
    if settings.set == "basic":
        columns = [column for block in (*blocks, interactions) for column in block.columns]
        sources = {column.name: column.undefined_rule.sources for column in columns if column.undefined_rule}
        kept = closed_over({*BASIC, *interactions.derives_from}, sources)
        blocks = [_with_columns(block, lambda column: column.name in kept) for block in blocks]
    return tuple(block for block in (*blocks, interactions) if block.columns)


def absent_features(settings: FeatureSettings, available: Collection[str]) -> dict[str, str]:
    """Say which blocks and which columns of the other blocks are left out, and why.

    Returns
    -------
    dict of str to str
        Name of the block or column to the reason, in registry order.
    """
    reasons: dict[str, str] = {}
    for block in _all_blocks(settings):
        columns = {column.name: _lacking(column.requires, available) for column in block.columns}
        whole = _whole_reason(block, available)
        reasons |= columns if not whole and not all(columns.values()) else {block.name: whole or min(columns.values())}
    return {name: reason for name, reason in reasons.items() if reason}


def left_out_columns(settings: FeatureSettings, available: Collection[str]) -> dict[str, str]:
    """Say of every column that is not stored why it is left out.

    Returns
    -------
    dict of str to str
        Name of the column to the reason, in registry order.
    """
    stored = features_table(settings, available).column_names
    impossible = _impossible_columns(settings, available)
    names = (column.name for block in _all_blocks(settings) for column in block.columns)
    return {name: impossible.get(name, _BASIC_REASON) for name in names if name not in stored}


def _impossible_columns(settings: FeatureSettings, available: Collection[str]) -> dict[str, str]:
    """Say of every column that cannot be computed why not."""
    reasons = {
        column.name: _whole_reason(block, available) or _lacking(column.requires, available)
        for block in _all_blocks(settings)
        for column in block.columns
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _whole_reason(block: FeatureBlock, available: Collection[str]) -> str:
    """Say why the whole block is left out; empty where it is not."""
    return _lacking(block.requires, available) or block.absent_reason


def _all_blocks(settings: FeatureSettings) -> tuple[FeatureBlock, ...]:
    return tuple(declare(settings) for declare in BLOCKS)


def _possible_blocks(settings: FeatureSettings, available: Collection[str]) -> tuple[FeatureBlock, ...]:
    """List the blocks that can be computed, each with the columns that can; the interactions last, maybe none."""
    absent = absent_features(settings, available)
    blocks = [
        _with_columns(block, lambda column: column.name not in absent)
        for block in _all_blocks(settings)
        if block.name not in absent
    ]
    known = {column.name: column for block in blocks for column in block.columns}
    blocks.append(interactions_block(settings, known, _impossible_columns(settings, available)))
    _require_different_names([column for block in blocks for column in block.columns])
    return tuple(blocks)


def _require_different_names(columns: Sequence[FeatureColumn]) -> None:
    """Refuse what settings name where its column would have the name of another one."""
    first: dict[str, FeatureColumn] = {}
    for column in columns:
        if column.name in first:
            raise SettingsError(
                f"two features would be named {column.name}: {first[column.name].meaning} And: {column.meaning}",
                "give one of them another name under features.",
                setting=column.setting or first[column.name].setting,
            )
        first[column.name] = column


def _with_columns(block: FeatureBlock, is_kept: Callable[[FeatureColumn], bool]) -> FeatureBlock:
    return replace(block, columns=tuple(column for column in block.columns if is_kept(column)))


def _lacking(required: Collection[str], available: Collection[str]) -> str:
    """Say which of the inputs required the source does not deliver; empty where it delivers all."""
    lacking = [name for name in required if name not in available]
    return f"the source delivers no {' and no '.join(lacking)}" if lacking else ""


def features_table(settings: FeatureSettings, available: Collection[str]) -> Table:
    """Declare silver/customer_features: the customer, then the columns of all blocks that can be computed."""
    columns = (column for block in feature_blocks(settings, available) for column in block.columns)
    return Table(
        key="silver/customer_features",
        row="a customer with a sale or return in the lookback",
        primary_key=(CUSTOMER_ID.name,),
        columns=(CUSTOMER_ID, *columns),
    )


@contextmanager
def computed_features(
    connection: Connection,
    settings: FeatureSettings,
    relations: FeatureRelations,
    as_of: datetime,
    lookback_start: date,
    *,
    min_orders: int = 0,
) -> Iterator[str]:
    """Compute silver/customer_features, in temporary tables that are gone afterwards.

    Parameters
    ----------
    connection : Connection
        On which `prepare_connection` has been called.
    settings : FeatureSettings
    relations : FeatureRelations
        The inputs; blocks whose input is ``None`` are left out.
    as_of : datetime
        Instant without a zone before which everything counts; midnight of the as-of date for a monthly snapshot.
    lookback_start : date
        First day that counts.
    min_orders : int
        Customers with fewer orders in the lookback get no row.

    Yields
    ------
    str
        One SELECT with the columns of `features_table`, typed, in no particular row order: a row for every known
        customer with a sale or return line in the lookback, and with as many orders as asked for.

    Raises
    ------
    DataError
        `as_of` carries a zone, or lies before the lookback.

    Notes
    -----
    As one query over all blocks it would be planned longer than it runs, and DuckDB 2.0 gives some of them up with an
    internal error.
    """
    queries = feature_queries(settings, relations, as_of, lookback_start)
    try:
        for name, query in queries.items():
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        stored = feature_blocks(settings, relations.available)
        yield (
            f"{_joined_sql(stored, 'known_customers.customer_id')}\n"
            "JOIN known_customers ON known_customers.number = customer_totals.customer_id\n"
            f"WHERE customer_totals.order_count >= {min_orders}"
        )
    finally:
        for name in queries:
            connection.execute(f"DROP TABLE IF EXISTS {name}")


def feature_queries(
    settings: FeatureSettings, relations: FeatureRelations, as_of: datetime, lookback_start: date
) -> dict[str, str]:
    """Write the queries that features are made by, by name, in an order in which each may read the earlier ones."""
    snapshot = Snapshot(settings, as_of, lookback_start)
    queries = shared_relations(snapshot, relations)
    blocks = _possible_blocks(settings, relations.available)
    for place, block in enumerate(blocks):
        if block.derives_from:
            queries[f"base_{block.name}"] = _joined_sql(_holding(block.derives_from, blocks[:place]))
        queries[f"block_{block.name}"] = block.select(snapshot)
    stored = (f"block_{block.name}" for block in feature_blocks(settings, relations.available))
    return _needed_for(queries, {"known_customers", "customer_totals", *stored})


def _holding(names: Collection[str], blocks: Sequence[FeatureBlock]) -> list[FeatureBlock]:
    """List the blocks that have columns of these names, with just those columns."""
    held = (_with_columns(block, lambda column: column.name in names) for block in blocks)
    return [block for block in held if block.columns]


def _needed_for(queries: dict[str, str], results: Collection[str]) -> dict[str, str]:
    """Leave out the queries that no result is made from."""
    needed, words = set(results), set[str]()
    for name in reversed(queries):
        if name in needed or name in words:
            needed.add(name)
            words |= set(re.findall(r"\w+", queries[name]))
    return {name: query for name, query in queries.items() if name in needed}


def _joined_sql(blocks: Sequence[FeatureBlock], customer: str = "customer_totals.customer_id") -> str:
    """Write the query of the columns of several blocks, side by side."""
    columns = [customer]
    columns += [f"block_{block.name}.{column.name}" for block in blocks for column in block.columns]
    joins = "\n".join(
        f"LEFT JOIN block_{block.name} ON block_{block.name}.customer_id = customer_totals.customer_id"
        for block in blocks
    )
    return f"SELECT {', '.join(columns)}\nFROM customer_totals\n{joins}"


def prepare_connection(connection: Connection) -> None:
    """Create the macros that the feature query uses."""
    connection.execute(create_macros_sql("duckdb"))
