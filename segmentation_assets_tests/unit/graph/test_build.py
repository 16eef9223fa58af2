import pytest

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.build import Graph, build_graph, code_version
from segmentation_assets.graph.node import Input, Node
from segmentation_assets_tests.keys import REPORTS

COMPARED = {"clusters/usefulness", "clusters/leaderboard"}
WRITTEN = REPORTS - {"exports/customer_segments"}
"""What says in words how it was made."""


WITHOUT_LOOKBACK = {"reports/clusterings", "reports/feature_report"}
"""What does not say how far back a month reads."""


def versions(platform):
    return {node.key: code_version(node, platform.settings) for node in platform.graph.nodes}


def changed(before, after):
    return {key for key in before if before[key] != after[key]}


def test_every_asset_comes_after_what_it_reads(platform):
    seen = set()
    for node in platform.graph.nodes:
        assert {item.key for item in node.inputs} - {node.key} <= seen
        seen.add(node.key)


def test_no_asset_reads_what_is_made_from_it(platform):
    for node in platform.graph.nodes:
        upstream = {item.key for item in node.inputs} - {node.key}
        assert not upstream & platform.graph.descendants({node.key})


def test_only_own_files_leave_out_the_synthetic_shop(make_platform):
    columns = {name: name for name in ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")}
    own = make_platform(
        source__kind="files",
        source__order_lines={"files": ["*.csv"], "columns": columns},
        calendar__first_snapshot="2025-06",
    )
    keys = set(own.graph.by_key)
    assert "source/synthetic_retail" not in keys
    assert {key for key in keys if key.startswith("raw/")} == {"raw/order_lines", "raw/quarantine"}
    assert own.graph.node("source/delivery").inputs == ()


def test_disabled_algorithm_is_no_asset_and_no_input(make_platform):
    graph = make_platform(clustering__algorithms__kmeans__enabled=False).graph
    assert "clusters/kmeans" not in graph.by_key
    assert "clusters/kmeans" not in {item.key for node in graph.nodes for item in node.inputs}
    assert "clusters/leaderboard" in graph.by_key


def test_descendants_are_what_is_made_from_a_key_and_the_key():
    nodes = (
        Node(key="a/one", description=""),
        Node(key="a/two", description="", inputs=(Input(key="a/one"),)),
        Node(key="b/three", description="", inputs=(Input(key="a/two"), Input(key="b/three", window="previous"))),
        Node(key="b/four", description=""),
    )
    graph = Graph(nodes)
    assert graph.descendants({"a/two"}) == {"a/two", "b/three"}
    assert graph.descendants(set()) == set()
    assert graph.select("a") == {"a/one", "a/two"}
    assert graph.select("b/four") == {"b/four"}


def test_unknown_asset_or_layer_is_refused_with_the_closest_name(platform):
    with pytest.raises(SettingsError, match=r"no asset or layer 'sliver'\nHint: did you mean 'silver'\?"):
        platform.graph.select("sliver")
    with pytest.raises(SettingsError, match=r"no asset 'gold/champions'\nHint: did you mean 'gold/champion'\?"):
        platform.graph.node("gold/champions")


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("clustering__algorithms__kmeans__k_max", 5, {"clusters/kmeans"}),
        (
            "clustering__seed",
            8,
            {*(f"clusters/{name}" for name in ALGORITHMS), *COMPARED, "gold/segment_rules"} | WRITTEN,
        ),
        ("leaderboard__horizon_months", 2, COMPARED),
        ("leaderboard__min_stability", 0.5, {"clusters/leaderboard"}),
        ("leaderboard__min_candidates", 2, {"clusters/leaderboard"}),
        ("leaderboard__min_coverage", 0.5, {"clusters/leaderboard", "gold/customer_segments"}),
        ("imputation__method", "median", {"silver/imputed_features", "silver/model_matrix"}),
        (
            "calendar__lookback_months",
            12,
            {"silver/snapshot_input", "silver/training_features"} | WRITTEN - WITHOUT_LOOKBACK,
        ),
        (
            "prediction__horizon_days",
            30,
            {"silver/training_features", "models/churn", "models/lifetime_value", "models/newcomer_classifier"},
        ),
        ("prediction__churn__eligible_days", 180, {"models/churn"}),
        (
            "prediction__refit_every_months",
            1,
            {"silver/training_features", "models/lifetime_value", "models/segment_classifier"},
        ),
        ("prediction__max_score_psi", 0.1, {"gold/customer_scores"}),
        ("prediction__lifetime_value__level", 0.9, {"models/lifetime_value"}),
        ("engine__threads", 7, set()),
        ("engine__memory_limit", "1GB", set()),
        ("execution__executor", "multiprocess", set()),
    ],
)
def test_setting_changes_the_code_version_of_exactly_the_assets_it_shapes(make_platform, setting, value, expected):
    assert changed(versions(make_platform()), versions(make_platform(**{setting: value}))) == expected


def test_departments_change_the_features_and_what_fits_them(make_platform):
    found = changed(versions(make_platform()), versions(make_platform(features__departments=["Apparel"])))
    assert found == {
        "silver/customer_features",
        "silver/imputed_features",
        "silver/model_matrix",
        "silver/training_features",
        "reports/clusterings",
        "reports/eda",
        "reports/feature_report",
    }


def test_graph_of_the_same_settings_is_the_same(platform):
    assert build_graph(platform.settings) == platform.graph
