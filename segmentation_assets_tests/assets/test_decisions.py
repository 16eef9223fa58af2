"""Decisions from outside: a segment's own name holds from the right month on and stays recorded."""

from __future__ import annotations

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS, Shop
from segmentation_assets_tests.assets.stored import bytes_of, files_of

HEADER = "decided_on,kind,from_month,subject,value,decided_by\n"


def decide(shop: Shop, *rows: str) -> None:
    (shop.data_dir / "decisions.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def names(shop: Shop, key: str) -> dict[str, dict[str, str]]:
    """Name by segment key, by month."""
    platform = Platform(shop.settings())
    found = {}
    with platform.engine.connect() as connection:
        for month in MONTHS:
            relation = parquet_scan(platform.store.table_paths(key, month))
            sql = f"SELECT DISTINCT segment_key, segment_name FROM {relation} WHERE segment_key IS NOT NULL"
            found[month] = dict(connection.execute(sql).fetchall())
    return found


def members(shop: Shop) -> list[tuple[str, str]]:
    platform = Platform(shop.settings())
    relation = parquet_scan(platform.store.table_paths("gold/customer_segments", MONTHS[-1]))
    with platform.engine.connect() as connection:
        return connection.execute(f"SELECT customer_id, segment_key FROM {relation} ORDER BY 1").fetchall()


def keys_of(shop: Shop) -> set[str]:
    """What a name can show in; most reports are left out to save time."""
    keys = set(Platform(shop.settings()).graph.by_key)
    return {key for key in keys if not key.startswith(("exports/", "reports/", "serving/"))} | {
        "reports/business_report"
    }


def test_own_name_holds_from_the_month_of_its_day_on_until_it_is_withdrawn(shop, run):
    names_before, members_before = names(shop, "gold/customer_segments"), members(shop)
    bytes_before = bytes_of(shop.data_dir, "tables/gold", "reports")
    decide(shop, "2025-07-15,rename,2025-07,S001,Our best,Ann")

    computed = run(shop.settings(), keys=keys_of(shop))

    after = names(shop, "gold/customer_segments")
    june, july, august = MONTHS
    assert after[june] == names_before[june]
    assert after[july] == {**names_before[july], "S001": "Our best"}
    assert after[august] == {**names_before[august], "S001": "Our best"}
    assert names(shop, "gold/champion")[august]["S001"] == "Our best"
    assert names(shop, "gold/segment_profiles")[august]["S001"] == "Our best"
    assert members(shop) == members_before
    assert {month for key, month in computed if key == "gold/customer_segments"} == {july, august}
    assert not {key for key, _ in computed if key.startswith(("raw/", "silver/", "clusters/"))}
    for month, is_named in ((june, False), (july, True), (august, True)):
        report = (shop.data_dir / "reports" / month[:7] / "business_report.md").read_text(encoding="utf-8")
        assert ("Our best" in report) == is_named

    (shop.data_dir / "decisions.csv").unlink()
    run(shop.settings(), keys=keys_of(shop))

    assert bytes_of(shop.data_dir, "tables/gold", "reports") == bytes_before


def test_decision_is_recorded_as_it_was_made(shop, run):
    decide(shop, "2025-07-15,rename,2025-07,S001,Our best,Ann", '2025-08-01,rename,2025-08,S001,Our "very" best,Bo')
    run(shop.settings(), keys={"source/decisions"})
    platform = Platform(shop.settings())
    relation = parquet_scan(platform.store.table_paths("source/decisions"))
    with platform.engine.connect() as connection:
        rows = connection.execute(
            f"SELECT decision_number, CAST(decided_on AS VARCHAR), value, decided_by FROM {relation} ORDER BY 1"
        ).fetchall()
    assert rows == [(1, "2025-07-15", "Our best", "Ann"), (2, "2025-08-01", 'Our "very" best', "Bo")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2025-06-15,rename,2025-06,S999,Best,Ann", r"renames segment 'S999', which there has never been\nHint: "),
        (
            "2025-06-15,forget,2025-06,S001,Best,Ann",
            r"decisions\.csv, row 1: kind 'forget' is not known\nHint: known kinds",
        ),
        ("15.06.2025,rename,2025-06,S001,Best,Ann", r"decisions\.csv, row 1: decided_on '15\.06\.2025' is no date"),
        ("2025-06-15,rename,2025-06,S001,,Ann", r"decisions\.csv, row 1: value is empty\nHint: fill it in"),
    ],
)
def test_decision_that_cannot_be_followed_is_refused_and_changes_nothing(shop, run, row, message):
    before = files_of(shop.data_dir)
    decide(shop, row)
    with pytest.raises(DataError, match=message):
        run(shop.settings())
    after = files_of(shop.data_dir)
    assert {name for name in before if before[name] != after.get(name)} <= {
        name for name in before if name.startswith(("tables/source/decisions", "manifests/source/decisions"))
    }
