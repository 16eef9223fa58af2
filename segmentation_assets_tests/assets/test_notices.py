"""What the settings name and no order line has is told in data quality and reports, for the lookback of the month."""

from __future__ import annotations

import datetime as dt

from openpyxl import Workbook

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS

NEWEST = MONTHS[-1]
NEEDED = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price", "country", "currency")


def notices(settings, kind="unused_setting"):
    platform = Platform(settings)
    with platform.engine.connect() as connection:
        return connection.execute(
            "SELECT subject, CAST(found AS BIGINT), explanation FROM "
            f"{parquet_scan(platform.store.table_paths('monitoring/data_quality', NEWEST))} "
            f"WHERE kind = '{kind}' ORDER BY ALL"
        ).fetchall()


def deliver_workbook(shop) -> None:
    """Add a workbook of order lines with a hidden sheet."""
    header = NEEDED
    workbook = Workbook()
    for sheet, orders in (("May", 2), ("Old", 1)):
        added = workbook.create_sheet(sheet)
        added.append(header)
        for number in range(orders):
            added.append((f"{sheet}{number}", dt.datetime(2025, 8, 3), "C0000001", "P1", 1, 2.5, "Spain", "EUR"))
    workbook.remove(workbook.worksheets[0])
    workbook["Old"].sheet_state = "hidden"
    workbook.save(shop.deliveries / "more.xlsx")


def test_entries_that_fit_nothing_are_told_and_a_new_one_makes_only_what_tells_of_it(shop, run):
    crosswalk, rates = shop.root / "crosswalk.csv", shop.root / "rates.csv"
    crosswalk.write_text("delivered_id,customer_id\nnobody,somebody\n")
    rates.write_text("currency,valid_from,rate\nUSD,2020-01-01,0.87\n")
    vat = [{"country": "Atlantis", "rate": 0.07}, {"department": "Apparel", "rate": 0.25}]
    deliver_workbook(shop)
    mapping = shop.settings().source.order_lines
    settings = shop.settings(
        source__order_lines__files=[*mapping.files, "more.xlsx"],
        population__crosswalk=str(crosswalk),
        money__exchange__file=str(rates),
        money__vat={"prices": "include", "analyse": "net", "rate": 0.25, "rates": vat},
    ).altered({"source.order_lines.columns": {name: mapping.columns[name] for name in NEEDED}})
    run(settings)

    told = {
        "money.exchange": "currency of money.exchange fits no order line in the lookback: USD",
        "money.vat.rates": "VAT rate of money.vat.rates fits no order line in the lookback: country 'Atlantis'",
        "population.crosswalk": "entry of population.crosswalk fits no order line in the lookback: 'nobody'",
    }
    assert notices(settings) == [(setting, 1, words) for setting, words in told.items()]
    hidden = "row of order_lines in more.xlsx[Old], a hidden sheet"
    assert notices(settings, "hidden_sheet") == [("order_lines", 1, hidden)]
    reports = shop.data_dir / "reports" / NEWEST[:7]
    for words in (hidden, *told.values()):
        assert f"1 {words}." in (reports / "business_report.md").read_text().replace("\\", "")
        assert f"1 {words}." in (reports / "dashboard.html").read_text().replace("&#39;", "'")

    rates.write_text("currency,valid_from,rate\nUSD,2020-01-01,0.87\nGBP,2020-01-01,1.17\n")
    computed = run(settings)
    assert {key.split("/")[0] for key, _ in computed} == {"silver", "monitoring", "reports", "exports", "serving"}
    assert {key for key, _ in computed if key.startswith("silver/")} == {"silver/order_lines"}
    assert notices(settings)[0][1:] == (
        2,
        "currencies of money.exchange fit no order line in the lookback: GBP; USD",
    )
