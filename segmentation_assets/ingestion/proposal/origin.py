"""Currency and time zone as far as a sample hints at them: currency signs, currency columns, the commonest country."""

from __future__ import annotations

import re
from collections import Counter

from segmentation_assets.errors import plural
from segmentation_assets.ingestion.proposal.matching import TableMatch
from segmentation_assets.ingestion.proposal.sample import FileSample, Finding, shown
from segmentation_assets.ingestion.proposal.synonyms import normalised

DEFAULT_CURRENCY, DEFAULT_TIME_ZONE = "EUR", "UTC"
_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "zł": "PLN"}
_CODE = re.compile(r"(?<![A-Za-z])(EUR|GBP|USD|CHF|DKK|SEK|NOK|PLN|CZK|CAD|AUD|JPY)(?![A-Za-z])", re.IGNORECASE)
_COUNTRIES = {
    "unitedkingdom|uk|gb|gbr|greatbritain|england": ("GBP", "Europe/London"),
    "germany|deutschland|de|deu": ("EUR", "Europe/Berlin"),
    "austria|osterreich|at|aut": ("EUR", "Europe/Vienna"),
    "switzerland|schweiz|suisse|ch|che": ("CHF", "Europe/Zurich"),
    "france|fr|fra": ("EUR", "Europe/Paris"),
    "spain|espana|es|esp": ("EUR", "Europe/Madrid"),
    "netherlands|nederland|thenetherlands|nl|nld": ("EUR", "Europe/Amsterdam"),
    "belgium|belgie|belgique|be|bel": ("EUR", "Europe/Brussels"),
    "italy|italia|it|ita": ("EUR", "Europe/Rome"),
    "ireland|ie|irl|eire": ("EUR", "Europe/Dublin"),
    "denmark|danmark|dk|dnk": ("DKK", "Europe/Copenhagen"),
    "sweden|sverige|se|swe": ("SEK", "Europe/Stockholm"),
    "norway|norge|no|nor": ("NOK", "Europe/Oslo"),
    "poland|polska|pl|pol": ("PLN", "Europe/Warsaw"),
    "unitedstates|unitedstatesofamerica|usa|us": ("USD", "America/New_York"),
    "canada|ca|can": ("CAD", "America/Toronto"),
    "australia|au|aus": ("AUD", "Australia/Sydney"),
    "japan|jp|jpn": ("JPY", "Asia/Tokyo"),
}
_BY_COUNTRY = {name: place for names, place in _COUNTRIES.items() for name in names.split("|")}


def find_currency(sample: FileSample | None, match: TableMatch | None) -> Finding[str]:
    """Guess the currency of the order lines.

    Parameters
    ----------
    sample : FileSample or None
        File of the order lines.
    match : TableMatch or None

    Returns
    -------
    Finding of str
        Always a guess: of a currency column, a code or sign in the header, the commonest country, else EUR.
    """
    column = match.column("currency") if match else None
    if column is not None and column.given:
        codes = Counter(text.upper() for text in column.texts)
        code, count = codes.most_common(1)[0]
        if re.fullmatch(r"[A-Z]{3}", code):
            more = f", beside {', '.join(sorted(set(codes) - {code}))}" if len(codes) > 1 else ""
            return Finding(code, f"{shown(column.name)} says so in {plural(count, 'sampled row')}{more}")
    for header in sample.header if sample else ():
        written = _CODE.search(header.replace("_", " "))
        sign = next((code for mark, code in _SIGNS.items() if mark in header), None)
        if written or sign:
            return Finding(written[1].upper() if written else str(sign), f"the header says {shown(header)}")
    country = _commonest_country(match)
    if country:
        return Finding(_BY_COUNTRY[normalised(country)][0], f"{shown(country)} is the commonest country")
    return Finding(DEFAULT_CURRENCY, "nothing in the files names a currency")


def find_time_zone(match: TableMatch | None) -> Finding[str]:
    """Guess the time zone of the shop from the commonest country; UTC where there is none."""
    country = _commonest_country(match)
    if country:
        return Finding(_BY_COUNTRY[normalised(country)][1], f"{shown(country)} is the commonest country")
    return Finding(DEFAULT_TIME_ZONE, "nothing in the files names a place; write for example Europe/Berlin")


def _commonest_country(match: TableMatch | None) -> str | None:
    column = match.column("country") if match else None
    if column is None or not column.given:
        return None
    country = Counter(column.texts).most_common(1)[0][0]
    return country if normalised(country) in _BY_COUNTRY else None
