"""Features and clusters of the built-in shop are the same whatever its truth says, and without it."""

from __future__ import annotations

import shutil

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform

MONTH = "2025-06-01"
KEYS = ("silver/snapshot_input", "silver/customer_features", "silver/model_matrix", "clusters/kmeans")


def test_features_and_clusters_stay_as_they_are_without_the_truth(run, tmp_path):
    shop = {"synthetic.customers": 200, "synthetic.months": 5, "synthetic.first_month": "2025-02"}
    first = {"calendar.first_snapshot": MONTH[:7], "calendar.last_month": MONTH[:7], "data_dir": str(tmp_path)}
    settings = load_settings(profile="demo", overrides=shop | first).settings
    store = Platform(settings).store
    graph = Platform(settings).graph
    needed, waiting = set(), set(KEYS)
    while waiting:
        needed |= waiting
        waiting = {item.key for key in waiting for item in graph.node(key).inputs} - needed
    run(settings, keys=needed, month=MONTH)
    truth = tmp_path / "synthetic" / "ground_truth"
    before = {key: store.manifest(key, MONTH).content_hash for key in KEYS}
    assert len(list(truth.glob("true_*.parquet"))) > 2
    shutil.rmtree(truth)
    made_again = needed - {"source/synthetic_retail"}
    computed = run(settings, keys=made_again, month=MONTH, force=True)
    assert {(key, MONTH) for key in KEYS} <= computed
    assert {key: store.manifest(key, MONTH).content_hash for key in KEYS} == before
    assert not truth.exists()
