"""Text from outside that would do something if it could: it stays text in every file and breaks no query."""

from __future__ import annotations

import csv
import html.parser
import re
import shutil
from pathlib import Path

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.runner import run_scope
from segmentation_assets.storage.engine import Engine, open_connection, parquet_scan, quote_text
from segmentation_assets_tests.assets.conftest import MONTHS, Shop, deliver_small_shop
from segmentation_assets_tests.assets.stored import rewrite
from segmentation_assets_tests.once import made_once

NEWEST = MONTHS[-1]

HOSTILE_IDS = (
    "=1+1",
    "@SUM(A1)",
    "+1",
    "-1",
    "-2+3+cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "a,b;c",
    "a\u200bb",
    "a\\nb",
    'O\'Brien "Bob"',
    "'; DROP TABLE x; --",
    "</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "ü \u202e €",
)

HOSTILE_DEPARTMENTS = {
    "Accessories & Footwear": '=HYPERLINK("http://x";"y")',
    "Health & Wellness": "<script>alert(2)</script>",
    "Home & Lifestyle": 'Men\'s "best"; DROP TABLE x; --',
    "Apparel": "@SUM(A1)\tü",
}

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def replaced(column: str, names: dict[str, str]) -> str:
    cases = " ".join(f"WHEN {quote_text(old)} THEN {quote_text(new)}" for old, new in names.items())
    return f"CASE {column} {cases} ELSE {column} END AS {column}"


def _make_hostile_shop(root: Path) -> None:
    shop = Shop(root)
    deliver_small_shop(shop)
    ids = dict(zip(_busy_customers(shop), HOSTILE_IDS, strict=True))
    for path in sorted(shop.deliveries.glob("*.parquet")):
        if not path.name.startswith("products-"):
            rewrite(path, f"SELECT * REPLACE ({replaced('customer_id', ids)}) FROM t")
    for path in sorted(shop.deliveries.glob("products-*.parquet")):
        hostile = f"{replaced('department', HOSTILE_DEPARTMENTS)}, '=cmd()' AS product_name"
        rewrite(path, f"SELECT * REPLACE ({hostile}) FROM t")
    platform = Platform(settings_of(shop))
    run_scope(platform, Scope(frozenset(platform.graph.by_key)), lambda *_: None)
    shutil.rmtree(shop.data_dir / "dagster")


def _busy_customers(shop: Shop) -> list[str]:
    """Customers with the most orders, so that each hostile id is in every table."""
    files = parquet_scan(sorted(shop.deliveries.glob("order_lines-*.parquet")))
    with Engine(EngineSettings(), shop.root / "spill").connect() as connection:
        sql = f"SELECT customer_id FROM {files} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {len(HOSTILE_IDS)}"
        return [row[0] for row in connection.execute(sql).fetchall()]


def settings_of(shop: Shop):
    return shop.settings(
        features__departments=list(HOSTILE_DEPARTMENTS.values()),
        calendar__first_snapshot=NEWEST[:7],
        reports__dashboard__title="=1+1 <script>alert(3)</script>",
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Shop:
    """A finished snapshot of a shop with hostile ids, products and departments."""
    return Shop(made_once(tmp_path_factory, "hostile_shop", _make_hostile_shop))


def exported(shop: Shop, name: str) -> Path:
    return shop.data_dir / "exports" / NEWEST[:7] / name


def test_stored_ids_are_those_delivered(hostile):
    platform = Platform(settings_of(hostile))
    with platform.engine.connect() as connection:
        relation = parquet_scan(platform.store.table_paths("gold/customer_segments", NEWEST))
        stored = {row[0] for row in connection.execute(f"SELECT customer_id FROM {relation}").fetchall()}
    warehouse = str(hostile.data_dir / "segmentation.duckdb")
    with open_connection(warehouse, platform.engine.connection_config) as connection:
        published = {row[0] for row in connection.execute("SELECT customer_id FROM gold.customer_segments").fetchall()}
    assert set(HOSTILE_IDS) <= stored
    assert published == stored


def test_department_shares_add_up_whatever_the_departments_are_called(hostile):
    platform = Platform(settings_of(hostile))
    relation = parquet_scan(platform.store.table_paths("silver/customer_features", NEWEST))
    with platform.engine.connect() as connection:
        names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]
        shares = [name for name in names if name.startswith("department_share_")]
        total = " + ".join(f'"{name}"' for name in shares if name != "department_share_other")
        (worst,) = connection.execute(f"SELECT max(abs({total} - 1)) FROM {relation} WHERE {total} > 0").fetchone()
    assert len(shares) >= len(HOSTILE_DEPARTMENTS)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in shares)
    assert worst < 1e-9


def test_no_cell_of_the_csv_is_a_formula_and_ids_can_be_read_back(hostile):
    with exported(hostile, "customer_segments.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    cells = {cell for row in rows for cell in row.values()}
    live = {cell for cell in cells if cell.startswith(FORMULA_STARTS) and not re.fullmatch(r"-?[0-9.e+-]+", cell)}
    assert live == set()
    ids = {row["customer_id"] for row in rows}
    assert {f"'{name}" if name.startswith(FORMULA_STARTS) else name for name in HOSTILE_IDS} <= ids
    assert "'-1" in ids


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(hostile):
    import openpyxl

    book = openpyxl.load_workbook(exported(hostile, "segmentation.xlsx"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d"}
    assert [
        cell.value for cell in cells if cell.hyperlink and not str(cell.hyperlink.location or "").startswith("'")
    ] == []
    texts = {cell.value for cell in cells if isinstance(cell.value, str)}
    assert {"=1+1", "@SUM(A1)", "-1", "<script>alert(1)</script>"} <= texts


def test_exported_parquet_holds_the_ids_as_they_are(hostile):
    with Engine(EngineSettings(), hostile.root / "spill").connect() as connection:
        relation = parquet_scan([exported(hostile, "customer_segments.parquet")])
        found = {row[0] for row in connection.execute(f"SELECT customer_id FROM {relation}").fetchall()}
    assert set(HOSTILE_IDS) <= found


class Page(html.parser.HTMLParser):
    """Collects the elements of a page, what they load, and their handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag, attrs):
        self._in_script = tag == "script"
        self.loaded += [value for name, value in attrs if name in ("src", "href", "action", "poster", "srcset")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self._in_script = False


@pytest.fixture(scope="module")
def page(hostile) -> tuple[str, Page]:
    text = (hostile.data_dir / "reports" / NEWEST[:7] / "dashboard.html").read_text(encoding="utf-8")
    parsed = Page()
    parsed.feed(text)
    return text, parsed


def test_dashboard_runs_nothing_that_comes_from_data(page):
    text, parsed = page
    assert "=1+1 &lt;script&gt;alert(3)&lt;/script&gt;" in text
    for number in (1, 2, 3):
        assert f"<script>alert({number})" not in text
        assert not [script for script in parsed.scripts if script.strip().startswith(f"alert({number})")]
    assert "<img src=x" not in text
    assert parsed.handlers == []


def test_dashboard_asks_nothing_from_the_network(page):
    _, parsed = page
    assert [target for target in parsed.loaded if target and not target.startswith(("#", "data:"))] == []


def test_business_report_holds_no_markup_from_data(hostile):
    text = (hostile.data_dir / "reports" / NEWEST[:7] / "business_report.md").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
