"""From sampled files to proposed settings: which file is which table, how each is written, and what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from segmentation_assets.config.source import DELIVERED_COLUMNS, NOT_FOUND
from segmentation_assets.errors import noun
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.ingestion.delivery import Kind
from segmentation_assets.ingestion.proposal.feature_lists import ProposedFeatures, propose_features
from segmentation_assets.ingestion.proposal.matching import TableMatch, match_file, match_table, repeated_ids
from segmentation_assets.ingestion.proposal.notation import TableNotation, find_notation
from segmentation_assets.ingestion.proposal.order_facts import (
    CodeGuess,
    find_adjustment_prefixes,
    find_cancellation_prefix,
    find_non_products,
    sampled_lines,
)
from segmentation_assets.ingestion.proposal.origin import find_currency, find_time_zone
from segmentation_assets.ingestion.proposal.places import file_patterns
from segmentation_assets.ingestion.proposal.sample import FileSample, Finding, SampledColumn, file_of, shown
from segmentation_assets.ingestion.proposal.text_form import ASCII_LIKE

_PROPOSED_SNAPSHOTS = 3
TABLE_NAMES = {
    "order_lines": "order lines",
    "customers": "customers",
    "products": "products",
    "engagement_events": "engagement events",
}


@dataclass(frozen=True)
class ProposedTable:
    """One delivered table: the files it is read from, and how.

    Parameters
    ----------
    match : TableMatch
        Of the first file.
    notation : TableNotation
    sample : FileSample
        Of the first file.
    files : tuple of str
        Paths below the delivery folder, with the sheet or table in brackets where a file holds several.
    patterns : tuple of Finding of str
    sheets : tuple of str
        Sheets to read of each workbook; empty where all are.
    table : Finding of str or None
        Table to read of each database file.
    hidden : tuple of str
        Hidden sheets among those that are read.
    """

    match: TableMatch
    notation: TableNotation
    sample: FileSample
    files: tuple[str, ...]
    patterns: tuple[Finding[str], ...]
    sheets: tuple[str, ...] = ()
    table: Finding[str] | None = None
    hidden: tuple[str, ...] = ()

    @property
    def sheet_choice(self) -> Finding[tuple[str, ...]] | None:
        """Sheets to read of each workbook; ``None`` where all are, and none of them is hidden."""
        if not self.hidden:
            return Finding(self.sheets) if self.sheets else None
        many = len(self.hidden) > 1
        listed, verb = ", ".join(map(shown, self.hidden)), "are" if many else "is"
        doubt = f"{listed} {verb} hidden and read like the others; leave {'them' if many else 'it'} out if no delivery"
        return Finding(self.sheets, doubt)


@dataclass(frozen=True)
class Proposal:
    """Proposed settings, with what is doubtful about each.

    Parameters
    ----------
    tables : mapping of str to ProposedTable
        In the order of the settings; order lines may be absent.
    left_out : mapping of str to str
        Files that are not read → why.
    first_snapshot : Finding of str or None
        ``None`` where no order date was found.
    currency, time_zone, cancellation_prefix : Finding of str
        An empty prefix stands for the rule ``negative_quantity``.
    adjustment_prefixes : tuple of Finding of str
    non_products : tuple of CodeGuess
    features : ProposedFeatures
    """

    tables: Mapping[str, ProposedTable]
    left_out: Mapping[str, str]
    first_snapshot: Finding[str] | None
    currency: Finding[str]
    time_zone: Finding[str]
    cancellation_prefix: Finding[str]
    adjustment_prefixes: tuple[Finding[str], ...]
    non_products: tuple[CodeGuess, ...]
    features: ProposedFeatures

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to be set and was not found, each with what comes closest."""
        if "order_lines" not in self.tables:
            return (f"order_lines: none of the files holds {', '.join(DELIVERED_COLUMNS['order_lines'][0])}",)
        found = [
            f"{name}.columns.{column}" + (f": {nearest}" if nearest else "")
            for name, table in self.tables.items()
            for column, nearest in table.match.missing.items()
        ]
        for name, table in self.tables.items():
            form = table.notation.date_format
            if form is not None and form.value == NOT_FOUND:
                found.append(f"{name}.date_format: {form.doubt}")
        if self.first_snapshot is None:
            found.append("calendar.first_snapshot: no order date up to today could be read")
        return tuple(found)


