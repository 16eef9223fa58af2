"""SQL that turns one delivered column into its declared type, or says what is wrong with it.

Every rule here is about a single value; which row is set aside, and rules over whole rows, are in `ingest.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from segmentation_assets.config.source import DeliveredTable, SourceSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.storage.engine import quote_text
from segmentation_assets.tables.declaration import Column

LARGEST_QUANTITY = 1_000_000_000
LARGEST_AMOUNT = 1_000_000_000_000
EXACT_WHOLE = {"FLOAT": 2**24, "DOUBLE": 2**53}
"""Binary type → the first whole number from which on several numbers have become one."""

_EARLIEST = "TIMESTAMP '1900-01-01'"
_LATEST = "TIMESTAMP '2100-01-01'"
_MONEY = "DECIMAL(22,4)"
_WIDE_BLANKS = (0xA0, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x3000, 0xFEFF)
"""Blanks beyond ASCII, among them some without a width, which are in no alphabet."""
_WHITE_SPACE = "' ' || " + " || ".join(f"chr({code})" for code in (0, 9, 10, 13, *_WIDE_BLANKS))
_BLANK = r"[ \x{0}\t\n\r" + "".join(f"\\x{{{code:X}}}" for code in _WIDE_BLANKS) + "]"
_HAS_MARGIN = f"'^{_BLANK}|{_BLANK}$'"
"""Whether there is anything to trim: looking costs a third of trimming by a set of characters. Zero bytes are among it,
as some tools fill up texts of a fixed width with them."""
_CONTROL = r"'[\p{Cc}\x{2028}\x{2029}]'"
"""Line breaks and what else cannot be seen in a line."""

Kind = Literal["customer", "order", "product", "code", "currency", "text", "integer", "money", "instant"]
Form = Literal["text", "whole", "decimal", "floating", "instant", "zoned"]

_DATE_PATTERNS = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    **dict.fromkeys("mdHMSI", "[0-9]{1,2}"),
    "f": "[0-9]{1,6}",
    "j": "[0-9]{1,3}",
    "p": "[AaPp][Mm]",
    **dict.fromkeys("bBaA", "[A-Za-z]+"),
    "z": "(Z|[+-][0-9]{2}(:?[0-9]{2})?)",
    "%": "%",
}


@dataclass(frozen=True)
class Notation:
    """How values are written in the files of one delivered table.

    Parameters
    ----------
    decimal : str
        Decimal mark, ``.`` or ``,``.
    date_format : str
        The one format of dates written as text.
    null_values : tuple of str
        Texts that mean 'no value', beside empty text.
    time_zone : str
        IANA zone of the shop.
    latest : date or None
        Day that no date reaches: dates lie before its midnight. Any date will do when absent.
    product_code_case : {"as_delivered", "upper"}
        Whether product codes are put in capitals.
    """

    decimal: str
    date_format: str
    null_values: tuple[str, ...]
    time_zone: str
    latest: dt.date | None = None
    product_code_case: Literal["as_delivered", "upper"] = "as_delivered"

    @classmethod
    def of(cls, mapping: DeliveredTable, source: SourceSettings, latest: dt.date | None = None) -> Notation:
        """Take the notation from the settings and the mapping of a delivered table."""
        return cls(
            mapping.decimal, mapping.date_format, mapping.null_values, source.time_zone, latest,
            source.product_code_case,
        )  # fmt: skip


@dataclass(frozen=True)
class ParsedColumn:
    """The SQL of one column in three steps, each over the columns of the step before.

    Parameters
    ----------
    cleaned : str
        From the delivered value ``raw``: trimmed text or the typed value, null where there is no value.
    parsed : str
        From ``cleaned``: the typed value, null where it cannot be parsed.
    accepted : str
        Condition on ``parsed`` that a value in range meets.
    faults : tuple of (str, str)
        Reason code and the condition on ``cleaned`` and ``parsed`` under which it holds; the first one counts.
    repairs : tuple of (str, str)
        Kind of change and the condition on all three under which the value is not as delivered; each one counts.
    """

    cleaned: str
    parsed: str
    accepted: str
    faults: tuple[tuple[str, str], ...]
    repairs: tuple[tuple[str, str], ...]


def parse_column(column: Column, delivered_type: str, notation: Notation, names: tuple[str, str, str]) -> ParsedColumn:
    """Make the SQL that parses one column.

    Parameters
    ----------
    column : Column
        Declaration of the column.
    delivered_type : str
        DuckDB type the column has in the file; VARCHAR in CSV.
    notation : Notation
    names : tuple of (str, str, str)
        SQL of the delivered, the cleaned and the parsed value.

    Returns
    -------
    ParsedColumn
    """
    raw, cleaned, parsed = names
    form = _form(delivered_type)
    missing = () if column.nullable else (("missing_value", f"{cleaned} IS NULL"),)
    value = _Value(column, delivered_type, form, notation, cleaned, parsed)
    sql, accepted, faults = _RULES[_kind(column)](value)
    repairs = (*_cleaning_repairs(value, _as_text(raw, delivered_type)), *_typing_repairs(value))
    return ParsedColumn(_cleaned(raw, form, delivered_type, notation), sql, accepted, (*missing, *faults), repairs)


def date_pattern(date_format: str) -> str:
    r"""Return the regular expression that texts of a strptime format match as a whole.

    Parameters
    ----------
    date_format : str
        Directives of strptime: %Y %y %m %d %b %B %a %A %j %H %I %M %S %f %p %z %%.

    Returns
    -------
    str
        Day, month and time may have one digit or two, but two where another number follows or precedes without
        anything between; a year %Y has four.

    Raises
    ------
    SettingsError
        A directive is not known, or year, month and day are not all there.

    Examples
    --------
    >>> print(date_pattern("%d.%m.%Y"))
    [0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}
    """
    parts = re.findall(r"%(.)|([^%]+|%)", date_format, flags=re.DOTALL)
    directives = [directive for directive, _ in parts if directive]
    unknown = sorted(set(directives) - set(_DATE_PATTERNS))
    if unknown or any(literal == "%" for _, literal in parts):
        shown = ", ".join(f"%{directive}" for directive in unknown) or "% at its end"
        raise SettingsError(
            f"date_format '{date_format}' holds {shown}, which is not known",
            f"known are {' '.join(f'%{directive}' for directive in _DATE_PATTERNS)}.",
        )
    if not _is_whole_date(set(directives)):
        raise SettingsError(
            f"date_format '{date_format}' does not give year, month and day", "write for example %d.%m.%Y %H:%M."
        )
    return "".join(
        _directive_pattern(parts, place) if directive else re.escape(literal)
        for place, (directive, literal) in enumerate(parts)
    )


def _directive_pattern(parts: list[tuple[str, str]], place: int) -> str:
    """Return the pattern of one directive; beside another number it has its full number of digits."""
    pattern = _DATE_PATTERNS[parts[place][0]]
    neighbours = {parts[other][0] for other in (place - 1, place + 1) if 0 <= other < len(parts)}
    return pattern.replace("{1,", "{") if neighbours & set("YymdHMSIfj") else pattern


def _is_whole_date(directives: set[str]) -> bool:
    has_day_of_year = "j" in directives
    has_day = has_day_of_year or (bool(directives & set("mbB")) and "d" in directives)
    return bool(directives & set("Yy")) and has_day


def _kind(column: Column) -> Kind:
    by_type: dict[str, Kind] = {
        "TIMESTAMP": "instant",
        "DATE": "instant",
        "BIGINT": "integer",
        "INTEGER": "integer",
        "DECIMAL(18,4)": "money",
    }
    by_name: dict[str, Kind] = {
        "customer_id": "customer",
        "order_id": "order",
        "product_id": "product",
        "currency": "currency",
    }
    if column.name in by_name:
        return by_name[column.name]
    return "code" if column.name.endswith("_id") else by_type.get(column.dtype, "text")


def _form(delivered_type: str) -> Form:
    forms: dict[str, Form] = {"FLOAT": "floating", "DOUBLE": "floating", "DATE": "instant"}
    if delivered_type in forms:
        return forms[delivered_type]
    if delivered_type == "TIMESTAMP WITH TIME ZONE":
        return "zoned"
    if delivered_type.startswith("TIMESTAMP"):
        return "instant"
    if delivered_type.startswith("DECIMAL"):
        return "decimal"
    return "whole" if re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", delivered_type) else "text"


def _cleaned(raw: str, form: Form, delivered_type: str, notation: Notation) -> str:
    if form == "floating":
        number = f"TRY_CAST(CAST({raw} AS VARCHAR) AS DOUBLE)" if delivered_type == "FLOAT" else raw
        return f"CASE WHEN NOT isnan({number}) THEN {number} END"
    if form != "text":
        return raw
    text = _as_text(raw, delivered_type)
    trimmed = f"CASE WHEN regexp_matches({text}, {_HAS_MARGIN}) THEN trim({text}, {_WHITE_SPACE}) ELSE {text} END"
    nulls = ", ".join(quote_text(value) for value in sorted({"", *(value.strip() for value in notation.null_values)}))
    return f"CASE WHEN ({trimmed}) NOT IN ({nulls}) THEN {trimmed} END"


def _as_text(raw: str, delivered_type: str) -> str:
    return raw if delivered_type == "VARCHAR" else f"CAST({raw} AS VARCHAR)"


@dataclass(frozen=True)
class _Value:
    """One column on its way: where its cleaned and parsed values stand, and what is known about them."""

    column: Column
    delivered_type: str
    form: Form
    notation: Notation
    cleaned: str
    parsed: str


_Rule = tuple[str, str, tuple[tuple[str, str], ...]]
"""SQL of the parsed value, the condition of being in range, and faults."""


def _cleaning_repairs(value: _Value, text: str) -> tuple[tuple[str, str], ...]:
    """List what cleaning may have changed; comparing lengths in bytes costs less than comparing texts."""
    if value.form not in ("text", "floating"):
        return ()
    no_value = ("no_value", f"{value.cleaned} IS NULL AND {text} <> ''")
    return (
        (("trimmed", f"strlen({text}) <> strlen({value.cleaned})"), no_value) if value.form == "text" else (no_value,)
    )


def _typing_repairs(value: _Value) -> tuple[tuple[str, str], ...]:
    """List what typing may have changed in the value itself, beyond its notation."""
    cleaned, parsed = value.cleaned, value.parsed
    if value.column.dtype == "DATE":
        return (("time_dropped", f"{parsed} <> date_trunc('day', {parsed})"),)
    number, capitals = ("number_id", f"{cleaned} IS NOT NULL"), ("capitals", f"{cleaned} <> {parsed}")
    found = {
        **{(kind, "text"): ("number_id", f"strlen({cleaned}) <> strlen({parsed})") for kind in ("customer", "order")},
        **{
            (kind, form): number
            for kind in ("customer", "order", "product", "code")
            for form in ("floating", "decimal")
        },
        ("currency", "text"): capitals,
        **({("product", "text"): capitals} if value.notation.product_code_case == "upper" else {}),
    }
    place = (_kind(value.column), value.form)
    return _money_repairs(value) if place[0] == "money" else (found[place],) if place in found else ()


def _money_repairs(value: _Value) -> tuple[tuple[str, str], ...]:
    """Tell decimals beyond the fourth from the noise of a binary number."""
    cleaned, parsed = value.cleaned, value.parsed
    if value.form == "floating":
        is_noise = _is_noise(cleaned, parsed)
        return (
            ("rounded", f"{cleaned} <> CAST({parsed} AS DOUBLE) AND {is_noise}"),
            ("four_decimals", f"{parsed} IS NOT NULL AND NOT {is_noise}"),
        )
    mark = value.notation.decimal
    longest = f"strlen({cleaned}) - strpos({cleaned}, {quote_text(mark)}) > 4"
    pattern = quote_text(f"{re.escape(mark)}[0-9]{{4}}[0-9]*[1-9]")
    by_form = {
        "text": f"{parsed} IS NOT NULL AND {longest} AND regexp_matches({cleaned}, {pattern})",
        "decimal": f"{cleaned} <> {parsed}",
    }
    return (("four_decimals", by_form[value.form]),) if value.form in by_form else ()


def _text(value: _Value) -> _Rule:
    """Take text as it is; a zero byte within it is a sign of damage, and nothing else can be done with it."""
    has_zero = (("zero_byte", f"contains({value.cleaned}, chr(0))"),) if value.form == "text" else ()
    return f"CAST({value.cleaned} AS VARCHAR)", "true", has_zero


def _currency(value: _Value) -> _Rule:
    """Write codes in capitals, so that 'eur' and 'EUR' are one."""
    return f"upper(CAST({value.cleaned} AS VARCHAR))", "true", ()


def _code(value: _Value) -> _Rule:
    """Print numbers without decimals; text stays as it is."""
    if value.form not in ("floating", "decimal"):
        sql, accepted, _ = _text(value)
        return sql, accepted, (*_broken_id(value), *_rounded_id(value))
    whole = f"TRY_CAST({value.cleaned} AS HUGEINT)"
    return (
        f"CASE WHEN {whole} = {value.cleaned} THEN CAST({whole} AS VARCHAR) ELSE CAST({value.cleaned} AS VARCHAR) END",
        "true",
        (("fractional_id", _is_fraction(value)), *_melted_id(value)),
    )


def _product(value: _Value) -> _Rule:
    """Write codes in capitals where the settings say so."""
    sql, accepted, faults = _code(value)
    is_upper = value.form == "text" and value.notation.product_code_case == "upper"
    return (f"upper({sql})" if is_upper else sql), accepted, faults


def _order(value: _Value) -> _Rule:
    """Take order ids that some tool has turned into numbers back to text, so that every delivery writes them alike."""
    if value.form != "text":
        return _code(value)
    return _whole_text(value), "true", (*_broken_id(value), *_rounded_id(value))


def _customer(value: _Value) -> _Rule:
    """Take ids that a tool has turned into numbers back to text: 13085.0 is 13085; 13085.5 and 1.3E+09 are no ids."""
    cleaned = value.cleaned
    if value.form != "text":
        return _code(value)
    marks = _marks(value)
    pattern = f"-?([0-9]*{marks}[0-9]+|[0-9]({marks}[0-9]+)?[eE][+-][0-9]+)"
    is_fraction = f"({_has_mark(value)} OR contains({cleaned}, '+')) AND regexp_full_match({value.parsed}, '{pattern}')"
    return _whole_text(value), "true", (*_broken_id(value), ("fractional_id", is_fraction))


def _is_fraction(value: _Value) -> str:
    return f"{value.cleaned} IS NOT NULL AND TRY_CAST({value.cleaned} AS HUGEINT) IS DISTINCT FROM {value.cleaned}"


def _melted_id(value: _Value) -> tuple[tuple[str, str], ...]:
    """Tell binary numbers so large that ids beside each other have become one."""
    limit = EXACT_WHOLE.get(value.delivered_type)
    return (("fractional_id", f"abs({value.cleaned}) >= {limit}"),) if limit else ()


def _rounded_id(value: _Value) -> tuple[tuple[str, str], ...]:
    """Tell texts in which a spreadsheet has rounded a long number away; 2024.15 may well be the id of an order."""
    if value.form != "text":
        return ()
    pattern = f"[0-9]({_marks(value)}[0-9]+)?[eE][+][0-9]+"
    is_rounded = f"contains({value.cleaned}, '+') AND regexp_full_match({value.cleaned}, '{pattern}')"
    return (("fractional_id", is_rounded),)


def _whole_text(value: _Value) -> str:
    """Make the SQL of a text without decimals that are all zero."""
    is_whole = f"{_has_mark(value)} AND regexp_full_match({value.cleaned}, '-?[0-9]+{_marks(value)}0*')"
    return f"CASE WHEN {is_whole} THEN regexp_extract({value.cleaned}, '^-?[0-9]+') ELSE {value.cleaned} END"


def _marks(value: _Value) -> str:
    return "[.]" if value.notation.decimal == "." else "[.,]"


def _has_mark(value: _Value) -> str:
    """Make the SQL that spares most texts the regular expressions."""
    return f"(contains({value.cleaned}, '.') OR contains({value.cleaned}, {quote_text(value.notation.decimal)}))"


def _broken_id(value: _Value) -> tuple[tuple[str, str], ...]:
    """Tell texts that are no id: a stray pair of quotes makes one field of several lines."""
    return (("broken_id", f"regexp_matches({value.cleaned}, {_CONTROL})"),) if value.form == "text" else ()


def _integer(value: _Value) -> _Rule:
    cleaned = value.cleaned
    lowest = -LARGEST_QUANTITY if value.column.minimum is None else int(value.column.minimum)
    highest = LARGEST_QUANTITY if value.column.maximum is None else int(value.column.maximum)
    in_range = f"{value.parsed} BETWEEN {lowest} AND {highest}"
    number = f"TRY_CAST({cleaned} AS HUGEINT)"
    exact = f"CASE WHEN {number} = {cleaned} THEN {number} END"
    too_large = f"abs(TRY_CAST({cleaned} AS DOUBLE)) > {highest}"
    mark = value.notation.decimal
    is_number = f"regexp_full_match({cleaned}, {quote_text(f'[+-]?[0-9]+({re.escape(mark)}0*)?')})"
    digits = f"ltrim(split_part({cleaned}, {quote_text(mark)}, 1), '+')"
    read_text = f"CASE WHEN {is_number} THEN TRY_CAST({digits} AS HUGEINT) END"
    by_form = {"text": (read_text, is_number), "whole": (number, too_large)}
    by_form |= {"floating": (exact, too_large), "decimal": (exact, too_large)}
    sql, is_large = by_form.get(value.form, ("CAST(NULL AS HUGEINT)", "false"))
    return sql, in_range, _number_faults(value, in_range, is_large)


def _money(value: _Value) -> _Rule:
    """Read money; decimals beyond the fourth are rounded half away from zero, of a double as it is written in text."""
    cleaned = value.cleaned
    in_range = f"{value.parsed} BETWEEN -{LARGEST_AMOUNT} AND {LARGEST_AMOUNT}"
    number = f"TRY_CAST({cleaned} AS {_MONEY})"
    written = f"TRY_CAST(CAST({cleaned} AS VARCHAR) AS {_MONEY})"
    nearest = f"CASE WHEN {_is_noise(cleaned, number)} THEN {number} ELSE {written} END"
    too_large = f"abs(TRY_CAST({cleaned} AS DOUBLE)) > {LARGEST_AMOUNT}"
    mark = re.escape(value.notation.decimal)
    is_number = f"regexp_full_match({cleaned}, {quote_text(f'[+-]?([0-9]+{mark}?|[0-9]*{mark}[0-9]+)')})"
    plain = cleaned if value.notation.decimal == "." else f"replace({cleaned}, ',', '.')"
    read_text = f"CASE WHEN {is_number} THEN TRY_CAST(ltrim({plain}, '+') AS {_MONEY}) END"
    by_form = {"text": (read_text, is_number), "whole": (number, too_large)}
    by_form |= {"floating": (nearest, too_large), "decimal": (number, too_large)}
    sql, is_large = by_form.get(value.form, (f"CAST(NULL AS {_MONEY})", "false"))
    return sql, in_range, _number_faults(value, in_range, is_large)


def _is_noise(number: str, money: str) -> str:
    """Make the condition that a double differs from money by no more than binary arithmetic explains."""
    return f"(abs({number} - CAST({money} AS DOUBLE)) <= greatest(1e-9, 1e-12 * abs({number})))"


def _number_faults(value: _Value, in_range: str, is_number: str) -> tuple[tuple[str, str], ...]:
    """Tell a number that is too large from what is no number at all."""
    is_given = f"{value.cleaned} IS NOT NULL"
    is_unread = f"{value.parsed} IS NULL"
    return (
        ("not_a_number", f"{is_given} AND {is_unread} AND coalesce(NOT ({is_number}), true)"),
        ("out_of_range", f"{is_given} AND ({is_unread} OR NOT ({in_range}))"),
    )


def _instant(value: _Value) -> _Rule:
    zone = quote_text(value.notation.time_zone)
    date_format = value.notation.date_format
    text = f"CAST({value.cleaned} AS VARCHAR)"
    with_offset = f"regexp_replace({text}, 'Z$', '+00')" if date_format.endswith("%z") else text
    read = f"try_strptime({with_offset}, {quote_text(date_format)})"
    local = f"timezone({zone}, {read})" if "%z" in date_format else read
    is_date = f"regexp_full_match({text}, {quote_text(date_pattern(date_format))})"
    by_form = {
        "instant": f"TRY_CAST({value.cleaned} AS TIMESTAMP)",
        "zoned": f"timezone({zone}, {value.cleaned})",
    }
    sql = by_form.get(value.form, f"CASE WHEN {is_date} THEN {local} END")
    in_range = f"({value.parsed} >= {_EARLIEST} AND {value.parsed} < {_LATEST})"
    unread = ("unparseable_date", f"{value.cleaned} IS NOT NULL AND {value.parsed} IS NULL")
    return sql, in_range, (unread, ("out_of_range", f"NOT {in_range}"), *_future(value))


def _future(value: _Value) -> tuple[tuple[str, str], ...]:
    latest = value.notation.latest
    return () if latest is None else (("future_date", f"{value.parsed} >= TIMESTAMP '{latest.isoformat()}'"),)


_RULES = {
    "customer": _customer,
    "order": _order,
    "product": _product,
    "code": _code,
    "currency": _currency,
    "text": _text,
    "integer": _integer,
    "money": _money,
    "instant": _instant,
}
