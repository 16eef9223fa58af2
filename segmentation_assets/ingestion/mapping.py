"""Which mapping and which folder the ingestion reads: the user's own, or those of the synthetic shop."""

from __future__ import annotations

from pathlib import Path

from segmentation_assets.config.settings import Settings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.synthetic.delivery import synthetic_source


def effective_source(settings: Settings) -> SourceSettings:
    """Return the source settings that the ingestion reads by.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    SourceSettings
        ``settings.source``, or the mapping of the synthetic shop where the kind is ``synthetic``.
    """
    return synthetic_source() if settings.source.kind == "synthetic" else settings.source


def delivery_folder(settings: Settings) -> Path:
    """Return the folder that deliveries are read from.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Path
        ``source.folder`` where it is set, else ``deliveries`` in the data folder; for the synthetic shop always
        ``synthetic/delivery`` in the data folder.
    """
    if settings.source.kind == "synthetic":
        return settings.data_dir / "synthetic" / "delivery"
    if settings.source.folder is not None:
        return Path(settings.source.folder).expanduser()
    return settings.data_dir / "deliveries"
