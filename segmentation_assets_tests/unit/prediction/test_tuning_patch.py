"""The patch of a search, added to a settings file, gives exactly the settings that were found."""

import csv
import io

import pytest
import yaml

from segmentation_assets.config.loading import load_profile, load_settings
from segmentation_assets.prediction.tuning_patch import (
    TuningBasis,
    changed_settings,
    describe_scores,
    patch_text,
    trials_csv,
)
from segmentation_assets.prediction.tuning_scores import FoldScores, Tried, judge_trials
from segmentation_assets.prediction.tuning_space import Draw

SETTINGS = load_profile("demo")
MIXTURE = "clustering.algorithms.gaussian_mixture"
CHANGES = {f"{MIXTURE}.k_min": 5, f"{MIXTURE}.k_max": 5, f"{MIXTURE}.covariance_types": ("diag",)}
CHANGES |= {f"{MIXTURE}.reg_covar": 1.234e-05, f"{MIXTURE}.max_iter": SETTINGS.section(f"{MIXTURE}.max_iter")}
BASIS = TuningBasis("gaussian_mixture", "2025-08", "silhouette × agreement", "240 customers", 3, 2, 7, ("A note.",))
FACTS = {"silhouette": 0.25, "coverage": 1.0, "segments": 5.0, "smallest_share": 0.125}


def trials(best=0.8):
    return [
        Tried(1, Draw(), FoldScores((0.5, 0.6), {**FACTS, "coverage": 0.9})),
        Tried(2, Draw({"k": 5, "covariance_type": "diag"}, CHANGES), FoldScores((best, best + 0.02), FACTS)),
        Tried(3, Draw({"k": 9}, {}), FoldScores((), {}, "coverage 1.0%, too small")),
    ]


def patch(tried, later=None):
    verdict = judge_trials(tried)
    return patch_text(
        BASIS, verdict, changed_settings(verdict, SETTINGS), describe_scores(verdict, later, "average precision")
    )


@pytest.fixture
def settings_file(tmp_path):
    return tmp_path / "segmentation.yaml"


def test_with_the_patch_the_settings_are_exactly_those_found(settings_file):
    before = {"profile": "demo", "clustering": {"seed": 3}}
    added = yaml.safe_load(patch(trials()))
    settings_file.write_text(yaml.safe_dump({**before, "clustering": {**before["clustering"], **added["clustering"]}}))
    settings = load_settings(config=settings_file).settings
    assert {path: settings.section(path) for path in CHANGES} == CHANGES
    assert settings == SETTINGS.altered({**CHANGES, "clustering.seed": 3, "data_dir": settings.data_dir})


def test_the_text_itself_can_be_appended(settings_file):
    settings_file.write_text(f"profile: demo\n{patch(trials())}")
    settings = load_settings(config=settings_file).settings
    assert settings.section(f"{MIXTURE}.reg_covar") == 1.234e-05


def test_only_what_changes_is_written_below_what_it_rests_on():
    lines = patch(trials(), later=(0.7, 0.75)).splitlines()
    header = " ".join(line[2:] for line in lines if line.startswith("# "))
    assert header == (
        "gaussian_mixture, 2025-08: silhouette × agreement by 3 folds on 240 customers; 2 trials, seed 7. A note. "
        "In force: 0.5500 ± 0.0500 at a coverage of 90.0% (silhouette 0.250, segments 5.0, smallest share 12.5%). "
        "Best, trial 2: 0.8100 ± 0.0100 at a coverage of 100.0% "
        "(silhouette 0.250, segments 5.0, smallest share 12.5%). "
        "On the validation date, which the search has not seen: average precision 0.7000 in force, 0.7500 tuned. "
        "Trial 2 gains 0.2600, more than the standard error of its folds, 0.0100. "
        "Nothing is changed by this file: add what follows to segmentation.yaml, in the sections that are there."
    )
    body = [line.strip() for line in lines if not line.startswith("#")]
    assert body[3:] == ["k_min: 5", "k_max: 5", "covariance_types:", "- diag", "reg_covar: 1.234e-05"]
    assert max(map(len, lines)) <= 120


def test_where_nothing_is_better_the_patch_is_empty(settings_file):
    text = patch(trials(best=0.4))
    assert yaml.safe_load(text) is None
    assert text.rstrip().endswith("# Nothing has to be changed.")
    settings_file.write_text(text)
    assert load_settings(config=settings_file).settings


def test_the_table_has_a_row_per_trial_with_scores_reasons_and_settings():
    rows = list(csv.DictReader(io.StringIO(trials_csv(trials()))))
    assert [row["trial"] for row in rows] == ["1", "2", "3"]
    assert [row["set_k"] for row in rows] == ["", "5", "9"]
    assert rows[1]["coverage"] == "1.0"
    assert rows[1]["folds"] == "[0.8, 0.8200000000000001]"
    assert (rows[2]["score"], rows[2]["not_usable"]) == ("", "coverage 1.0%, too small")
