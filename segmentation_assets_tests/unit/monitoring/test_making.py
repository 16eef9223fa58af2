"""What it took to make a stored result, kept beside it."""

import logging
from dataclasses import replace

import pytest

from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.monitoring.making import note_making, noted_making
from segmentation_assets.storage.manifest import Manifest

MANIFEST = Manifest("clusters/kmeans", "2025-06-01", "c0ffee", "1-ab", {})
COST = Cost(1.5, 2.5, None)


def test_what_is_noted_is_known_of_this_very_result_only(tmp_path):
    note_making(tmp_path, MANIFEST, COST, {"numpy": "2.0"})
    found = noted_making(tmp_path, MANIFEST)
    assert (found.cost, found.packages, found.made_at[-6:]) == (COST, {"numpy": "2.0"}, "+00:00")
    for other in ({"content_hash": "other"}, {"code_version": "2-ab"}, {"partition": "2025-07-01"}):
        assert noted_making(tmp_path, replace(MANIFEST, **other)) is None


@pytest.mark.parametrize("text", ["", "[]", '{"content_hash": "c0ffee"}'])
def test_a_damaged_note_counts_as_none(tmp_path, text):
    note_making(tmp_path, MANIFEST, COST, {})
    (path,) = (tmp_path / "runs" / "made").rglob("*.json")
    path.write_text(text)
    assert noted_making(tmp_path, MANIFEST) is None


def test_a_note_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "runs").write_text("a file, where a folder is wanted")
    with caplog.at_level(logging.WARNING, "segmentation_assets"):
        note_making(tmp_path, MANIFEST, COST, {})
    (warning,) = caplog.messages
    assert warning.startswith("what clusters/kmeans of 2025-06-01 took cannot be noted: ")
