"""Numbers that stand for order lines, so that what befalls a line is drawn from it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.synthetic.population import CUSTOMER_DIGITS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ORDER_NUMBER = "order_number"
CUSTOMER_NUMBER = "customer_number"
LINE_KEY = "line_key"
_ORDER_DIGITS = 12


def with_keys(lines: pd.DataFrame) -> pd.DataFrame:
    """Add what draws are keyed by: numbers of order and customer, and of the line, apart for returns.

    They are those of the line that a fault is made of, so they are computed once.
    """
    orders = _numbers(lines["order_id"], _ORDER_DIGITS)
    codes = _code_hashes(lines["product_id"].to_numpy(dtype=object), 18)
    return lines.assign(
        **{
            ORDER_NUMBER: orders,
            CUSTOMER_NUMBER: customer_numbers(lines["customer_id"]),
            LINE_KEY: orders * 2**19 + codes * 2 + (lines["quantity"] < 0).to_numpy(),
        }
    )


def customer_numbers(ids: pd.Series) -> NDArray[np.int64]:
    """Numbers of the customers."""
    return _numbers(ids, CUSTOMER_DIGITS)


def _numbers(texts: pd.Series, digits: int) -> NDArray[np.int64]:
    """Read the numbers of texts that are a letter and so many digits each."""
    import numpy as np

    letters = texts.to_numpy(dtype=f"U{digits + 1}").view(np.uint32).reshape(len(texts), digits + 1)
    numbers = np.zeros(len(texts), dtype=np.int64)
    for place in range(1, digits + 1):
        numbers = 10 * numbers + (letters[:, place] - ord("0"))
    return numbers


def purchase_keys(customers: NDArray[np.int64], codes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Keys of customers with a product; two products of one key count as the same."""
    keys: NDArray[np.int64] = customers * 2**32 + _code_hashes(codes, 32)
    return keys


def _code_hashes(codes: NDArray[np.object_], bits: int) -> NDArray[np.int64]:
    import numpy as np
    import pandas as pd

    hashes: NDArray[np.int64] = (pd.util.hash_array(codes) % np.uint64(2**bits)).astype(np.int64)
    return hashes
