"""Which identities hold between the features of a customer, and what else changes where some of them are changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from segmentation_assets.features.blocks.departments import PREFIX
from segmentation_assets.features.blocks.engagement import EVENT_WINDOW_DAYS
from segmentation_assets.features.blocks.rfm import DAYS_PER_MONTH
from segmentation_assets.tables.slugs import REST

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

FIXED = re.compile(
    "tenure_days|lifetime_months|btyd_T|account_age_days|newsletter_days|age_years|household_size|"
    "churn_risk_score|engagement_score|.*_momentum_.*|"
    "(class|main_department|department_entropy|department_unit_count).*"
)
"""Features that time alone changes, or nobody, and some that follow from others in ways that are not kept here."""

FOLLOWING = {
    "orders_per_month|order_day_count|btyd_frequency": ("order_count",),
    "(last_)?gap_.*|overdue_ratio|longest_silence_days|btyd_recency": ("recency_days", "order_count"),
    "(gross|returned)_revenue_amount|largest_order_value_amount": ("order_count", "average_order_value_amount"),
    r"average_order_value_amount_\d+d": ("average_order_value_amount",),
    r"net_revenue_amount(_\d+d)": (r"order_count\1", "average_order_value_amount"),
    r"unit_count(|_\d+d)": (r"order_count\1", "average_unit_price_amount"),
    "units_per_(order|line)": ("average_unit_price_amount",),
    "return_(unit_share|value_share|order_count)": ("return_rate",),
    "department_revenue_amount_(.*)": (rf"{PREFIX}\1", "average_order_value_amount"),
}
"""Pattern of features that follow from others → what is changed in their place."""

RATIOS = (
    ("average_order_value_amount", "gross_revenue_amount", "order_count"),
    ("average_unit_price_amount", "gross_revenue_amount", "unit_count"),
    ("units_per_order", "unit_count", "order_count"),
    ("units_per_line", "units_per_order", "lines_per_order"),
    ("last_gap_ratio", "last_gap_days", "gap_days_median"),
    ("overdue_ratio", "recency_days", "gap_days_mean"),
)
"""Feature, and the two whose quotient it is; money in whole cents."""

_OTHERS = f"{PREFIX}{REST}"
_EVENTS = f"event_count_{EVENT_WINDOW_DAYS}d"
_CENT = 0.01


def levers_of(feature: str, columns: Collection[str]) -> tuple[str, ...]:
    """Say what has to be changed for a feature to change.

    Parameters
    ----------
    feature : str
    columns : collection of str
        Features that there are.

    Returns
    -------
    tuple of str
        The feature itself, or what it follows from; empty where time alone changes it, or nobody.

    Examples
    --------
    >>> levers_of("recency_days", []), levers_of("orders_per_month", []), levers_of("tenure_days", [])
    (('recency_days',), ('order_count',), ())
    """
    sides = _sides(feature, columns)
    if sides:
        return tuple(dict.fromkeys(lever for side in sides for lever in levers_of(side, columns)))
    found = {pattern: match for pattern in FOLLOWING if (match := re.fullmatch(pattern, feature))}
    if found:
        return tuple(match.expand(lever) for pattern, match in found.items() for lever in FOLLOWING[pattern])
    return () if FIXED.fullmatch(feature) else (feature,)


def _sides(feature: str, columns: Collection[str]) -> tuple[str, str] | None:
    """Return the two features that an interaction is made from; ``None`` for other features."""
    cuts = [(feature[: word.start()], feature[word.end() :]) for word in re.finditer("_times_|_per_", feature)]
    return next((sides for sides in cuts if {*sides} <= {*columns}), None)


class _Values(dict[str, "Floats"]):
    """Features by name, each of shape (n_rows,); NaN for one that is not there."""

    def __init__(self, values: Mapping[str, Floats], count: int) -> None:
        super().__init__(values)
        self.count = count

    def __missing__(self, name: str) -> Floats:
        import numpy as np

        return np.full(self.count, np.nan)


@dataclass(frozen=True)
class _Change:
    """Features before and after; in `asked` NaN is what nobody asked for."""

    before: _Values
    asked: _Values
    now: _Values

    def put(self, name: str, values: Floats, where: Flags) -> None:
        """Set a feature, if there is one, where it is not asked for."""
        import numpy as np

        if name in self.before:
            self.now[name] = np.where(where & np.isnan(self.asked[name]), values, self.now[name])

    def moved(self, *names: str) -> Flags:
        """Say where one of the features is another one than before."""
        import numpy as np

        same = [np.isclose(self.now[name], self.before[name], rtol=1e-12, atol=0, equal_nan=True) for name in names]
        moved: Flags = ~np.logical_and.reduce(same)
        return moved


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike, otherwise: float = float("nan")) -> Floats:
    """Divide; `otherwise` where the quotient is unknown."""
    import numpy as np

    parts, wholes = np.broadcast_arrays(np.asarray(part, dtype="float64"), np.asarray(whole, dtype="float64"))
    is_known = (wholes != 0) & ~np.isnan(wholes) & ~np.isnan(parts)
    quotients: Floats = np.divide(parts, wholes, out=np.full(wholes.shape, float(otherwise)), where=is_known)
    return quotients


def _quotient(values: _Values, name: str, part: str, whole: str) -> Floats:
    """Divide features; money to the cent."""
    quotient = _ratio(values[part], values[whole])
    return quotient.round(2) if name.endswith("_amount") else quotient


def _interactions(names: Collection[str]) -> list[tuple[str, str, str]]:
    """List the interactions with the two features that each is made from."""
    return [(name, *sides) for name in names if (sides := _sides(name, names))]


def _interaction(values: _Values, name: str, first: str, second: str) -> Floats:
    """Multiply or divide features, as the name says."""
    is_product = name == f"{first}_times_{second}"
    return values[first] * values[second] if is_product else _ratio(values[first], values[second])


def _numbers(rows: pd.DataFrame) -> _Values:
    numbers = rows.select_dtypes("number")
    return _Values(dict(zip(numbers, numbers.to_numpy("float64", na_value=float("nan")).T, strict=True)), len(rows))


def _windows(values: Collection[str]) -> dict[str, float]:
    """Return the endings of features of windows, the shortest first, and last that of the lookback, with their days."""
    days = sorted(int(found[1]) for name in values if (found := re.fullmatch(r"order_count_(\d+)d", name)))
    return {f"_{length}d": float(length) for length in days} | {"": float("inf")}


def repair(row: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Change features of a customer, and with them those that follow from them.

    Parameters
    ----------
    row : DataFrame
        One row of ``silver/customer_features``.
    asked : DataFrame of float64, shape (n_changes, n_features)
        Values to set; NaN where nothing is asked for. Whole numbers for counts and days, whole cents for money.

    Returns
    -------
    DataFrame
        A row per change, index of `asked`. What cannot be comes out as another value than is asked for, or breaks an
        identity.

    Notes
    -----
    The changed customer is the same at the same date, but has bought otherwise. What is not asked for stays, unless an
    identity moves it:

    - A later last order, and more orders in a window, are orders more, which count in all longer windows. An earlier
      last order, and fewer orders in a window, are orders placed earlier. The first order of the lookback stays; the
      mean gap follows from what lies between it and the last one, and how overdue the next one is from that.
    - Orders more are as the others on average: in money, in units, in what came back. Orders that move take along what
      they hold. Orders of another value hold as many units; another price per unit is another number of units.
    - Another return rate is as much more or less money returned; for who returned nothing, that share of all money.
    - Another share of a department leaves the rest to the other departments, in their proportion.

    Taken to stand alone, though orders bear on them: products and deals; months with an order and slope of revenue;
    habits of returning and of the calendar; spread and median of gaps; money per repeat day. What `FIXED` names stays:
    classes, entropies and units by department, paces and the two rule scores are not made anew.
    """
    import numpy as np
    import pandas as pd

    before = _Values({name: values.repeat(len(asked)) for name, values in _numbers(row).items()}, len(asked))
    wanted = _numbers(asked)
    given = {name: np.where(np.isnan(values), before[name], values) for name, values in wanted.items()}
    change = _Change(before, wanted, _Values(before | given, len(asked)))
    if "order_count" in before:
        _move_orders(change)
        _move_order_days(change)
        _move_money(change)
        _move_units(change)
    _move_returns(change)
    _move_departments(change)
    _move_events(change)
    for name, part, whole in (ratio for ratio in RATIOS if {*ratio} <= {*before}):
        change.put(name, _quotient(change.now, name, part, whole), change.moved(part, whole))
    for name, *sides in _interactions(before):
        change.put(name, _interaction(change.now, name, *sides), change.moved(*sides))
    changed = {name: values for name, values in change.now.items() if values is not before[name]}
    rows = row.iloc[np.zeros(len(asked), dtype=int)].set_axis(asked.index).assign(**changed)
    if "last_order_date" in rows:
        days = pd.to_timedelta(before["recency_days"] - change.now["recency_days"], unit="D")
        rows["last_order_date"] = pd.to_datetime(rows["last_order_date"]) + days
    return rows


