"""`segmentation runs` on a shop whose months are made, and the tables that runs leave behind."""

from __future__ import annotations

import json
import re

import dagster as dg
import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.run_tags import FORCE_TAG
from segmentation_assets.storage.engine import read_frame
from segmentation_assets.tables.runs import RUNS
from segmentation_assets_tests.assets.conftest import MONTHS

KMEANS = ("run", "--only", "clusters/kmeans", "--month", MONTHS[0][:7], "--force")
STEP = "clusters/kmeans 2025-06"


@pytest.fixture
def recorded(shop, write_settings, segmentation):
    """The shop with three recorded runs: K-means by its settings, by another number of starts, and nothing to do."""
    write_settings(shop.settings())
    assert segmentation(*KMEANS).code == 0
    write_settings(shop.settings(clustering__algorithms__kmeans__n_init=3))
    assert segmentation(*KMEANS).code == 0
    write_settings(shop.settings())
    assert segmentation("run", "--only", "raw").code == 0
    return shop


def listed(segmentation) -> list[dict]:
    return json.loads(segmentation("runs", "list", "--json").out)


def test_runs_are_listed_shown_and_compared(recorded, segmentation):
    newest, second, first = listed(segmentation)
    assert [run["computed_models"] for run in (newest, second, first)] == [0, 1, 1]
    lines = segmentation("runs", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == [run["run_id"] for run in (newest, second, first)]
    assert lines[0].endswith("0 computed, 0 kept")

    shown = segmentation("runs", "show", second["run_id"]).out.splitlines()
    assert f"run_id: {second['run_id']}" in shown
    assert any(line.startswith(f"{STEP}: computed in ") for line in shown)
    assert {"  seed: 7", "  parameters.clustering.algorithms.kmeans.n_init: 3"} <= set(shown)
    assert any(line.startswith("  metrics.silhouette: 0.") for line in shown)
    assert any(line.startswith("  inputs.silver/model_matrix@2025-06-01: ") for line in shown)
    (step,) = json.loads(segmentation("runs", "show", second["run_id"], "--json").out)["steps"]
    manifest = Platform(recorded.settings()).store.manifest("clusters/kmeans", MONTHS[0])
    assert (step["inputs"], step["content_hash"]) == (manifest.inputs, manifest.content_hash)
    assert json.loads(segmentation("runs", "show", "latest", "--json").out)["run_id"] == newest["run_id"]

    compared = json.loads(segmentation("runs", "compare", first["run_id"], second["run_id"], "--json").out)
    assert compared["runs"] == [first["run_id"], second["run_id"]]
    settings = {name: pair for name, pair in compared["differing"].items() if name.startswith("settings.")}
    assert settings == {"settings.clustering.algorithms.kmeans.n_init": [2, 3]}
    assert compared["differing"][f"{STEP}.parameters.clustering.algorithms.kmeans.n_init"] == [2, 3]
    assert f"{STEP}.inputs.silver/model_matrix@2025-06-01" not in compared["differing"]
    apart = json.loads(segmentation("runs", "compare", first["run_id"], newest["run_id"], "--json").out)
    assert apart["differing"] == {STEP: ["computed", None]}
    text = segmentation("runs", "compare", first["run_id"], second["run_id"]).out.splitlines()
    assert text[0].split() == compared["runs"]
    assert text[-1] == f"{compared['alike']} entries alike."


def test_the_page_of_runs_can_be_followed(recorded, repository):
    import duckdb

    page = (repository / "docs" / "runs.md").read_text(encoding="utf-8")
    (query,), (code,) = (re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL) for kind in ("sql", "python"))
    found = duckdb.sql(query).fetchall()
    assert [(month, seed) for month, _, seed, _ in found] == [("2025-06", "7")] * 2
    assert all(0 < silhouette < 1 for _, silhouette, _, _ in found)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["by_run"]["silhouette"].tolist() == [silhouette for _, silhouette, _, _ in found]
    assert [name for name in RUNS.column_names if f"`{name}`" not in page] == []


def test_a_run_that_is_not_there_and_one_that_is_not_clear_are_refused(recorded, segmentation):
    unknown = segmentation("runs", "show", "nothing-like-it")
    assert (unknown.code, "'nothing-like-it' is no recorded run" in unknown.err) == (1, True)
    several = segmentation("runs", "show", "2")
    assert "'2' means 3 runs: " in several.err
    assert "Hint: give more characters of the id." in several.err


def test_without_runs_the_list_says_so(shop, write_settings, tmp_path, segmentation):
    write_settings(shop.settings(data_dir=str(tmp_path / "empty")))
    assert segmentation("runs", "list").out == "no run is recorded; 'segmentation run' makes the first.\n"
    assert not (tmp_path / "empty").exists()


def test_a_damaged_record_or_table_does_not_make_a_run_fail(recorded, segmentation):
    folder = recorded.data_dir / "runs"
    (folder / "20200101T000000-abcdef.json").write_text("{")
    (folder / "runs.parquet").write_bytes(b"PAR1")
    before = {run["run_id"] for run in listed(segmentation)}
    (folder / "20200101T000000-fedcba.json").write_text("{")
    assert segmentation(*KMEANS).code == 0
    assert len({run["run_id"] for run in listed(segmentation)} - before) == 1
    assert [path.name for path in sorted(folder.glob("*.damaged"))] == [
        "20200101T000000-abcdef.json.damaged", "20200101T000000-fedcba.json.damaged",
    ]  # fmt: skip


def test_runs_that_dagster_starts_leave_the_same_rows(shop):
    settings = shop.settings()
    with open_instance(shop.data_dir) as instance:
        job = build_defs(settings).resolve_job_def("monthly_snapshot_job")
        result = job.execute_in_process(
            instance=instance,
            partition_key=MONTHS[0],
            asset_selection=[dg.AssetKey(["clusters", "kmeans"]), dg.AssetKey(["gold", "champion"])],
            tags={FORCE_TAG: "true"},
        )
    with Platform(settings).engine.connect() as connection:
        rows = read_frame(connection, [shop.data_dir / "runs" / "runs.parquet"])
        totals = read_frame(connection, [shop.data_dir / "runs" / "run_totals.parquet"])
    assert rows[["run_id", "asset_key", "was_kept", "customer_count"]].fillna(0).to_numpy().tolist() == [
        [result.run_id, "clusters/kmeans", False, rows["customer_count"][0]],
        [result.run_id, "gold/champion", False, 0],
    ]
    (total,) = totals.to_dict("records")
    assert (total["run_id"], total["has_succeeded"], total["computed_steps"]) == (result.run_id, True, 2)
    assert total["ended_at"] >= total["started_at"]
