"""What the settings name of products and events against what was delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import SettingsError, plural
from segmentation_assets.storage.engine import Connection, quote_text

LISTED_AT_MOST = 20


def require_delivered(connection: Connection, products_relation: str, settings: FeatureSettings) -> None:
    """Refuse departments, classes, child ages and sizes that no product has: their columns would be zero everywhere.

    Parameters
    ----------
    connection : Connection
    products_relation : str
        SQL table expression of raw/products.
    settings : FeatureSettings

    Raises
    ------
    SettingsError
        One of them does not occur in the products table; names are compared sign by sign.
    """
    for setting, column, where, names in _named(settings):
        found = connection.execute(
            f"SELECT DISTINCT {column} FROM {products_relation} WHERE {column} IS NOT NULL AND {where}"
        )
        known = sorted(name for (name,) in found.fetchall())
        unknown = [name for name in names if name not in known]
        if unknown:
            raise _not_delivered(setting, column.replace("_", " "), unknown, known)


def _named(settings: FeatureSettings) -> Iterator[tuple[str, str, str, Sequence[str]]]:
    """Setting, column of the products, condition and names, of each list that names something."""
    lists = [
        ("features.departments", "department", "true", settings.departments),
        *(
            (f"features.classes of '{department}'", "class", f"department = {quote_text(department)}", names)
            for department, names in settings.classes.items()
        ),
        ("features.child_ages", "child_age", "true", settings.child_ages),
        ("features.sizes", "size", "true", settings.sizes),
    ]
    return (entry for entry in lists if entry[3])


def _not_delivered(setting: str, noun: str, unknown: Sequence[str], known: Sequence[str]) -> SettingsError:
    names = ", ".join(f"'{name}'" for name in unknown)
    listed = ", ".join(known[:LISTED_AT_MOST]) + (", …" if len(known) > LISTED_AT_MOST else "")
    closest = get_close_matches(unknown[0], known, n=1)
    guess = f"did you mean '{closest[0]}'? " if closest else ""
    return SettingsError(
        f"{setting} lists {names}, which no delivered product has",
        f"{guess}the products have {listed}." if known else f"the products have no {noun} at all.",
    )


def uncounted_events(connection: Connection, events_relation: str, settings: FeatureSettings) -> dict[str, str]:
    """Say which kinds of events no event is of, and which types of events are of no kind.

    Parameters
    ----------
    connection : Connection
    events_relation : str
        SQL table expression of the engagement events that the month sees.
    settings : FeatureSettings

    Returns
    -------
    dict of str to str
        Name of the kind or type to what that means, kinds first; of types `LISTED_AT_MOST` at most.
    """
    found = connection.execute(
        f"SELECT event_type, count(*) FROM {events_relation} WHERE event_type IS NOT NULL GROUP BY event_type "
        "ORDER BY count(*) DESC, event_type"
    )
    counts: dict[str, int] = dict(found.fetchall())
    told = {
        f"event kind {kind}": f"no event of the type {' or '.join(types)} lies in the lookback; its count is 0"
        for kind, types in settings.event_kinds.items()
        if not counts.keys() & {*types}
    }
    listed = {name for types in settings.event_kinds.values() for name in types}
    unlisted = [name for name in counts if name not in listed][:LISTED_AT_MOST]
    return told | {
        f"event type {name}": f"{plural(counts[name], 'event')} of no kind in features.event_kinds, so without a count "
        "of their own"
        for name in unlisted
    }
