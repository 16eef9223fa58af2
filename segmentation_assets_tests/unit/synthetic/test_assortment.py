import numpy as np
import pytest

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.assortment import Assortment, make_assortment
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.draws import Draws


def assortments(months: int) -> list[Assortment]:
    settings, catalogue = SyntheticSettings(months=months), read_catalogue()
    return [make_assortment(Draws(7), catalogue, settings, make_calendar(settings), month) for month in range(months)]


def test_few_prices_change_from_month_to_month_and_by_little() -> None:
    starts = read_catalogue().model_starts[:-1]
    cents = np.array([assortment.list_cents[starts] for assortment in assortments(24)])
    steps = cents[1:] / cents[:-1]
    changed = steps[cents[1:] != cents[:-1]]
    assert len(changed) / steps.size == pytest.approx(0.06, abs=0.012)
    assert 0.935 < changed.min() < 0.96 < 1.08 < changed.max() < 1.105
    assert changed.mean() == pytest.approx(1.02, abs=0.01)
