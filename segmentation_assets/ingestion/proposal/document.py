"""The text of a proposed settings file: every guess has a comment that starts with ``# confirm:``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from segmentation_assets.config.source import DELIVERED_COLUMNS, NOT_FOUND
from segmentation_assets.ingestion.proposal.feature_lists import ProposedFeatures
from segmentation_assets.ingestion.proposal.propose import TABLE_NAMES, Proposal, ProposedTable
from segmentation_assets.ingestion.proposal.sample import Finding

MARK = "# confirm:"
PROPOSED_DATA_DIR = "data"
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./ *+-]*[A-Za-z0-9_*]|[A-Za-z]|[0-9]{4}-[0-9]{2}")
_MEANINGFUL = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


def settings_text(proposal: Proposal, folder: str) -> str:
    """Write proposed settings as YAML.

    Parameters
    ----------
    proposal : Proposal
    folder : str
        Value of ``source.folder``.

    Returns
    -------
    str
        What is certain stands without a comment or with a plain one; a guess is marked. A required value that was not
        found is written ``???``, which no settings are loaded with.
    """
    return "\n".join(_lines(proposal, folder)) + "\n"


def _lines(proposal: Proposal, folder: str) -> Iterator[str]:
    yield "# Proposed by `segmentation init`. Look at every line marked 'confirm:', correct it where it is wrong, and"
    yield "# remove the mark. `segmentation config check` reads this file and says what it leads to."
    yield ""
    yield f"data_dir: {PROPOSED_DATA_DIR}"
    yield _marked("currency: {}", proposal.currency)
    yield ""
    yield "calendar:"
    missing = Finding(NOT_FOUND, "no order date up to today was read; write the first snapshot month, YYYY-MM")
    yield _marked("  first_snapshot: {}", proposal.first_snapshot or missing)
    yield ""
    yield "source:"
    yield "  kind: files"
    yield f"  folder: {scalar(folder)}"
    yield _marked("  time_zone: {}", proposal.time_zone)
    if "order_lines" not in proposal.tables:
        yield from _absent_order_lines()
    for name, table in proposal.tables.items():
        yield ""
        yield from _table_lines(name, table)
    yield ""
    yield from _order_rules(proposal)
    yield from _left_out(proposal)
    yield from _features(proposal.features)


def scalar(text: str) -> str:
    """Write a text as a YAML value, in quotes where it would mean something else without.

    Examples
    --------
    >>> scalar("InvoiceNo"), scalar(" id"), scalar("No")
    ('InvoiceNo', '" id"', '"No"')
    """
    if _PLAIN.fullmatch(text) and text.casefold() not in _MEANINGFUL and " #" not in text:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _absent_order_lines() -> Iterator[str]:
    yield ""
    yield "  order_lines:"
    yield f"    files: ['{NOT_FOUND}']  {MARK} none of the files holds order lines; name the file that does"
    yield "    columns: # ours: name in the file"
    for name in DELIVERED_COLUMNS["order_lines"][0]:
        yield f"      {name}: {NOT_FOUND}  {MARK} name the column"


def _table_lines(name: str, table: ProposedTable) -> Iterator[str]:
    sample, notation = table.sample, table.notation
    yield f"  {name}:"
    yield from _files(table)
    if table.sheet_choice is not None:
        yield _sheets(table.sheet_choice)
    if table.table is not None:
        yield _marked("    table: {}", table.table)
    yield "    columns: # ours: name in the file"
    yield from _columns(name, table)
    if sample.encoding is not None and sample.separator is not None:
        yield _marked("    encoding: {}", sample.encoding)
        yield _marked("    separator: {}", sample.separator, quoted=True)
    if sample.separator is not None or notation.decimal.value != ".":
        yield _marked("    decimal: {}", notation.decimal, quoted=True)
    if notation.date_format is not None:
        yield _marked("    date_format: {}", notation.date_format, quoted=True)
    if notation.null_values:
        yield "    null_values:"
        yield '      - ""'
        for found in notation.null_values:
            yield _marked("      - {}", found, quoted=True)


def _sheets(choice: Finding[tuple[str, ...]]) -> str:
    """Write the sheets to read; where all are, a comment for the user to write those to read after."""
    listed = f"    sheets: {_flow(choice.value)}" if choice.value else "    # sheets:"
    return _comment(listed, choice.doubt) if choice.doubt else f"{listed}  # of each workbook"


def _files(table: ProposedTable) -> Iterator[str]:
    if len(table.patterns) == 1:
        yield _marked("    files: [{}]", table.patterns[0])
        return
    yield "    files:"
    for pattern in table.patterns:
        yield _marked("      - {}", pattern)


def _columns(name: str, table: ProposedTable) -> Iterator[str]:
    """Write the mapping in the order of our columns; optional ones that do not fit stay as comments."""
    match, doubts = table.match, table.notation.doubts
    required, optional = DELIVERED_COLUMNS[name]
    for column in (*required, *optional):
        if column in match.columns:
            finding = match.columns[column]
            reasons = "; ".join(reason for reason in (finding.doubt, doubts.get(column, "")) if reason)
            yield _marked(f"      {column}: {{}}", Finding(finding.value.name, reasons))
        elif column in match.missing:
            nearest = match.missing[column] or "no name comes close"
            yield _comment(f"      {column}: {NOT_FOUND}", f"no column was found; {nearest}")
        elif column in match.refused:
            yield _comment(f"      # {column}:", f"left out; {match.refused[column]}")


def _order_rules(proposal: Proposal) -> Iterator[str]:
    prefix = proposal.cancellation_prefix
    yield "  cancellations:"
    if prefix.value:
        yield "    rule: prefix"
        yield _marked("    prefix: {}", prefix)
    else:
        yield _marked("    rule: {}", Finding("negative_quantity", prefix.doubt))
    if proposal.adjustment_prefixes:
        yield "  adjustment_prefixes:"
        for found in proposal.adjustment_prefixes:
            yield _marked("    - {}", found)
    likely = [guess for guess in proposal.non_products if guess.is_likely]
    unlikely = [guess for guess in proposal.non_products if not guess.is_likely]
    yield "" if proposal.non_products else "  # No code of the sample looks like postage, a fee or a discount."
    if proposal.non_products:
        yield "  # Codes of the sample that may be no products; the files may hold more."
    yield "  non_product_codes:" if likely else "  non_product_codes: []"
    for guess in likely:
        yield _marked("    - {}", Finding(guess.code, guess.reason))
    for guess in unlikely:
        yield _comment(f"    # - {scalar(guess.code)}", f"unlike the other codes; {guess.reason}")


def _features(features: ProposedFeatures) -> Iterator[str]:
    lines = list(_feature_lines(features))
    if lines:
        yield ""
        yield "features:"
        yield from lines


def _feature_lines(features: ProposedFeatures) -> Iterator[str]:
    if features.departments:
        yield "  departments: # each gets money, units and a share of its own; the rest is summed"
        reason = "one of the departments of most sampled order lines"
        yield from (_marked("    - {}", Finding(name, reason)) for name in features.departments)
    if features.classes:
        yield "  classes: # of a department, with columns like a department; the rest is summed"
        reason = "all its classes in the sampled products"
        yield from (_comment(f"    {scalar(name)}: {_flow(names)}", reason) for name, names in features.classes.items())
    for name, values in (("child_ages", features.child_ages), ("sizes", features.sizes)):
        if values:
            reason = f"all {name.replace('_', ' ')} of the sampled products; each gets a count of units"
            yield _comment(f"  {name}: {_flow(values)}", reason)
    if features.event_kinds:
        yield "  event_kinds: # each gets a count"
        reason = "met in the sampled events; put types together that mean the same"
        yield from (_comment(f"    {kind}: {_flow(types)}", reason) for kind, types in features.event_kinds.items())


def _flow(names: Sequence[str]) -> str:
    return f"[{', '.join(map(scalar, names))}]"


def _left_out(proposal: Proposal) -> Iterator[str]:
    if proposal.left_out:
        yield ""
        yield "  # Not read:"
    for name, reason in proposal.left_out.items():
        yield f"  # {_printable(name)}: {_printable(reason)}"
    for name, title in TABLE_NAMES.items():
        if name != "order_lines" and name not in proposal.tables:
            yield f"  # No file with {title} was named; what builds on them is left out."


def _marked(form: str, finding: Finding[str], *, quoted: bool = False) -> str:
    """Write a line with the value of a finding, and why it is doubtful."""
    value = json.dumps(finding.value, ensure_ascii=not finding.value.isprintable()) if quoted else scalar(finding.value)
    return _comment(form.format(value), finding.doubt) if finding.doubt else form.format(value)


def _comment(line: str, doubt: str) -> str:
    return f"{line}  {MARK} {_printable(doubt)}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
