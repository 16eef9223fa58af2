"""What the asset of the built-in shop leaves behind and says about it."""

from __future__ import annotations

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine, parquet_scan

KEY = "source/synthetic_retail"


def test_metadata_count_customers_yet_to_register_and_planted_faults(run, tmp_path):
    faults = {"guests": 0.2, "duplicate_lines": 0.1}
    shop = {
        "synthetic.faults": faults,
        "synthetic.customers": 200,
        "synthetic.months": 6,
        "synthetic.first_month": "2025-03",
    }
    settings = load_settings(profile="demo", overrides={"data_dir": str(tmp_path), **shop}).settings
    assert run(settings, keys=frozenset({KEY})) == {(KEY, "all")}
    metadata = Platform(settings).store.manifest(KEY, "all").metadata
    files = sorted((tmp_path / "synthetic" / "delivery").glob("customers-*.parquet"))
    with Engine(settings.engine, tmp_path).connect() as connection:
        delivered = connection.execute(f"SELECT count(*) FROM {parquet_scan(files)}").fetchall()
    assert delivered == [(metadata["customers"],)]
    assert metadata["customers_yet_to_register"] == 200 - metadata["customers"] > 0
    assert metadata["planted_faults"].keys() == faults.keys()
    assert min(metadata["planted_faults"].values()) > 0