def propose_settings(samples: Mapping[str, FileSample], beside: Collection[str], today: dt.date) -> Proposal:
    """Propose settings for sampled files.

    Parameters
    ----------
    samples : mapping of str to FileSample
        Path below the delivery folder, with the part in brackets → what was looked at.
    beside : collection of str
        All files in the delivery folder.
    today : date

    Returns
    -------
    Proposal
    """
    matches = {name: match_file(sample, today) for name, sample in samples.items()}
    if len(samples) == 1 and not any(_is_sure(match) for match in matches.values()):
        matches = {name: match_table(sample, "order_lines", today) for name, sample in samples.items()}
    left_out = {name: _unknown_table(samples[name], today) for name, match in matches.items() if match is None}
    tables = {}
    for table in DELIVERED_COLUMNS:
        members = {name: match for name, match in matches.items() if match is not None and match.table == table}
        if members:
            proposed, differing = _propose_table(members, samples, today)
            tables[table] = _with_patterns(proposed, samples, beside, differing)
            left_out |= differing
    return _with_order_facts(tables, left_out)


def _is_sure(match: TableMatch | None) -> bool:
    """Whether a file is surely of its table; a customer and some date alone may be many things."""
    return match is not None and not (match.table == "engagement_events" and match.columns["event_at"].doubt)


def _propose_table(
    members: Mapping[str, TableMatch], samples: Mapping[str, FileSample], today: dt.date
) -> tuple[ProposedTable, dict[str, str]]:
    """Make one table of the files that are written alike; the others are left out."""
    leading = min(members, key=lambda name: _rank(members[name], samples[name], name))
    sheets, databases = _sheets(members, samples, leading), _databases(members, samples, leading)
    alike, differing = [], {}
    for name in sorted(members):
        reason = _difference(members[leading], samples[leading], members[name], samples[name])
        reason = reason or _other_part(samples[name], sheets, databases)
        if reason:
            said = (
                f"{TABLE_NAMES[members[name].table]} like {leading}, but {reason}; files of one table are written alike"
            )
            differing[name] = said
        else:
            alike.append(name)
    complete = replace(members[leading], missing=_missing_elsewhere(leading, members))
    joint = _joint_match(complete, [samples[name] for name in alike])
    required = DELIVERED_COLUMNS[joint.table][0]
    notation = find_notation(joint, required, today)
    kept = {name: column for name, column in joint.columns.items() if name not in notation.left_out}
    match = replace(joint, columns=kept, refused={**joint.refused, **notation.left_out})
    table = Finding(databases[0], _other_tables(databases)) if databases else None
    hidden = tuple(dict.fromkeys(samples[name].part for name in alike if samples[name].is_hidden))
    return ProposedTable(match, notation, samples[leading], tuple(alike), (), sheets, table, hidden), differing


def _rank(match: TableMatch, sample: FileSample, name: str) -> tuple[int, bool, bool, bool, str]:
    """Order files by how well they show what the table is: complete, with rows, a text, of a telling encoding."""
    return len(match.missing), not sample.row_count, sample.separator is None, _is_ascii(sample), name


def _sheets(members: Mapping[str, TableMatch], samples: Mapping[str, FileSample], leading: str) -> tuple[str, ...]:
    """Name the sheets of the table, where the workbooks hold others too; those of the leading workbook hold for all."""
    read, found = _parts("workbook", members, samples), _parts("workbook", samples, samples)
    if all(read[file] == found[file] for file in read):
        return ()
    first = file_of(leading, samples[leading])
    return read.get(first) or next(iter(read.values()))


def _databases(members: Mapping[str, TableMatch], samples: Mapping[str, FileSample], leading: str) -> tuple[str, ...]:
    """Name the tables of databases that fit, the one to read first; none where no file is a database."""
    read = [part for parts in _parts("database", members, samples).values() for part in parts]
    return tuple(dict.fromkeys([samples[leading].part, *read] if samples[leading].kind == "database" else read))


def _parts(kind: Kind, names: Iterable[str], samples: Mapping[str, FileSample]) -> dict[str, tuple[str, ...]]:
    """Parts of each file of a kind, in the order of the samples."""
    chosen = set(names)
    parts: dict[str, tuple[str, ...]] = {}
    for name, sample in samples.items():
        if name in chosen and sample.kind == kind:
            file = file_of(name, sample)
            parts[file] = (*parts.get(file, ()), sample.part)
    return parts


def _other_part(sample: FileSample, sheets: tuple[str, ...], databases: tuple[str, ...]) -> str:
    """Say why a sheet or table of a database is not read beside the others; empty where it is."""
    if sample.kind == "workbook" and sheets and sample.part not in sheets:
        return f"in other sheets than {', '.join(map(shown, sheets))}"
    if sample.kind == "database" and sample.part != databases[0]:
        return f"in another table of the database than {shown(databases[0])}"
    return ""


def _other_tables(databases: tuple[str, ...]) -> str:
    return f"{', '.join(map(shown, databases[1:]))} would fit too" if databases[1:] else ""


