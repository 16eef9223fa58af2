"""Which columns each column of the graph is made from."""

import dataclasses

import pytest

from segmentation_assets.clustering.registry import enabled_algorithms
from segmentation_assets.errors import SegmentationError
from segmentation_assets.graph import lineage
from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.lineage import column_lineage
from segmentation_assets.tables import silver
from segmentation_assets.tables.declaration import Column

COVERED = ("silver", "clusters", "gold")
LISTS = ("silver/snapshot_input",)
MADE_FROM_NO_COLUMN = {
    ("clusters/leaderboard", "failure"),
    ("clusters/leaderboard", "compared_month"),
    ("clusters/usefulness", "segmented_month"),
    ("clusters/leaderboard", "is_baseline"),
    ("gold/customer_segments", "as_of_date"),
    ("gold/customer_segments", "valid_from"),
    ("gold/customer_segments", "valid_to"),
    ("gold/segment_strategies", "priority_by"),
}


@pytest.fixture
def all_lineage(platform):
    """Return the lineage of every asset."""
    return {node.key: column_lineage(platform, node) for node in platform.graph.nodes}


def columns_of(pairs, key):
    """Columns of one asset among pairs."""
    return {column for found, column in pairs if found == key}


def test_every_column_is_made_from_columns_that_there_are(platform, all_lineage):
    tables = {node.key: declared_table(platform, node) for node in platform.graph.nodes}
    for key, columns in all_lineage.items():
        assert set(columns) <= set(tables[key].column_names)
        for column, pairs in columns.items():
            assert len(pairs) == len(set(pairs)) > 0
            assert all(name in tables[source].column_names for source, name in pairs), (key, column)


def test_every_column_is_made_from_what_its_asset_reads_or_the_slices_listed_for_it(platform, all_lineage):
    listed = {item.key for item in platform.graph.node("silver/snapshot_input").inputs}
    for node in platform.graph.nodes:
        read = {item.key for item in node.inputs}
        allowed = read | listed if "silver/snapshot_input" in read else read
        found = {source for pairs in all_lineage[node.key].values() for source, _ in pairs}
        assert found <= allowed - {"silver/snapshot_input"}, node.key


def test_every_column_outside_the_key_has_a_lineage_but_the_named_ones(platform, all_lineage):
    without = {
        (node.key, column)
        for node in platform.graph.nodes
        if node.layer in COVERED and node.key not in LISTS
        for column in declared_table(platform, node).column_names
        if column not in declared_table(platform, node).primary_key and column not in all_lineage[node.key]
    }
    assert without == MADE_FROM_NO_COLUMN


@pytest.mark.parametrize(
    ("key", "sources"),
    [
        ("silver/order_lines", ["raw/order_lines"]),
        ("silver/customer_history", ["silver/order_lines", "silver/customer_history"]),
        ("silver/customer_features", ["silver/order_lines"]),
        ("silver/imputed_features", ["silver/customer_features"]),
        ("silver/model_matrix", ["silver/customer_features"]),
        ("clusters/kmeans", ["silver/model_matrix"]),
        ("gold/rfm_segments", ["silver/customer_features"]),
        ("gold/customer_segments", ["silver/customer_features"]),
    ],
)
def test_customers_are_those_of_the_asset_before(all_lineage, key, sources):
    assert all_lineage[key]["customer_id"] == tuple((source, "customer_id") for source in sources)


def test_customers_come_from_the_crosswalk_where_there_is_one(make_platform):
    platform = make_platform(population__crosswalk="crosswalk.csv")
    found = column_lineage(platform, platform.graph.node("silver/order_lines"))["customer_id"]
    columns = ("customer_id", "delivered_id", "source", "valid_from", "valid_to")
    assert found == (("raw/order_lines", "customer_id"), *(("source/crosswalk", name) for name in columns))


def test_delivered_tables_lists_and_files_have_no_lineage(platform, all_lineage):
    empty = {key for key, columns in all_lineage.items() if not columns}
    assert empty == {
        node.key for node in platform.graph.nodes if node.layer not in COVERED or node.key == "silver/snapshot_input"
    }


def test_slices_are_named_by_the_asset_whose_rows_are_read(all_lineage):
    features, history = all_lineage["silver/customer_features"], all_lineage["silver/customer_history"]
    assert features["unit_count"] == (
        ("silver/order_lines", "quantity"),
        ("silver/order_lines", "line_type"),
        ("silver/order_lines", "order_at"),
    )
    assert features["tenure_days"] == (("silver/customer_history", "first_order_date"),)
    assert features["account_age_days"] == (("raw/customers", "registered_on"),)
    assert features["days_since_event"] == (("raw/engagement_events", "event_at"),)
    assert ("raw/products", "department") in features["department_share_other"]
    assert ("silver/customer_history", "first_order_date") in history["btyd_T"]
    made_of = ("quantity", "unit_price", "currency", "order_at", "vat_rate", "country", "product_id")
    assert all_lineage["silver/order_lines"]["amount"] == tuple(("raw/order_lines", name) for name in made_of)


def test_filled_and_scaled_features_come_from_the_feature_and_what_stands_in_for_it(all_lineage):
    own = (("silver/customer_features", "gap_days_mean"),)
    with_stand_in = (*own, ("silver/customer_features", "recency_days"))
    assert all_lineage["silver/imputed_features"]["gap_days_mean"] == with_stand_in
    assert all_lineage["silver/imputed_features"]["was_imputed_gap_days_mean"] == own
    assert all_lineage["silver/model_matrix"]["gap_days_mean"] == with_stand_in
    assert all_lineage["silver/model_matrix"]["order_count"] == (("silver/customer_features", "order_count"),)


