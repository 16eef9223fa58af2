import datetime as dt
from importlib.resources import files

import pytest

from segmentation_assets.config.catalogue import CATALOGUE_FILE
from segmentation_assets.errors import PredecessorError
from segmentation_assets.graph.inputs import (
    MissingInputError,
    as_of,
    history_months,
    lookback_months,
    parts_in_lookback,
    read_fingerprints,
    recent_snapshots,
)
from segmentation_assets.graph.node import Input
from segmentation_assets.ingestion.accounts import Holding, PartAccount
from segmentation_assets.storage.manifest import StoredFile


def fingerprints(platform, key, partition="all"):
    return read_fingerprints(platform, platform.graph.node(key), partition)


def test_snapshot_reads_the_months_up_to_its_own(taken_in, pretend):
    for table in ("customers", "products", "engagement_events"):
        slices = {"2025-05-01": "e5", "2025-07-01": "e7", "all": table, "quarantine": "q"}
        pretend(taken_in, f"raw/{table}", slices=slices, content=table)
    found = fingerprints(taken_in, "silver/snapshot_input", "2025-06-01")
    lines = {f"silver/order_lines@2025-{month:02d}-01": f"m{month}" for month in range(1, 7)}
    assert found == {
        **lines,
        "raw/engagement_events@2025-05-01": "e5",
        "raw/customers@all": "customers",
        "raw/products@all": "products",
        "as_of": "2025-07-01 complete",
    }


def test_first_snapshot_reads_all_history_and_later_ones_their_month(taken_in):
    assert history_months(taken_in, "2025-06-01") == tuple(f"2025-{month:02d}-01" for month in range(1, 7))
    assert history_months(taken_in, "2025-07-01") == ("2025-07-01",)


def test_lookback_cuts_off_months_before_its_start(make_platform, taken_in):
    short = make_platform(calendar__lookback_months=2)
    assert lookback_months(short, "2025-06-01") == ("2025-05-01", "2025-06-01")


def test_parts_show_what_they_hold_of_the_lookback_or_of_a_day_nobody_knows(platform, pretend):
    april, june, july, one = "2025-04-01", "2025-06-01", "2025-07-01", Holding(1)
    parts = (
        PartAccount("growing.csv", Holding(2), {april: one, july: one}, {}),
        PartAccount("overlapping.csv", Holding(3), {july: one}, {"redelivered": {june: one}, "required": {july: one}}),
        PartAccount("unread.csv", one, {}, {"malformed_row": {"": one}}),
        PartAccount("copy.csv", one, {}, {"redelivered": {june: one}}),
        PartAccount("broken-copy.csv", Holding(2), {}, {"redelivered": {june: one}, "required": {june: one}}),
        PartAccount("empty.csv", Holding(), {}, {}),
    )
    metadata = {
        "last_order_at": "2025-08-31T18:00:00",
        "delivered_parts": {part.name: part.to_json() for part in parts},
    }
    pretend(platform, "raw/order_lines", slices=dict.fromkeys((april, june, july), "m"), metadata=metadata)
    read = Input(key="raw/order_lines", window="parts", slice_name="delivered_parts")
    early = {part.name: part.delivered.rows for part in parts_in_lookback(platform, read, june)}
    assert early == {"growing.csv": 1, "unread.csv": 1, "broken-copy.csv": 2}
    late = {part.name: part.delivered.rows for part in parts_in_lookback(platform, read, july)}
    assert late == {"growing.csv": 2, "overlapping.csv": 3, "unread.csv": 1, "broken-copy.csv": 2}


@pytest.mark.parametrize(
    ("last_order", "expected"),
    [("2025-08-31T18:00:00", (dt.date(2025, 9, 1), False)), ("2025-08-09T12:50:00", (dt.date(2025, 8, 10), True))],
)
def test_unfinished_newest_month_is_as_of_the_day_after_its_last_order(platform, pretend, last_order, expected):
    pretend(platform, "raw/order_lines", slices={"2025-08-01": "m"}, metadata={"last_order_at": last_order})
    assert as_of(platform, "2025-08-01") == expected


def test_first_month_needs_no_predecessor(taken_in, pretend):
    pretend(taken_in, "silver/snapshot_input", "2025-06-01", "s6")
    expected = {"silver/snapshot_input@2025-06-01": "s6"}
    assert fingerprints(taken_in, "silver/customer_history", "2025-06-01") == expected


def test_later_month_names_the_missing_predecessor(taken_in, pretend):
    pretend(taken_in, "silver/snapshot_input", "2025-07-01")
    with pytest.raises(
        PredecessorError,
        match=r"silver/customer_history for 2025-07 builds on 2025-06, which has not been computed\n"
        r"Hint: make the months in order, from 2025-06 on: .* --partition 2025-06-01 first",
    ):
        fingerprints(taken_in, "silver/customer_history", "2025-07-01")


