"""A small shop for feature tests: visible rows in, features and histories out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.config.source import DELIVERED_COLUMNS
from segmentation_assets.features import registry
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import computed_features
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.storage.engine import Connection

instant = datetime.fromisoformat
AS_OF = instant("2025-06-01")
LOOKBACK_START = date(2023, 6, 1)
SETTINGS = FeatureSettings(
    departments=("Shoes", "Hats"), classes={"Shoes": ("Boots",)}, child_ages=("baby", "3-5 years"), sizes=("M", "L")
)
ALL_TABLES = ("products", "customers", "engagement_events")
ALL_COLUMNS = tuple(f"{table}.{name}" for table, (_, extras) in DELIVERED_COLUMNS.items() for name in extras)
ALL_INPUTS = (*ALL_TABLES, *ALL_COLUMNS)

LINE_TYPES = {
    "customer_id": "VARCHAR",
    "order_id": "VARCHAR",
    "order_at": "TIMESTAMP",
    "line_type": "VARCHAR",
    "amount": "DECIMAL(18,4)",
    "quantity": "BIGINT",
    "product_id": "VARCHAR",
    "cost_amount": "DECIMAL(18,4)",
    "margin_amount": "DECIMAL(18,4)",
    "unit_price": "DECIMAL(18,4)",
    "list_price": "DECIMAL(18,4)",
    "channel": "VARCHAR",
    "country": "VARCHAR",
    "store_id": "VARCHAR",
}
PRODUCT_TYPES = {
    "product_id": "VARCHAR",
    "department": "VARCHAR",
    "class": "VARCHAR",
    "child_age": "VARCHAR",
    "size": "VARCHAR",
}
CUSTOMER_TYPES = {
    "customer_id": "VARCHAR",
    "registered_on": "DATE",
    "birth_year": "INTEGER",
    "gender": "VARCHAR",
    "household_size": "INTEGER",
    "acquisition_channel": "VARCHAR",
    "newsletter_since": "DATE",
}
EVENT_TYPES = {"customer_id": "VARCHAR", "event_at": "TIMESTAMP", "event_type": "VARCHAR"}

Row = tuple[Any, ...]
PRODUCTS: tuple[Row, ...] = (
    ("shoe-1", "Shoes", "Boots", None, "M"),
    ("shoe-2", "Shoes", "Sandals", None, "L"),
    ("hat-1", "Hats", "Caps", "3-5 years", None),
    ("toy-1", "Toys", None, "baby", None),
)


@dataclass(frozen=True)
class Shop:
    """Rows in the column order of LINE_TYPES, PRODUCT_TYPES, CUSTOMER_TYPES and EVENT_TYPES."""

    lines: tuple[Row, ...]
    products: tuple[Row, ...] | None = PRODUCTS
    customers: tuple[Row, ...] | None = ()
    events: tuple[Row, ...] | None = ()

    def before(self, moment: datetime) -> Shop:
        """The shop as it was known at a moment, dates of the customers table that were still to come left out."""
        return replace(
            self,
            lines=tuple(row for row in self.lines if instant(row[2]) < moment),
            customers=None
            if self.customers is None
            else tuple(tuple(_known(value, moment) for value in row) for row in self.customers),
            events=None if self.events is None else tuple(row for row in self.events if instant(row[1]) < moment),
        )

    def of_customers(self, is_chosen: Callable[[str], bool]) -> Shop:
        """The rows of some customers; guests count as the customer without a name."""

        def choose(rows: tuple[Row, ...] | None) -> tuple[Row, ...] | None:
            return None if rows is None else tuple(row for row in rows if is_chosen(row[0] or ""))

        return Shop(choose(self.lines) or (), self.products, choose(self.customers), choose(self.events))

    def shuffled(self, seed: int) -> Shop:
        """The same rows in another order."""
        rng = np.random.default_rng(seed)

        def mix(rows: tuple[Row, ...] | None) -> tuple[Row, ...] | None:
            return None if rows is None else tuple(rows[i] for i in rng.permutation(len(rows)))

        return Shop(mix(self.lines) or (), mix(self.products), mix(self.customers), mix(self.events))


def _known(value: Any, moment: datetime) -> Any:
    """A value of the customers table, unless it is a date from a moment on."""
    is_date = isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)
    return None if is_date and instant(value) >= moment else value


def line(
    customer: str | None,
    order: str,
    at: str,
    kind: str,
    amount: str,
    quantity: int = 1,
    product: str = "x",
    cost: str | None = None,
    *,
    list_price: str | None = None,
    channel: str | None = None,
    country: str | None = None,
    store: str | None = None,
) -> Row:
    """One order line; its price follows from amount and quantity, its margin from the cost where there is one."""
    margin = None if cost is None else str(Decimal(amount) - Decimal(cost))
    price = str((Decimal(amount) / quantity).quantize(Decimal("0.0001")))
    known = (customer, order, at, kind, amount, quantity, product, cost, margin)
    return (*known, price, list_price, channel, country, store)


def customer_row(
    name: str,
    registered_on: str | None = None,
    birth_year: int | None = None,
    gender: str | None = None,
    household_size: int | None = None,
    acquisition_channel: str | None = None,
    newsletter_since: str | None = None,
) -> Row:
    """One row of the customers table."""
    return (name, registered_on, birth_year, gender, household_size, acquisition_channel, newsletter_since)


def product_row(
    name: str, department: str, kind: str | None = None, age: str | None = None, size: str | None = None
) -> Row:
    """One row of the products table."""
    return (name, department, kind, age, size)


def load(connection: Connection, name: str, rows: tuple[Row, ...], types: dict[str, str]) -> str:
    """Create a typed table from rows and return its name."""
    frame = pd.DataFrame(
        [[None if v is None else str(v) for v in row] for row in rows], columns=list(types), dtype=object
    )
    connection.register("rows_to_load", frame)
    selected = ", ".join(f"CAST({column} AS {dtype}) AS {column}" for column, dtype in types.items())
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {selected} FROM rows_to_load")
    connection.unregister("rows_to_load")
    return name


def load_shop(connection: Connection, shop: Shop, as_of: datetime = AS_OF) -> FeatureRelations:
    """Load all tables, with the history as of the same moment."""
    lines = load(connection, "order_lines", shop.lines, LINE_TYPES)
    connection.execute(f"CREATE OR REPLACE TABLE history AS {customer_history_sql(lines, None, as_of.date())}")
    optional = {
        "products": (shop.products, PRODUCT_TYPES),
        "customers": (shop.customers, CUSTOMER_TYPES),
        "engagement_events": (shop.events, EVENT_TYPES),
    }
    loaded = {k: load(connection, k, rows, types) for k, (rows, types) in optional.items() if rows is not None}
    return FeatureRelations(lines, "history", columns=ALL_COLUMNS, **loaded)


def compute_rows(
    connection: Connection, shop: Shop, as_of: datetime = AS_OF, settings: FeatureSettings = SETTINGS
) -> dict[str, dict[str, Any]]:
    """Features by customer and column, as Python values: money as Decimal, null as None."""
    return rows_of(connection, load_shop(connection, shop, as_of), as_of, settings)


def rows_of(
    connection: Connection, relations: FeatureRelations, as_of: datetime = AS_OF, settings: FeatureSettings = SETTINGS
) -> dict[str, dict[str, Any]]:
    """As `compute_rows`, from relations that are loaded already."""
    with computed_features(connection, settings, relations, as_of, LOOKBACK_START) as sql:
        cursor = connection.execute(f"SELECT * FROM ({sql}) ORDER BY customer_id")
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["customer_id"]: row for row in rows}


def features_of(
    connection: Connection,
    *lines: Row,
    blocks: Collection[str],
    as_of: datetime = AS_OF,
    settings: FeatureSettings = SETTINGS,
    **tables: tuple[Row, ...],
) -> dict[str, Any]:
    """Features of the customer ann, of the blocks named and no other, which takes a fraction of the time."""
    chosen = tuple(declare for declare in registry.BLOCKS if declare.__module__.rpartition(".")[2] in blocks)
    with patch.object(registry, "BLOCKS", chosen):
        return compute_rows(connection, Shop(lines, **tables), as_of, settings)["ann"]


def compute_frame(
    connection: Connection, shop: Shop, as_of: datetime = AS_OF, settings: FeatureSettings = SETTINGS
) -> pd.DataFrame:
    """Features as the stages after them read them."""
    with computed_features(connection, settings, load_shop(connection, shop, as_of), as_of, LOOKBACK_START) as sql:
        return connection.execute(f"SELECT * FROM ({sql}) ORDER BY customer_id").df()


def _cost(number: int, price: Decimal, quantity: int) -> str | None:
    """Cost of a line of a customer of the random shop: for some customers never known, for some above the price."""
    share = {0: None, 1: Decimal("0.4"), 2: Decimal("1.3")}[number % 3]
    return None if share is None else str((price * share).quantize(Decimal("0.0001")) * quantity)


def random_shop(seed: int, n_customers: int = 14, n_lines: int = 160) -> Shop:
    """A shop with lines from before the lookback to after as-of, many ties, guests, returns and other line types."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["sale", "return", "adjustment", "non_product"], size=n_lines, p=[0.75, 0.17, 0.04, 0.04])
    products = ["shoe-1", "shoe-2", "hat-1", "toy-1", "gone"]
    start = np.datetime64("2022-12-01T00:00")
    lines = []
    for kind in kinds:
        number = int(rng.integers(0, n_customers)) ** 2 // n_customers
        day = int(rng.choice([0, 89, 182, 300, 500, 700, 821, 851, 882, 900, 911, 912, 915, int(rng.integers(0, 930))]))
        at = start + np.timedelta64(day * 1440 + int(rng.choice([0, 600, 1439])), "m")
        quantity = int(rng.integers(1, 5)) * (-1 if kind == "return" else 1)
        price = Decimal(int(rng.integers(0, 90_000))) / 10_000
        order = f"{kind[0]}{number}-{day if rng.random() < 0.9 else 'again'}"
        customer = None if rng.random() < 0.03 else f"c{number:02d}"
        amount = str(price * quantity)
        lines.append(
            line(
                customer,
                order,
                str(at).replace("T", " "),
                kind,
                amount,
                quantity,
                str(rng.choice(products)),
                _cost(number, price, quantity),
                list_price=rng.choice([None, str(price), str(price * 2)], p=[0.2, 0.5, 0.3]),
                channel=rng.choice([None, "web", "store", "app"], p=[0.1, 0.4, 0.3, 0.2]),
                country=rng.choice([None, "DE", "FR"], p=[0.1, 0.6, 0.3]),
                store=rng.choice([None, "s1", "s2"]),
            )
        )
    customers = tuple(
        customer_row(
            f"c{n:02d}",
            None if n % 4 == 0 else f"20{20 + n % 6}-02-28",
            None if n % 3 == 0 else 1950 + n,
            ("f", "m", None)[n % 3],
            None if n % 5 == 0 else 1 + n % 4,
            ("search", "friend")[n % 4 // 2],
            None if n % 4 == 0 else f"20{20 + n % 6}-06-01",
        )
        for n in range(0, n_customers, 2)
    )
    events = tuple(
        (
            f"c{int(rng.integers(0, n_customers)):02d}",
            str(start + np.timedelta64(int(m), "m")).replace("T", " "),
            str(rng.choice(["visit", "email_open", "email_click", "service_contact"])),
        )
        for m in rng.integers(0, 930 * 1440, size=40)
    )
    return Shop(tuple(lines), PRODUCTS, customers, events)
