"""Settings of predictions that go beyond a range."""

import pytest
from pydantic import ValidationError

from segmentation_assets.config.prediction import ChurnSettings, SegmentClassifierSettings

ALL_OFF = {name: {"enabled": False} for name in ("random_forest", "gradient_boosting")}


@pytest.mark.parametrize("bands", [[0, 30], [30, 30], [60, 30]])
def test_bands_that_do_not_rise_are_refused(bands):
    with pytest.raises(ValidationError, match="bands have to be days above 0 that rise"):
        SegmentClassifierSettings.model_validate({"newcomers": {"bands": bands}})


@pytest.mark.parametrize(
    ("section", "off"),
    [(SegmentClassifierSettings, ALL_OFF), (ChurnSettings, {**ALL_OFF, "logistic_regression": {"enabled": False}})],
)
def test_without_any_algorithm_there_is_nothing_to_try(section, off):
    with pytest.raises(ValidationError, match="no algorithm is enabled"):
        section.model_validate({"algorithms": off})
