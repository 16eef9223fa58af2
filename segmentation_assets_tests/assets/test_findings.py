"""What delivered data shows about its source is told in the data quality, on the dashboard and in the reports."""

from __future__ import annotations

import shutil
from html import escape

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine, parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS, deliver_small_shop
from segmentation_assets_tests.assets.stored import rewrite

NEWEST = MONTHS[-1]


def told(shop):
    """Kind, table and code → sentence of what is told of the newest month."""
    platform = Platform(shop.settings())
    paths = platform.store.table_paths("monitoring/data_quality", NEWEST)
    with Engine(platform.settings.engine, shop.root).connect() as connection:
        rows = connection.execute(
            f"SELECT kind, subject, measure, explanation, found FROM {parquet_scan(paths)} "
            "WHERE kind IN ('finding', 'repair')"
        ).fetchall()
    assert all(sentence.startswith(f"{int(count):,} ") for *_, sentence, count in rows)
    return {tuple(place): sentence for *place, sentence, _ in rows}


def test_nothing_is_told_of_a_clean_shop(shop):
    assert told(shop) == {}
    page = (shop.data_dir / "reports" / NEWEST[:7] / "dashboard.html").read_text(encoding="utf-8")
    assert "Nothing was found." in page
    assert "Every value is as delivered." in page


def test_faults_of_real_files_are_told_wherever_the_data_is_shown(shop, run, segmentation, write_settings, monkeypatch):
    deliver_small_shop(shop, faults__preset="real", faults__broken_names=1.0, faults__code_variants=0.05)
    settings = shop.settings(calendar__first_snapshot=NEWEST[:7])
    run(settings)

    found = told(shop)
    assert {
        ("finding", "silver/order_lines", "guest"),
        ("finding", "silver/order_lines", "non_product_code"),
        ("finding", "silver/order_lines", "exact_duplicate"),
        ("finding", "silver/order_lines", "code_spelling"),
        ("finding", "raw/customers", "blank_gender"),
        ("finding", "raw/products", "misread_text"),
        ("repair", "raw/order_lines", "customer_id:number_id"),
        ("repair", "raw/order_lines", "product_id:trimmed"),
        ("repair", "raw/products", "product_name:trimmed"),
    } <= set(found)
    reports = shop.data_dir / "reports" / NEWEST[:7]
    page = (reports / "dashboard.html").read_text(encoding="utf-8")
    assert [sentence for sentence in found.values() if escape(sentence) not in page] == []
    assert "Guests" in (reports / "business_report.md").read_text(encoding="utf-8")
    metadata = Platform(settings).store.manifest("raw/order_lines").metadata
    assert metadata["repair_counts"]["product_id:trimmed"] > 0
    monkeypatch.chdir(shop.root)
    write_settings(settings)
    assert "guest " in segmentation("status").out
    assert run(settings) == set()


def test_repair_alone_is_told_and_leaves_the_segments_as_they_are(shop, run):
    rewrite(shop.lines(NEWEST), "SELECT * REPLACE (product_id || ' ' AS product_id) FROM t")
    computed = run(shop.settings())
    assert set(told(shop)) == {("repair", "raw/order_lines", "product_id:trimmed")}
    assert ("monitoring/data_quality", NEWEST) in computed
    assert ("monitoring/data_quality", MONTHS[0]) not in computed
    assert not {key for key, _ in computed if key.startswith(("clusters/", "gold/", "silver/customer"))}


def test_file_of_which_no_row_can_be_used_is_told_in_every_month_and_warned_about(
    shop, run, segmentation, write_settings, monkeypatch
):
    spoilt = shop.lines(NEWEST).with_name("order_lines-spoilt.parquet")
    shutil.copy(shop.lines(NEWEST), spoilt)
    rewrite(spoilt, "SELECT * REPLACE ('soon' AS order_at) FROM t LIMIT 3")
    monkeypatch.chdir(shop.root)
    write_settings(shop.settings())

    ended = segmentation("run")

    assert ended.code == 0
    warning = f"raw/order_lines: no row can be used of {spoilt.name} (3 rows); raw/quarantine says why."
    assert ended.out.split("Segments of")[1].count(warning) == 1
    for month in MONTHS:
        page = (shop.data_dir / "reports" / month[:7] / "dashboard.html").read_text(encoding="utf-8")
        assert "the date does not follow source date_format" in page
        assert "No delivered row is in quarantine" not in page
    spoilt.unlink()
    assert warning not in segmentation("run").out
    page = (shop.data_dir / "reports" / NEWEST[:7] / "dashboard.html").read_text(encoding="utf-8")
    assert "No delivered row is in quarantine" in page
