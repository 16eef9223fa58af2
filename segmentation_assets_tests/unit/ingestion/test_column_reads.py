"""Every column of the classified order lines changes with the raw columns it declares to read, and with no other."""

from itertools import count

import numpy as np
import pytest

from segmentation_assets.config.money import VatRule, VatSettings
from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.config.source import CancellationSettings, SourceSettings
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.money import Conversion
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.raw import RAW_ORDER_LINES
from segmentation_assets.tables.silver import ORDER_LINES
from segmentation_assets_tests.unit.features.shop import load
from segmentation_assets_tests.unit.perturbation import Result, Rows, columns_changed_by, declared_readers

SOURCE = SourceSettings(
    cancellations=CancellationSettings(rule="prefix", prefix="C"),
    adjustment_prefixes=("A",),
    non_product_codes=("post",),
    duplicate_lines="leave_out",
)
POPULATION = PopulationSettings(countries=("NL",), channels=("web",), brands=("A",), stores=("S1",))
VAT = VatSettings(
    prices="include",
    analyse="net",
    rate=0.2,
    rates=(VatRule(country="BE", rate=0.06), VatRule(department="Books", product_class="Novels", rate=0.1)),
)
RATES = (
    "(SELECT * FROM (VALUES ('USD', DATE '2025-03-05', 9000000000), ('USD', DATE '2025-03-06', 8000000000)) "
    "AS rates(currency, day, exchange_units))"
)
PRODUCTS = "(SELECT 'p1' AS product_id, 'Books' AS department, 'Novels' AS \"class\")"
CONVERSION = Conversion("EUR", VAT, RATES, PRODUCTS)
STAFF = "(SELECT 'staff' AS customer_id)"
CHOICES: dict[str, tuple[object, ...]] = {
    "order_id": ("O1", "C1", "A1"),
    "order_at": ("2025-03-05 10:00:00", "2025-03-06 10:00:00"),
    "customer_id": ("ann", "staff", None),
    "product_id": ("p1", "post"),
    "product_name": ("cup", None),
    "quantity": (-1, 0, 2),
    "unit_price": ("-1", "0", "1.5"),
    "country": ("NL", "NL", "NL", "BE"),
    "channel": ("web", "web", "web", "store"),
    "store_id": ("S1", "S1", "S1", "S2"),
    "brand": ("A", "A", "A", "B"),
    "list_price": ("2.0000", "3.0000"),
    "cost_price": ("0.5000", "0.7500"),
    "currency": ("EUR", "USD", None),
    "vat_rate": ("7", "19", None, None),
    "source_file": ("a.csv", "b.csv"),
}


def raw_lines(n_lines: int = 200) -> Rows:
    """Lines that all stand twice; each has a row number of its own."""
    rng = np.random.default_rng(11)
    numbers = count(1)
    lines = [{name: values[int(rng.integers(len(values)))] for name, values in CHOICES.items()} for _ in range(n_lines)]
    return tuple(
        tuple(line[name] if name in line else next(numbers) for name in RAW_ORDER_LINES.column_names)
        for line in [*lines, *lines]
    )


@pytest.mark.parametrize("column", RAW_ORDER_LINES.column_names)
def test_raw_column_changes_exactly_the_columns_that_declare_to_read_it(connection: Connection, column: str) -> None:
    types = {column.name: column.dtype for column in RAW_ORDER_LINES.columns}
    number = RAW_ORDER_LINES.column_names.index("source_row")

    def compute(rows: Rows) -> Result:
        loaded = load(connection, "raw_lines", rows, types)
        found = connection.execute(classified_lines_sql(loaded, SOURCE, POPULATION, STAFF, CONVERSION)).fetchall()
        places = {row[number]: place for place, row in enumerate(rows)}
        return {places[row[number]]: dict(zip(ORDER_LINES.column_names, row, strict=True)) for row in found}

    lines = raw_lines()
    place = RAW_ORDER_LINES.column_names.index(column)
    changed = columns_changed_by(compute, compute(lines), lines, place, may_repeat=column != "source_row")
    assert changed == declared_readers(ORDER_LINES.columns, f"order_lines.{column}")
