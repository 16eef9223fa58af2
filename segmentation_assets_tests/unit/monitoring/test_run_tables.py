"""The tables of the runs: what they hold, when they are written, and what becomes of damaged files."""

import json
import logging

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.monitoring.run_records import (
    RunRecord,
    StepRecord,
    add_to_run_record,
    newest_run,
    write_run_record,
)
from segmentation_assets.monitoring.run_tables import read_run_totals, refresh_run_tables, run_table_path
from segmentation_assets.storage.engine import Engine
from segmentation_assets.tables.runs import RUN_TOTALS, RUNS

SETTINGS = load_settings(profile="demo").settings
METADATA = {"silhouette": 0.25, "n_clusters": 4, "notes": ["x"], "is_odd": True, "model_hash": "abc", "gap": None}


def step(key="clusters/kmeans", *, kept=False, **changes):
    facts = {
        "key": key,
        "partition": "2025-06-01",
        "kept": kept,
        "reasons": () if kept else ("silver/model_matrix changed",),
        "row_count": 300,
        "cost": Cost(1.5, 2.5, None),
        "metadata": METADATA,
        "files": (),
        "ended_at": "2025-09-01T00:00:05+00:00",
        "code_version": "1-ab",
        "content_hash": "c0ffee",
        "inputs": {"silver/model_matrix@2025-06-01": "11aa"},
        "parameters": {"clustering.seed": 7, "clustering.algorithms.kmeans.n_init": 2},
        "customer_count": 300,
    }
    return StepRecord(**{**facts, **changes})


def write(folder, run_id, *steps, started_at="2025-09-01T00:00:00+00:00", **changes):
    facts = {"ended_at": "2025-09-01T00:00:08+00:00", "succeeded": True, "cost": Cost(6.0, 7.5, 400.0)}
    record = RunRecord(run_id, ("segmentation", "run"), started_at, steps=steps, **{**facts, **changes})
    return write_run_record(record, SETTINGS, folder)


def refresh(folder):
    refresh_run_tables(SETTINGS.engine, folder)


def rows(folder, table=RUNS, columns="*", end="ORDER BY ALL"):
    with Engine(SETTINGS.engine, folder / "staging").connect() as connection:
        return connection.execute(
            f"SELECT {columns} FROM read_parquet('{run_table_path(folder, table)}') {end}"
        ).fetchall()


def test_a_model_or_clustering_has_a_row_with_all_that_it_was_made_with(tmp_path):
    write(tmp_path, "run-1", step(), step("gold/segment_profiles"), step("models/churn", kept=True, metadata={}))
    refresh(tmp_path)
    (first, second) = rows(tmp_path, columns="* EXCLUDE packages")
    named = dict(zip([name for name in RUNS.column_names if name != "packages"], first, strict=True))
    assert {name: str(value) if name.endswith("_at") else value for name, value in named.items()} == {
        "run_id": "run-1",
        "asset_key": "clusters/kmeans",
        "month": "2025-06",
        "started_at": "2025-09-01 00:00:00",
        "made_at": "2025-09-01 00:00:05",
        "was_kept": False,
        "why_computed": "silver/model_matrix changed",
        "has_run_succeeded": True,
        "code_version": "1-ab",
        "content_hash": "c0ffee",
        "model_hash": "abc",
        "data_hash": named["data_hash"],
        "seed": 7,
        "customer_count": 300,
        "not_trained": None,
        "parameters": '{"clustering.algorithms.kmeans.n_init": 2, "clustering.seed": 7}',
        "metrics": '{"n_clusters": 4, "silhouette": 0.25}',
        "inputs": '{"silver/model_matrix@2025-06-01": "11aa"}',
        "cpu_seconds": 1.5,
        "wall_seconds": 2.5,
        "peak_megabytes": None,
    }
    assert len(named["data_hash"]) == 32
    assert second[1] == "models/churn"
    queried = "CAST(metrics->>'silhouette' AS DOUBLE), parameters->>'clustering.seed', packages->>'scikit-learn'"
    found = rows(tmp_path, columns=queried, end="WHERE asset_key = 'clusters/kmeans'")
    assert found[0][:2] == (0.25, "7")
    assert found[0][2]


def test_every_run_has_a_row_of_its_own_newest_first(tmp_path):
    write(tmp_path, "run-1", step(), step("models/churn", kept=True))
    write(tmp_path, "run-2", started_at="2025-09-02T00:00:00+00:00", succeeded=False, errors=("a problem",))
    refresh(tmp_path)
    second, first = read_run_totals(SETTINGS.engine, tmp_path)
    counted = ("run_id", "has_succeeded", "error_count", "computed_steps", "kept_steps", "computed_models")
    assert [tuple(run[name] for name in counted) for run in (second, first)] == [
        ("run-2", False, 1, 0, 0, 0),
        ("run-1", True, 0, 1, 1, 1),
    ]
    assert (first["duration_seconds"], first["cpu_seconds"], first["peak_megabytes"]) == (7.5, 6.0, 400.0)


