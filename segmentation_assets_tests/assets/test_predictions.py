"""Predictions through the platform: what models learn from, when they are trained, and what becomes of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets.storage.models import ModelReference
from segmentation_assets_tests.assets.busy_shop import QUICK, keys_of
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

JUNE, JULY, AUGUST = MONTHS
MODELS = ("models/churn", "models/lifetime_value", "models/newcomer_classifier")
LEARNED_FROM = "silver/training_features"


def rows(settings, key: str, month: str) -> pd.DataFrame:
    platform = Platform(settings)
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month))


def record(settings, month: str, key: str = "models/churn") -> dict:
    folder = Platform(settings).store.table_paths(key, month)[0].parent
    return json.loads((folder / "record.json").read_text(encoding="utf-8"))


def test_a_model_is_trained_where_it_is_due_and_stays_in_between(busy_shop):
    settings = busy_shop.settings(**QUICK)
    found = {month: record(settings, month) for month in MONTHS}
    assert [found[month]["trained_month"] for month in MONTHS] == ["2025-06", "2025-06", "2025-08"]
    assert found[JULY]["not_trained"] == (
        "not due: models are fitted every 2 months (prediction.refit_every_months), last in 2025-06, next in 2025-08"
    )
    assert found[JUNE]["in_force"] == found[JULY]["in_force"] is not None
    pd.testing.assert_frame_equal(rows(settings, "models/churn", JUNE), rows(settings, "models/churn", JULY))
    assert rows(settings, LEARNED_FROM, JULY).empty
    platform = Platform(settings)
    newest = ModelReference("churn", found[AUGUST]["in_force"])
    assert platform.models.aliases()["churn_champion"] == newest
    assert platform.models.load(newest).state["horizon_days"] == 30


def test_outcomes_lie_after_the_features_and_before_the_snapshot(busy_shop):
    settings = busy_shop.settings(**QUICK)
    learned = rows(settings, LEARNED_FROM, AUGUST)
    days = sorted(learned["cutoff_date"].astype("str").unique())
    assert days == ["2025-05-01", "2025-06-01", "2025-07-01", "2025-08-01"]
    lines = Platform(settings).store
    slices = [path for month in lines.manifest("silver/order_lines").slices for path in
              lines.slice_paths("silver/order_lines", month)]  # fmt: skip
    with Platform(settings).engine.connect() as connection:
        sold = read_frame(connection, slices)
    for day in days:
        start, end = pd.Timestamp(day), pd.Timestamp(day) + pd.Timedelta(days=30)
        is_after = (sold["order_at"] >= start) & (sold["order_at"] < end) & (sold["line_type"] == "sale")
        orders = sold[is_after].groupby("customer_id")["order_id"].nunique()
        at_day = learned[learned["cutoff_date"].astype("str") == day].set_index("customer_id")
        expected = orders.reindex(at_day.index).fillna(0).astype(int)
        assert at_day["outcome_order_count"].tolist() == expected.tolist()


def test_dates_before_the_first_snapshot_have_the_features_that_a_snapshot_would_have(busy_shop, run, tmp_path):
    settings = busy_shop.settings(**QUICK)
    earlier = Shop(tmp_path).settings(
        calendar__first_snapshot="2025-04", source__folder=str(busy_shop.deliveries), **QUICK
    )
    run(earlier, keys=Platform(earlier).graph.ancestors(LEARNED_FROM))
    found, stored = rows(settings, LEARNED_FROM, JUNE), rows(earlier, LEARNED_FROM, JUNE)
    assert "2025-05-01" in set(stored["cutoff_date"].astype("str"))
    pd.testing.assert_frame_equal(found, stored)
    hashes = {Platform(one).store.manifest(LEARNED_FROM, JUNE).content_hash for one in (settings, earlier)}
    assert len(hashes) == 1


def test_a_rerun_keeps_everything_and_a_rebuild_gives_the_same_model(busy_shop, run):
    settings = busy_shop.settings(**QUICK)
    before = [record(settings, month, key) for month in MONTHS for key in MODELS]
    hashes = [Platform(settings).store.manifest("gold/customer_scores", month).content_hash for month in MONTHS]
    assert run(settings, keys=keys_of(settings)) == set()
    computed = run(settings, keys={LEARNED_FROM, *MODELS, "gold/customer_scores"}, force=True)
    assert len(computed) == 15
    after = [record(settings, month, key) for month in MONTHS for key in MODELS]
    assert after == before
    assert [Platform(settings).store.manifest("gold/customer_scores", month).content_hash for month in MONTHS] == hashes


def test_models_removed_and_made_again_from_their_recorded_inputs_have_the_same_hashes(busy_shop, run, tmp_path):
    shutil.copytree(busy_shop.data_dir, tmp_path / "data", symlinks=True)
    shop = Shop(tmp_path)
    settings = shop.settings(source__folder=str(busy_shop.deliveries), **QUICK)
    keys = {*MODELS, "models/segment_classifier"}
    run(settings, keys={"models/segment_classifier"})
    manifests, models = _bytes_below(shop.data_dir / "manifests" / "models"), _bytes_below(shop.data_dir / "models")
    assert {path.parts[0] for path in models} >= {key.split("/")[1] for key in keys}
    for key in keys:
        for folder in (f"manifests/{key}", f"tables/{key}", f"models/{key.split('/')[1]}"):
            shutil.rmtree(shop.data_dir / folder)
    assert run(settings, keys=keys) == {(key, month) for key in keys for month in MONTHS}
    assert _bytes_below(shop.data_dir / "models") == models
    assert _bytes_below(shop.data_dir / "manifests" / "models") == manifests


def _bytes_below(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_lifetime_value_is_fitted_on_all_histories_and_judged_on_what_followed(busy_shop):
    settings = busy_shop.settings(**QUICK)
    found = record(settings, AUGUST, "models/lifetime_value")
    assert (found["trained_month"], found["details"]["holdout_date"]) == ("2025-08", "2025-08-01")
    scores = rows(settings, "models/lifetime_value", AUGUST)
    history = rows(settings, "silver/customer_history", AUGUST)
    fitted = scores[scores["split"] == "fit"].set_index(["candidate", "measure"])
    buyers = int(history["btyd_frequency"].notna().sum())
    again = int((history["btyd_frequency"] > 0).sum())
    assert set(fitted.loc["mbg_nbd"].index) == {"r", "alpha", "a", "b", "log_likelihood"}
    assert fitted.loc[("mbg_nbd", "r"), "customer_count"] == buyers
    assert fitted.loc[("gamma_gamma", "p"), "customer_count"] == again
    assert (fitted["lower"] <= fitted["value"])[fitted["lower"].notna()].all()
    held = scores[scores["split"] == "holdout"].set_index(["candidate", "measure"])["value"]
    earlier = rows(settings, "silver/customer_history", JULY)
    known = int(earlier["btyd_frequency"].notna().sum())
    assert scores.loc[scores["split"] == "holdout", "customer_count"].unique().tolist() == [known]
    assert {"bg_nbd", "mbg_nbd", "pareto_nbd", "as_before"} == set(held.index.get_level_values(0))
    ordered = int((history.set_index("customer_id")["lifetime_order_day_count"].reindex(earlier["customer_id"])
                   - earlier.set_index("customer_id")["lifetime_order_day_count"]).sum())  # fmt: skip
    tracked = pd.DataFrame(found["details"]["tracking"]["mbg_nbd"])
    assert (
        tracked["cumulative_observed_order_count"].iloc[-1]
        == history.set_index("customer_id")
        .loc[earlier.loc[earlier["btyd_frequency"].notna(), "customer_id"], "btyd_frequency"]
        .sum()
    )
    assert 0 < held[("mbg_nbd", "found_orders")] <= ordered
    groups = pd.DataFrame(found["details"]["groups"]).groupby("grouping")
    assert set(groups.groups) == {"country", "tenure"}
    for measure in ("foretold_orders", "found_orders", "foretold_spend", "found_spend"):
        assert groups[measure].sum().tolist() == pytest.approx([held["mbg_nbd", measure]] * 2)
    assert groups["customer_count"].sum().tolist() == [known, known]


def test_every_customer_with_features_has_scores_by_the_models_in_force(busy_shop):
    settings = busy_shop.settings(**QUICK)
    scores = rows(settings, "gold/customer_scores", AUGUST).set_index("customer_id")
    features = rows(settings, "silver/customer_features", AUGUST).set_index("customer_id")
    assert scores.index.tolist() == features.index.tolist()
    is_eligible = (features["recency_days"] <= 365).fillna(False)
    assert (scores["churn_probability"].notna() == is_eligible).all()
    assert (scores["alive_probability"].notna() == features["recency_days"].notna()).all()
    valued = scores[scores["alive_probability"].notna()].astype("float64", errors="ignore")
    for shorter, longer in (("3m", "6m"), ("6m", "12m")):
        assert (valued[f"expected_order_count_{shorter}"] <= valued[f"expected_order_count_{longer}"] + 1e-12).all()
        assert (valued[f"discounted_spend_amount_{longer}"] <= valued[f"expected_spend_amount_{longer}"]).all()
        assert (valued[f"expected_spend_low_amount_{longer}"] <= valued[f"expected_spend_high_amount_{longer}"]).all()
        assert (valued[f"spend_low_amount_{longer}"] <= valued[f"spend_high_amount_{longer}"]).all()
    model = Platform(settings).models.load(ModelReference("churn", record(settings, AUGUST)["in_force"]))
    threshold = model.state["threshold"]["value"]
    named = scores["churn_probability"] >= threshold
    assert (scores["is_likely_to_churn"].fillna(False) == named).all()
    late = scores.loc[features["recency_days"] > 100, "churn_probability"].mean()
    assert late > scores.loc[features["recency_days"] < 20, "churn_probability"].mean() + 0.2


def test_newcomers_have_the_segment_that_they_are_expected_to_reach(busy_shop):
    settings = busy_shop.settings(**QUICK)
    scores = rows(settings, "gold/customer_scores", AUGUST).set_index("customer_id")
    tenure = rows(settings, "silver/customer_features", AUGUST).set_index("customer_id")["tenure_days"]
    told = record(settings, AUGUST, "models/newcomer_classifier")
    is_newcomer = (tenure.astype("float64") <= 90).fillna(value=False)
    expected = is_newcomer if told["in_force"] else is_newcomer & False
    assert (scores["expected_segment_key"].notna() == expected).all()
    assert set(scores["expected_segment_key"].dropna()) <= set(rows(settings, "gold/champion", AUGUST)["segment_key"])
    judged = rows(settings, "models/newcomer_classifier", AUGUST)
    assert set(judged["split"]) <= {"folds", "out_of_time"}
    assert set(judged["band"]) <= {"all", "days_0_30", "days_31_60", "days_61_90"}


def test_the_segment_classifier_imitates_the_clustering_and_says_so(busy_shop, run, tmp_path):
    shutil.copytree(busy_shop.data_dir, tmp_path / "data", symlinks=True)
    shop, folder = Shop(tmp_path), str(busy_shop.deliveries)
    settings = shop.settings(source__folder=folder, **QUICK)
    key = "models/segment_classifier"
    run(settings, keys={key})
    june, july, august = (record(settings, month, key) for month in MONTHS)
    assert june["told"].startswith("the model imitates the clustering: it agrees with its rule for ")
    assert [one["trained_month"] for one in (june, july, august)] == ["2025-06", "2025-06", "2025-08"]
    assert july["in_force"] == june["in_force"] is not None
    chain = {"source/decisions", "gold/champion", "gold/customer_segments", key}
    (shop.data_dir / "decisions.csv").write_text(
        "decided_on,kind,from_month,subject,value,decided_by\n2025-08-01,promote,2025-07,rfm_map,tried,Ann\n"
    )
    run(settings, keys=chain)
    promoted = record(settings, JULY, key)
    assert (promoted["trained_month"], promoted["not_trained"]) == ("2025-07", "")
    assert promoted["details"]["segments_of"] != june["details"]["segments_of"]


def test_a_refused_model_leaves_the_one_before_in_force(busy_shop, run, tmp_path):
    shutil.copytree(busy_shop.data_dir, tmp_path / "data", symlinks=True)
    strict = Shop(tmp_path).settings(
        source__folder=str(busy_shop.deliveries),
        prediction__max_plausible_auc=0.51,
        **QUICK,
    )
    run(strict, keys=keys_of(strict))
    found = record(strict, AUGUST)
    assert found["in_force"] is None
    assert any("is above 0.51 (prediction.max_plausible_auc)" in problem for problem in found["problems"])
    checks = {one.name: one for one in Platform(strict).store.manifest("models/churn", AUGUST).checks}
    usable = checks["model_usable"]
    assert (usable.passed, "no model is in force" in usable.description) == (False, True)
    assert (checks["no_leak"].passed, checks["calibration"].passed) == (False, True)
    assert "is above 0.51 (prediction.max_plausible_auc)" in checks["no_leak"].description
    assert "on average on " in checks["calibration"].description
    aliases = Platform(strict).models.aliases()
    assert "churn_champion" not in aliases
    assert aliases["churn_challenger"].content_hash == found["challenger"]
    scores = rows(strict, "gold/customer_scores", AUGUST)
    assert scores["churn_probability"].isna().all()
    assert scores["is_likely_to_churn"].isna().all()
    assert scores["alive_probability"].notna().any()


def test_a_short_history_gives_no_model_and_says_why(shop, run):
    settings = shop.settings(prediction__enabled=True)
    run(settings, keys={LEARNED_FROM, "models/churn"})
    assert rows(settings, "models/churn", AUGUST).empty
    found = record(settings, JUNE)
    assert (found["in_force"], found["not_trained"]) == (
        None,
        "the history is too short: models need two dates with a horizon after each",
    )


def test_predictions_can_be_left_out(finished_shop):
    keys = set(Platform(finished_shop.settings(prediction__enabled=False)).graph.by_key)
    assert not {key for key in keys if key.startswith("models/")} | (keys & {LEARNED_FROM, "gold/customer_scores"})
