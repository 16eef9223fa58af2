"""What Dagster shows of each asset: previews, scores, links, pictures and check results, computed or kept."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import shutil
import time
from pathlib import Path

import dagster as dg
import matplotlib.image
import pytest

from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.presentation import check_result, materialize_result
from segmentation_assets.orchestration.preview import COLUMNS, PERSONAL_COLUMNS, PERSONAL_TABLES, table_preview
from segmentation_assets.orchestration.run_tags import FORCE_TAG
from segmentation_assets.orchestration.runner import run_scope
from segmentation_assets.storage.manifest import CheckRecord
from segmentation_assets.storage.store import WHOLE
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

NEWEST = MONTHS[-1]
PERSONAL = re.compile(r"first_name|last_name|e_?mail|phone|postcode|street|address|birth|decided_by|^value$")
OWN_TO_A_RUN = {"kept", "why_computed"}


@pytest.fixture(scope="module")
def platform(finished_shop: Shop) -> Platform:
    return Platform(finished_shop.settings())


@pytest.fixture(scope="module")
def shown(platform: Platform) -> dict[str, dict[str, dg.MetadataValue]]:
    """Metadata of every asset, of the newest month where it has months."""
    found = {}
    for node in platform.graph.nodes:
        manifest = platform.store.manifest(node.key, NEWEST if node.is_partitioned else WHOLE)
        outcome = StepOutcome(manifest, kept=True, reasons=(), cost=Cost(0.5, 0.5, 1.0))
        found[node.key] = dg.MaterializeResult(
            metadata=dg._core.definitions.metadata.normalize_metadata(
                materialize_result(platform, node, outcome).metadata
            )
        ).metadata
    return found


def number(value: dg.MetadataValue) -> float | int:
    assert isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
    return value.value


def events_of(shop: Shop) -> dict[str, dict[str, dg.MetadataValue]]:
    """Metadata of the materialisations of the newest run in the shop's event log, by asset."""
    with open_instance(shop.data_dir) as instance:
        (run,) = instance.get_runs(limit=1)
        events = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    made = [event.materialization for event in events if event.event_type_value == "ASSET_MATERIALIZATION"]
    return {made_one.asset_key.to_user_string(): dict(made_one.metadata) for made_one in made}


def test_kept_step_shows_what_the_computed_one_did(shop: Shop):
    keys = frozenset({"clusters/kmeans", "clusters/leaderboard", "gold/champion", "reports/figures"})
    told = []
    for force in (True, False):
        with open_instance(shop.data_dir) as instance:
            job = build_defs(shop.settings()).resolve_job_def("monthly_snapshot_job")
            job.execute_in_process(
                instance=instance,
                partition_key=NEWEST,
                asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
                tags={FORCE_TAG: str(force).lower()},
            )
        told.append(events_of(shop))
    computed, kept = told
    assert set(computed) == set(kept) == keys
    for key in keys:
        assert (computed[key]["kept"].value, kept[key]["kept"].value) == (False, True)
        assert {k: v for k, v in computed[key].items() if k not in OWN_TO_A_RUN} == {
            k: v for k, v in kept[key].items() if k not in OWN_TO_A_RUN
        }


@pytest.mark.parametrize("key", ["clusters/kmeans", "clusters/leaderboard", "gold/champion"])
def test_models_and_clusterings_show_what_they_were_made_with_and_from(shown, platform, key):
    metadata, manifest = shown[key], platform.store.manifest(key, NEWEST)
    for name in ("cpu_seconds", "wall_seconds"):
        assert number(metadata[name]) > 0
    assert metadata["data_hashes"].value == manifest.inputs
    assert len(metadata["data_hash"].value) == 32
    assert {"scikit-learn", "duckdb"} <= set(metadata["packages"].value)
    assert set(metadata["parameters"].value)
    if key != "gold/champion":
        assert number(metadata["seed"]) == 7
        assert number(metadata["customer_count"]) == platform.store.manifest("clusters/kmeans", NEWEST).row_count


def test_what_it_took_is_not_part_of_what_is_stored(platform):
    for node in platform.graph.nodes:
        manifest = platform.store.manifest(node.key, NEWEST if node.is_partitioned else WHOLE)
        assert {"cpu_seconds", "wall_seconds", "peak_megabytes"}.isdisjoint(manifest.metadata)


def test_a_result_whose_making_is_not_known_shows_no_seconds(platform):
    node = platform.graph.node("clusters/kmeans")
    manifest = dataclasses.replace(platform.store.manifest(node.key, NEWEST), content_hash="another")
    outcome = StepOutcome(manifest, kept=True, reasons=(), cost=Cost(0.5, 0.5, 1.0))
    metadata = materialize_result(platform, node, outcome).metadata
    assert {"cpu_seconds", "wall_seconds", "packages"}.isdisjoint(metadata)
    assert metadata["seed"] == 7


