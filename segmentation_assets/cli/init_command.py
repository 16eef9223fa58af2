"""`segmentation init`: look at files, propose settings with every guess marked, and say what to do next."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from segmentation_assets.cli.parser import DEFAULT_FILE
from segmentation_assets.errors import DataError, SettingsError, plural
from segmentation_assets.ingestion.delivery import kind_of, matching_files
from segmentation_assets.ingestion.proposal.document import MARK, PROPOSED_DATA_DIR, scalar, settings_text
from segmentation_assets.ingestion.proposal.places import common_folder
from segmentation_assets.ingestion.proposal.propose import TABLE_NAMES, Proposal, ProposedTable, propose_settings
from segmentation_assets.ingestion.proposal.sample import FileSample, Finding
from segmentation_assets.ingestion.proposal.sampling import sample_file
from segmentation_assets.ingestion.unread_files import PROSE, advice_for
from segmentation_assets.storage.text_files import write_text_whole

_MOST_BESIDE = 10_000
_MOST_LISTED = 10
_NAME_IT = "name such texts one by one if they are tables and no notes"
_CONNECTION = re.compile(r"\w{2,}:/|(?:host|hostaddr|port|dbname|user|service)\s*=")


def init(parsed: argparse.Namespace) -> int:
    """Carry out ``segmentation init``: sample the files, write the settings file, and print what was found."""
    target: Path = parsed.output
    _refuse_servers(parsed.files)
    check_target(target, may_replace=parsed.force)
    named = [Path(path) for path in dict.fromkeys(os.path.abspath(file) for file in parsed.files)]  # noqa: PTH100
    paths = list(dict.fromkeys(path for item in named for path in _files_of(item, target)))
    with tempfile.TemporaryDirectory() as scratch:
        samples = {path: sample_file(path, Path(scratch)) for path in paths}
    folder = common_folder(paths)
    by_name = {
        path.relative_to(folder).as_posix() + (f"[{sample.part}]" if sample.part else ""): sample
        for path, found in samples.items()
        for sample in found
    }
    proposal = propose_settings(by_name, _files_beside(folder, paths), dt.datetime.now(tz=dt.UTC).date())
    passed_over = _passed_over([item for item in named if item.is_dir()], target, paths)
    proposal = replace(proposal, left_out={**proposal.left_out, **passed_over})
    text = settings_text(proposal, folder_setting(folder, target))
    write_settings(target, text)
    print(report_text(proposal, by_name, target, text.count(MARK)))
    if proposal.missing:
        listed = "\n".join(f"  {missing}" for missing in proposal.missing)
        raise DataError(
            f"{target} is not complete; what was not found stands there as ???:\n{listed}",
            "write the column of the file in its place, or name a file that has it.",
        )
    return 0


def _refuse_servers(files: Sequence[Path]) -> None:
    """Refuse a connection in place of a file; it is not repeated, as it may hold a password."""
    if any(_CONNECTION.match(str(file)) for file in files):
        raise SettingsError(
            "segmentation init looks at files, and a connection of a server was named",
            "export some lines of each table as CSV and name those files; in what it writes put kind: postgres, and "
            "table in place of files; see docs/deliveries.md, A Postgres server.",
        )


def _files_of(named: Path, target: Path) -> list[Path]:
    """List the files in and below a folder that can be read; what is no folder stands for itself.

    In a folder ``.txt`` is more often a note than a table; such files are looked at where they are named.
    """
    if not named.is_dir():
        return [named]
    found = (named / name for name in _names_below(named, target))
    files = sorted(path for path in found if kind_of(path.name) and not path.name.lower().endswith(PROSE))
    if not files:
        there = [f"{name}: {advice}" for name, advice in _passed_over([named], target).items()]
        raise DataError(
            f"{named} holds no file that can be read",
            f"{'; '.join(('name a folder with CSV, Parquet, Excel or databases', *there))}.",
        )
    return files


def _passed_over(folders: Sequence[Path], target: Path, sampled: Sequence[Path] = ()) -> dict[str, str]:
    """Say of the files in and below folders that were not looked at what to do, once for each kind."""
    chosen = set(sampled)
    found = {name for item in folders for name in _names_below(item, target) if item / name not in chosen}
    by_advice: dict[str, list[str]] = {}
    for name in sorted(found):
        advice = advice_for(name) or (_NAME_IT if name.lower().endswith(PROSE) else "")
        if advice:
            by_advice.setdefault(advice, []).append(name)
    return {
        files[0] + (f" and {plural(len(files) - 1, 'more file')} of its kind" if files[1:] else ""): advice
        for advice, files in by_advice.items()
    }


def _names_below(folder: Path, target: Path) -> list[str]:
    """Names of all files in and below a folder but those of the data folder that the settings will name."""
    return matching_files(folder, "**/*", target.absolute().parent / PROPOSED_DATA_DIR)


def check_target(target: Path, *, may_replace: bool) -> None:
    """Check that the settings file can be written and replaces nothing unasked.

    Raises
    ------
    SettingsError
        There is such a file already, or its folder does not exist.
    """
    if target.is_dir():
        raise SettingsError(f"{target} is a folder", "name a file after --output.")
    if target.exists() and not may_replace:
        raise SettingsError(f"{target} exists already", "name another file after --output, or replace it with --force.")
    if not target.absolute().parent.is_dir():
        raise SettingsError(f"there is no folder {target.absolute().parent}", "make it, or name another one.")


def folder_setting(folder: Path, target: Path) -> str:
    """Return the delivery folder as the settings file names it: from its own folder on where it lies below that."""
    home = target.absolute().parent
    return folder.relative_to(home).as_posix() if folder.is_relative_to(home) else folder.as_posix()


def write_settings(target: Path, text: str) -> None:
    """Write a settings file whole, or say why it cannot be written."""
    try:
        write_text_whole(target, text)
    except OSError as problem:
        raise SettingsError(
            f"{target} cannot be written: {problem.strerror}", "name a file in a folder of your own after --output."
        ) from problem


def report_text(proposal: Proposal, samples: dict[str, FileSample], target: Path, guesses: int) -> str:
    """Say file by file what was found, what is certain and what is a guess, and what to do next."""
    lines: list[str] = []
    for table in proposal.tables.values():
        lines += [*_table_report(table, samples), ""]
    for name, reason in proposal.left_out.items():
        lines += [f"{name}: not read; {reason}", ""]
    lines += _settings_report(proposal)
    return "\n".join([*lines, "", *_next_steps(target, guesses, is_complete=not proposal.missing)])


def _table_report(table: ProposedTable, samples: dict[str, FileSample]) -> Iterator[str]:
    for name in table.files[:_MOST_LISTED]:
        sample = samples[name]
        counted = plural(sample.row_count, "row")
        rows = f"all {counted}" if sample.is_whole else f"{counted} of it"
        yield f"{name}: {TABLE_NAMES[table.match.table]}; {plural(len(sample.columns), 'column')}, {rows} looked at"
    if len(table.files) > _MOST_LISTED:
        yield f"and {len(table.files) - _MOST_LISTED} more files of {TABLE_NAMES[table.match.table]}"
    findings = list(_findings(table))
    yield from (f"  certain  {name}: {found.value}" for name, found in findings if not found.doubt)
    yield from (f"  guess    {name}: {found.value} ({found.doubt})" for name, found in findings if found.doubt)
    for name, nearest in table.match.missing.items():
        yield f"  missing  {name}" + (f" ({nearest})" if nearest else "")
    for name, reason in table.match.refused.items():
        yield f"  left out {name} ({reason})"
    for note in table.notation.notes:
        yield f"  note     {note}"
    unused = [name for name in table.sample.header if name not in table.match.names]
    if unused:
        yield f"  not used {', '.join(repr(name) for name in unused)}"


def _findings(table: ProposedTable) -> Iterator[tuple[str, Finding[str]]]:
    """Yield everything that was found out about a table, under the name of its setting."""
    sample, notation = table.sample, table.notation
    yield from (("files", pattern) for pattern in table.patterns)
    if table.sheet_choice is not None:
        yield "sheets", Finding(", ".join(table.sheet_choice.value) or "all", table.sheet_choice.doubt)
    if table.table is not None:
        yield "table", table.table
    if sample.encoding is not None:
        yield "encoding", sample.encoding
    if sample.separator is not None:
        marks = {"separator": sample.separator, "decimal": notation.decimal}
        yield from ((name, Finding(repr(found.value), found.doubt)) for name, found in marks.items())
    if notation.date_format is not None:
        yield "date_format", notation.date_format
    for name, finding in table.match.columns.items():
        doubts = "; ".join(doubt for doubt in (finding.doubt, notation.doubts.get(name, "")) if doubt)
        yield name, Finding(scalar(finding.value.name), doubts)
    for found in notation.null_values:
        yield "null_values", found


def _settings_report(proposal: Proposal) -> Iterator[str]:
    rule = proposal.cancellation_prefix
    likely = [guess.code for guess in proposal.non_products if guess.is_likely]
    named = {
        "first_snapshot": proposal.first_snapshot,
        "currency": proposal.currency,
        "time_zone": proposal.time_zone,
        "cancellations": Finding(f"prefix {rule.value}" if rule.value else "negative_quantity", rule.doubt),
        "non_product_codes": Finding(", ".join(likely), "by name or text, in the sample only") if likely else None,
    }
    yield "settings"
    yield from (f"  guess    {name}: {found.value} ({found.doubt})" for name, found in named.items() if found)


def _next_steps(target: Path, guesses: int, *, is_complete: bool) -> Iterator[str]:
    option = "" if str(target) == DEFAULT_FILE else f" --config {target}"
    yield f"written {target}, with {guesses} guesses to confirm"
    yield "next"
    if not is_complete:
        yield f"  replace every ??? in {target}"
    yield f"  look at every line marked '{MARK}'"
    yield f"  segmentation config check{option}"
    yield f"  segmentation run{option}"


def _files_beside(folder: Path, paths: Sequence[Path]) -> list[str]:
    """List the files in the folders of the named ones, as paths below the delivery folder."""
    folders = {path.parent for path in paths}
    found = (item for place in sorted(folders) for item in place.iterdir() if item.is_file())
    return [item.relative_to(folder).as_posix() for item, _ in zip(found, range(_MOST_BESIDE), strict=False)]
