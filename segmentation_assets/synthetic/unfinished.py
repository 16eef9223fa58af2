"""A last month of the synthetic shop whose files end early, as those of a shop that is exported on some day do."""

from __future__ import annotations

from dataclasses import replace

from segmentation_assets.synthetic.shop import BusinessMonth

_INSTANTS = {"customers": "registered_on", "order_lines": "order_at", "engagement_events": "event_at"}
"""Table → when its rows come into being."""


def cut_short(made: BusinessMonth, missing_share: float) -> tuple[BusinessMonth, int]:
    """Leave out what comes into being in a month's last days; count its rows.

    Parameters
    ----------
    made : BusinessMonth
    missing_share : float, 0 to 1
        Share of the month's days that is left out; the first day is kept.

    Returns
    -------
    tuple of (BusinessMonth, int)
        The truth and the products are those of the whole month.
    """
    import numpy as np

    first, after = (np.datetime64(made.month, "M") + step for step in (0, 1))
    days = (after.astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int)
    end = first.astype("datetime64[D]") + max(1, round(days * (1 - missing_share)))
    whole = {name: getattr(made, name) for name in _INSTANTS}
    kept = {name: frame[(frame[_INSTANTS[name]] < end).to_numpy()] for name, frame in whole.items()}
    missing = sum(len(whole[name]) - len(kept[name]) for name in whole)
    return replace(made, **{name: frame.reset_index(drop=True) for name, frame in kept.items()}), missing