def test_later_month_reads_the_content_of_its_predecessor(taken_in, pretend):
    pretend(taken_in, "silver/snapshot_input", "2025-07-01", "s7")
    pretend(taken_in, "silver/customer_history", "2025-06-01", "h6")
    assert fingerprints(taken_in, "silver/customer_history", "2025-07-01") == {
        "silver/snapshot_input@2025-07-01": "s7",
        "silver/customer_history@2025-06-01": "h6",
    }


def test_missing_input_is_named_with_what_to_do(platform):
    with pytest.raises(MissingInputError, match=r"raw/order_lines has not been computed .*\nHint: run 'segmentation"):
        fingerprints(platform, "silver/order_lines")


def test_raw_table_depends_on_its_own_files_only(platform, pretend):
    pretend(platform, "source/delivery", slices={"customers": "c1", "products": "p1"})
    pretend(platform, "source/decisions", metadata={"erasures": "e"})
    assert fingerprints(platform, "raw/products") == {"source/delivery@products": "p1"}
    erasures = {name: value for name, value in fingerprints(platform, "raw/customers").items() if "decisions" in name}
    assert len(erasures) == 1
    assert fingerprints(platform, "raw/customers") == {"source/delivery@customers": "c1", **erasures}
    assert fingerprints(platform, "raw/order_lines") == {"source/delivery@order_lines": "empty", **erasures}


def test_delivered_files_are_fingerprinted_by_their_bytes_and_leftovers_are_not(platform, pretend):
    names = ("order_lines-2025-06", "customers-2025-06", "products-2025-06", "engagement_events-2025-06")
    files = tuple(StoredFile(f"synthetic/delivery/{name}.parquet", 1, "") for name in names)
    pretend(platform, "source/synthetic_retail", content="shop", files=files)
    folder = platform.data_dir / "synthetic" / "delivery"
    folder.mkdir(parents=True)
    for name in (*names, "order_lines-2026-02"):
        (folder / f"{name}.parquet").write_text(name)
    before = fingerprints(platform, "source/delivery")
    (folder / "customers-2025-06.parquet").write_text("other")
    after = fingerprints(platform, "source/delivery")
    assert {name for name in after if after[name] != before[name]} == {"customers/customers-2025-06.parquet"}
    assert before["source/synthetic_retail"] == "shop"
    assert "order_lines/order_lines-2026-02.parquet" not in before


def test_decisions_count_only_where_there_are_any(platform):
    assert fingerprints(platform, "source/decisions") == {}
    platform.data_dir.mkdir()
    (platform.data_dir / "decisions.csv").write_text("x")
    assert list(fingerprints(platform, "source/decisions")) == ["decisions.csv"]


def test_own_catalogue_counts_by_its_bytes(make_platform, tmp_path):
    path = tmp_path / "mine.yaml"
    written = files("segmentation_assets").joinpath(CATALOGUE_FILE).read_text(encoding="utf-8")
    path.write_text(written, encoding="utf-8")
    platform = make_platform(synthetic__catalogue=str(path))
    first = fingerprints(platform, "source/synthetic_retail")
    path.write_text(f"{written}# another", encoding="utf-8")
    second = fingerprints(platform, "source/synthetic_retail")
    assert list(first) == list(second) == ["catalogue"]
    assert first != second
    path.unlink()
    assert fingerprints(platform, "source/synthetic_retail") == {}


def test_recent_snapshots_start_with_the_first_snapshot_and_are_at_most_twelve(make_platform, platform):
    assert recent_snapshots(platform, "2025-08-01") == ("2025-06-01", "2025-07-01", "2025-08-01")
    long = make_platform(calendar__first_snapshot="2024-01")
    assert recent_snapshots(long, "2025-08-01")[0] == "2024-09-01"
    assert len(recent_snapshots(long, "2025-08-01")) == 12


def test_warehouse_reads_the_months_of_the_calendar_only(make_platform, taken_in, pretend):
    for key in (item.key for item in taken_in.graph.node("serving/warehouse").inputs):
        node = taken_in.graph.node(key)
        for month in ("2025-06-01", "2025-07-01") if node.is_partitioned else ("all",):
            pretend(taken_in, key, month, f"{key} {month}")
    found = read_fingerprints(
        make_platform(calendar__first_snapshot="2025-07"), taken_in.graph.node("serving/warehouse"), "all"
    )
    assert {name.split("@")[1] for name in found if "@" in name} == {"2025-07-01"}
    assert "silver/order_lines" in found
