"""How numbers, money, shares and days are written for people, and how text is made safe for Markdown."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal

Number = float | int | Decimal
UNKNOWN = "–"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_\[\]|~@$])")
_COMPACT_FROM = 10_000
_COMPACT_STEPS = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))


def is_known(value: object) -> bool:
    """Return whether a cell holds a value: not None, NaN, NaT, pandas' NA or infinite."""
    if value is None or (isinstance(value, float) and math.isinf(value)):
        return False
    # NaN and NaT differ from themselves, and comparing pandas' NA gives NA, which is no truth value.
    return str(value == value) == "True"


def format_count(value: object) -> str:
    """Write a whole number with thousands separators.

    Example
    -------
    >>> format_count(12345)
    '12,345'
    """
    return f"{round(_number(value)):,}" if is_known(value) else UNKNOWN


def format_share(value: object, *, digits: int = 1) -> str:
    """Write a 0–1 proportion as percent.

    Example
    -------
    >>> format_share(0.1234)
    '12.3%'
    """
    return f"{_number(value) * 100:.{digits}f}%" if is_known(value) else UNKNOWN


def format_points(value: object) -> str:
    """Write the difference of two shares as signed percentage points.

    Example
    -------
    >>> format_points(-0.021)
    '−2.1 pp'
    """
    return f"{_signed(_number(value) * 100, '.1f')} pp" if is_known(value) else UNKNOWN


_WITHOUT_DECIMALS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})
"""ISO 4217 currencies without a minor unit that retailers meet."""


def format_change(value: object) -> str:
    """Write a difference of counts with its sign.

    Example
    -------
    >>> format_change(1200)
    '+1,200'
    """
    return _signed(_number(value), ",.0f") if is_known(value) else UNKNOWN


def format_money(value: object, currency: str) -> str:
    """Write an amount; below 1,000 with the decimals of its currency, none above.

    Example
    -------
    >>> format_money(1234.5, "EUR")
    'EUR 1,234'
    """
    if not is_known(value):
        return UNKNOWN
    amount = _number(value)
    digits = 0 if abs(amount) >= 1000 or currency in _WITHOUT_DECIMALS else 2
    return f"{currency} {_minus(f'{amount:,.{digits}f}')}"


def format_money_compact(value: object, currency: str) -> str:
    """Write an amount with three significant digits and a magnitude, for headings.

    Example
    -------
    >>> format_money_compact(1234567, "EUR")
    'EUR 1.23m'
    """
    if not is_known(value):
        return UNKNOWN
    amount = _number(value)
    if abs(amount) < _COMPACT_FROM:
        return format_money(amount, currency)
    rounded = float(f"{amount:.3g}")
    step, name = next((step, name) for step, name in _COMPACT_STEPS if abs(rounded) >= step)
    scaled = rounded / step
    digits = max(0, 2 - int(math.log10(abs(scaled))))
    return f"{currency} {_minus(f'{scaled:,.{digits}f}')}{name}"


def format_days(value: object) -> str:
    """Write a duration in days.

    Example
    -------
    >>> format_days(1), format_days(42.4)
    ('1 day', '42 days')
    """
    if not is_known(value):
        return UNKNOWN
    days = round(_number(value))
    return f"{_minus(f'{days:,}')} {'day' if abs(days) == 1 else 'days'}"


def format_number(value: object) -> str:
    """Write a number with three significant digits, whole above 100.

    Example
    -------
    >>> format_number(0.012345), format_number(12.0), format_number(1234.5)
    ('0.0123', '12', '1,234')
    """
    if not is_known(value):
        return UNKNOWN
    number = _number(value)
    if abs(number) >= 100 or number == round(number):
        return _minus(f"{number:,.0f}")
    return _minus(f"{number:.3g}")


def format_feature(value: object, *, feature: str, unit: str, currency: str) -> str:
    """Write the value of a feature by its unit, or by its name where none is declared.

    Parameters
    ----------
    value : number or None
        The value; None and NaN give a dash.
    feature : str
        Column name.
    unit : str
        Declared unit.
    currency : str
        ISO 4217 code.
    """
    kind = unit or _unit_of_name(feature)
    if kind == "currency":
        return format_money(value, currency)
    if kind == "currency per month":
        return f"{format_money(value, currency)} per month" if is_known(value) else UNKNOWN
    if kind == "days":
        return format_days(value)
    if kind == "gaps":
        return f"{_number(value):.1f}" if is_known(value) else UNKNOWN
    if kind in {"share", "rate"}:
        return format_share(value, digits=0)
    return format_number(value)


def _unit_of_name(feature: str) -> str:
    endings = {"_amount": "currency", "_days": "days", "_share": "share", "_rate": "share"}
    return next((unit for ending, unit in endings.items() if ending in feature), "")


def format_date(value: dt.date | dt.datetime | None) -> str:
    """Write a date as 1 September 2025.

    Example
    -------
    >>> format_date(dt.date(2025, 9, 1))
    '1 September 2025'
    """
    return f"{value.day} {value:%B %Y}" if value is not None else UNKNOWN


def format_month(month: str) -> str:
    """Write YYYY-MM or YYYY-MM-01 as August 2025.

    Example
    -------
    >>> format_month("2025-08-01")
    'August 2025'
    """
    return f"{dt.date(int(month[:4]), int(month[5:7]), 1):%B %Y}"


def format_month_short(month: str) -> str:
    """Write YYYY-MM or YYYY-MM-01 as Aug 2025, for axes.

    Example
    -------
    >>> format_month_short("2025-08")
    'Aug 2025'
    """
    return f"{dt.date(int(month[:4]), int(month[5:7]), 1):%b %Y}"


def format_scores(values: tuple[float, ...]) -> str:
    """Write mean scores with one decimal.

    Example
    -------
    >>> format_scores((4.25, 3.0, 1.04))
    '4.2 · 3.0 · 1.0'
    """
    return " · ".join(f"{value:.1f}" for value in values) if values and all(map(is_known, values)) else UNKNOWN


def join_words(words: list[str]) -> str:
    """Join words as in a sentence.

    Example
    -------
    >>> join_words(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def strip_control(text: str) -> str:
    """Remove control characters, direction overrides and lone surrogates; keep tab and newline."""
    return _CONTROL.sub("", text)


def escape_markdown(text: str) -> str:
    r"""Make a text from data inert in Markdown, table cells included.

    Newlines become blanks, HTML becomes entities, marks of Markdown are escaped and addresses are no links.

    Example
    -------
    >>> escape_markdown("a|b\n<i>")
    'a\\|b &lt;i&gt;'
    """
    flat = " ".join(strip_control(text).split())
    html = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _MARKDOWN_SPECIAL.sub(r"\\\1", html)
    return re.sub(r"(?i)www\.", "www\\.", escaped.replace("://", "\\://"))


def _number(value: object) -> float:
    """Return a cell as a float."""
    return float(value)  # type: ignore[arg-type]


def _minus(text: str) -> str:
    """Write the minus sign as typography does, and no sign before a zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else f"−{text[1:]}"
    return text


def _signed(value: float, spec: str) -> str:
    """Write a number with its sign, zero without."""
    text = _minus(format(value, spec))
    return text if text.startswith("−") or not text.strip("0.,") else f"+{text}"
