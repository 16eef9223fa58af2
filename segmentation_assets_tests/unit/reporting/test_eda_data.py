"""Columns of delivered tables, quality over the months, and how the page tells of them, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.ingestion.accounts import Holding, PartAccount
from segmentation_assets.reporting import table_profile
from segmentation_assets.reporting.correlations import correlate_ranks
from segmentation_assets.reporting.eda_data import DataProfile, build_data_figures, describe_data
from segmentation_assets.reporting.month_quality import MissingShares, MonthQuality, measure_missing, measure_months
from segmentation_assets.reporting.table_profile import profile_table
from segmentation_assets.storage.engine import Engine
from segmentation_assets.tables.raw import RAW_CUSTOMERS

MONTHS = ("2025-01", "2025-02")


@pytest.fixture
def connection(tmp_path):
    with Engine(EngineSettings(), tmp_path / "spill").connect() as opened:
        yield opened


@pytest.fixture
def customers(connection):
    connection.execute(
        "CREATE TABLE customers AS SELECT 'secret' || i AS customer_id, 1950 + i % 40 AS birth_year, "
        "CASE WHEN i % 4 > 0 THEN 'NL' END AS country, NULL::VARCHAR AS gender, 'trimmed' AS repairs, i AS source_row, "
        "'anna@example.org' AS email FROM range(1000) AS t(i)"
    )
    return "customers"


def test_a_profile_shows_no_id_and_no_column_that_is_not_declared(connection, customers):
    profile = profile_table(connection, customers, RAW_CUSTOMERS)
    assert [column.name for column in profile.columns] == ["customer_id", "birth_year", "country"]
    assert profile.empty == ("gender",)
    assert (profile.columns[0].distinct_count, profile.columns[0].top) == (1000, ())
    assert profile.columns[2].top == (("NL", 750),)
    data = describe_data(data_of(tables=(profile,)), "EUR")
    assert "secret" not in str(data)
    assert "anna" not in str(data)


def test_a_large_table_is_looked_at_in_part_whatever_its_order(connection, customers, monkeypatch):
    monkeypatch.setattr(table_profile, "ROWS_LOOKED_AT", 100)
    profile = profile_table(connection, customers, RAW_CUSTOMERS)
    backwards = profile_table(connection, "(SELECT * FROM customers ORDER BY source_row DESC)", RAW_CUSTOMERS)
    assert profile.row_count == 1000
    assert 60 < profile.sample_count < 150
    assert profile == backwards
    assert describe_data(data_of(tables=(profile,)), "EUR")["tables"][0]["is_sample"]


def test_years_are_written_without_separators(connection, customers):
    data = describe_data(data_of(tables=(profile_table(connection, customers, RAW_CUSTOMERS),)), "EUR")
    (year,) = (column for column in data["tables"][0]["columns"] if column["name"] == "birth_year")
    assert year["range"] == "1950 to 1989"


def test_a_table_without_rows_has_only_empty_columns(connection):
    relation = "(SELECT 'a' AS customer_id, 'b' AS country WHERE false)"
    profile = profile_table(connection, relation, RAW_CUSTOMERS)
    assert (profile.row_count, profile.sample_count, profile.columns) == (0, 0, ())
    assert profile.empty == ("customer_id", "country")


def lines(connection):
    connection.execute(
        "CREATE TABLE lines AS SELECT * FROM (VALUES "
        "(TIMESTAMP '2025-01-05', 'c1', 's1', NULL, false), (TIMESTAMP '2025-01-06', NULL, NULL, NULL, false), "
        "(TIMESTAMP '2025-02-01', 'c1', 's1', 'product_id:trimmed', true), "
        "(TIMESTAMP '2025-02-02', 'c2', 's1', NULL, false)) "
        "AS t(order_at, customer_id, store_id, repairs, is_exact_duplicate)"
    )
    return "lines"


def test_months_count_what_became_of_delivered_rows(connection):
    stored = lines(connection)
    aside = {
        "bad_date": {"": Holding(3)},
        "not_a_number": {"2025-01-01": Holding(2)},
        "redelivered": {"2025-01-01": Holding(5)},
    }
    parts = [PartAccount("a", Holding(), {}, aside), PartAccount("b", Holding(), {}, {"bad_date": {"": Holding(1)}})]
    silver = f"(SELECT * FROM {stored} WHERE customer_id IS DISTINCT FROM 'c2')"
    undated, january, february = measure_months(connection, stored, silver, parts)
    assert undated == MonthQuality(month="", set_aside_count=4)
    assert january == MonthQuality(
        month="2025-01", stored_count=2, set_aside_count=2, redelivered_count=5, guest_count=1, classified_count=2
    )
    assert january.delivered_count == 9
    assert february == MonthQuality(
        month="2025-02", stored_count=2, repaired_count=1, classified_count=1, duplicate_count=1
    )


def test_only_columns_that_are_filled_in_part_are_told_as_missing(connection):
    found = measure_missing(connection, lines(connection), ["order_at", "customer_id", "store_id", "repairs"])
    assert found == MissingShares(MONTHS, ("customer_id", "store_id", "repairs"), ((0.5, 0), (0.5, 0), (1.0, 0.5)))


def data_of(**changes):
    counted = range(40)
    sample = pd.DataFrame({"<a>": counted, "b": [-value for value in counted], "same": 1.0}, dtype="float64")
    content = {
        "tables": (),
        "correlations": correlate_ranks(sample, 500),
        "quality": (MonthQuality(month="2025-01", stored_count=3, set_aside_count=1, classified_count=2),),
        "missing": MissingShares(MONTHS, ("store_id",), ((0.5, 0.0),)),
    }
    return DataProfile(**(content | changes))


def test_the_page_tells_pairs_once_each_with_its_customers():
    data = describe_data(data_of(), "EUR")
    assert data["pairs"] == [("<a>", "b", "−1.00", "40")]
    assert (data["sample"], data["customers"], data["correlated_count"]) == ("40", "500", 3)


def test_the_heat_map_is_inert_and_leaves_out_what_is_not_known():
    trace = build_data_figures(data_of())["figure-correlations"]["data"][0]
    assert trace["x"] == ["&lt;a&gt;", "b", "same"]
    assert trace["z"] == [[1, -1, None], [-1, 1, None], [None, None, None]]
    assert trace["customdata"][0] == [40, 40, 40]


def test_a_single_feature_has_no_heat_map():
    alone = correlate_ranks(pd.DataFrame({"a": [1.0]}), 1)
    assert build_data_figures(data_of(correlations=alone)) == {}


def test_a_month_that_does_not_add_up_is_marked():
    row = describe_data(data_of(), "EUR")["quality"][0]
    assert (row["month"], row["cells"][:2]) == ("January 2025", ["4", "1 (25.0%)"])
    assert (row["adds_up"], row["classified"]) == (False, "2 of 3")