@pytest.mark.parametrize("method", ["knn", "iterative"])
def test_features_filled_by_others_come_from_those_too(make_platform, method):
    platform = make_platform(imputation__method=method, matrix__features=["age_years", "days_since_event", "gender"])
    filled = column_lineage(platform, platform.graph.node("silver/imputed_features"))
    read = columns_of(filled["age_years"], "silver/customer_features")
    assert {"age_years", "recency_days", "return_rate", "gap_days_mean"} < read
    assert columns_of(filled["days_since_event"], "silver/customer_features") == read - {"age_years"} | {
        "days_since_event"
    }
    assert filled["return_rate"] == (("silver/customer_features", "return_rate"),)
    matrix = column_lineage(platform, platform.graph.node("silver/model_matrix"))
    assert set(matrix) == {"customer_id", "age_years", "days_since_event", "gender_is_*"}
    assert matrix["age_years"] == filled["age_years"]
    segments = column_lineage(platform, platform.graph.node("gold/customer_segments"))["segment_key"]
    assert columns_of(segments, "silver/customer_features") == read | {"days_since_event", "gender"}


@pytest.mark.parametrize(("wanted", "count"), [(2, 2), (0.9, 4), (50, 4)])
def test_components_come_from_every_feature_of_the_matrix(make_platform, wanted, count):
    chosen = ["recency_days", "return_rate", "gap_days_mean", "gender"]
    platform = make_platform(matrix__features=chosen, matrix__encoding="ordinal", matrix__pca=wanted)
    matrix = column_lineage(platform, platform.graph.node("silver/model_matrix"))
    assert set(matrix) == {"customer_id", *(f"pc_{number}" for number in range(1, count + 1))}
    assert columns_of(matrix["pc_1"], "silver/customer_features") == set(chosen)


def test_clusters_come_from_every_column_of_the_matrix(platform, all_lineage):
    matrix = declared_table(platform, platform.graph.node("silver/model_matrix"))
    expected = tuple(("silver/model_matrix", name) for name in matrix.column_names if name != "customer_id")
    found = all_lineage["clusters/kmeans"]
    assert found["centre_distance"] == expected
    assert found["cluster"] == (*expected, ("silver/customer_features", "net_revenue_amount"))


def test_segments_come_from_the_features_the_matrix_rests_on_and_the_model_in_force(all_lineage):
    matrix = set(all_lineage["silver/model_matrix"]) - {"customer_id"}
    pairs = all_lineage["gold/customer_segments"]["segment_key"]
    assert columns_of(pairs, "silver/customer_features") == matrix
    assert columns_of(pairs, "gold/champion") == {"model_hash"}
    assert all_lineage["gold/customer_segments"]["previous_segment_key"] == (("gold/customer_segments", "segment_key"),)


def test_chosen_features_are_told_with_what_stands_in_for_them_and_the_core_metrics(make_platform):
    platform = make_platform(matrix__features=["days_since_event"])
    pairs = column_lineage(platform, platform.graph.node("gold/customer_segments"))["imputed_share"]
    core = {"recency_days", "order_count", "net_revenue_amount", "average_order_value_amount"}
    assert columns_of(pairs, "silver/customer_features") == {"days_since_event", "tenure_days"} | core


def test_champion_and_leaderboard_read_the_clusters_of_every_algorithm(platform, all_lineage):
    fitted = {f"clusters/{name}" for name in enabled_algorithms(platform.settings.clustering)}
    for pairs in (all_lineage["clusters/leaderboard"]["coverage"], all_lineage["gold/champion"]["cluster"]):
        assert {key for key, column in pairs if column == "cluster" and key.startswith("clusters/")} == fitted
    scores = columns_of(all_lineage["gold/champion"]["segment_name"], "gold/rfm_segments")
    assert scores == {"recency_score", "frequency_score", "monetary_score"}
    assert ("source/decisions", "value") in all_lineage["gold/champion"]["segment_name"]


def test_profiles_read_every_feature_and_every_flag(platform, all_lineage):
    profiles = all_lineage["gold/segment_profiles"]
    features = set(all_lineage["silver/customer_features"]) - {"customer_id"}
    assert columns_of(profiles["mean"], "silver/customer_features") == features
    flags = {f"was_imputed_{name}" for name in features - {"first_order_date", "last_order_date"}}
    assert columns_of(profiles["imputed_share"], "silver/imputed_features") == flags


def test_unmapped_tables_are_read_by_nothing(make_platform):
    columns = {name: name for name in ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")}
    own = make_platform(
        source__kind="files",
        source__order_lines={"files": ["*.csv"], "columns": columns},
        calendar__first_snapshot="2025-06",
        features__departments=[],
        clustering__algorithms__kmeans__enabled=False,
    )
    found = {node.key: column_lineage(own, node) for node in own.graph.nodes}
    assert {key for columns in found.values() for pairs in columns.values() for key, _ in pairs} <= set(
        own.graph.by_key
    )
    assert found["gold/champion"]["cluster"][-1] == ("gold/champion", "cluster")


@pytest.mark.parametrize("name", ["order_lines.amonut", "order_line.amount", "order_line.*", "products.department"])
def test_column_that_the_asset_does_not_read_is_refused(platform, monkeypatch, name):
    wrong = Column(name="amount", dtype="DOUBLE", meaning="Wrong.", reads=(name,))
    table = dataclasses.replace(silver.ORDER_LINES, columns=(wrong,))
    monkeypatch.setattr(lineage, "declared_table", lambda *_: table)
    expected = rf"silver/order_lines.amount is declared to read '{name.replace('*', '[*]')}', but none .*\nHint: "
    with pytest.raises(SegmentationError, match=expected):
        column_lineage(platform, platform.graph.node("silver/order_lines"))
