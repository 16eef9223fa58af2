from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from segmentation_assets.config.settings import CalendarSettings, EngineSettings, ReferenceSettings, Settings
from segmentation_assets.config.source import CancellationSettings, OrderLinesTable, SourceSettings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.features.reference import LadderStep, RfmSummary, compute_reference
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

NAMES = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")
SETTINGS = Settings(
    calendar=CalendarSettings(first_snapshot="2025-03"),
    source=SourceSettings(
        kind="files",
        order_lines=OrderLinesTable(files=("*.csv",), columns={name: name for name in NAMES}),
        cancellations=CancellationSettings(rule="prefix"),
        non_product_codes=("POST",),
    ),
    reference=ReferenceSettings(name="a paper", product_code_pattern="^[0-9]"),
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Engine(EngineSettings(), tmp_path).connect() as opened:
        yield opened


def make_lines(*lines: tuple[str, str, str, str, int, str]) -> str:
    names = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")
    given = (dict(zip(names, line, strict=True)) for line in lines)
    return raw_lines_relation(*({**line, "customer_id": line["customer_id"] or None} for line in given))


LINES = make_lines(
    ("1", "2025-03-01 12:00:00", "C1", "11", 2, "1.50"),
    ("1", "2025-03-01 12:00:00", "C1", "11", 2, "1.50"),
    ("2", "2025-03-03 09:00:00", "C1", "POST", 1, "4.00"),
    ("C3", "2025-03-04 09:00:00", "C1", "11", -1, "1.50"),
    ("4", "2025-03-05 09:00:00", "C2", "22", 1, "10.00"),
    ("5", "2025-03-06 09:00:00", "C2", "22", 1, "0"),
    ("6", "2025-03-10 10:00:00", "", "22", 9, "1.00"),
)


def test_each_step_of_the_ladder_is_narrower(connection: Connection) -> None:
    ladder = compute_reference(connection, LINES, SETTINGS).ladder
    assert ladder == (
        LadderStep("customer not null", 6, 2, 5, Decimal("18.5")),
        LadderStep("and not cancelled", 5, 2, 4, Decimal("20")),
        LadderStep("and quantity > 0 and price > 0", 4, 2, 3, Decimal("20")),
        LadderStep("and distinct rows", 3, 2, 3, Decimal("17")),
        LadderStep("and product codes only (^[0-9])", 2, 2, 2, Decimal("13")),
    )


def test_rfm_counts_all_sales_as_of_a_day_after_the_last_line(connection: Connection) -> None:
    result = compute_reference(connection, LINES, SETTINGS)
    assert (result.name, result.as_of) == ("a paper", dt.datetime(2025, 3, 11, 10))
    assert result.rfm == RfmSummary(
        customer_count=2,
        recency_days_mean=7.0,
        recency_days_median=7.0,
        order_count_mean=1.5,
        order_count_median=1.5,
        gross_revenue_amount_mean=10.0,
        gross_revenue_amount_median=10.0,
        gross_revenue_amount_max=10.0,
    )


def test_codes_of_the_reference_replace_those_of_the_source(connection: Connection) -> None:
    reference = SETTINGS.reference.model_copy(update={"non_product_codes": ("11",)})
    result = compute_reference(connection, LINES, SETTINGS.model_copy(update={"reference": reference}))
    assert result.ladder[2] == LadderStep("and quantity > 0 and price > 0", 2, 2, 2, Decimal("14"))


def test_a_reference_needs_its_settings(connection: Connection) -> None:
    with pytest.raises(SettingsError, match=r"there is no reference section in the settings\nHint: add one"):
        compute_reference(connection, LINES, SETTINGS.model_copy(update={"reference": None}))


def test_a_reference_needs_lines(connection: Connection) -> None:
    with pytest.raises(DataError, match=r"there is no order line to compute a reference from\nHint: ingest"):
        compute_reference(connection, f"(SELECT * FROM {LINES} WHERE false)", SETTINGS)


def test_a_reference_needs_a_sale_of_a_known_customer(connection: Connection) -> None:
    with pytest.raises(DataError, match=r"no known customer has a sale\nHint: check source\.cancellations"):
        compute_reference(connection, f"(SELECT * FROM {LINES} WHERE order_id = '6')", SETTINGS)
