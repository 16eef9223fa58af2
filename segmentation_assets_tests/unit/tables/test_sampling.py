"""Samples are the same for the same seed, and in the order of the rows."""

import numpy as np

from segmentation_assets.tables.sampling import draw_sample


def test_sample_is_sorted_seeded_and_never_larger_than_the_rows() -> None:
    assert draw_sample(3, 5, 0).tolist() == [0, 1, 2]
    drawn = draw_sample(1000, 10, 7)
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert drawn.tolist() == draw_sample(1000, 10, 7).tolist()
    assert drawn.tolist() != draw_sample(1000, 10, 8).tolist()


def test_sample_is_seeded_and_keeps_the_order() -> None:
    assert draw_sample(5, 5, 0).tolist() == [0, 1, 2, 3, 4]
    drawn = draw_sample(1000, 50, 7)
    assert len(set(drawn.tolist())) == 50
    assert (np.diff(drawn) > 0).all()
    assert draw_sample(1000, 50, 7).tolist() == drawn.tolist() != draw_sample(1000, 50, 8).tolist()
