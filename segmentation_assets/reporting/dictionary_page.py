"""The data dictionary as Markdown: every feature with what it means, what it is made from and how gaps are filled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import plural
from segmentation_assets.features.dictionary import (
    DIRECTIONS,
    DictionaryEntry,
    DictionarySection,
    list_sections,
)
from segmentation_assets.features.registry import absent_features
from segmentation_assets.reporting.formatting import escape_markdown, join_words

_HEADER = "| Feature | Meaning | Unit | Missing | Made from |\n|---|---|---|---|---|"

_LEGEND = """
## How to read it

- **Feature**: the column of `silver/customer_features`, of the exports and of the published database, what reports call
  it, and its type. *Clustered on by default* marks what clusterings are offered when `matrix.features` is `auto`. Of
  two that say the same only one stays; `reports/feature_report` tells for every month which, and why the others left.
- **Unit**: `currency` is the one of the settings; a `share` or `rate` is a part of 1. Below it, how the shop sees a
  larger value.
- **Missing**: what a null means, then the imputation class and what stands in for the value when clusterings are
  fitted. `core`: without it the customer is set aside. `undefined`: the value does not exist, like a gap between orders
  after a single order, so a rule of its own says what is taken instead. `returns`: 0. `ordinary`: what
  `imputation.method` says, or a category of its own. `exempt`: keys and dates, never filled and never clustered on. A
  filled value is flagged in `was_imputed_…` of `silver/imputed_features`; in `silver/customer_features` and the exports
  it stays null.
- **Made from**: the columns that can change it, and the optional inputs without which it is absent.
- The lookback is `calendar.lookback_months` long; only what happened before the as-of date counts.
"""


def render_dictionary(settings: FeatureSettings, available: Collection[str], command: str) -> str:
    """Write the data dictionary of some settings.

    Parameters
    ----------
    settings : FeatureSettings
    available : collection of str
        Optional inputs that are there, as for `registry.feature_blocks`.
    command : str
        What makes this text, for whoever wants to make it anew.

    Returns
    -------
    str
        Markdown that ends with a line break; the same input gives the same text.
    """
    sections = list_sections(settings, available)
    count = sum(len(section.entries) for section in sections)
    lines = [
        "# Features",
        "",
        f"{plural(count, 'feature')} in {plural(len(sections), 'block')}, a row per customer and month in "
        "`silver/customer_features`. This page is generated from the declarations in the code; do not edit it. It is "
        f"made by `{command}`, and the command prints the page of your own settings too.",
        *_LEGEND.split("\n"),
        *_settings_lines(sections, settings),
        *(line for section in sections for line in _section_lines(section)),
        *_absent_lines(absent_features(settings, available)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _settings_lines(sections: Iterable[DictionarySection], settings: FeatureSettings) -> Iterator[str]:
    """Say which names follow from the settings, and what these are on this page."""
    patterns = {field: pattern for section in sections for field, pattern in section.block.named_by.items()}
    if not patterns:
        return
    yield from ("## Names that follow from the settings", "")
    yield from ("| Setting | On this page | Names |", "|---|---|---|")
    for field, pattern in patterns.items():
        names = ", ".join(f"`{name}`" for name in pattern.split(", "))
        yield f"| `features.{field}` | {_value_text(getattr(settings, field))} | {names} |"
    yield ""


def _value_text(value: object) -> str:
    """Write the value of a setting in a cell."""
    if isinstance(value, dict):
        return "; ".join(f"{escape_markdown(str(key))}: {_value_text(item)}" for key, item in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(_value_text(item) for item in value) or "none"
    return escape_markdown(str(value))


def _section_lines(section: DictionarySection) -> Iterator[str]:
    yield from (f"## {section.block.name}", "", section.subject, "", _HEADER)
    yield from (_row(entry) for entry in section.entries)
    yield ""


def _row(entry: DictionaryEntry) -> str:
    column = entry.column
    name = [f"`{column.name}`", escape_markdown(column.label), column.dtype, f"*{entry.use}*" if entry.use else ""]
    meaning = [
        escape_markdown(column.meaning),
        escape_markdown(f"After {column.reference}." if column.reference else ""),
    ]
    unit = [escape_markdown(column.unit), DIRECTIONS[column.direction]]
    missing = [
        escape_markdown(column.null_rule or "never"),
        f"`{column.imputation}`{escape_markdown(entry.fill and f': {entry.fill}')}",
    ]
    needs = join_words([f"`{required}`" for required in entry.requires])
    made = [", ".join(f"`{read}`" for read in column.reads), f"Needs {needs}." if needs else ""]
    cells = ("<br>".join(filter(None, lines)) for lines in (name, meaning, unit, missing, made))
    return f"| {' | '.join(cells)} |"


def _absent_lines(absent: dict[str, str]) -> Iterator[str]:
    if not absent:
        return
    yield from ("## Absent", "", "What these settings leave out, and why.", "")
    yield from ("| Block or feature | Reason |", "|---|---|")
    yield from (f"| `{name}` | {escape_markdown(reason)} |" for name, reason in absent.items())
