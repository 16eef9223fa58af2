"""The reports about the clusterings, from a finished shop with two more algorithms."""

from __future__ import annotations

import json

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS

FIRST = MONTHS[0]
KEY = "reports/clusterings"
MORE = {
    "clustering__algorithms__dbscan__enabled": True,
    "clustering__algorithms__gaussian_mixture__enabled": True,
    "clustering__algorithms__gaussian_mixture__n_init": 1,
    "clustering__algorithms__gaussian_mixture__k_max": 3,
    "clustering__algorithms__gaussian_mixture__covariance_types": ["diag"],
}
ALL = ("kmeans", "gaussian_mixture", "dbscan")


@pytest.fixture
def folder(shop):
    return shop.data_dir / "reports" / FIRST[:7] / "clusterings"


@pytest.fixture
def run_more(shop, run):
    """Run the reports of the first month with two more algorithms, and what they rest on."""

    def run_reports(**overrides):
        settings = shop.settings(**MORE, **overrides)
        keys = {KEY, "reports/dashboard", "clusters/leaderboard", *(f"clusters/{name}" for name in ALL)}
        return run(settings, keys=keys, month=FIRST)

    return run_reports


def test_every_algorithm_has_a_report_a_profile_and_pictures(shop, folder, run_more):
    run_more()
    names = {path.name for path in folder.iterdir()}
    assert {f"{name}.{ending}" for name in ALL for ending in ("md", "json", "png")} <= names
    assert {"comparison.md", "comparison.png", "kmeans-search.png", "gaussian_mixture-search.png"} <= names
    store = Platform(shop.settings()).store
    for name in ALL:
        document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        found = sum(cluster["customer_count"] for cluster in document["clusters"])
        assert found == store.manifest(f"clusters/{name}", FIRST).row_count
        assert document["month"] == FIRST[:7]
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
        assert all(f"({part}" in text for part in names if part.startswith(name) and part.endswith(".png"))
    comparison = (folder / "comparison.md").read_text(encoding="utf-8")
    assert all(f"| {label} |" in comparison for label in ("K-means", "Gaussian mixture", "DBSCAN", "RFM map"))


def test_the_reasons_of_the_leaderboard_are_told(shop, folder, run_more):
    run_more()
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        board = read_frame(connection, platform.store.table_paths("clusters/leaderboard", FIRST))
    reasons = board.set_index("candidate")["reason"]
    for name in ALL:
        assert reasons[name] in (folder / f"{name}.md").read_text(encoding="utf-8")


def test_the_same_content_gives_the_same_files(shop, folder, run, run_more):
    run_more()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(shop.settings(**MORE), keys={KEY}, month=FIRST, force=True) == {(KEY, FIRST)}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_month_in_which_none_is_due_points_to_the_last_comparison(shop, run):
    settings = shop.settings(clustering__refit_every_months=3)
    run(settings, keys={"clusters/kmeans", "clusters/leaderboard", KEY})
    later = shop.data_dir / "reports" / MONTHS[1][:7] / "clusterings"
    assert {path.name for path in later.iterdir()} == {"kmeans.md", "kmeans.json", "comparison.md", "charts.json"}
    text = (later / "kmeans.md").read_text(encoding="utf-8")
    assert "Nothing was fitted this month; not due: candidates are fitted every 3 months" in text
    linked = text.split("](")[1].split(")")[0]
    assert (later / linked).resolve().exists()
    assert "None was due this month" in (later / "comparison.md").read_text(encoding="utf-8")


def test_an_algorithm_that_is_switched_off_leaves_no_report(shop, folder, run, run_more):
    run_more()
    run(shop.settings(), keys={KEY, "clusters/leaderboard"}, month=FIRST)
    assert not list(folder.glob("dbscan*"))
    assert (folder / "kmeans.md").exists()


def test_the_dashboard_draws_what_the_pictures_show(shop, folder, run_more):
    run_more()
    figures = figures_of(folder.parent / "dashboard.html")
    charts = json.loads((folder / "charts.json").read_text(encoding="utf-8"))
    assert list(charts["algorithms"]) == list(ALL)
    for name in ALL:
        panels = {key.removeprefix(f"figure-{name.replace('_', '-')}-") for key in figures}
        assert {"map", "silhouettes"} <= panels
    drawn = sum(len(trace["x"]) for trace in figures["figure-kmeans-map"]["data"])
    assert drawn == len(charts["map"]["x"]) == len(charts["algorithms"]["kmeans"]["map_clusters"])
    assert "figure-gaussian-mixture-search-bic" in figures
    assert figures["figure-agreement"]["data"][0]["z"] == charts["comparison"]["agreement"]["values"]


def test_a_dashboard_of_a_month_in_which_none_is_due_says_so(shop, run):
    settings = shop.settings(clustering__refit_every_months=3)
    run(settings, keys={"clusters/kmeans", "clusters/leaderboard", KEY, "reports/dashboard"})
    path = shop.data_dir / "reports" / MONTHS[1][:7] / "dashboard.html"
    assert "Nothing was fitted this month; not due: candidates are fitted every 3 months" in path.read_text("utf-8")
    assert not [name for name in figures_of(path) if name.startswith("figure-kmeans")]


def test_maps_are_laid_out_by_t_sne_where_asked_for(shop, folder, run_more):
    run_more(reports__map__method="tsne", reports__map__tsne_customers=100)
    charts = json.loads((folder / "charts.json").read_text(encoding="utf-8"))
    assert (charts["map"]["facts"]["method"], len(charts["map"]["x"])) == ("tsne", 100)
    assert Platform(shop.settings()).store.manifest(KEY, FIRST).metadata["map_method"] == "tsne"
    assert "Laid out by t-SNE of 100 customers" in (folder.parent / "dashboard.html").read_text(encoding="utf-8")


def figures_of(path):
    """Return the charts of a page by the id of their element."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text.split('id="figures">')[1].split("</script>")[0])
