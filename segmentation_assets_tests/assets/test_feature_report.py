"""The page about the features, from a finished shop."""

from __future__ import annotations

import json

from segmentation_assets.features.registry import features_table
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets_tests.assets.conftest import MONTHS

NEWEST = MONTHS[-1]


def read_report(shop):
    folder = shop.data_dir / "reports" / NEWEST[:7]
    text = (folder / "feature_report.html").read_text(encoding="utf-8")
    return text, json.loads((folder / "feature_report.json").read_text(encoding="utf-8"))


def test_the_report_names_every_feature_and_every_reason(finished_shop):
    html, plain = read_report(finished_shop)
    settings = finished_shop.settings()
    store = Platform(settings).store
    declared = features_table(settings.features, optional_inputs(settings)).column_names[1:]
    features = {entry["name"]: entry for entry in plain["features"]}
    assert tuple(features) == declared
    assert [name for name in declared if f'id="feature-{name}"' not in html] == []
    dropped = store.manifest("silver/model_matrix", NEWEST).metadata["dropped"]
    assert {drop["feature"]: drop["reason"] for drop in dropped} == {
        name: entry["matrix"]["state"]
        for name, entry in features.items()
        if entry["matrix"]["state"] not in ("clustered_on", "not_offered")
    }
    tracked = store.manifest("silver/imputed_features", NEWEST).metadata["tracking"]
    filled = {(track["feature"], track["reason"]): track["filled_count"] for track in tracked}
    assert sum(filled.values())
    assert filled == {
        (name, reason): count
        for name, entry in features.items()
        if entry["imputed"]
        for reason, count in entry["imputed"]["reasons"].items()
    }
    assert plain["customers"] == store.manifest("silver/customer_features", NEWEST).row_count


def test_what_the_settings_leave_out_is_absent_with_the_reason(shop, run):
    run(shop.settings(features__departments=[]))
    html, plain = read_report(shop)
    assert plain["absent"] == {"departments": "features.departments names no department"}
    assert "features.departments names no department" in html


def test_a_new_title_renders_the_page_again_and_nothing_else_of_the_features(shop, run):
    computed = run(shop.settings(reports__dashboard__title="<i>Elsewhere"))
    assert ("reports/feature_report", NEWEST) in computed
    assert not {key for key, _ in computed if key.startswith("silver/")}
    assert "<h1>&lt;i&gt;Elsewhere: the features</h1>" in read_report(shop)[0]
