"""What the features may be told of: departments, classes, child ages, sizes and kinds of events that were delivered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.ingestion.proposal.matching import TableMatch
from segmentation_assets.ingestion.proposal.order_facts import SampledLine
from segmentation_assets.ingestion.proposal.sample import SampledColumn
from segmentation_assets.tables.slugs import REST, slug

MOST_DEPARTMENTS = 8
MOST_CLASSES_OF_A_DEPARTMENT = 4
MOST_CLASSES = 8
MOST_VALUES = 8
MOST_EVENT_TYPES = 8
"""Lists that are longer make more columns than anyone reads, so none is proposed, or only the head of it."""

_TAKEN_KINDS = frozenset({"event", "order", "unit"})
"""Words with a count per window of their own."""


@dataclass(frozen=True)
class ProposedFeatures:
    """Lists in the features section, each empty where the sample holds nothing for it.

    Parameters
    ----------
    departments : tuple of str
        Those of most sampled order lines.
    classes : mapping of str to tuple of str
        Department, one of those listed, to its classes, where it has few.
    child_ages, sizes : tuple of str
        Those of the products, where they are few.
    event_kinds : mapping of str to tuple of str
        Word for column names to event types.
    """

    departments: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    child_ages: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    event_kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def propose_features(
    lines: Iterable[SampledLine], products: TableMatch | None, events: TableMatch | None
) -> ProposedFeatures:
    """Propose what the features name of the products and the events.

    Parameters
    ----------
    lines : iterable of SampledLine
    products, events : TableMatch or None
        ``None`` where none are delivered.

    Returns
    -------
    ProposedFeatures
        Of names that make the same column the first; none that makes the column of the rest.
    """
    kinds = _event_kinds(events.column("event_type") if events else None)
    if products is None:
        return ProposedFeatures(event_kinds=kinds)
    departments = _departments(lines, products)
    return ProposedFeatures(
        departments=departments,
        classes=_classes(departments, products),
        child_ages=_few(products.column("child_age")),
        sizes=_few(products.column("size")),
        event_kinds=kinds,
    )


def _departments(lines: Iterable[SampledLine], products: TableMatch) -> tuple[str, ...]:
    """List the departments by their sampled lines, then by their products."""
    sold = Counter(line.product_id for line in lines)
    line_counts: Counter[str] = Counter()
    product_counts: Counter[str] = Counter()
    for product, department in _pairs(products, "product_id", "department"):
        line_counts[department] += sold[product]
        product_counts[department] += 1
    ordered = sorted(product_counts, key=lambda name: (-line_counts[name], -product_counts[name]))
    return _different(ordered)[:MOST_DEPARTMENTS]


def _classes(departments: Sequence[str], products: TableMatch) -> dict[str, tuple[str, ...]]:
    """List the classes of the leading departments that have a few, up to a number in all."""
    found: dict[str, Counter[str]] = {department: Counter() for department in departments}
    for department, name in _pairs(products, "department", "class"):
        if department in found:
            found[department][name] += 1
    listed: dict[str, tuple[str, ...]] = {}
    for department, counts in found.items():
        names = _different(sorted(counts))
        room = MOST_CLASSES - sum(map(len, listed.values()))
        if 1 < len(names) <= min(MOST_CLASSES_OF_A_DEPARTMENT, room):
            listed[department] = names
    return listed


def _few(column: SampledColumn | None) -> tuple[str, ...]:
    """List the values of a column in the order of the file, where they are few."""
    names = _different(dict.fromkeys(column.texts if column else ()), has_rest=False)
    return names if len(names) <= MOST_VALUES else ()


def _event_kinds(column: SampledColumn | None) -> dict[str, tuple[str, ...]]:
    """Give each event type a kind, by the words of the default settings where they know it."""
    usual = {name: kind for kind, types in FeatureSettings().event_kinds.items() for name in types}
    types = sorted(set(column.texts)) if column else []
    kinds: dict[str, tuple[str, ...]] = {}
    for name in types:
        kind = usual.get(name) or _kind(name)
        kinds[kind] = (*kinds.get(kind, ()), name)
    return kinds if len(kinds) <= MOST_EVENT_TYPES else {}


def _kind(name: str) -> str:
    word = slug(name)
    return word if re.match("[a-z]", word) and word not in _TAKEN_KINDS else f"kind_{word}"


def _pairs(table: TableMatch, first: str, second: str) -> list[tuple[str, str]]:
    """Values of two columns side by side, where both are there."""
    columns = table.column(first), table.column(second)
    if columns[0] is None or columns[1] is None:
        return []
    given = [set(column.texts) for column in columns if column]
    rows = zip(columns[0].values, columns[1].values, strict=True)
    return [(one, two) for one, two in rows if one in given[0] and two in given[1]]


def _different(names: Iterable[str], *, has_rest: bool = True) -> tuple[str, ...]:
    """Keep of names that make the same column the first."""
    by_word: dict[str, str] = {}
    for name in names:
        by_word.setdefault(slug(name), name)
    return tuple(name for word, name in by_word.items() if not (has_rest and word == REST))
