"""The CDNOW sample: what the literature and an independent implementation found."""

import numpy as np
import pytest

from segmentation_assets.prediction.gamma_gamma import fit_gamma_gamma
from segmentation_assets.prediction.purchase_histories import check_histories
from segmentation_assets.prediction.purchase_models import fit_purchase_model
from segmentation_assets.prediction.tracking import track_orders


@pytest.fixture(scope="module")
def bg_nbd(cdnow):
    return fit_purchase_model("bg_nbd", cdnow.histories)


def test_counts_are_those_of_the_sample(cdnow):
    count, published = cdnow.histories.count, cdnow.published
    assert len(count) == published["customers"]
    assert (count == 0).sum() == published["zero_repeat"] == 1411
    assert count.sum() == published["repeat_transactions"]
    histogram = np.bincount(np.minimum(count, 7).astype(int)).tolist()
    assert histogram == published["frequency_histogram_0_to_6_7plus"]
    assert (cdnow.order_weeks > cdnow.cut).sum() == published["holdout_transactions"] == 1882


def test_bg_nbd_is_the_reference_to_its_last_digit(cdnow, bg_nbd):
    reference = cdnow.published["bgnbd"]
    fitted = dict(zip(bg_nbd.process.parameter_names, bg_nbd.parameters, strict=True))
    assert fitted["r"] == pytest.approx(reference["r"], abs=6e-6)
    assert fitted["alpha"] == pytest.approx(reference["alpha"], abs=6e-5)
    assert fitted["a"] == pytest.approx(reference["a"], abs=6e-6)
    assert fitted["b"] == pytest.approx(reference["b"], abs=6e-6)
    assert bg_nbd.loglik == pytest.approx(reference["loglik"], abs=1e-4)
    assert (bg_nbd.n_customers, bg_nbd.problem) == (2357, "")


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_parameters_are_the_published_ones(cdnow, name):
    published = dict(cdnow.published[f"{name.replace('bg_nbd', 'bgnbd') if name == 'bg_nbd' else name}_published"])
    loglik = published.pop("loglik", None)
    fitted = fit_purchase_model(name, cdnow.histories)
    assert fitted.parameters == pytest.approx(tuple(published.values()), abs=0.01)
    assert loglik is None or fitted.loglik == pytest.approx(loglik, abs=0.05)
    assert fitted.problem == ""


def test_expected_orders_are_the_published_ones(cdnow, bg_nbd):
    one = check_histories([2], [30.43], [38.86])
    assert bg_nbd.expect_orders(one, 39.0)[0] == pytest.approx(cdnow.published["cet_39w_x2_tx30.43_T38.86"], abs=5e-4)
    predicted = bg_nbd.expect_orders(cdnow.histories, 39.0).sum()
    assert predicted == pytest.approx(cdnow.published["holdout_39w_predicted"], abs=0.01)


def test_gamma_gamma_is_the_published_one(cdnow):
    fitted = fit_gamma_gamma(cdnow.histories.count, cdnow.spend)
    reference, published = cdnow.published["gamma_gamma"], cdnow.published["gamma_gamma_published"]
    assert fitted.parameters == pytest.approx((reference["p"], reference["q"], reference["v"]), abs=2e-5)
    assert fitted.parameters == pytest.approx(tuple(published.values()), abs=0.01)
    assert fitted.loglik == pytest.approx(reference["loglik"], abs=1e-4)
    assert fitted.n_customers == reference["n"]
    assert (fitted.problem, fitted.warning) == ("", "")
    expected = fitted.expect_spend(cdnow.histories.count, cdnow.spend)[:10]
    assert expected == pytest.approx(cdnow.published["gg_conditional_mean_first10_published"], abs=0.02)


def test_tracking_reaches_what_was_observed(cdnow, bg_nbd):
    ends = np.arange(1, 79, dtype=float)
    tracked = track_orders(bg_nbd, cdnow.births, cdnow.order_weeks, ends)
    at_cut = tracked[tracked["period_end"] == 39].iloc[0]
    assert at_cut["cumulative_observed_order_count"] == (cdnow.order_weeks <= 39).sum()
    assert at_cut["cumulative_expected_order_count"] == pytest.approx(2457, rel=0.03)
    last = tracked.iloc[-1]
    assert last["cumulative_expected_order_count"] == pytest.approx(4339, rel=0.06)
