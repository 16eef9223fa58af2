import numpy as np
import pytest

from segmentation_assets.synthetic.channels import CHANNELS, draw_channels
from segmentation_assets.synthetic.draws import Draws


def test_only_who_lives_near_a_store_buys_much_in_it() -> None:
    customers = np.repeat(np.arange(1, 1_001), 40)
    zeros = np.zeros(len(customers), dtype=np.int64)
    orders = np.arange(len(customers))
    channels, stores = draw_channels(Draws(7), orders, customers, zeros, zeros.astype(float))
    in_store = channels == CHANNELS.index("store")
    shares = in_store.reshape(1_000, 40).mean(axis=1)
    near = shares > 0.25
    assert ((stores >= 0) == in_store).all()
    assert near.mean() == pytest.approx(0.55, abs=0.05)
    assert (shares[near].mean(), shares[~near].mean()) == pytest.approx((0.55, 0.02), abs=0.01)
