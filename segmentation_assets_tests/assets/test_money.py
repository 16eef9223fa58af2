"""Which amounts are analysed: currencies, VAT and margin, from the delivery to the reports."""

from __future__ import annotations

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine, parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import rewrite

INGEST = {"source/delivery", "raw/order_lines", "silver/order_lines"}
IN_POUNDS = "SELECT * REPLACE (CASE WHEN quantity % 2 = 1 THEN ' gbp' ELSE currency END AS currency) FROM t"
RATES = "currency,month,rate\nGBP,{},{}\nGBP,{},1.5\n"


def rates(shop, june="1.25"):
    """Write the rates of the first two snapshot months, and name the file."""
    path = shop.root / "rates.csv"
    path.write_text(RATES.format(MONTHS[0][:7], june, MONTHS[1][:7]))
    return shop.settings(money__exchange__file=str(path))


def lines(shop, settings, sql):
    store = Platform(settings).store
    paths = [path for month in MONTHS[:2] for path in store.slice_paths("silver/order_lines", month)]
    with Engine(settings.engine, shop.root).connect() as connection:
        return connection.execute(sql.format(table=parquet_scan(paths))).fetchall()


def test_other_currencies_need_rates_and_a_changed_rate_makes_only_its_month_again(shop, run):
    for month in MONTHS[:2]:
        rewrite(shop.lines(month), IN_POUNDS)
    with pytest.raises(Exception, match=r"in other currencies than currency EUR \(\d+ in GBP\).*row \d+.*'GBP'"):
        run(shop.settings(), keys=INGEST)

    settings = rates(shop)
    run(settings, keys=INGEST)
    wrong = "SELECT count(*) FROM {table} WHERE abs(amount - quantity * unit_price * CASE WHEN currency = 'EUR' THEN 1 "
    wrong += f"WHEN order_at < DATE '{MONTHS[1]}' THEN 1.25 ELSE 1.5 END) > 0.00005"
    assert lines(shop, settings, wrong) == [(0,)]
    manifest = Platform(settings).store.manifest("silver/order_lines")
    assert {measure for check in manifest.checks for measure, *_ in check.metadata.get("comparison", [])} >= {
        "amount in EUR", "amount in GBP", "analysed amount",
    }  # fmt: skip
    assert manifest.metadata["amounts"].endswith("other currencies converted by the rate of the day")
    assert run(settings, keys=INGEST) == set()
    raw = {check.name: check for check in Platform(settings).store.manifest("raw/order_lines").checks}
    compared = raw["reconciliation"].metadata["comparison"]
    assert [measure for measure, *_ in compared] == ["rows", "amount", "amount in EUR", "amount in GBP"]
    assert all(expected == found for _, expected, found in compared)

    assert run(rates(shop, june="1.26"), keys=INGEST) == {("silver/order_lines", "all")}
    assert Platform(settings).store.manifest("silver/order_lines").metadata["months_classified"] == [MONTHS[0]]


def test_net_amounts_and_margin_reach_features_and_reports(shop, run):
    plain = (shop.data_dir / "reports" / MONTHS[-1][:7] / "business_report.md").read_text()
    assert "Amounts are in EUR, as delivered; whether they include VAT is not said" in plain
    settings = shop.settings(money__vat__prices="include", money__vat__analyse="net", money__vat__rate=0.25)
    computed = run(settings)
    assert not {key for key, _ in computed if key.startswith(("source/", "raw/"))}
    assert lines(shop, settings, "SELECT count(*) FROM {table} WHERE amount <> quantity * unit_price * 0.8") == [(0,)]
    assert "Analysed, EUR" in (shop.data_dir / "reports" / MONTHS[-1][:7] / "dashboard.html").read_text()
    for name in ("business_report.md", "dashboard.html"):
        assert "net of VAT" in (shop.data_dir / "reports" / MONTHS[-1][:7] / name).read_text()
    store = Platform(settings).store
    with Engine(settings.engine, shop.root).connect() as connection:
        profiled = connection.execute(
            f"SELECT count(*) FROM {parquet_scan(store.table_paths('gold/segment_profiles', MONTHS[-1]))} "
            "WHERE feature IN ('gross_margin_amount', 'gross_margin_ratio') AND mean IS NOT NULL"
        ).fetchone()
    assert profiled[0] >= 2


def test_without_a_cost_the_margin_is_absent_and_nothing_else_changes(shop, run):
    columns = {name: text for name, text in shop.settings().source.order_lines.columns.items() if name != "cost_price"}
    before = Platform(shop.settings()).store.table_paths("silver/model_matrix", MONTHS[0])[0].read_bytes()
    settings = shop.settings().altered({"source.order_lines.columns": columns})
    run(settings)
    store = Platform(settings).store
    absent = store.manifest("silver/customer_features", MONTHS[0]).metadata["absent_features"]
    assert absent["margin"] == "the source delivers no order_lines.cost_price"
    assert store.table_paths("silver/model_matrix", MONTHS[0])[0].read_bytes() == before