def _move_orders(change: _Change) -> None:
    """Nest the counts of windows, and let the last order lie in those that hold one."""
    import numpy as np

    before, now, last = change.before, change.now, change.asked["recency_days"]
    windows = {f"order_count{ending}": days for ending, days in _windows(before).items()}
    added = np.zeros_like(last)
    for name, days in windows.items():
        asked = change.asked[name]
        added = np.where((last < before["recency_days"]) & (last <= days), np.maximum(added, 1), added)
        now[name] = np.where(last > days, 0, np.where(np.isnan(asked), before[name] + added, asked))
        added = np.where(np.isnan(asked), added, np.maximum(asked - before[name], 0))
    for shorter, longer in reversed(list(pairwise(windows))):
        now[shorter] = np.minimum(now[shorter], now[longer])
    is_all_known = abs(_orders_ever(before) - before["order_count"]) < _CENT
    for name, days in list(windows.items())[:-1]:
        is_first_outside = is_all_known & (_tenure(before) > days + 1)
        now[name] = np.where(is_first_outside, np.minimum(now[name], now["order_count"] - 1), now[name])
        now[name] = np.where(_tenure(before) < days - 1, now["order_count"], now[name])
    recency = before["recency_days"]
    for name, days in windows.items():
        recency = np.where((now[name] == 0) & (before[name] > 0), np.maximum(recency, days + 1), recency)
        recency = np.where((now[name] > 0) & (before[name] == 0), np.minimum(recency, days), recency)
    change.put("recency_days", recency, np.isnan(last))


