"""Where the synthetic shop's orders are placed: web, app or store, and in which store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.synthetic.draws import Draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHANNELS = ("web", "app", "store")
STORES_PER_COUNTRY = 4

_NEAR_SHARE = 0.55
_STORE_SHARES = (0.02, 0.55)
_APP_SHARE = 0.45


def draw_channels(
    draws: Draws,
    order_numbers: NDArray[np.int64],
    customer_numbers: NDArray[np.int64],
    countries: NDArray[np.int64],
    shifted: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the channel of orders and, for those in a store, the store.

    Parameters
    ----------
    draws : Draws
    order_numbers, customer_numbers : ndarray of int
        Number of each order and of its customer.
    countries : ndarray of int
        Place of each customer's country.
    shifted : ndarray of float
        Probability that an order goes to the app whatever its customer's habit.

    Returns
    -------
    tuple of two ndarrays of int
        Place in `CHANNELS`; number of the store from 0, which is one customer's nearest one, and −1 outside of
        stores. Only who lives near a store buys much in it.
    """
    import numpy as np

    lives_near = draws.uniform("lives near a store", customer_numbers) < _NEAR_SHARE
    in_store = draws.uniform("in a store", order_numbers) < np.where(lives_near, _STORE_SHARES[1], _STORE_SHARES[0])
    likes_app = draws.uniform("likes the app", customer_numbers)
    in_app = draws.uniform("in the app", order_numbers) < 2 * _APP_SHARE * likes_app
    is_shifted = draws.uniform("shifted to the app", order_numbers) < shifted
    in_store, in_app = in_store & ~is_shifted, in_app | is_shifted
    channels = np.where(in_store, 2, np.where(in_app, 1, 0))
    nearest = (draws.uniform("nearest store", customer_numbers) * STORES_PER_COUNTRY).astype(np.int64)
    return channels, np.where(in_store, countries * STORES_PER_COUNTRY + nearest, -1)
