from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from segmentation_assets.config.settings import DashboardSettings, MapSettings
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets.reporting.dashboard_clusterings import leaderboard_rows
from segmentation_assets.reporting.dashboard_tables import (
    data_view,
    movement_view,
    profile_view,
)
from segmentation_assets.reporting.segment_cards import describe_segments
from segmentation_assets.reporting.snapshot import Snapshot
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE

VOID = {"meta", "link", "br", "img", "input", "hr"}
LOADING = {"src", "srcset", "href", "action", "formaction", "poster", "data", "background", "ping", "xlink:href"}


class Page(HTMLParser):
    """Collects tags, attributes, visible text and scripts, and checks that tags nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.scripts_are_json: list[bool] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")
            self.scripts_are_json.append(("type", "application/json") in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.text.append(data)


def render(snapshot: Snapshot, map_points: int = 100) -> str:
    return render_dashboard(snapshot, DashboardSettings(map_points=map_points))


def words(page: Page) -> str:
    return " ".join(" ".join(page.text).split())


@pytest.fixture
def page(snapshot: Snapshot) -> Page:
    return Page(render(snapshot))


def test_the_page_nests_its_tags_and_says_what_was_found(page: Page) -> None:
    assert page.open == []
    text = words(page)
    for expected in (
        "August 2025",
        "As of 1 September 2025",
        "EUR 1,500 in the last 24 months",
        "with a segment, 1 without",
        "2 segments of the K-means fitted on the customers of July 2025",
        "Bought very recently, ordered very often, spent a great deal.",
        "Per customer mean EUR 600.25",
        "5.0 · 5.0 · 5.0",
        "K-means, in force since July 2025",
        "The model of July stays.",
        "1 customer since July 2025",
        "All 6 customers.",
        "Orders far above average median 11, everyone 2",
        "engagement no events are delivered",
        "no sale in the lookback",
        "the value is not a number",
    ):
        assert expected in text


def test_nothing_is_asked_from_the_network(page: Page) -> None:
    loading = [value for _, name, value in page.attributes if name in LOADING]
    assert loading
    assert all(value.startswith("#") for value in loading)
    assert not {"link", "iframe", "object", "embed", "base", "form", "img"} & set(page.tags)
    own = page.scripts[-1] + page.scripts[0]
    assert "http" not in own
    assert 'plotlyServerURL: ""' in own
    assert "displaylogo: false" in own


def test_the_content_policy_lists_the_hash_of_every_script_that_runs(page: Page) -> None:
    policy = next(
        value for tag, name, value in page.attributes if tag == "meta" and name == "content" and "src" in value
    )
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script, is_json in zip(page.scripts, page.scripts_are_json, strict=True)
        if not is_json
    }
    listed = set(re.findall(r"'sha256-[^']+'", policy))
    assert len(hashes) == 2
    assert hashes == listed
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


def test_no_element_carries_a_handler(page: Page) -> None:
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_the_page_stays_below_eight_megabytes_and_embeds_plotly_once(snapshot: Snapshot) -> None:
    html = render(snapshot)
    assert len(html.encode()) < 8_000_000
    assert html.count("plotly.js v") == 1


def test_the_same_snapshot_gives_the_same_bytes(snapshot: Snapshot) -> None:
    turned = dataclasses.replace(
        snapshot,
        features=snapshot.features.iloc[::-1],
        matrix=snapshot.matrix.iloc[::-1],
        shares=snapshot.shares.iloc[::-1],
        run_facts=dict(reversed(snapshot.run_facts.items())),
    )
    assert render(snapshot) == render(snapshot) == render(turned)


def test_markup_in_data_is_shown_and_never_runs(hostile: Snapshot) -> None:
    html = render(hostile)
    assert HOSTILE not in html
    page = Page(html)
    assert page.open == []
    assert "img" not in page.tags
    assert page.tags.count("script") == 3
    assert words(page).count(HOSTILE) >= 15
    titles = [value for _, name, value in page.attributes if name == "title"]
    assert any(HOSTILE in value for value in titles)
    assert HOSTILE not in json.dumps(json.loads(page.scripts[0]))


def test_customer_ids_stand_nowhere_on_the_page(snapshot: Snapshot) -> None:
    renamed = {f"C{number}": f"customer-{number}-secret" for number in range(1, 8)}
    frames = {
        name: getattr(snapshot, name).replace({"customer_id": renamed})
        for name in ("customer_segments", "features", "matrix", "rfm_segments", "imputed_flags")
    }
    assert "secret" not in render(dataclasses.replace(snapshot, **frames)).replace("customer-secret", "")


def test_an_unfinished_month_is_marked(snapshot: Snapshot) -> None:
    assert "unfinished month" in words(Page(render(dataclasses.replace(snapshot, is_partial=True))))
    assert "unfinished" not in words(Page(render(snapshot)))


def test_a_sample_of_the_map_states_its_size(snapshot: Snapshot) -> None:
    count = 150
    ids = [f"C{number:03d}" for number in range(count)]
    segments = snapshot.customer_segments.head(1).loc[[0] * count].assign(customer_id=ids)
    matrix = pd.DataFrame({"customer_id": ids, "a": range(count), "b": [number % 7 for number in range(count)]})
    large = dataclasses.replace(snapshot, customer_segments=segments, matrix=matrix)
    page = Page(render(large))
    assert "A random sample of 100 of 150 customers" in words(page)
    assert sum(len(trace["x"]) for trace in json.loads(page.scripts[0])["figure-map"]["data"]) == 100


def test_the_page_says_what_laid_the_map_out(snapshot: Snapshot, page: Page) -> None:
    assert "Laid out by principal components (PCA) of 6 customers." in words(page)
    html = render_dashboard(snapshot, DashboardSettings(), MapSettings(method="tsne"))
    text = words(Page(html))
    assert "Laid out by t-SNE of 6 customers, perplexity 1.67, seed 0. Only who lies close by means something" in text
    assert "layout of the map t-SNE of 6 customers" in text
    assert "To the right:" not in text


def test_the_first_snapshot_renders_without_movement(first_snapshot: Snapshot) -> None:
    text = words(Page(render(first_snapshot)))
    assert "There is no earlier month to compare with." in text
    assert "no earlier month to compare" in text
    assert "This is the first snapshot" in text


def test_one_segment_renders(one_segment: Snapshot) -> None:
    text = words(Page(render(one_segment)))
    assert "100.0%" in text
    assert "Close to the average in every feature." in text


def test_the_rfm_map_renders_without_matrix_and_candidates(rfm_only: Snapshot) -> None:
    page = Page(render(rfm_only))
    assert "There is no map" in words(page)
    assert "No candidate was scored this month." in words(page)
    assert "RFM map" in words(page)
    assert sorted(json.loads(page.scripts[0])) == ["figure-customers", "figure-flows", "figure-money"]


def test_without_a_champion_the_page_says_so(snapshot: Snapshot) -> None:
    nothing = dataclasses.replace(
        snapshot,
        champion=snapshot.champion.head(0),
        customer_segments=snapshot.customer_segments.tail(1),
        segment_profiles=snapshot.segment_profiles.head(0),
        matrix=pd.DataFrame(),
        shares=snapshot.shares.head(0),
    )
    text = words(Page(render(nothing)))
    assert "There is no segment this month." in text
    assert "no model in force" in text


def test_profiles_are_ordered_by_effect_and_warn_of_filled_in_values(snapshot: Snapshot) -> None:
    view = profile_view(snapshot, describe_segments(snapshot))
    assert [row["name"] for row in view["rows"]] == [
        "order_count",
        "recency_days",
        "average_order_value_amount",
        "department_share_shoes",
        "gap_days_mean",
    ]
    first, second = view["rows"][4]["cells"]
    assert (first["effect"], first["side"], first["weight"], first["warning"]) == ("−0.6", "below", "21", "")
    assert (second["effect"], second["value"], second["warning"]) == ("+0.3", "70 days", "50% filled in")
    assert view["has_warnings"]
    assert not any(row["by_mean"] for row in view["rows"])


def test_a_feature_that_rests_on_filled_in_values_does_not_lead_the_profiles(snapshot: Snapshot) -> None:
    profiles = snapshot.segment_profiles
    effects = profiles["effect_size"].where((profiles["feature"] != "gap_days_mean") | (profiles["median"] < 50), 9.0)
    view = profile_view(
        dataclasses.replace(snapshot, segment_profiles=profiles.assign(effect_size=effects)),
        describe_segments(snapshot),
    )
    assert [row["name"] for row in view["rows"]][-1] == "gap_days_mean"


def test_medians_that_are_all_alike_give_way_to_means(snapshot: Snapshot) -> None:
    profiles = snapshot.segment_profiles
    is_shoes = profiles["feature"] == "department_share_shoes"
    alike = dataclasses.replace(snapshot, segment_profiles=profiles.assign(median=profiles["median"].mask(is_shoes, 0)))
    row = next(row for row in profile_view(alike, describe_segments(alike))["rows"] if "shoes" in row["name"])
    assert row["by_mean"]
    assert [cell["value"] for cell in row["cells"]] == ["50%", "15%"]


def test_features_that_no_clustering_is_offered_are_profiled_apart(snapshot: Snapshot) -> None:
    texts = dict(snapshot.feature_columns)
    texts["gap_days_mean"] = texts["gap_days_mean"]._replace(is_main=False)
    apart = dataclasses.replace(snapshot, feature_columns=texts)
    view = profile_view(apart, describe_segments(apart))
    assert "gap_days_mean" not in [row["name"] for row in view["rows"]]
    assert [row["name"] for row in view["more"]] == ["gap_days_mean"]
    assert "1 more feature, which the clusterings are not offered" in words(Page(render(apart)))


def test_features_in_which_no_segment_differs_are_listed_apart(snapshot: Snapshot) -> None:
    profiles = snapshot.segment_profiles
    is_shoes = profiles["feature"] == "department_share_shoes"
    flat = dataclasses.replace(
        snapshot, segment_profiles=profiles.assign(effect_size=profiles["effect_size"].mask(is_shoes))
    )
    view = profile_view(flat, describe_segments(flat))
    assert "department_share_shoes" not in [row["name"] for row in view["rows"]]
    assert view["same"] == ["Share spent on Shoes"]
    assert "The same in every segment: Share spent on Shoes." in words(Page(render(flat)))


def test_movement_shows_counts_stays_and_leavers(snapshot: Snapshot) -> None:
    view = movement_view(snapshot, describe_segments(snapshot))
    assert view is not None
    assert [[cell["count"] for cell in row["cells"]] + [row["left"]] for row in view["rows"]] == [
        ["2", "1", "1"],
        ["", "2", "2"],
        ["", "1", ""],
    ]
    assert [cell["stayed"] for cell in view["rows"][0]["cells"]] == [True, False]
    assert view["rows"][2]["segment"] is None


def test_candidates_come_by_rank_with_the_baseline_after(snapshot: Snapshot) -> None:
    first, second = leaderboard_rows(snapshot)
    assert (first["name"], first["rank"], first["smallest"]) == ("K-means", "1", "2 (33.3%)")
    assert (first["scores"], first["sample"]) == (["100.0%", "0.410", "0.500", "80.0", "0.900"], "6")
    assert (second["name"], second["rank"], second["is_baseline"]) == ("RFM map", "–", True)
    assert second["scores"] == ["100.0%", "−0.100", "2.000", "10.0", "–"]


@pytest.mark.parametrize(("trained", "in_force", "is_refit"), [("2025-07", False, True), ("2025-08", True, False)])
def test_a_candidate_is_in_force_only_in_the_month_it_was_fitted_in(
    snapshot: Snapshot, trained: str, in_force: bool, is_refit: bool
) -> None:
    dated = dataclasses.replace(snapshot, champion=snapshot.champion.assign(trained_month=trained))
    first, second = leaderboard_rows(dated)
    assert (first["in_force"], first["is_refit"]) == (in_force, is_refit)
    assert (second["in_force"], second["is_refit"]) == (False, False)
    assert ("these figures are not its own" in words(Page(render(dated)))) is is_refit


def test_the_rfm_map_in_force_is_the_baseline_of_every_month(snapshot: Snapshot) -> None:
    ruled = dataclasses.replace(snapshot, champion=snapshot.champion.assign(algorithm="rfm_map"))
    assert [row["in_force"] for row in leaderboard_rows(ruled)] == [False, True]


def test_the_data_page_counts_rows_delivered_again_apart(snapshot: Snapshot) -> None:
    counts = pd.DataFrame(
        [("redelivered", 1200), ("redelivered_in_part", 2), ("order_id_reused", 1)], columns=["reason", "row_count"]
    ).assign(table_name="order_lines", explanation="")
    page = render_dashboard(dataclasses.replace(snapshot, quarantine_counts=counts), DashboardSettings())
    assert "<p>1 row set aside, 1,202 rows delivered again in another file:</p>" in page
    only_again = dataclasses.replace(snapshot, quarantine_counts=counts.head(1))
    assert data_view(only_again)["quarantine_words"] == "1,200 rows delivered again in another file"


def test_the_data_page_counts_what_was_set_aside(snapshot: Snapshot) -> None:
    view = data_view(snapshot)
    assert view["all_reconciled"]
    assert view["reconciliation"][1]["expected"] == "1,500.50"
    assert view["quarantine_words"] == "3 rows set aside"
    assert view["aside"] == [("no sale in the lookback, so no recency and no spend to judge by", "1")]
    assert [(row["name"], row["rule"], row["count"], row["share"]) for row in view["imputation"]] == [
        ("gap_days_mean", "the days since the only order day", "2", "33.3%")
    ]


def test_the_data_page_tells_findings_and_repairs_or_that_there_are_none(snapshot: Snapshot) -> None:
    html = render_dashboard(snapshot, DashboardSettings())
    for _, _, sentence in (*snapshot.findings, *snapshot.repairs):
        assert sentence in html
    assert "Nothing was found." not in html
    clean = render_dashboard(dataclasses.replace(snapshot, findings=(), repairs=()), DashboardSettings())
    assert "Nothing was found." in clean
    assert "Every value is as delivered." in clean


def test_the_money_of_customers_without_a_segment_is_stated(snapshot: Snapshot) -> None:
    assert data_view(snapshot)["aside_money"] == ""
    features = pd.DataFrame({"customer_id": ["C1", "C7"], "net_revenue_amount": [100.0, -12.5]})
    text = words(Page(render(dataclasses.replace(snapshot, features=features))))
    assert "1 customer without a segment, EUR −12.50 of net revenue in all" in text


def test_a_failed_reconciliation_shows(snapshot: Snapshot) -> None:
    broken = dataclasses.replace(snapshot, reconciliation=snapshot.reconciliation.assign(passed=[True, False]))
    assert not data_view(broken)["all_reconciled"]
    assert "differs" in words(Page(render(broken)))


def test_a_long_list_of_filled_in_values_is_folded_with_the_most_first(snapshot: Snapshot) -> None:
    rows = pd.DataFrame(
        [(f"feature_{number}", "missing", number, "the median") for number in range(1, 10)],
        columns=["feature", "reason", "filled_count", "rule"],
    )
    long = dataclasses.replace(snapshot, imputation=rows)
    assert [row["count"] for row in data_view(long)["imputation"]] == [str(number) for number in range(9, 0, -1)]
    assert "9 features and reasons, most customers first" in words(Page(render(long)))
    assert "features and reasons" not in words(Page(render(snapshot)))
