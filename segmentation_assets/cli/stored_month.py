"""The month that a command is about, and the tables that are stored of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.plan import check_known_month
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import known_months
from segmentation_assets.storage.engine import read_frame

if TYPE_CHECKING:
    import pandas as pd


def open_month(parsed: argparse.Namespace, key: str) -> tuple[Platform, str]:
    """Return the platform and the month that is meant: the newest in which an asset is stored, unless one is named.

    Raises
    ------
    SettingsError
        There is no such month, or the asset is not stored in it.
    """
    platform = Platform(load_from_arguments(parsed).settings)
    return platform, choose_month(platform, key, parsed.month)


def choose_month(platform: Platform, key: str, wanted: str | None, *, with_rows: bool = False) -> str:
    """Return the month that is meant, as `open_month` does; by default the newest with rows where these are asked for.

    Raises
    ------
    SettingsError
        There is no such month, or the asset is not stored in it.
    """
    months = known_months(platform)
    made = {month: manifest for month in months if (manifest := platform.store.manifest(key, month))}
    if not made:
        raise SettingsError(f"{key} is stored of no month", "run 'segmentation run' first.")
    filled = [month for month, manifest in made.items() if manifest.row_count or not with_rows]
    month = wanted or (filled or list(made))[-1]
    check_known_month(month, months)
    if month not in made:
        raise SettingsError(f"{key} of {month[:7]} is not stored", f"run 'segmentation run --month {month[:7]}' first.")
    return month


def read_table(platform: Platform, key: str, month: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a stored table of a month, all columns or those named."""
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month), columns)