def test_tables_show_their_rows_and_a_short_preview(shown, platform):
    for node in platform.graph.nodes:
        metadata = shown[node.key]
        if node.storage == "files":
            assert number(metadata["file_count"]) >= 1
            assert "dagster/row_count" not in metadata
            continue
        rows = number(metadata["dagster/row_count"])
        assert ("dagster/partition_row_count" in metadata) == node.is_partitioned
        if node.key in PERSONAL_TABLES or not rows:
            assert "preview" not in metadata, node.key
            continue
        preview = metadata["preview"]
        assert len(preview.records) == min(rows, 5), node.key
        assert len(preview.schema.columns) <= COLUMNS
        texts = [cell for record in preview.records for cell in record.data.values() if isinstance(cell, str)]
        assert all(len(text) <= 40 for text in texts)


def test_preview_holds_the_first_stored_rows(shown, platform):
    paths = platform.store.table_paths("gold/rfm_segments", NEWEST)
    with platform.engine.connect() as connection:
        stored = connection.execute(f"SELECT * FROM read_parquet('{paths[0]}') LIMIT 5").fetchall()
    assert [tuple(record.data.values()) for record in shown["gold/rfm_segments"]["preview"].records] == stored


def test_columns_are_those_stored_not_those_declared(shown, platform):
    (path,) = platform.store.table_paths("silver/model_matrix", NEWEST)
    with platform.engine.connect() as connection:
        stored = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()]
    metadata = shown["silver/model_matrix"]
    assert metadata["column_count"].value == len(stored)
    assert [column.name for column in metadata["preview"].schema.columns] == stored[:COLUMNS]


def test_preview_of_monthly_slices_is_of_the_newest_month(shown):
    days = {record.data["order_at"][:7] for record in shown["raw/order_lines"]["preview"].records}
    assert days == {NEWEST[:7]}


def test_nothing_personal_is_shown(shown, platform):
    assert "preview" not in shown["raw/customers"]
    columns = {
        (key, column.name)
        for key, metadata in shown.items()
        if "preview" in metadata
        for column in metadata["preview"].schema.columns
    }
    assert [found for found in columns if PERSONAL.search(found[1])] == []
    for key, hidden in PERSONAL_COLUMNS.items():
        assert hidden <= set(declared_table(platform, platform.graph.node(key)).column_names)


def test_personal_columns_of_filled_tables_are_left_out(shop: Shop):
    (shop.data_dir / "decisions.csv").write_text(
        "decided_on,kind,from_month,subject,value,decided_by\n2025-07-15,rename,2025-07,S001,Our best,Ann\n",
        encoding="utf-8",
    )
    platform = Platform(shop.settings())
    run_scope(platform, Scope(frozenset({"source/decisions"})), lambda *_: None)
    manifest = platform.store.manifest("source/decisions")
    preview = table_preview(platform.store, manifest, declared_table(platform, platform.graph.node("source/decisions")))
    assert "Ann" not in str(preview)
    assert "Our best" in str(preview)


def test_preview_is_left_out_when_its_file_cannot_be_read(shop: Shop):
    platform = Platform(shop.settings())
    table = declared_table(platform, platform.graph.node("gold/rfm_segments"))
    manifest = platform.store.manifest("gold/rfm_segments", NEWEST)
    (path,) = platform.store.paths(manifest)
    path.write_bytes(b"not a table")
    assert table_preview(platform.store, manifest, table) == {}
    path.unlink()
    assert table_preview(platform.store, manifest, table) == {}


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("clusters/kmeans", ("n_clusters", "coverage", "smallest_segment_share", "silhouette", "davies_bouldin")),
        ("clusters/leaderboard", ("kmeans_silhouette", "kmeans_stability", "kmeans_coverage", "scored_customers")),
        ("clusters/leaderboard", ("kmeans_smallest_segment_share", "rfm_map_silhouette", "candidates_passed")),
        ("gold/customer_segments", ("customers", "moved", "moved_share", "customers_assigned")),
        ("gold/champion", ("segments",)),
        ("silver/customer_features", ("customers", "column_count")),
        ("raw/order_lines", ("delivered_rows", "quarantined_rows", "quarantined_share")),
        ("reports/dashboard", ("file_count", "megabytes")),
    ],
)
def test_scores_are_numbers_that_can_be_plotted(shown, key, names):
    for name in names:
        assert number(shown[key][name]) >= -1, name


def test_scores_of_the_leaderboard_are_those_of_its_table(shown, platform):
    (path,) = platform.store.table_paths("clusters/leaderboard", NEWEST)
    with platform.engine.connect() as connection:
        rows = connection.execute(
            f"SELECT candidate, silhouette, coverage, score_sample_count FROM read_parquet('{path}')"
        ).fetchall()
    metadata = shown["clusters/leaderboard"]
    for candidate, silhouette, coverage, sample in rows:
        assert metadata[f"{candidate}_silhouette"].value == silhouette
        assert metadata[f"{candidate}_coverage"].value == coverage
        assert metadata["scored_customers"].value == sample
    assert "rfm_map_stability" not in metadata


