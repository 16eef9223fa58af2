"""In which months the candidates are fitted and compared anew."""

from __future__ import annotations

from segmentation_assets.ingestion.calendar import shift_month


def last_refit(first_month: str, month: str, every: int) -> str:
    """Return the newest month, up to a given one, in which candidates are due.

    Parameters
    ----------
    first_month : str
        The first snapshot month, which is always due, YYYY-MM-01.
    month : str
        A snapshot month, not before the first.
    every : int
        Months from one refit to the next.

    Returns
    -------
    str
        YYYY-MM-01; the month itself where it is due.

    Examples
    --------
    >>> [last_refit("2025-11-01", month, 3) for month in ("2025-11-01", "2026-01-01", "2026-02-01")]
    ['2025-11-01', '2025-11-01', '2026-02-01']
    """
    years, months = int(month[:4]) - int(first_month[:4]), int(month[5:7]) - int(first_month[5:7])
    return f"{shift_month(month, -((12 * years + months) % every))}-01"


def months_to_earlier_fit(horizon: int, every: int) -> int:
    """Return how many months before a refit the models were fitted that have seen a whole horizon since.

    Parameters
    ----------
    horizon : int
        Months that must have passed.
    every : int
        Months from one refit to the next.

    Returns
    -------
    int
        The horizon, made up to whole intervals between refits.

    Examples
    --------
    >>> [months_to_earlier_fit(3, every) for every in (1, 2, 3, 6)]
    [3, 4, 3, 6]
    """
    return -(-horizon // every) * every


def reason_not_due(
    first_month: str,
    month: str,
    every: int,
    *,
    what: str = "candidates",
    setting: str = "clustering.refit_every_months",
) -> str:
    """Say why candidates, or others, are not fitted in a month, and when they are; empty where they are due."""
    last = last_refit(first_month, month, every)
    if last == month:
        return ""
    following = shift_month(last, every)
    return f"not due: {what} are fitted every {every} months ({setting}), last in {last[:7]}, next in {following}"
