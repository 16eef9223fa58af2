"""What an asset is, as plain data: key, inputs with their windows, own settings, logic version."""

from dataclasses import dataclass
from typing import Literal

from segmentation_assets.graph.months import month_range
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.storage.store import WHOLE

Window = Literal["whole", "slice", "lookback", "until", "same", "previous", "recent", "every", "fact", "parts"]

A_YEAR = 11
"""Months before this one that make a year with it."""


def recent_months(month: str, months_back: int) -> tuple[str, ...]:
    """Return the months of the window ``recent``, whether or not they are snapshot months."""
    return month_range(f"{shift_month(month, -months_back)}-01", month)


@dataclass(frozen=True, kw_only=True)
class Input:
    """An asset that another one reads, and which part of it.

    Parameters
    ----------
    key : str
        Key of the asset that is read.
    window : Window
        ``whole``: all of an unpartitioned asset; ``slice``: one named slice of it; ``lookback``: the month slices a
        snapshot reads; ``until``: all month slices up to the snapshot's month; ``same``: the same month;
        ``previous``: an earlier month, if there is one; ``recent``: this month and some before it, as far as they
        exist; ``every``: all months that exist; ``fact``: one entry of an unpartitioned asset's metadata; ``parts``:
        an entry that has one of its own for each delivered part, of those that reach into the lookback.
    slice_name : str
        The slice, for the window ``slice``, or the entry, for the windows ``fact`` and ``parts``.
    months_back : int
        For the window ``previous``, how many months before, and for ``recent``, how far back; the month before is 1.
    """

    key: str
    window: Window = "same"
    slice_name: str = ""
    months_back: int = 1


External = Literal[
    "", "delivery_folder", "postgres", "decisions_file", "catalogue_file", "crosswalk_file", "rates_file"
]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One asset of the graph.

    Parameters
    ----------
    key : str
        ``layer/noun``.
    description : str
        Two to five sentences of Markdown for an analyst.
    inputs : tuple of Input
    is_partitioned : bool
        Whether there is one result per snapshot month.
    storage : str
        ``table`` (one folder of Parquet), ``sliced`` (a folder per month or part), ``files`` (for people).
    settings : tuple of str
        Dotted paths of the settings that the result depends on.
    facts : tuple of str
        Further facts the result depends on, such as which optional inputs there are.
    resources : tuple of str
        Packaged files the result depends on, such as templates.
    logic_version : str
        Raised whenever the same input and settings give another result.
    external : str
        What outside the graph is read: ``delivery_folder``, ``postgres``, ``decisions_file``, ``catalogue_file``,
        ``crosswalk_file`` or ``rates_file``; empty for nothing.
    has_rules : bool
        Whether the settings hold rules for the delivered table.
    kinds : tuple of str
        Technologies shown in the Dagster UI.
    """

    key: str
    description: str
    inputs: tuple[Input, ...] = ()
    is_partitioned: bool = True
    storage: Literal["table", "sliced", "files"] = "table"
    settings: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    logic_version: str = "1"
    external: External = ""
    has_rules: bool = False
    kinds: tuple[str, ...] = ("duckdb", "parquet")

    @property
    def layer(self) -> str:
        """First part of the key; also the group in the Dagster UI."""
        return self.key.split("/", 1)[0]

    @property
    def noun(self) -> str:
        """Second part of the key."""
        return self.key.split("/", 1)[1]

    def partitions(self, months: tuple[str, ...]) -> tuple[str, ...]:
        """Partition keys of the asset when these are its months."""
        return months if self.is_partitioned else (WHOLE,)


def same(*keys: str) -> tuple[Input, ...]:
    """Inputs of the same month."""
    return tuple(Input(key=key) for key in keys)
