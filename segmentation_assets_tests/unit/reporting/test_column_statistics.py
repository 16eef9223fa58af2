"""Statistics of columns against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.reporting.column_statistics import MOST_BINS, describe_columns, describe_numbers
from segmentation_assets.storage.engine import Engine
from segmentation_assets.tables.declaration import Column

NAN = float("nan")


@pytest.fixture
def connection(tmp_path):
    with Engine(EngineSettings(), tmp_path / "spill").connect() as opened:
        yield opened


def column(name, dtype):
    return Column(name=name, dtype=dtype, meaning="A column.")


def test_numbers_are_described_over_the_known_ones():
    found = describe_numbers("x", np.array([NAN, 100.0, 0.0, 2.0, 1.0, 3.0]))
    assert (found.row_count, found.known_count, found.missing_count, found.zero_count) == (6, 5, 1, 1)
    assert (found.mean, found.deviation) == (21.2, pytest.approx(39.41269, abs=1e-5))
    assert found.quantiles["minimum"] == 0
    assert found.quantiles["lower_quartile"] == 1
    assert found.quantiles["median"] == 2
    assert found.quantiles["upper_quartile"] == 3
    assert found.quantiles["high"] == pytest.approx(3 + 0.8 * 97)
    assert found.quantiles["maximum"] == 100


def test_outliers_lie_beyond_one_and_a_half_interquartile_ranges():
    assert describe_numbers("x", np.array([0.0, 1, 2, 3, 6])).outlier_count == 0
    assert describe_numbers("x", np.array([0.0, 1, 2, 3, 6.01])).outlier_count == 1
    assert describe_numbers("x", np.array([-2.01, 1, 2, 3, 4])).outlier_count == 1
    assert describe_numbers("x", np.array([5.0, 5, 5, 5, 5, 9])).outlier_count is None


def test_whole_numbers_get_bins_that_hold_as_many_each():
    few = describe_numbers("x", np.array([3.0, 3, 4, 6]), is_whole=True).histogram
    many = describe_numbers("x", np.arange(0, 1001.0), is_whole=True).histogram
    assert few is not None
    assert many is not None
    assert (few.low, few.width, few.counts) == (3, 1, (2, 1, 0, 1))
    assert (many.low, many.width, len(many.counts)) == (10, 50, MOST_BINS)
    assert many.counts[0] == 60
    assert sum(many.counts) == 1001


def test_the_outermost_bins_hold_what_lies_beyond():
    histogram = describe_numbers("x", np.concatenate([np.linspace(0, 1, 999), [1e6]])).histogram
    assert histogram is not None
    assert histogram.low + MOST_BINS * histogram.width < 2
    assert sum(histogram.counts) == 1000
    assert min(histogram.counts) > 40


def test_a_single_value_is_one_bin_and_nothing_known_is_none():
    same = describe_numbers("x", np.array([7.5, 7.5]))
    unknown = describe_numbers("x", np.array([NAN]))
    assert same.histogram is not None
    assert same.histogram.counts == (2,)
    assert (unknown.known_count, unknown.mean, unknown.histogram, unknown.quantiles) == (0, None, None, {})


def test_the_order_of_rows_changes_nothing():
    values = np.random.default_rng(1).lognormal(size=5000)
    assert describe_numbers("x", values) == describe_numbers("x", values[::-1].copy())


def test_columns_are_described_by_their_type(connection):
    connection.execute(
        "CREATE TABLE given AS SELECT * FROM (VALUES "
        "(1, 'b', DATE '2025-01-03', true), (NULL, 'a', NULL, true), (3, 'a', DATE '2025-01-01', false), "
        "(4, NULL, DATE '2025-01-02', NULL), (5, 'c', DATE '2025-01-09', NULL)) AS t(n, word, day, flag)"
    )
    declared = [column("word", "VARCHAR"), column("n", "BIGINT"), column("day", "DATE"), column("flag", "BOOLEAN")]
    word, number, day, flag = describe_columns(connection, "given", declared)
    assert (word.known_count, word.distinct_count, word.top) == (4, 3, (("a", 2), ("b", 1), ("c", 1)))
    assert (number.row_count, number.known_count, number.mean) == (5, 4, 3.25)
    assert (day.quantiles["minimum"], day.quantiles["median"]) == ("2025-01-01", "2025-01-02")
    assert (day.missing_count, day.quantiles["maximum"]) == (1, "2025-01-09")
    assert flag.top == (("true", 2), ("false", 1))


def test_a_table_without_rows_has_nothing_known(connection):
    declared = [column("n", "DOUBLE"), column("word", "VARCHAR"), column("day", "DATE")]
    relation = "(SELECT NULL::DOUBLE AS n, NULL::VARCHAR AS word, NULL::DATE AS day WHERE false)"
    found = describe_columns(connection, relation, declared)
    assert [(each.row_count, each.known_count, each.quantiles) for each in found] == [(0, 0, {})] * 3


def test_more_columns_than_are_read_at_once_keep_their_names(connection):
    values = ", ".join(f"{place} AS c{place}" for place in range(40))
    declared = [column(f"c{place}", "BIGINT") for place in range(40)]
    found = describe_columns(connection, f"(SELECT {values})", declared)
    assert [(each.name, each.mean) for each in found] == [(f"c{place}", place) for place in range(40)]
