"""Formulas of the literature, and integrals done by someone else, against what the models compute."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import nbinom

from segmentation_assets.prediction.beta_decline import average_decline
from segmentation_assets.prediction.pareto_nbd import compute_log_share, count_terms, evaluate_gauss_fraction
from segmentation_assets.prediction.purchase_histories import check_histories
from segmentation_assets.prediction.purchase_models import MODELS
from segmentation_assets_tests.unit.prediction.conftest import model_of

CDNOW = {
    "bg_nbd": (0.243, 4.414, 0.793, 2.426),
    "mbg_nbd": (0.525, 6.183, 0.891, 1.614),
    "pareto_nbd": (0.553, 10.578, 0.606, 11.669),
}
ONE = check_histories([2], [30.43], [38.86])


@pytest.mark.parametrize(("name", "chances"), [("bg_nbd", 2), ("mbg_nbd", 3)])
def test_expected_orders_follow_the_published_form(name, chances):
    (r, alpha, a, b), horizon = CDNOW[name], 39.0
    shrunk = (alpha + 38.86) / (alpha + 38.86 + horizon)
    size = a + b + chances - 1
    staying = 1 - shrunk ** (r + 2) * hyp2f1(r + 2, b + chances, size, 1 - shrunk)
    odds = a / (b + chances - 1) * ((alpha + 38.86) / (alpha + 30.43)) ** (r + 2)
    by_hand = size / (a - 1) * staying / (1 + odds)
    assert model_of(name, CDNOW[name]).expect_orders(ONE, horizon)[0] == pytest.approx(by_hand, rel=1e-11)


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd"])
@pytest.mark.parametrize(
    "parameters", [CDNOW["bg_nbd"], (0.05, 20.0, 1.0, 4.0), (4.0, 2.0, 30.0, 50.0), (1, 9, 0.02, 7)]
)
@pytest.mark.parametrize(("count", "end", "horizon"), [(0, 0.0, 60.0), (3, 10.0, 5.0), (90, 100.0, 50.0)])
def test_orders_of_those_there_are_a_sum_over_their_number(name, parameters, count, end, horizon):
    """P(Y >= n) is that n orders come, Poisson with a Gamma rate, and the customer stayed n - 1 times."""
    (r, alpha, a, b), process = parameters, MODELS[name]
    staying = b + count + process.chances_at_birth
    number = np.arange(1, 3_000)
    comes = nbinom.sf(number - 1, r + count, (alpha + end) / (alpha + end + horizon))
    stays = np.exp(betaln(a, staying + number - 1) - betaln(a, staying))
    columns = [np.array([float(value)]) for value in (count, end, horizon)]
    assert process.orders_if_there(np.array(parameters, dtype=float), *columns)[0] == pytest.approx(
        (comes * stays).sum(), rel=1e-8
    )
    assert process.pairs_if_there(np.array(parameters, dtype=float), *columns)[0] == pytest.approx(
        2 * ((number - 1) * comes * stays).sum(), rel=1e-8
    )


@pytest.mark.parametrize("s", [0.606, 1.0, 2.5])
def test_pareto_orders_follow_the_published_form(s):
    r, alpha, _, beta = CDNOW["pareto_nbd"]
    if s == 1:
        lived = (beta + 38.86) * np.log((beta + 77.86) / (beta + 38.86))
    else:
        lived = (beta + 38.86) / (s - 1) * (1 - ((beta + 38.86) / (beta + 77.86)) ** (s - 1))
    model = model_of("pareto_nbd", (r, alpha, s, beta))
    assert model.expect_orders_if_there(ONE, 39.0)[0] == pytest.approx((r + 2) / (alpha + 38.86) * lived, rel=1e-11)


@pytest.mark.parametrize(
    "parameters", [CDNOW["pareto_nbd"], (0.5, 30.0, 0.6, 2.0), (2.0, 1.0, 0.3, 40.0), (1, 5, 1, 5)]
)
@pytest.mark.parametrize(("count", "last", "end"), [(0, 0.0, 38.9), (2, 30.0, 38.9), (25, 10.0, 60.0)])
def test_pareto_likelihood_is_the_integral_over_the_lifetime(parameters, count, last, end):
    """Customers left at some time after the last order, or are still there."""
    r, alpha, s, beta = parameters

    def left_at(time):
        return (alpha + time) ** -(r + count) * (beta + time) ** -(s + 1)

    constant = gammaln(r + count) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    there = (alpha + end) ** -(r + count) * (beta + end) ** -s
    gone = s * quad(left_at, last, end, epsabs=0, epsrel=1e-11)[0]
    history = check_histories([count], [last], [end])
    value, _ = MODELS["pareto_nbd"].differentiate(np.array(parameters, dtype=float), history)
    assert value == pytest.approx(constant + np.log(there + gone), rel=1e-10)
    alive = model_of("pareto_nbd", parameters).compute_alive_probability(history)[0]
    assert alive == pytest.approx(there / (there + gone), rel=1e-9)


@pytest.mark.parametrize("parameters", [(0.2, 500.0, 0.1, 0.5), (0.2, 0.5, 0.1, 500.0), (5.0, 3.0, 8.0, 2.0)])
def test_pareto_shares_are_integrals_to_infinity(parameters):
    r, alpha, s, beta = parameters
    for count, time in [(0.0, 0.0), (0.0, 40.0), (3.0, 1.0), (200.0, 30.0)]:

        def fading(log_ahead, count=count, time=time):
            ahead = np.exp(log_ahead)
            orders = -(r + count) * np.log1p(ahead / (alpha + time))
            return s * ahead / (beta + time) * np.exp(orders - (s + 1) * np.log1p(ahead / (beta + time)))

        integral = sum(quad(fading, low, low + 10, epsabs=0, epsrel=1e-9)[0] for low in range(-40, 160, 10))
        found = compute_log_share(np.array(parameters), np.array([count]), np.array([time]), count_terms(parameters))
        assert np.exp(found[0]) == pytest.approx(integral, rel=1e-7)


@pytest.mark.parametrize("z", [0.0, 0.3, 0.9, 0.995])
def test_the_continued_fraction_is_the_hypergeometric_function(z):
    b, c = np.array([0.5, 3.0, 1.6]), np.array([1.2, 3.7, 40.0])
    terms = count_terms((1.0, 1.0, 1.0, 1 - z))
    assert evaluate_gauss_fraction(b, c, np.full(3, z), terms)[0] == pytest.approx(hyp2f1(1, b, c, z), rel=1e-11)


@pytest.mark.parametrize(
    ("a", "b", "n", "ahead", "digits"),
    [
        (0.8, 2.4, 3.5, 0.9, 1e-11),
        (0.8, 2.4, 0.2, 300.0, 1e-9),
        (30.0, 4.0, 200.0, 5.0, 1e-7),
        (200.0, 40.0, 1.4, 0.3, 1e-9),
        (3.0, 4_000.0, 1.4, 50.0, 1e-6),
        (0.5, 1.01, 900.0, 40.0, 1e-3),
    ],
)
def test_the_mean_decline_is_an_integral_over_leaving_probabilities(a, b, n, ahead, digits):
    logits = np.linspace(-45 / min(a, 1), 45 / min(b, 1), 400_001)
    log_leave, log_stay = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    density = np.exp(a * log_leave + b * log_stay - betaln(a, b)) * (logits[1] - logits[0])
    reference = density @ np.exp(-n * np.log1p(np.exp(log_leave) * ahead))
    assert density.sum() == pytest.approx(1, abs=1e-10)
    found = average_decline(a, a + b - n, np.array([a + b]), np.array([ahead]))[0]
    assert found == pytest.approx(reference, rel=digits)


def test_bg_nbd_takes_one_time_buyers_for_there():
    once = check_histories([0, 0], [0.0, 0.0], [10.0, 500.0])
    assert model_of("bg_nbd", CDNOW["bg_nbd"]).compute_alive_probability(once).tolist() == [1, 1]
    for name in ("mbg_nbd", "pareto_nbd"):
        alive = model_of(name, CDNOW[name]).compute_alive_probability(once)
        assert 1 > alive[0] > alive[1]


@pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd"])
def test_those_who_never_order_again_are_gone(name):
    model = model_of(name, CDNOW[name])
    never = model.compute_no_order_probability(ONE, 1e15)
    assert never == pytest.approx(1 - model.compute_alive_probability(ONE), rel=1e-9)
