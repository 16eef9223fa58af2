"""A small shop for feature tests: visible rows in, features and histories out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import features_sql
from segmentation_assets.features.snapshot import FeatureRelations
from segmentation_assets.storage.engine import Connection

instant = datetime.fromisoformat
AS_OF = instant("2025-06-01")
LOOKBACK_START = date(2023, 6, 1)
SETTINGS = FeatureSettings(departments=("Shoes", "Hats"))
ALL_INPUTS = ("products", "customers", "engagement_events", "cost_price")

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
}
PRODUCT_TYPES = {"product_id": "VARCHAR", "department": "VARCHAR"}
CUSTOMER_TYPES = {"customer_id": "VARCHAR", "registered_on": "DATE"}
EVENT_TYPES = {"customer_id": "VARCHAR", "event_at": "TIMESTAMP", "event_type": "VARCHAR"}

Row = tuple[Any, ...]
PRODUCTS: tuple[Row, ...] = (("shoe-1", "Shoes"), ("shoe-2", "Shoes"), ("hat-1", "Hats"), ("toy-1", "Toys"))


@dataclass(frozen=True)
class Shop:
    """Rows in the column order of LINE_TYPES, PRODUCT_TYPES, CUSTOMER_TYPES and EVENT_TYPES."""

    lines: tuple[Row, ...]
    products: tuple[Row, ...] | None = PRODUCTS
    customers: tuple[Row, ...] | None = ()
    events: tuple[Row, ...] | None = ()

    def before(self, moment: datetime) -> Shop:
        """The shop as it was known at a moment."""
        return replace(
            self,
            lines=tuple(row for row in self.lines if datetime.fromisoformat(row[2]) < moment),
            events=None
            if self.events is None
            else tuple(r for r in self.events if datetime.fromisoformat(r[1]) < moment),
        )

    def shuffled(self, seed: int) -> Shop:
        """The same rows in another order."""
        rng = np.random.default_rng(seed)

        def mix(rows: tuple[Row, ...] | None) -> tuple[Row, ...] | None:
            return None if rows is None else tuple(rows[i] for i in rng.permutation(len(rows)))

        return Shop(mix(self.lines) or (), mix(self.products), mix(self.customers), mix(self.events))


def line(
    customer: str | None,
    order: str,
    at: str,
    kind: str,
    amount: str,
    quantity: int = 1,
    product: str = "x",
    cost: str | None = None,
) -> Row:
    """One order line; without a cost its margin is not known."""
    margin = None if cost is None else str(Decimal(amount) - Decimal(cost))
    return (customer, order, at, kind, amount, quantity, product, cost, margin)


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
    return FeatureRelations(lines, "history", cost_price=lines, **loaded)


def compute_rows(
    connection: Connection, shop: Shop, as_of: datetime = AS_OF, settings: FeatureSettings = SETTINGS
) -> dict[str, dict[str, Any]]:
    """Features by customer and column, as Python values: money as Decimal, null as None."""
    sql = features_sql(settings, load_shop(connection, shop, as_of), as_of, LOOKBACK_START)
    cursor = connection.execute(f"SELECT * FROM ({sql}) ORDER BY customer_id")
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["customer_id"]: row for row in rows}


def compute_frame(
    connection: Connection, shop: Shop, as_of: datetime = AS_OF, settings: FeatureSettings = SETTINGS
) -> pd.DataFrame:
    """Features as the stages after them read them."""
    sql = features_sql(settings, load_shop(connection, shop, as_of), as_of, LOOKBACK_START)
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
            )
        )
    customers = tuple((f"c{n:02d}", None if n % 4 == 0 else f"20{20 + n % 6}-02-28") for n in range(0, n_customers, 2))
    events = tuple(
        (
            f"c{int(rng.integers(0, n_customers)):02d}",
            str(start + np.timedelta64(int(m), "m")).replace("T", " "),
            "visit",
        )
        for m in rng.integers(0, 930 * 1440, size=40)
    )
    return Shop(tuple(lines), PRODUCTS, customers, events)
