"""MLflow receives what the tables of the runs hold: once, whole, later where it could not be reached."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring import mlflow_tracking
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.run_tags import FORCE_TAG
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS

KMEANS = ("run", "--only", "clusters/kmeans", "--month", MONTHS[0][:7], "--force")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking database without runs, whose tables take MLflow seconds to make."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may fill."""
    return Path(shutil.copy(empty_database, tmp_path / "mlflow.db"))


@pytest.fixture
def send_to(monkeypatch):
    """Have the commands send to an address; it is a secret, and so it comes from the environment."""

    def send(address: str, **changes: object) -> None:
        given = {"enabled": "true", "tracking_uri": address, **changes}
        for name, value in given.items():
            monkeypatch.setenv(f"SEGMENTATION__TRACKING__MLFLOW__{name.upper()}", str(value))

    return send


@pytest.fixture
def tracked(shop, write_settings, send_to, database):
    """The finished shop, with settings that want its runs sent."""
    write_settings(shop.settings())
    send_to(f"sqlite:///{database}")
    return shop


def sent_runs(database: Path, experiment: str = "segmentation") -> list:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    found = client.get_experiment_by_name(experiment)
    return [] if found is None else list(client.search_runs([found.experiment_id]))


def table(shop):
    with Platform(shop.settings()).engine.connect() as connection:
        frame = read_frame(connection, [shop.data_dir / "runs" / "runs.parquet"])
    return frame[~frame["was_kept"]].set_index(["run_id", "asset_key", "month"], drop=False).sort_index()


def key_of(run) -> tuple[str, str, str]:
    return tuple(run.data.tags[f"segmentation.{name}"] for name in ("run_id", "asset_key", "month"))


def test_a_computed_clustering_becomes_a_run_with_the_same_records(tracked, segmentation, database):
    printed = segmentation(*KMEANS)
    assert printed.code == 0, printed.err
    (sent,), rows = sent_runs(database), table(tracked)
    (row,) = rows.to_dict("records")
    assert key_of(sent) == (row["run_id"], "clusters/kmeans", "2025-06")
    assert (sent.info.run_name, sent.info.status) == ("clusters/kmeans 2025-06", "FINISHED")
    own = {name: row[name] for name in ("cpu_seconds", "wall_seconds", "peak_megabytes", "customer_count")}
    own = {name: value for name, value in own.items() if value == value and value is not None}
    assert sent.data.metrics == pytest.approx({**json.loads(row["metrics"]), **own})
    parameters = {name: str(value) for name, value in json.loads(row["parameters"]).items()}
    assert sent.data.params == {**parameters, "seed": str(row["seed"])}
    assert (parameters["clustering.algorithms.kmeans.n_init"], row["seed"]) == ("2", 7)
    tags = sent.data.tags
    for name in ("model_hash", "content_hash", "data_hash", "code_version", "why_computed"):
        assert tags[f"segmentation.{name}"] == row[name]
    inputs = {name.replace("@", " "): value for name, value in json.loads(row["inputs"]).items()}
    assert {name: tags[f"segmentation.input.{name}"] for name in inputs} == inputs
    assert tags["segmentation.version.scikit-learn"] == json.loads(row["packages"])["scikit-learn"]
    assert abs(sent.info.end_time - sent.info.start_time - 1000 * row["wall_seconds"]) <= 1
    assert not Path("mlruns").exists()


def test_what_is_there_is_not_sent_again_and_what_is_there_in_part_is_finished(tracked, segmentation, database):
    from mlflow import MlflowClient

    assert segmentation(*KMEANS).code == 0
    (first,) = sent_runs(database)
    assert segmentation("runs", "send").out.startswith("0 models and clusterings sent to sqlite://;")
    client = MlflowClient(tracking_uri=f"sqlite:///{database}")
    client.update_run(first.info.run_id, status="RUNNING")
    shutil.rmtree(tracked.data_dir / "runs" / "mlflow")
    assert segmentation("run").code == 0
    (again,) = sent_runs(database)
    assert (again.info.run_id, again.info.status, again.data.metrics) == (
        first.info.run_id, "FINISHED", first.data.metrics,
    )  # fmt: skip