def test_every_path_is_there(shown):
    for key, metadata in shown.items():
        paths = [value.value for value in metadata.values() if isinstance(value, dg.PathMetadataValue)]
        assert paths, key
        for path in paths:
            assert Path(path).is_absolute()
            assert Path(path).exists(), (key, path)


def test_files_for_people_are_linked_by_their_name(shown, finished_shop):
    folder = finished_shop.data_dir / "reports" / NEWEST[:7]
    dashboard = shown["reports/dashboard"]
    assert dashboard["dashboard.html"].value == str(folder / "dashboard.html")
    assert dashboard["dashboard.html as address"].value == (folder / "dashboard.html").as_uri()
    figures = [value.value for value in shown["reports/figures"].values() if isinstance(value, dg.PathMetadataValue)]
    assert figures == [str(folder / name) for name in ("candidates.png", "customer_map.png", "segments.png")]
    assert shown["gold/champion"]["folder"].value.startswith(str(finished_shop.data_dir / "tables/gold/champion"))


def test_pictures_are_small_png_in_the_page(shown):
    for name in ("segments", "customer_map", "candidates"):
        text = shown["reports/figures"][f"picture of {name}"].value
        content = base64.b64decode(re.fullmatch(r"!\[\w+\]\(data:image/png;base64,(.+)\)", text).group(1))
        assert len(content) <= 20_000
        assert matplotlib.image.imread(io.BytesIO(content), format="png").shape[:2] == (225, 400)


def test_lost_picture_is_left_out(shop: Shop):
    platform = Platform(shop.settings())
    shutil.rmtree(shop.data_dir / "reports" / NEWEST[:7] / "thumbnails")
    node, manifest = platform.graph.node("reports/figures"), platform.store.manifest("reports/figures", NEWEST)
    metadata = materialize_result(platform, node, StepOutcome(manifest, True, (), Cost(0, 0, 0))).metadata
    assert [name for name in metadata if name.startswith("picture")] == []


def test_manifests_hold_no_absolute_path(platform):
    for node in platform.graph.nodes:
        for partition in platform.store.partitions(node.key):
            text = platform.store.manifest_path(node.key, partition).read_text(encoding="utf-8")
            assert str(platform.data_dir) not in text


def test_unknown_figures_are_left_out(platform):
    manifest = platform.store.manifest("gold/champion", NEWEST)
    odd = dataclasses.replace(manifest, metadata={"a": None, "b": float("nan"), "c": 0, "d": {"x": 1}})
    node = platform.graph.node("gold/champion")
    metadata = materialize_result(platform, node, StepOutcome(odd, True, (), Cost(0, 0, 0))).metadata
    assert {"a", "b"} & set(metadata) == set()
    assert metadata["c"] == 0
    assert metadata["d"] == dg.MetadataValue.json({"x": 1})


def test_broken_rules_are_a_table_of_counts_and_ids(platform):
    found = {
        "row_count": 40,
        "rules": ["a is not null", "a >= 0"],
        "violations": {"a >= 0": 2},
        "samples": {"a >= 0": ["C1", "C2"]},
    }
    result = check_result(platform.graph.node("gold/champion"), CheckRecord("contract", False, "broken", found))
    assert result.metadata["broken_rules"].records == [
        dg.TableRecord({"rule": "a >= 0", "rows_that_break_it": 2, "sample_ids": "C1, C2"})
    ]
    assert {name: result.metadata[name].value for name in ("rows_checked", "rules_checked", "rules_broken")} == {
        "rows_checked": 40,
        "rules_checked": 2,
        "rules_broken": 1,
    }


def test_comparison_is_a_table_with_differences(platform):
    found = {"comparison": [["customers", 10, 9], ["net revenue", 100.5, 100.25]]}
    result = check_result(platform.graph.node("gold/champion"), CheckRecord("reconciliation", False, "", found))
    rows = [record.data for record in result.metadata["comparison"].records]
    assert rows == [
        {"measure": "customers", "expected": 10, "found": 9, "difference": -1},
        {"measure": "net revenue", "expected": 100.5, "found": 100.25, "difference": -0.25},
    ]


def test_presenting_a_kept_step_is_cheap(platform):
    node = platform.graph.node("silver/customer_features")
    outcome = StepOutcome(platform.store.manifest(node.key, NEWEST), kept=True, reasons=(), cost=Cost(0, 0, 0))
    spent = []
    for _ in range(10):
        before = time.process_time()
        materialize_result(platform, node, outcome)
        spent.append(time.process_time() - before)
    assert min(spent) < 0.02