def test_only_new_and_changed_records_are_read(tmp_path, monkeypatch):
    from segmentation_assets.monitoring import run_tables

    write(tmp_path, "run-1", step())
    refresh(tmp_path)
    read = []
    true_read = run_tables.read_record
    monkeypatch.setattr(run_tables, "read_record", lambda path: read.append(path.stem) or true_read(path))
    write(tmp_path, "run-2")
    before = run_table_path(tmp_path, RUNS).stat().st_mtime_ns
    refresh(tmp_path)
    assert read == ["run-2"]
    assert run_table_path(tmp_path, RUNS).stat().st_mtime_ns == before
    refresh(tmp_path)
    assert read == ["run-2"]
    add_to_run_record(RunRecord("run-2", (), "", steps=(step("models/churn"),)), SETTINGS, tmp_path)
    refresh(tmp_path)
    assert read == ["run-2", "run-2"]
    assert rows(tmp_path, columns="run_id, asset_key") == [("run-1", "clusters/kmeans"), ("run-2", "models/churn")]


def test_rows_go_with_their_record(tmp_path):
    write(tmp_path, "run-1", step())
    path = write(tmp_path, "run-2", step())
    refresh(tmp_path)
    path.unlink()
    refresh(tmp_path)
    assert rows(tmp_path, columns="run_id") == [("run-1",)]
    assert rows(tmp_path, RUN_TOTALS, columns="run_id") == [("run-1",)]


@pytest.mark.parametrize("table", [RUNS, RUN_TOTALS])
@pytest.mark.parametrize("damage", ["gone", "cut off", "other columns"])
def test_a_table_that_cannot_be_used_is_made_anew(tmp_path, table, damage):
    write(tmp_path, "run-1", step())
    write(tmp_path, "run-2", step("models/churn"))
    refresh(tmp_path)
    expected, path = rows(tmp_path, table), run_table_path(tmp_path, table)
    if damage == "gone":
        path.unlink()
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[:100])
    else:
        with Engine(SETTINGS.engine, tmp_path / "staging").connect() as connection:
            connection.execute(f"COPY (SELECT 'run-1' AS run_id) TO '{path}' (FORMAT parquet)")
    refresh(tmp_path)
    assert rows(tmp_path, table) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"run_id": "run-2", "ste', "Unterminated string"),
        ("[]", "it is no mapping"),
        ('{"steps": [3]}', "its steps are no mappings"),
        ('{"steps": [{"key": "clusters/x", "cost": null}]}', "it lacks command, computed_steps, ended_at"),
        ('{"run_id": "run-2"}', "it lacks command, computed_steps, ended_at"),
    ],
)
def test_a_damaged_record_is_set_aside_with_a_warning_and_the_others_are_there(tmp_path, caplog, text, told):
    write(tmp_path, "run-1", step())
    damaged = tmp_path / "runs" / "run-2.json"
    damaged.write_text(text)
    with caplog.at_level(logging.WARNING, "segmentation_assets"):
        refresh(tmp_path)
    (warning,) = caplog.messages
    assert warning.startswith(f"{damaged} is not a readable run record ({told}")
    assert warning.endswith("it is set aside as run-2.json.damaged")
    assert (tmp_path / "runs" / "run-2.json.damaged").read_text() == text
    assert rows(tmp_path, RUN_TOTALS, columns="run_id") == [("run-1",)]
    caplog.clear()
    refresh(tmp_path)
    assert newest_run(tmp_path).run_id == "run-1"
    assert caplog.messages == []


def test_a_record_without_a_time_is_set_aside(tmp_path, caplog):
    path = write(tmp_path, "run-1", step(), started_at="yesterday")
    with caplog.at_level(logging.WARNING, "segmentation_assets"):
        refresh(tmp_path)
    assert "Invalid isoformat string: 'yesterday'" in caplog.messages[0]
    assert not path.exists()


def test_a_record_from_before_hashes_were_noted_has_a_row(tmp_path):
    path = write(tmp_path, "run-1", step())
    document = json.loads(path.read_text())
    for name in ("ended_at", "code_version", "content_hash", "inputs", "parameters", "customer_count"):
        del document["steps"][0][name]
    path.write_text(json.dumps(document))
    refresh(tmp_path)
    asked = "made_at, content_hash, data_hash, seed, parameters, metrics->>'silhouette'"
    assert rows(tmp_path, columns=asked) == [(None, None, None, None, "{}", "0.25")]


def test_without_records_nothing_is_written(tmp_path):
    refresh(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
    assert read_run_totals(SETTINGS.engine, tmp_path / "data") == []


def test_every_column_that_may_be_empty_says_when():
    for table in (RUNS, RUN_TOTALS):
        assert [column.name for column in table.columns if column.nullable != bool(column.null_rule)] == []