def test_a_run_does_not_fail_where_mlflow_cannot_be_reached_and_the_next_one_sends(
    tracked, segmentation, send_to, tmp_path, empty_database
):
    database = tmp_path / "later" / "mlflow.db"
    database.parent.write_text("a file, where a folder is wanted")
    send_to(f"sqlite:///{database}")
    printed = segmentation(*KMEANS)
    assert printed.code == 0
    (warning,) = (line for line in printed.out.splitlines() if "warning" in line)
    assert "MLflow did not take the records, which are kept and sent with the next run: sqlite://: " in warning
    refused = segmentation("runs", "send")
    assert (refused.code, "they are kept; try again when it can be reached" in refused.err) == (1, True)
    database.parent.unlink()
    database.parent.mkdir()
    shutil.copy(empty_database, database)
    assert "warning" not in segmentation("run").out
    assert [key_of(run)[1] for run in sent_runs(database)] == ["clusters/kmeans"]


def test_a_server_that_is_down_costs_no_more_than_the_limit_and_its_run(tracked, segmentation, send_to, no_proxy):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        send_to(address, timeout_seconds=1)
        printed = segmentation(*KMEANS)
    assert printed.code == 0
    assert f"sent with the next run: {address}: " in printed.out


def test_runs_from_before_are_sent_when_a_person_asks(shop, segmentation, write_settings, send_to, database):
    write_settings(shop.settings())
    assert segmentation(*KMEANS).code == 0
    refused = segmentation("runs", "send")
    assert (refused.code, "tracking.mlflow is not enabled" in refused.err) == (1, True)
    send_to(f"sqlite:///{database}", experiment="shop one")
    assert segmentation("run").code == 0
    assert sent_runs(database, "shop one") == []
    assert segmentation("runs", "send").out == "1 model or clustering sent to sqlite://; the others were there.\n"
    assert len(sent_runs(database, "shop one")) == 1


def test_runs_that_dagster_starts_are_sent_too(tracked, database):
    settings = tracked.settings(tracking__mlflow__enabled=True, tracking__mlflow__tracking_uri=f"sqlite:///{database}")
    with open_instance(tracked.data_dir) as instance:
        result = (
            build_defs(settings)
            .resolve_job_def("monthly_snapshot_job")
            .execute_in_process(
                instance=instance,
                partition_key=MONTHS[-1],
                asset_selection=[dg.AssetKey(key.split("/")) for key in ("clusters/kmeans", "clusters/leaderboard")],
                tags={FORCE_TAG: "true"},
            )
        )
    assert result.success
    expected = [(result.run_id, key, MONTHS[-1][:7]) for key in ("clusters/kmeans", "clusters/leaderboard")]
    assert sorted(map(key_of, sent_runs(database))) == expected
    assert table(tracked).index.tolist() == expected


def test_without_the_extra_a_run_stops_before_it_begins(tracked, segmentation, monkeypatch):
    monkeypatch.setattr(mlflow_tracking, "find_spec", lambda name: None if name == "mlflow" else object())
    records = len(list((tracked.data_dir / "runs").glob("*.json")))
    printed = segmentation(*KMEANS)
    assert printed.code == 1
    assert printed.err == (
        "error: tracking.mlflow is enabled and needs the package mlflow, which is not installed\n"
        "Hint: pip install 'segmentation-assets[mlflow]', or set tracking.mlflow.enabled: false.\n"
    )
    assert len(list((tracked.data_dir / "runs").glob("*.json"))) == records


def test_nothing_is_told_to_anybody_else(tracked, segmentation, monkeypatch):
    called, seen = [], []
    true_send = mlflow_tracking._send_run

    def send(*arguments):
        seen.append((os.environ["MLFLOW_DISABLE_TELEMETRY"], os.environ["DO_NOT_TRACK"]))
        return true_send(*arguments)

    monkeypatch.setattr(mlflow_tracking, "_send_run", send)
    monkeypatch.setattr(socket.socket, "connect", lambda *arguments: called.append(arguments))
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    assert segmentation(*KMEANS).code == 0
    assert (seen, called) == ([("true", "true")], [])
    assert "MLFLOW_DISABLE_TELEMETRY" not in os.environ


def test_mlflow_is_not_imported_where_there_is_nothing_to_send(tracked, repository):
    code = "import sys; from segmentation_assets.cli.main import main; main(['run']); print('mlflow' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(repository)},
    )  # fmt: skip
    assert "everything is up to date; nothing was computed" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "False"


def test_long_values_and_odd_names_are_written_as_mlflow_takes_them():
    assert mlflow_tracking._name("silver/order_lines@2025-06-01: é") == "silver/order_lines 2025-06-01  é"
    assert len(mlflow_tracking._text("x" * 7000)) == 5001