def _difference(leading: TableMatch, first: FileSample, match: TableMatch, sample: FileSample) -> str:
    """Say what keeps two files from being read by one mapping; empty where nothing does."""
    if absent := sorted(set(leading.names) - set(sample.header)):
        return f"without a column {shown(absent[0])}"
    if first.separator and sample.separator and first.separator.value != sample.separator.value:
        return f"separated by {shown(sample.separator.value)} and not by {shown(first.separator.value)}"
    if _is_ascii(sample):
        return ""
    if first.encoding and sample.encoding and first.encoding.value != sample.encoding.value:
        return f"in {sample.encoding.value} and not in {first.encoding.value}"
    return ""


def _is_ascii(sample: FileSample) -> bool:
    """Whether a file is certain to be alike in all the usual encodings."""
    return sample.encoding is not None and sample.encoding.others == ASCII_LIKE


def _missing_elsewhere(leading: str, members: Mapping[str, TableMatch]) -> dict[str, str]:
    """Say of the columns that are missing in a file which other file has them."""
    found = dict(members[leading].missing)
    for column in found:
        owner = next((name for name, match in members.items() if column in match.columns), None)
        if owner is not None:
            header = shown(members[owner].columns[column].value.name)
            found[column] = f"{owner} has it as {header}; join the two files in the export"
    return found


def _joint_match(match: TableMatch, samples: list[FileSample]) -> TableMatch:
    """Put the samples of all files of a table under its mapping."""
    columns = {}
    for name, finding in match.columns.items():
        parts = [column for sample in samples for column in sample.columns if column.name == finding.value.name]
        values = tuple(value for part in parts for value in part.values)
        rows = tuple(row for part in parts for row in part.rows)
        dtype = next((part.dtype for part in parts if part.is_text), finding.value.dtype)
        columns[name] = replace(finding, value=SampledColumn(finding.value.name, dtype, values, rows))
    return replace(match, columns=columns)


def _with_patterns(
    table: ProposedTable,
    samples: Mapping[str, FileSample],
    beside: Collection[str],
    differing: Mapping[str, str],
) -> ProposedTable:
    """Add the patterns of the files; they are a guess where a file of the same table is written otherwise."""
    files = dict.fromkeys(file_of(name, samples[name]) for name in table.files)
    others = [file for name, sample in samples.items() if (file := file_of(name, sample)) not in files]
    first, *more = file_patterns(files, beside, others)
    unlike = [name for name in differing if file_of(name, samples[name]) not in files]
    if unlike:
        holds = f"{unlike[0]} holds {TABLE_NAMES[table.match.table]} too and is not read"
        told = f"{holds}; nor {noun(len(unlike) - 1, 'is', 'are')} {len(unlike) - 1} more" if unlike[1:] else holds
        first = replace(first, doubt="; ".join(filter(None, (told, first.doubt))))
    return replace(table, patterns=(first, *more))


def _with_order_facts(tables: Mapping[str, ProposedTable], left_out: Mapping[str, str]) -> Proposal:
    orders = tables.get("order_lines")
    lines = sampled_lines(orders.match, orders.notation.decimal.value) if orders else ()
    prefix = find_cancellation_prefix(lines)
    return Proposal(
        tables=tables,
        left_out=left_out,
        first_snapshot=_first_snapshot(orders),
        currency=find_currency(orders.sample if orders else None, orders.match if orders else None),
        time_zone=find_time_zone(orders.match if orders else None),
        cancellation_prefix=prefix,
        adjustment_prefixes=find_adjustment_prefixes(lines, prefix.value),
        non_products=find_non_products(lines),
        features=propose_features(lines, *(_match(tables, name) for name in ("products", "engagement_events"))),
    )


def _match(tables: Mapping[str, ProposedTable], name: str) -> TableMatch | None:
    return tables[name].match if name in tables else None


def _first_snapshot(orders: ProposedTable | None) -> Finding[str] | None:
    """Propose the last three delivered months, or as many as there are."""
    if orders is None or orders.notation.first is None or orders.notation.last is None:
        return None
    first, last = (f"{date:%Y-%m}" for date in (orders.notation.first, orders.notation.last))
    month = max(first, shift_month(last, 1 - _PROPOSED_SNAPSHOTS))
    span = f"the sampled orders run from {orders.notation.first:%Y-%m-%d} to {orders.notation.last:%Y-%m-%d}"
    return Finding(month, f"{span}; any month from {first} to {last} will do, an earlier one makes more snapshots")


def _unknown_table(sample: FileSample, today: dt.date) -> str:
    """Say why a file belongs to no table."""
    listed = ", ".join(shown(name) for name in sample.header[:6])
    return repeated_ids(sample, today) or f"none of {', '.join(TABLE_NAMES.values())}; its columns are {listed}"
