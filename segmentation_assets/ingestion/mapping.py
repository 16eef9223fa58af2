"""Which mapping and which folder the ingestion reads: the user's own, or those of the synthetic shop."""

from __future__ import annotations

from pathlib import Path

from segmentation_assets.config.settings import Settings
from segmentation_assets.config.source import DELIVERED_COLUMNS, SourceSettings
from segmentation_assets.synthetic.delivery import synthetic_source

MADE_BY = {"synthetic": "source/synthetic_retail", "postgres": "source/postgres"}
"""Kind of source → the asset that makes the files of its delivery, where a person does not."""


def effective_source(settings: Settings) -> SourceSettings:
    """Return the source settings that the ingestion reads by.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    SourceSettings
        ``settings.source``; where the kind is ``synthetic`` the mapping of the synthetic shop, and where it is
        ``postgres`` that of the copies of its tables.
    """
    if settings.source.kind == "synthetic":
        return synthetic_source(has_texts=settings.synthetic.faults.has_texts)
    return _of_copies(settings.source) if settings.source.kind == "postgres" else settings.source


def _of_copies(source: SourceSettings) -> SourceSettings:
    """Name as files the copies that are read in place of the tables on a server."""
    mapped = {name: getattr(source, name) for name in DELIVERED_COLUMNS}
    return source.model_copy(
        update={
            name: table.model_copy(update={"files": (copy_name(name),)})
            for name, table in mapped.items()
            if table is not None
        }
    )


def copy_name(table: str) -> str:
    """Return the file name of the copy of a delivered table."""
    return f"{table}.parquet"


def delivery_folder(settings: Settings) -> Path:
    """Return the folder that deliveries are read from.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Path
        ``source.folder`` where it is set, else ``deliveries`` in the data folder; for the synthetic shop and for
        Postgres always ``synthetic/delivery`` and ``postgres/delivery`` in the data folder.
    """
    if settings.source.kind in MADE_BY:
        return settings.data_dir / settings.source.kind / "delivery"
    if settings.source.folder is not None:
        return Path(settings.source.folder).expanduser()
    return settings.data_dir / "deliveries"
