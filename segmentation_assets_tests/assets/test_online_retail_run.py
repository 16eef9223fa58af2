"""The real Online Retail file through the whole pipeline, by the settings file that is shipped for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Connection, open_connection, parquet_scan, quote_text
from segmentation_assets_tests.assets.conftest import Printed
from segmentation_assets_tests.once import made_once

MONTHS = ("2011-10-01", "2011-11-01", "2011-12-01")


def environment_of(folder: Path, delivered: Path) -> dict[str, str]:
    return {"SEGMENTATION_DATA_DIR": str(folder), "SEGMENTATION__SOURCE__FOLDER": str(delivered)}


@pytest.fixture(scope="module")
def settings_file(repository: Path) -> Path:
    return repository / "examples" / "online_retail.yaml"


@pytest.fixture(scope="module")
def delivered(shared_data: Path) -> Path:
    return shared_data / "online-retail"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, delivered: Path, settings_file: Path) -> Platform:
    """The platform after a full run on the Parquet file."""
    from segmentation_assets.graph.plan import Scope
    from segmentation_assets.orchestration.runner import run_scope

    def platform_of(folder: Path) -> Platform:
        return Platform(load_settings(config=settings_file, environment=environment_of(folder, delivered)).settings)

    def make(folder: Path) -> None:
        platform = platform_of(folder)
        run_scope(platform, Scope(frozenset(platform.graph.by_key)), lambda *_: None)

    return platform_of(made_once(tmp_path_factory, "online_retail", make))


@pytest.fixture
def published(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "expected.json").read_text(encoding="utf-8"))["online_retail"]


def check_reference(printed: Printed, published: dict[str, Any]) -> None:
    """Compare what `segmentation reference --json` printed with the published figures."""
    assert (printed.code, printed.err) == (0, "")
    found = json.loads(printed.out)
    ladder = published["ladder"]
    assert [(s["row_count"], s["customer_count"]) for s in found["ladder"]] == [
        (s["rows"], s["customers"]) for s in ladder
    ]
    assert [s["order_count"] for s in found["ladder"][1:]] == [s["invoices"] for s in ladder[1:]]
    assert [float(s["amount"]) for s in found["ladder"][2:]] == pytest.approx(
        [s["value"] for s in ladder[2:]], abs=0.01
    )
    rfm = published["rfm_after_step3_snapshot_max_plus_1d"]
    wanted = {
        "recency_days_mean": rfm["recency_mean"],
        "recency_days_median": rfm["recency_median"],
        "order_count_mean": rfm["frequency_mean"],
        "order_count_median": rfm["frequency_median"],
        "gross_revenue_amount_mean": rfm["monetary_mean"],
        "gross_revenue_amount_median": rfm["monetary_median"],
        "gross_revenue_amount_max": rfm["monetary_max"],
    }
    assert {name: float(found["rfm"][name]) for name in wanted} == pytest.approx(wanted, abs=0.0005)


def test_reference_equals_the_published_figures(
    finished: Platform,
    delivered: Path,
    settings_file: Path,
    published: dict[str, Any],
    segmentation: Callable[..., Printed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment_of(finished.data_dir, delivered).items():
        monkeypatch.setenv(name, value)
    check_reference(segmentation("reference", "--config", str(settings_file), "--json"), published)
    table = segmentation("reference", "--config", str(settings_file)).out
    assert "Online Retail as published, as of 2011-12-10 12:50:00" in table
    assert re.search(r"distinct.* 392,692 +4,338 +18,532 +8,887,208\.894", table)


def test_csv_in_the_form_of_the_example_gives_the_same_figures(
    delivered: Path,
    settings_file: Path,
    published: dict[str, Any],
    segmentation: Callable[..., Printed],
    tmp_path: Path,
    finished: Platform,
) -> None:
    (tmp_path / "drop").mkdir()
    with finished.engine.connect() as connection:
        write_csv(connection, delivered / "online_retail.parquet", tmp_path / "drop" / "online_retail.csv")
    text = settings_file.read_text(encoding="utf-8").replace("    files: [online_retail.parquet]\n", "")
    for line in ("files: [online_retail.csv]", "encoding: cp1252", 'separator: ","', 'decimal: "."', "date_format:"):
        assert f"    # {line}" in text
        text = text.replace(f"    # {line}", f"    {line}")
    text = text.replace('"%Y-%m-%d %H:%M:%S" #', '"%m/%d/%y %H:%M" #')
    (tmp_path / "csv.yaml").write_text(f"{text}\n", encoding="utf-8")
    (tmp_path / "settings.env").write_text(
        f"SEGMENTATION_DATA_DIR={tmp_path / 'data'}\nSEGMENTATION__SOURCE__FOLDER={tmp_path / 'drop'}\n"
    )
    arguments = ("--config", "csv.yaml", "--env", "settings.env")

    ran = segmentation("run", *arguments, "--only", "source", "--only", "raw")

    assert (ran.code, ran.err) == (0, "")
    check_reference(segmentation("reference", *arguments, "--json"), published)


def write_csv(connection: Connection, parquet: Path, target: Path) -> None:
    """Write the file as a spreadsheet would: dates such as 12/1/10 8:26, in cp1252."""
    plain = target.with_suffix(".utf8")
    connection.execute(
        f"COPY (SELECT * REPLACE (strftime(InvoiceDate, '%-m/%-d/%y %-H:%M') AS InvoiceDate) FROM "
        f"{parquet_scan([parquet])}) TO {quote_text(str(plain))} (FORMAT csv, HEADER)"
    )
    target.write_bytes(plain.read_text(encoding="utf-8").encode("cp1252"))
    plain.unlink()


def test_every_line_is_kept_and_all_money_is_accounted_for(finished: Platform, published: dict[str, Any]) -> None:
    raw, silver = (finished.store.manifest(key) for key in ("raw/order_lines", "silver/order_lines"))
    assert (raw.row_count, silver.row_count) == (published["rows"], published["rows"])
    assert finished.store.manifest("raw/quarantine").row_count == 0
    for manifest in (raw, silver):
        assert all(check.passed for check in manifest.checks)


def test_customers_with_cancellations_only_have_no_purchases(finished: Platform, delivered: Path) -> None:
    segments = parquet_scan(finished.store.table_paths("gold/customer_segments", MONTHS[-1]))
    original = parquet_scan([delivered / "online_retail.parquet"])
    with finished.engine.connect() as connection:
        returners = connection.execute(
            f"SELECT state, segment_key, count(*) FROM {segments} WHERE customer_id IN (SELECT CAST(CustomerID AS "
            f"VARCHAR) FROM {original} WHERE CustomerID IS NOT NULL GROUP BY 1 HAVING bool_and(InvoiceNo LIKE 'C%')) "
            "GROUP BY ALL"
        ).fetchall()
        others = connection.execute(
            f"SELECT count(*) FROM {segments} WHERE (state = 'no_purchases') <> (segment_key IS NULL)"
        ).fetchone()
    ((state, segment, count),) = returners
    assert (state, segment) == ("no_purchases", None)
    assert 20 <= count <= 33
    assert others == (0,)


def test_giant_orders_that_were_cancelled_leave_no_money(finished: Platform) -> None:
    features = parquet_scan(finished.store.table_paths("silver/customer_features", MONTHS[-1]))
    with finished.engine.connect() as connection:
        found = connection.execute(
            f"SELECT customer_id, net_revenue_amount FROM {features} WHERE customer_id IN ('12346', '16446') ORDER BY 1"
        ).fetchall()
    assert found == [("12346", 0), ("16446", Decimal("2.90"))]


def test_guests_are_in_no_customer_table(finished: Platform, published: dict[str, Any]) -> None:
    features = parquet_scan(finished.store.table_paths("silver/customer_features", MONTHS[-1]))
    lines = parquet_scan(sorted((finished.store.root / "tables" / "silver" / "order_lines").rglob("*.parquet")))
    with finished.engine.connect() as connection:
        counts = connection.execute(f"SELECT count(*), count(DISTINCT customer_id) FROM {features}").fetchone()
        guests, known = connection.execute(
            "SELECT count(*) FILTER (customer_id IS NULL), count(DISTINCT customer_id) FILTER (line_type IN "
            f"('sale', 'return')) FROM {lines}"
        ).fetchone() or (0, 0)
    assert guests == published["null_customer"]
    assert counts == (known, known)


def test_unfinished_december_is_a_partial_snapshot(finished: Platform) -> None:
    facts = {month: finished.store.manifest("silver/snapshot_input", month).metadata for month in MONTHS}
    assert {month: fact["is_partial"] for month, fact in facts.items()} == dict(
        zip(MONTHS, (False, False, True), strict=True)
    )
    assert str(facts[MONTHS[-1]]["as_of_date"]) == "2011-12-10"


def test_what_is_not_delivered_is_said_to_be_absent(finished: Platform) -> None:
    absent = finished.store.manifest("silver/customer_features", MONTHS[-1]).metadata["absent_features"]
    assert {"departments", "engagement"} <= set(absent)
    assert all(absent.values())
    for name in ("dashboard.html", "business_report.md"):
        text = (finished.data_dir / "reports" / "2011-12" / name).read_text(encoding="utf-8")
        assert "departments" in text
        assert "engagement" in text


def test_warehouse_can_be_asked_for_the_segments_of_every_month(finished: Platform) -> None:
    path = str(finished.data_dir / "segmentation.duckdb")
    with open_connection(path, finished.engine.connection_config) as connection:
        found = connection.execute(
            "SELECT month, count(DISTINCT segment_key), count(*) > 3000 FROM gold.customer_segments "
            "GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert [row[0].isoformat() for row in found] == list(MONTHS)
    assert all(count >= 3 and is_large for _, count, is_large in found)
