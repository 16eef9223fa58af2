"""Order lines that faults add to the synthetic shop's delivery, each made of a line of the shop itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segmentation_assets.synthetic.calendar import CLOSING_SECOND, SECONDS_PER_DAY, spread_over_hours
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.line_keys import CUSTOMER_NUMBER, LINE_KEY, ORDER_NUMBER, purchase_keys
from segmentation_assets.synthetic.orders import within_opening_hours

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_FEES = {
    "POST": "Postage",
    "DOT": "Postage of the marketplace",
    "M": "Manual entry",
    "C2": "Carriage",
    "D": "Discount",
    "S": "Samples",
    "BANK CHARGES": "Bank charges",
    "AMAZONFEE": "Fee of the marketplace",
    "ADJUST": "Adjustment",
    "TEST001": "Test product",
    "GIFT_0001_20": "Gift voucher of 20",
}
NON_PRODUCT_CODES = tuple(_FEES)
"""Codes of the built-in shop that are no products; the mapping names them."""

ADJUSTMENT_PREFIX = "A"
RETURN_PREFIX = "R"
_ADJUSTMENT_CODE = "B"
_LARGEST_ADJUSTMENT = 50_000
_POSITIVE_ADJUSTMENTS = 0.25
_GIANT_UNITS = (50_000, 80_000)
_MINUTES_TO_CANCELLATION = 12
_MOST_WRITTEN_OFF = 40
_LARGEST_FEE = 30.0
_UNBOUGHT_TRIES = 8


def cancel(lines: pd.DataFrame, prefix: str = RETURN_PREFIX) -> pd.DataFrame:
    """Cancel purchases twelve minutes later, or at the end of business where that comes first."""
    import numpy as np
    import pandas as pd

    at = lines["order_at"]
    later = at + pd.Timedelta(minutes=_MINUTES_TO_CANCELLATION)
    return lines.assign(
        order_id=prefix + lines["order_id"].str[1:],
        order_at=np.minimum(later, end_of_business(lines)).astype(at.dtype),
        quantity=-lines["quantity"],
        **{LINE_KEY: lines[LINE_KEY] | 1},
    )


def end_of_business(lines: pd.DataFrame) -> pd.Series:
    """Last second of each line's day, in a store the last one before it closes."""
    import numpy as np
    import pandas as pd

    seconds = np.where(is_in_store(lines), CLOSING_SECOND, SECONDS_PER_DAY) - 1
    return lines["order_at"].dt.floor("D") + pd.to_timedelta(seconds, unit="s")


def is_in_store(lines: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each line is of a store."""
    in_store: NDArray[np.bool_] = (lines["channel"] == "store").to_numpy()
    return in_store


def return_unbought(
    draws: Draws,
    sold: pd.DataFrame,
    goods: pd.DataFrame,
    was_bought: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
) -> pd.DataFrame:
    """Return goods that a customer never had, at an hour of its own on the day of each line.

    Parameters
    ----------
    draws : Draws
    sold : DataFrame
        Purchased lines that the returns are made of.
    goods : DataFrame
        Products that can come back: ``product_id``, ``product_name``, ``list_price`` of the month, ``cost_price`` and
        ``brand``.
    was_bought : callable
        Whether the purchases of some keys were made so far; who had all that is tried returns nothing.
    """
    import numpy as np

    keys, customers = sold[LINE_KEY].to_numpy(), sold[CUSTOMER_NUMBER].to_numpy()
    codes = goods["product_id"].to_numpy(dtype=object)
    chosen = np.full(len(sold), -1)
    for attempt in range(_UNBOUGHT_TRIES):
        tried = (len(codes) * draws.uniform(f"unbought goods {attempt}", keys)).astype(np.int64)
        is_new = ~was_bought(purchase_keys(customers, codes[tried]))
        chosen = np.where((chosen < 0) & is_new, tried, chosen)
    back, taken = sold[chosen >= 0], goods.iloc[chosen[chosen >= 0]]
    numbers, purpose = back[ORDER_NUMBER].to_numpy(), "hour of unbought goods"
    seconds = spread_over_hours(draws.uniform(purpose, numbers))
    seconds = within_opening_hours(draws, purpose, numbers, seconds, is_in_store(back))
    made = back.assign(
        **{name: taken[name].to_numpy() for name in taken.columns.intersection(back.columns)},
        unit_price=taken["list_price"].to_numpy(),
        order_at=back["order_at"].dt.floor("D").astype(back["order_at"].dtype) + seconds.astype("timedelta64[s]"),
        order_id=RETURN_PREFIX + "U" + back["order_id"].str[1:],
        quantity=-1,
    )
    return made[~made.duplicated(["order_id", "product_id"]).to_numpy()]


def write_off(draws: Draws, sold: pd.DataFrame) -> pd.DataFrame:
    """Write stock off: negative quantity, price 0, nobody's."""
    import numpy as np

    units = 1 + (_MOST_WRITTEN_OFF * draws.uniform("units written off", sold[LINE_KEY].to_numpy())).astype(np.int64)
    return sold.assign(order_id="W" + sold["order_id"].str[1:], customer_id=None, quantity=-units, unit_price=0.0)


def charge(draws: Draws, first: pd.DataFrame) -> pd.DataFrame:
    """Charge postage, fees or tests on orders, of which the first line is given."""
    import numpy as np

    numbers = first[ORDER_NUMBER].to_numpy()
    position = draws.uniform("non-product code", numbers) ** 2
    kinds = (position * len(_FEES)).astype(np.int64)
    codes, texts = (np.array(names, dtype=object)[kinds] for names in (NON_PRODUCT_CODES, list(_FEES.values())))
    fees = np.round(1 + _LARGEST_FEE * draws.uniform("fee", numbers), 2)
    return first.assign(
        product_id=codes, product_name=texts, quantity=1, unit_price=fees, list_price=fees, cost_price=fees
    )


def order_giant(draws: Draws, line: pd.DataFrame) -> pd.DataFrame:
    """Order an absurd number of units, and cancel it."""
    import pandas as pd

    low, high = _GIANT_UNITS
    units = low + int((high - low) * draws.uniform("giant units", line[LINE_KEY].to_numpy())[0])
    ordered = line.assign(order_id="SG" + line["order_id"].str[1:], quantity=units)
    return pd.concat([ordered, cancel(ordered)])


def adjust(draws: Draws, line: pd.DataFrame) -> pd.DataFrame:
    """Make a book-keeping entry over a large amount, negative in three of four cases."""
    key = line[LINE_KEY].to_numpy()
    amount = float(1 + int(_LARGEST_ADJUSTMENT * draws.uniform("adjusted", key)[0]))
    if draws.uniform("sign of adjustment", key)[0] >= _POSITIVE_ADJUSTMENTS:
        amount = -amount
    return line.assign(
        order_id=ADJUSTMENT_PREFIX + line["order_id"].str[1:],
        customer_id=None,
        product_id=_ADJUSTMENT_CODE,
        product_name="Adjust bad debt",
        quantity=1,
        unit_price=amount,
        list_price=amount,
        cost_price=0.0,
    )
