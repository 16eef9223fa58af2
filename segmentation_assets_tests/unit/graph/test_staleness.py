import pytest

from segmentation_assets.graph.staleness import compare
from segmentation_assets.storage.manifest import Manifest

STORED = Manifest("gold/x", "2025-06-01", "h", "1-a", {"silver/x@2025-06-01": "1", "gold/x@2025-05-01": "2"})


@pytest.mark.parametrize(
    ("version", "inputs", "reasons"),
    [
        ("1-a", STORED.inputs, ()),
        ("1-b", STORED.inputs, ("its settings or code changed",)),
        ("1-a", {**STORED.inputs, "silver/x@2025-06-01": "9"}, ("silver/x@2025-06-01 changed",)),
        ("1-a", {"silver/x@2025-06-01": "1"}, ("gold/x@2025-05-01 is no longer an input",)),
        ("1-a", {**STORED.inputs, "raw/y": "3"}, ("raw/y is new",)),
    ],
)
def test_result_is_kept_only_when_code_and_every_slice_are_the_same(version, inputs, reasons):
    assert compare(STORED, version, inputs) == reasons


def test_nothing_stored_is_a_reason():
    assert compare(None, "1-a", {}) == ("nothing readable is stored",)
