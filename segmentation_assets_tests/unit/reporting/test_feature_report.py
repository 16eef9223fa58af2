"""What a month shows of features: six customers, and every reason for which a feature is not clustered on."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings, ImputationSettings, MatrixSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.features.dictionary import DictionaryEntry, DictionarySection
from segmentation_assets.features.preparation import fit_preparation
from segmentation_assets.reporting.column_statistics import Histogram
from segmentation_assets.reporting.feature_page import draw_histogram, render_feature_report
from segmentation_assets.reporting.feature_report import FeatureReport, FeatureTables, gather_facts, to_plain
from segmentation_assets.storage.engine import Engine
from segmentation_assets.tables.declaration import CUSTOMER_ID, Table
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE


def feature(name, dtype="DOUBLE", imputation="ordinary", *, offered=True, meaning="A feature.", **facts):
    nullable = imputation != "core"
    return FeatureColumn(
        name=name, dtype=dtype, unit="orders", meaning=meaning, nullable=nullable, null_rule="not known" * nullable,
        imputation=imputation, is_clustering_feature=offered, **facts,
    )  # fmt: skip


COLUMNS = (
    feature("orders", imputation="core", reference="Hughes"),
    feature("twin"),
    feature("flat"),
    feature("empty"),
    feature("gappy"),
    feature("aside", offered=False),
    feature("town", "VARCHAR", offered=False, meaning=f"Town {HOSTILE}.", requires=("customers",)),
    feature("since", "DATE", "exempt", offered=False),
)
ROWS = [
    ("c1", 1, 2, 5, None, 1, 9, f"={HOSTILE}", "2025-01-01"),
    ("c2", 2, 4, 5, None, None, 9, "Ulm", "2025-01-02"),
    ("c3", 3, 6, 5, None, 7, 9, "Ulm", "2025-01-03"),
    ("c4", 4, 8, 5, None, 2, 9, None, None),
    ("c5", 5, 10, 5, None, 6, 9, None, "2025-01-05"),
    ("c6", None, 99, 5, None, 3, 9, "Bonn", "2025-01-06"),
]
TRACKING = [
    {"feature": "orders", "imputation_class": "core", "reason": "missing_core_metric", "filled_count": 1,
     "fill_value": None, "rule": "the row is set aside"},
    {"feature": "gappy", "imputation_class": "ordinary", "reason": "missing_filled_by_mean", "filled_count": 1,
     "fill_value": 4.0, "rule": "mean of the known values"},
    {"feature": "town", "imputation_class": None, "reason": None, "filled_count": None, "fill_value": None,
     "rule": None},
]  # fmt: skip


@pytest.fixture
def report(tmp_path):
    names = ["customer_id", *(column.name for column in COLUMNS)]
    frame = pd.DataFrame(ROWS, columns=names).astype({"empty": "float64"})
    table = Table(key="silver/customer_features", row="", columns=(CUSTOMER_ID, *COLUMNS), primary_key=("customer_id",))
    block = FeatureBlock(name="toy", columns=COLUMNS, select=lambda _: "")
    entries = tuple(DictionaryEntry("toy", column, column.requires) for column in COLUMNS)
    tables = FeatureTables(
        features="(SELECT * REPLACE (CAST(since AS DATE) AS since) FROM given)",
        tracking=TRACKING,
        preparation=fit_preparation(frame, table, ImputationSettings(), MatrixSettings()),
        matrix={"log_transformed": None, "adjustments": [{"feature": "orders", "winsorised_high": 2, "rare": 0}]},
        offered=["orders", "twin", "flat", "empty", "gappy"],
        seed=7,
    )
    section = DictionarySection(block, "A toy.", entries)
    with Engine(EngineSettings(), tmp_path / "spill").connect() as connection:
        connection.register("given", frame)
        facts, correlations = gather_facts(connection, [section], tables)
    return FeatureReport(
        month="2025-08",
        as_of_date=dt.date(2025, 9, 1),
        currency="EUR",
        sections=(section,),
        facts=facts,
        correlations=correlations,
        absent={"engagement": "the source delivers no <events>"},
    )


def test_every_feature_has_its_state_and_the_reason(report):
    assert {name: (facts.use.state, facts.use.words) for name, facts in report.facts.items()} == {
        "orders": ("clustered_on", "clustered on, winsorised high for 2 customers"),
        "twin": ("redundant", "left out: says the same as orders, which is kept: Pearson's r = 1.00 over 5 customers"),
        "flat": ("constant", "left out: all customers have the same value"),
        "empty": ("all_null", "left out: no customer has a value"),
        "gappy": ("clustered_on", "clustered on"),
        "aside": ("not_offered", "not offered to clusterings by matrix.features"),
        "town": ("not_offered", "not offered to clusterings by matrix.features"),
        "since": ("not_offered", "not offered to clusterings by matrix.features"),
    }


def test_counts_say_of_how_many_customers(report):
    orders, gappy, since = (report.facts[name].filling for name in ("orders", "gappy", "since"))
    assert (orders.count, orders.customer_count) == (1, 6)
    assert (gappy.count, gappy.customer_count, gappy.value) == (1, 5, 4.0)
    assert since is None


def test_the_plain_report_is_json_with_all_that_is_known(report):
    plain = json.loads(json.dumps(to_plain(report), allow_nan=False))
    by_name = {entry["name"]: entry for entry in plain["features"]}
    assert list(by_name) == [column.name for column in COLUMNS]
    assert plain["absent"] == {"engagement": "the source delivers no <events>"}
    assert (plain["customers"], plain["correlation_sample"]) == (6, 6)
    assert by_name["gappy"]["distribution"]["missing_share"] == pytest.approx(1 / 6)
    assert by_name["gappy"]["imputed"]["share"] == 0.2
    assert by_name["town"]["distribution"]["top_values"][0] == {"value": "Ulm", "customers": 2}
    assert by_name["since"]["distribution"]["quantiles"]["maximum"] == "2025-01-06"
    assert by_name["orders"]["rank_correlations"] == []
    assert by_name["twin"]["matrix"]["correlation"] == pytest.approx(1)


def test_the_page_names_every_feature_and_runs_nothing_that_came_with_the_data(report):
    html = render_feature_report(report, f"Shop {HOSTILE}")
    assert all(f'id="feature-{column.name}"' in html for column in COLUMNS)
    assert HOSTILE not in html
    assert "&lt;events&gt;" in html
    assert "1 of 5, 20.0% (missing filled by mean): mean of the known values" in html
    assert "says the same as orders" in html
    assert html.count("<script") == 1
    assert "http" not in html.replace("http-equiv", "")


def test_what_lies_in_the_middle_is_where_the_table_sorts_it(report):
    html = render_feature_report(report, "Shop")
    row = next(line for line in html.splitlines() if 'href="#feature-gappy"' in line)
    assert '<td class="n" data-order="3.0">3</td>' in row
    assert f'data-order="{1 / 6:.10g}">16.7%</td>' in row


def test_a_bin_with_few_values_can_still_be_seen():
    drawn = draw_histogram(Histogram(low=0, width=1, counts=(1000, 1, 0)))
    assert drawn["path"] == "M0 40V0H9V40ZM10 40V39H19V40Z"
