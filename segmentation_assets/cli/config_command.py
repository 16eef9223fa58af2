"""`segmentation config`: check, show and describe the settings. The functions return text; `config` prints it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.config.catalogue import read_catalogue_file
from segmentation_assets.config.loading import LoadedSettings
from segmentation_assets.config.schema import settings_schema
from segmentation_assets.config.settings import Settings
from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.config.synthetic import unknown_preferences
from segmentation_assets.errors import plural
from segmentation_assets.features.registry import absent_features, feature_blocks
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.ingestion.delivery import matching_files
from segmentation_assets.ingestion.unread_files import describe_unread_files, find_unread_files

_LABEL_WIDTH = 19
_MOST_FILES = 10
_TABLES = ("order_lines", "customers", "products", "engagement_events")


def config(parsed: argparse.Namespace) -> int:
    """Carry out ``segmentation config check``, ``show`` or ``schema``."""
    print(_ACTIONS[parsed.action](parsed))
    return 0


def check_text(loaded: LoadedSettings) -> str:
    """Say that the settings are valid and what they lead to: profile, file, folders, months, what will be read."""
    settings = loaded.settings
    facts = {
        "settings": "ok",
        "profile": settings.profile,
        "file": str(loaded.config_path) if loaded.config_path else "none; profile, environment and arguments only",
        "data folder": str(settings.data_dir),
        "currency": settings.currency,
        "snapshots": f"{settings.calendar.first_snapshot} to {settings.calendar.last_month or 'the newest month'}, "
        f"each over {plural(settings.calendar.lookback_months, 'month')} of order lines",
        "features": _features(settings),
        **(_synthetic_facts(settings) if settings.source.kind == "synthetic" else _file_facts(settings)),
        **_named_files(settings),
        **describe_unread_files(find_unread_files(settings)),
    }
    return "\n".join(f"{label:<{_LABEL_WIDTH}}{text}".rstrip() for label, text in facts.items())


def _features(settings: Settings) -> str:
    """Count the features, and name the blocks and features that are left out."""
    available = optional_inputs(settings)
    blocks = feature_blocks(settings.features, available)
    absent = absent_features(settings.features, available)
    left_out = f"; without {', '.join(absent)}" if absent else ""
    return f"{sum(len(block.columns) for block in blocks)} in {plural(len(blocks), 'block')}{left_out}"


def show_text(loaded: LoadedSettings) -> str:
    """Write the settings in force as YAML that can be loaded again; a comment says where a value comes from.

    Values without a comment are built-in defaults.
    """
    values = loaded.settings.model_dump(mode="json")
    header = "# settings in force; values without a comment are built-in defaults"
    return "\n".join([header, *_yaml_lines(values, "", loaded.sources)])


def schema_text() -> str:
    """Write the JSON Schema of the settings file."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False)


def _synthetic_facts(settings: Settings) -> dict[str, str]:
    shop = settings.synthetic
    unknown = unknown_preferences(shop, read_catalogue_file(shop.catalogue))
    listed = ", ".join(sorted({department for _, department in unknown}))
    preferences = {"preferences": f"of {shop.profile} for {listed} do not apply; the catalogue has none of them"}
    return {
        "source": f"synthetic shop: {shop.customers:,} customers, {shop.months} months from {shop.first_month}, "
        f"seed {shop.seed}",
        **(preferences if unknown else {}),
    }


def _file_facts(settings: Settings) -> dict[str, str]:
    folder = Path(settings.source.folder or settings.data_dir / "deliveries")
    tables = {name: getattr(settings.source, name) for name in _TABLES}
    if settings.source.kind == "postgres":
        is_set = settings.source.postgres.connection is not None
        return {
            "source": f"Postgres, whose connection is {'set' if is_set else 'not set'}",
            **{name: str(table.table) for name, table in tables.items() if table is not None},
        }
    return {
        "source": f"files in {folder}" + ("" if folder.is_dir() else ", which does not exist yet"),
        **{name: _files_text(folder, table, settings.data_dir) for name, table in tables.items() if table is not None},
    }


def _named_files(settings: Settings) -> dict[str, str]:
    """Files that the settings name beside the delivery, and whether they are there."""
    named = {"crosswalk": settings.population.crosswalk, "exchange": settings.money.exchange.file}
    return {
        label: str(path) + ("" if path.is_file() else ", which does not exist yet")
        for label, path in named.items()
        if path is not None
    }


def _files_text(folder: Path, table: DeliveredTable, data_dir: Path) -> str:
    """Name the patterns of a delivered table and the files they match now."""
    found = sorted({name for pattern in table.files for name in matching_files(folder, pattern, data_dir)})
    listed = ", ".join(found[:_MOST_FILES]) + (", …" if len(found) > _MOST_FILES else "")
    return f"{', '.join(table.files)}: {plural(len(found), 'file')}" + (f" ({listed})" if found else "")


def _yaml_lines(values: Mapping[str, Any], above: str, sources: Mapping[str, str], indent: int = 0) -> Iterator[str]:
    """Write a section, one line per value; lists and empty sections stay on their line."""
    for key, value in values.items():
        start, name = f"{'  ' * indent}{_scalar(key)}:", above + key
        if isinstance(value, Mapping) and value:
            yield start
            yield from _yaml_lines(value, f"{name}.", sources, indent + 1)
            continue
        comment = f"  # {sources[name]}" if name in sources else ""
        yield f"{start} {_scalar(value)}{comment}"


def _scalar(value: object) -> str:
    """Write a value on one line, in YAML."""
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000_000, allow_unicode=True)
    one_line = text.removesuffix("\n").removesuffix("\n...")
    return json.dumps(value, ensure_ascii=False) if "\n" in one_line else one_line


def _check(parsed: argparse.Namespace) -> str:
    return check_text(load_from_arguments(parsed))


def _show(parsed: argparse.Namespace) -> str:
    return show_text(load_from_arguments(parsed))


def _schema(parsed: argparse.Namespace) -> str:
    return schema_text()


_ACTIONS: dict[str, Callable[[argparse.Namespace], str]] = {"check": _check, "show": _show, "schema": _schema}
