"""`segmentation tune` on shops whose months are made."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
import yaml

from segmentation_assets.config.loading import load_settings
from segmentation_assets_tests.assets.busy_shop import QUICK
from segmentation_assets_tests.assets.conftest import Shop

FILES = {"study.db", "patch.yaml", "trials.csv", "history.png", "importance.png"}
BAD = {"clustering__algorithms__kmeans__k_min": 12, "clustering__algorithms__kmeans__k_max": 12}


@pytest.fixture
def busy(busy_shop, write_settings, monkeypatch, tmp_path):
    """The busy shop, of which a copy may be tuned; the folder that commands run in holds its settings."""
    for part in ("tables", "manifests"):
        shutil.copytree(busy_shop.data_dir / part, tmp_path / "data" / part, symlinks=True)
    monkeypatch.chdir(tmp_path)
    settings = Shop(tmp_path).settings(
        **QUICK, **BAD, source__folder=str(busy_shop.deliveries), leaderboard__min_segment_customers=5
    )
    write_settings(settings)
    return tmp_path


def test_an_algorithm_is_tuned_and_the_settings_file_stays_as_it_is(busy, segmentation):
    before = (busy / "segmentation.yaml").read_bytes()
    told = segmentation("tune", "--model", "kmeans", "--trials", "3", "--cv-folds", "2")
    assert told.code == 0
    assert [f"trial {number} of 3: " in told.err for number in (1, 2, 3)] == [True] * 3
    folder = busy / "data" / "tuning" / "kmeans"
    assert {path.name for path in folder.iterdir()} == FILES
    assert (busy / "segmentation.yaml").read_bytes() == before
    text = (folder / "patch.yaml").read_text(encoding="utf-8")
    assert told.out.startswith(f"{text.rstrip()}\n\nwritten to {folder}: patch.yaml")
    assert "kmeans, 2025-08: silhouette × agreement by 2 folds on " in text
    rows = list(csv.DictReader((folder / "trials.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["set_k"] == "" for row in rows] == [True, False, False]

    again = segmentation("tune", "--model", "kmeans", "--trials", "3", "--cv-folds", "2")
    assert again.out == told.out
    assert "stored already: 3 trials; 0 to go" in again.err
    assert "trial 1 of 3" not in again.err

    more = segmentation("tune", "--model", "kmeans", "--trials", "4", "--cv-folds", "2")
    assert ("trial 3 of 4" in more.err, "trial 4 of 4" in more.err) == (False, True)
    other = segmentation("tune", "--model", "kmeans", "--trials", "1", "--cv-folds", "3")
    assert "a new study begins" in other.err


@pytest.mark.parametrize(("model", "month"), [("churn", "2025-08"), ("segment_classifier", "2025-08")])
def test_models_are_tuned_on_the_newest_month_that_has_what_it_takes(model, month, busy, segmentation):
    told = segmentation("tune", "--model", model, "--trials", "2", "--cv-folds", "2")
    assert (told.code, told.out.splitlines()[0].startswith(f"# {model}, {month}: ")) == (0, True)
    patch = yaml.safe_load((busy / "data" / "tuning" / model / "patch.yaml").read_text(encoding="utf-8")) or {}
    assert set(patch) <= {"prediction"}
    assert load_settings(config=busy / "segmentation.yaml", overrides=_dotted(patch)).settings


def _dotted(values, before=""):
    found = {}
    for name, value in values.items():
        found |= _dotted(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "kmean"), "error: there is no model 'kmean' to tune\nHint: did you mean 'kmeans'?\n"),
        (
            ("--model", "churn", "--month", "2025-07"),
            "error: there is nothing to tune churn on in 2025-07: not due: models are fitted every 2 months "
            "(prediction.refit_every_months), last in 2025-06, next in 2025-08\n"
            "Hint: leave out --month for the newest month in which models were trained.\n",
        ),
        (("--model", "ward", "--month", "2024-01"), "error: 2024-01 "),
    ],
)
def test_what_cannot_be_tuned_is_told(arguments, message, busy, segmentation):
    told = segmentation("tune", *arguments)
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith(message)


def test_without_predictions_churn_cannot_be_tuned(shop, write_settings, monkeypatch, tmp_path, segmentation):
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings())
    told = segmentation("tune", "--model", "churn")
    assert (told.code, told.err) == (
        1,
        "error: churn cannot be tuned: prediction.enabled is false\nHint: set it to true and run 'segmentation run'.\n",
    )


def test_without_stored_tables_the_hint_is_to_run(finished_shop, write_settings, monkeypatch, tmp_path, segmentation):
    monkeypatch.chdir(tmp_path)
    write_settings(finished_shop.settings(data_dir=str(tmp_path / "empty")))
    told = segmentation("tune", "--model", "kmeans")
    assert (told.code, told.err) == (
        1,
        "error: silver/model_matrix is stored of no month\nHint: run 'segmentation run' first.\n",
    )


def test_ctrl_c_leaves_the_trials_and_says_how_to_go_on(busy, segmentation, monkeypatch):
    from segmentation_assets.prediction.tuning_clusters import ClusterObjective

    score, calls = ClusterObjective.score, []

    def stopped(self, *arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return score(self, *arguments)

    monkeypatch.setattr(ClusterObjective, "score", stopped)
    with monkeypatch.context() as patched:
        patched.setattr("signal.signal", lambda *_: None)
        told = segmentation("tune", "--model", "kmeans", "--trials", "2", "--cv-folds", "2")
    study = busy / "data" / "tuning" / "kmeans" / "study.db"
    assert told.code == 130
    assert f"finished trials: 1 of 2, in {study}; the same command goes on with the rest\n" in told.err
    gone_on = segmentation("tune", "--model", "kmeans", "--trials", "2", "--cv-folds", "2")
    assert "stored already: 1 trial; 1 to go" in gone_on.err
    assert ("trial 1 of 2:" in gone_on.err, gone_on.code) == (False, 0)
    log = (busy / "data" / "logs" / "tune-kmeans.jsonl").read_text(encoding="utf-8")
    assert all(json.loads(line) for line in log.splitlines())