def _move_order_days(change: _Change) -> None:
    """Give every order more a day of its own; too many for the days from the first to the last leave gaps below 1."""
    import numpy as np

    before, now = change.before, change.now
    recency, added = now["recency_days"], now["order_count"] - before["order_count"]
    moved, days = change.moved("recency_days", "order_count"), before["order_day_count"]
    first = before["recency_days"] + np.where(days > 1, before["gap_days_mean"] * (days - 1), 0)
    new_days = np.maximum(days + added, np.where(first > recency, 2, 1))
    gap = np.where(new_days > 1, _ratio(first - recency, new_days - 1), np.nan)
    spread = np.where(new_days > 1, np.nan_to_num(before["gap_days_std"]), np.nan)
    months = np.maximum(before["lifetime_months"], 1)
    for name, values in {
        "order_day_count": new_days,
        "gap_days_mean": gap,
        "gap_days_median": np.where((new_days > 1) & (days > 1), before["gap_days_median"], gap),
        "last_gap_days": np.where((new_days > 1) & (days > 1), before["last_gap_days"], gap),
        "gap_days_std": spread,
        "gap_regularity": np.where(new_days > 2, _ratio(gap, gap + spread), np.nan),
        "longest_silence_days": np.maximum(before["longest_silence_days"], recency),
        "orders_per_month": before["orders_per_month"] + added / months,
        "btyd_frequency": before["btyd_frequency"] + new_days - days,
        "btyd_recency": before["btyd_recency"] + before["recency_days"] - recency,
    }.items():
        change.put(name, values, moved)


def _carry(change: _Change, held: Sequence[Floats]) -> Floats:
    """Return what windows and lookback hold, shape (n_windows + 1, n_changes), once orders are added and moved."""
    import numpy as np

    endings = _windows(change.before)
    orders, new_orders, sums = (
        np.diff(np.vstack(parts), axis=0, prepend=0)
        for parts in (*([v[f"order_count{ending}"] for ending in endings] for v in (change.before, change.now)), held)
    )
    lost, gained = np.maximum(orders - new_orders, 0), np.maximum(new_orders - orders, 0)
    taken = sums * _ratio(lost, orders, 0)
    moving = np.minimum(lost.sum(axis=0), gained.sum(axis=0))
    mean = _ratio(held[-1], change.before["order_count"], 0)
    brought = moving * _ratio(taken.sum(axis=0), lost.sum(axis=0), 0) + (gained.sum(axis=0) - moving) * mean
    carried: Floats = np.cumsum(sums - taken + gained * _ratio(brought, gained.sum(axis=0), 0), axis=0)
    return carried


def _orders(values: _Values, ending: str) -> Floats:
    """Return orders of a window."""
    return values[f"order_count{ending}"]


def _gross(values: _Values, ending: str) -> Floats:
    """Return gross revenue of a window, to the cents that its average leaves."""
    import numpy as np

    by_average = values[f"average_order_value_amount{ending}"] * values[f"order_count{ending}"]
    instead = np.zeros(values.count) if ending else values["net_revenue_amount"]
    by_average = np.where(np.isnan(by_average), instead, by_average)
    stored = values[f"gross_revenue_amount{ending}"]
    return np.where(np.isnan(stored), by_average, stored)


def _move_money(change: _Change) -> None:
    """Keep gross revenue what the orders are worth, and net revenue what did not come back."""
    import numpy as np

    before, now, asked = change.before, change.now, change.asked
    held = [_gross(before, ending) for ending in _windows(before)]
    gross = _carry(change, held)
    rate, old_rate = asked["return_rate"], np.nan_to_num(before["return_rate"])
    kept = _ratio(before["net_revenue_amount"], held[-1], 1)
    back = np.where(old_rate > 0, (1 - kept) * _ratio(rate, old_rate), 1 - kept + rate)
    new_kept = np.where(np.isnan(rate), kept, 1 - back)
    average, net = asked["average_order_value_amount"], asked["net_revenue_amount"]
    by_net = np.where(new_kept > 0, _ratio(net, new_kept), net + (1 - new_kept) * gross[-1])
    total = np.where(np.isnan(net), gross[-1], by_net)
    total = np.where(np.isnan(average), total, average * now["order_count"])
    new_kept = np.where(np.isnan(net), new_kept, _ratio(net, total))
    gross = gross * _ratio(total, gross[-1], 1)
    for ending, worth, was in zip(_windows(before), gross, held, strict=True):
        moved = (np.abs(worth - was) > _CENT / 2) | (np.abs(new_kept - kept) > 1e-12)
        change.put(f"gross_revenue_amount{ending}", worth.round(2), moved)
        net_now = before[f"net_revenue_amount{ending}"] + new_kept * worth - kept * was
        change.put(f"net_revenue_amount{ending}", net_now.round(2), moved)
        mean = _ratio(worth, now[f"order_count{ending}"]).round(2)
        change.put(f"average_order_value_amount{ending}", mean, moved | change.moved(f"order_count{ending}"))
    returned = (now["gross_revenue_amount"] - now["net_revenue_amount"]).round(2)
    change.put("returned_revenue_amount", returned, change.moved("gross_revenue_amount", "net_revenue_amount"))
    largest = np.where(now["order_count"] == 1, gross[-1], before["largest_order_value_amount"])
    largest = np.clip(largest, _ratio(gross[-1], now["order_count"]), gross[-1]).round(2)
    change.put("largest_order_value_amount", largest, change.moved("gross_revenue_amount", "order_count"))


def _move_units(change: _Change) -> None:
    """Keep units whole, and as many as orders at least; a price asked for is the next one that whole units give."""
    import numpy as np

    names = [f"unit_count{ending}" for ending in _windows(change.before)]
    if not {*names, "gross_revenue_amount"} <= {*change.before}:
        return
    price = change.asked["average_unit_price_amount"]
    units = _carry(change, [change.before[name] for name in names])
    wanted = np.where(np.isnan(price), units[-1], _ratio(change.now["gross_revenue_amount"], price).round())
    units = (units * _ratio(wanted, units[-1], 1)).round()
    for name, number in zip(names, units, strict=True):
        orders = name.replace("unit", "order")
        change.put(name, np.maximum(number, change.now[orders]), ~np.isnan(price) | change.moved(orders, "order_count"))
    name = "average_unit_price_amount"
    change.now[name] = np.where(np.isnan(price), change.now[name], _quotient(change.now, name, *RATIOS[1][1:]))


def _move_returns(change: _Change) -> None:
    """Let shares of units and money returned, and orders with a return, go with the return rate."""
    import numpy as np

    rate, old = change.asked["return_rate"], np.nan_to_num(change.before["return_rate"])
    for name in ("return_unit_share", "return_value_share"):
        share = np.where(old > 0, change.before[name] * _ratio(rate, old), rate)
        change.put(name, np.minimum(share, 1), ~np.isnan(rate))
    orders = np.where(rate > 0, np.maximum(change.before["return_order_count"], 1), 0)
    change.put("return_order_count", orders, ~np.isnan(rate))


def _move_departments(change: _Change) -> None:
    """Let the shares of departments sum to 1, and their money to gross revenue."""
    import numpy as np

    names = [name for name in change.before if name.startswith(PREFIX)]
    if not names:
        return
    shares, asked = (np.vstack([values[name] for name in names]) for values in (change.before, change.asked))
    is_free, moved = np.isnan(asked), change.moved(*names)
    free = np.where(is_free, shares, 0)
    free = np.where(free.sum(axis=0) > 0, free, is_free)
    new = np.where(is_free, (1 - np.nansum(asked, axis=0)) * _ratio(free, free.sum(axis=0), 0), asked)
    for name, share in zip(names, new, strict=True):
        change.put(name, share, moved)
        money = f"department_revenue_amount_{name.removeprefix(PREFIX)}"
        worth = (change.now[name] * change.now["gross_revenue_amount"]).round(4)
        change.put(money, worth, change.moved(name, "gross_revenue_amount"))
    is_named = np.array([[name != _OTHERS] for name in names])
    old_count, count = (((part > 0) & is_named).sum(axis=0) for part in (shares, new))
    others, old_others = change.now[_OTHERS], change.before[_OTHERS]
    count = count + np.where(others == 0, 0, change.before["department_count"] - old_count + (old_others == 0))
    change.put("department_count", count, moved)


def _move_events(change: _Change) -> None:
    """Keep events of a kind within all events, and the last one inside of the window or before it."""
    import numpy as np

    for name in _kinds(change.before):
        change.put(_EVENTS, np.maximum(change.now[_EVENTS], change.now[name]), change.moved(name))
        change.put(name, np.minimum(change.now[name], change.now[_EVENTS]), change.moved(_EVENTS))
    days = np.fmin(change.before["days_since_event"], EVENT_WINDOW_DAYS)
    earlier = np.maximum(change.before["days_since_event"], EVENT_WINDOW_DAYS + 1)
    change.put("days_since_event", np.where(change.now[_EVENTS] > 0, days, earlier), change.moved(_EVENTS))


def _kinds(names: Collection[str]) -> list[str]:
    """List the counts of events of one kind."""
    counts = [name for name in names if name.endswith(f"_count_{EVENT_WINDOW_DAYS}d")]
    return [name for name in counts if not name.startswith(("order_", "unit_", "event_"))]


def broken_identities(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of customers which identities between their features do not hold.

    Parameters
    ----------
    rows : DataFrame, shape (n_customers, n_features)
        Columns of ``silver/customer_features``.

    Returns
    -------
    DataFrame of bool
        A column per identity of features that there are, in words; same index. What is unknown breaks nothing.

    Notes
    -----
    Some are no more than usual: orders can share a day, and one order can have sale lines on several. Who breaks an
    identity as it is, may break it after a change.
    """
    import pandas as pd

    values = _numbers(rows)
    found = _broken_sizes(values) | _broken_orders(values) | _broken_windows(values) | _broken_sums(values)
    for name, part, whole in RATIOS:
        rounding = _CENT if name.endswith("_amount") else 1e-9
        found[f"{name} is {part} / {whole}"] = abs(values[name] - _ratio(values[part], values[whole])) > rounding
    for name, *sides in _interactions(values):
        found[f"{name} is made from {' and '.join(sides)}"] = _differ(values[name], _interaction(values, name, *sides))
    return pd.DataFrame(found, index=rows.index)


def _differ(values: Floats, others: Floats) -> Flags:
    """Say where both are known, and are different."""
    different: Flags = abs(values - others) > 1e-9 * (1 + abs(others))
    return different


def _broken_sizes(values: _Values) -> dict[str, Flags]:
    names = [name for name in values if not _sides(name, values)]
    counts = [name for name in names if re.search("_count(_|$)", name)]
    shares = [name for name in names if re.search("_(share|rate)(_|$)", name)]
    whole = {f"{name} is whole and no less than 0": (values[name] < 0) | (values[name] % 1 > 0) for name in counts}
    return whole | {f"{name} is from 0 to 1": (values[name] < 0) | (values[name] > 1 + 1e-9) for name in shares}


def _in_days(values: _Values) -> Floats:
    return values["lifetime_months"] * DAYS_PER_MONTH


def _tenure(values: _Values) -> Floats:
    """Return the days since the first order ever."""
    return values.get("tenure_days", _in_days(values))


def _orders_ever(values: _Values) -> Floats:
    import numpy as np

    found: Floats = values["orders_per_month"] * np.maximum(values["lifetime_months"], 1)
    return found


def _broken_orders(values: _Values) -> dict[str, Flags]:
    import numpy as np

    orders, recency = values["order_count"], values["recency_days"]
    in_days, tenure, ever = _in_days(values), _tenure(values), _orders_ever(values)
    days, gap = values["order_day_count"], values["gap_days_mean"]
    return {
        "there is an order, of some value": (orders < 1) | (_gross(values, "") < 0),
        "tenure is of these months": _differ(in_days, tenure),
        "no order is before the first": recency + np.where(days > 1, gap * (days - 1), 0) > tenure + _CENT,
        "of one order ever the last is the first": (abs(ever - 1) < _CENT) & (recency < tenure - 1),
        "orders ever are whole": abs(ever - ever.round()) > _CENT,
        "orders are among those ever": ever < orders - _CENT,
        "one order is of one day": (orders == 1) & (days > 1),
        "several orders are of several days": (orders > 1) & (recency > tenure - _CENT),
        "order days are different": (days < 1) | (gap < 1),
        "gaps lie between order days": (gap > 0) & (days < 2),
        "this silence is not longer than the longest": values["longest_silence_days"] < recency,
    }


def _broken_windows(values: _Values) -> dict[str, Flags]:
    found: dict[str, Flags] = {}
    windows = _windows(values)
    for short, long in pairwise(windows):
        orders, recency, cents = _orders(values, short), values["recency_days"], _CENT * (1 + values["order_count"])
        found |= {
            f"order_count{short} is within order_count{long}": orders > _orders(values, long),
            f"unit_count{short} is within unit_count{long}": values[f"unit_count{short}"] > values[f"unit_count{long}"],
            f"money{short} is within money{long}": _gross(values, short) > _gross(values, long) + cents,
            f"the last order is in {short}": (orders > 0) & (recency > windows[short]),
            f"the last order is not in {short}": (orders == 0) & (recency < windows[short]),
        }
    for name in [ending for ending in windows if ending]:
        found |= _broken_newcomers(values, name, windows[name])
    return found | {
        f"every order{name} has units": values[f"unit_count{name}"] < _orders(values, name) for name in windows
    }


def _broken_newcomers(values: _Values, name: str, days: float) -> dict[str, Flags]:
    """Compare a window with the first order ever, which lies in it or outside, a day of rounding apart."""
    orders, cents = _orders(values, name), _CENT * (1 + values["order_count"])
    is_young, is_old = _tenure(values) < days - 1, _tenure(values) > days + 1
    has_all = abs(_orders_ever(values) - values["order_count"]) < _CENT
    return {
        f"all orders of a newcomer are in {name}": is_young & _differ(orders, values["order_count"]),
        f"all units of a newcomer are in {name}": is_young & _differ(values[f"unit_count{name}"], values["unit_count"]),
        f"all money of a newcomer is in {name}": is_young & (abs(_gross(values, name) - _gross(values, "")) > cents),
        f"the first order is not in {name}": is_old & has_all & (orders > values["order_count"] - 1),
    }


def _broken_sums(values: _Values) -> dict[str, Flags]:
    import numpy as np

    gross, net, events = _gross(values, ""), values["net_revenue_amount"], values[_EVENTS]
    shares = {name: values[name] for name in values if name.startswith(PREFIX)}
    rest = np.full(values.count, 0.0 if shares else np.nan)
    named = sum(((share > 0).astype(float) for name, share in shares.items() if name != _OTHERS), rest)
    departments, returned = values["department_count"], values["returned_revenue_amount"]
    return {
        "net revenue is within gross": net > gross + _CENT * (1 + values["order_count"]),
        "returned is gross less net": abs(gross - net - returned) > _CENT * (1 + values["order_count"]),
        "shares of departments sum to 1": _differ(sum(shares.values(), rest), np.ones(values.count)),
        "departments are counted": (departments < named) | ((departments > named) & (values[_OTHERS] == 0)),
        "the last event is in its window": (events > 0) != (values["days_since_event"] <= EVENT_WINDOW_DAYS),
        **{f"{name} is within all events": values[name] > events for name in _kinds(values)},
    }
