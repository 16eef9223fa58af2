"""Names and profiles of clusters, and frames as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segmentation_assets.api.clusterings import table_of
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.config.loading import load_profile
from segmentation_assets.config.settings import EngineSettings, Settings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.reporting.tabular import write_csv
from segmentation_assets.segments.naming import name_clusters
from segmentation_assets.segments.profiles import profile_segments
from segmentation_assets.segments.rfm import score_rfm
from segmentation_assets.storage.engine import Engine, copy_to_parquet
from segmentation_assets.storage.text_files import write_text_whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EnrichedClusters:
    """What clusters are called and what their members are like.

    Parameters
    ----------
    names : dict of int to str
        Name per cluster.
    customers : DataFrame
        customer_id, cluster and segment_name, sorted; noise has no name.
    profiles : DataFrame
        Columns of ``gold/segment_profiles``, but cluster in place of segment_key: a row per cluster and main feature,
        with known_count, mean, median, quartiles, effect_size against everyone and more.
    """

    names: dict[int, str]
    customers: pd.DataFrame
    profiles: pd.DataFrame


def enrich(labels: pd.Series, features: pd.DataFrame, *, settings: Settings | None = None) -> EnrichedClusters:
    """Name clusters and profile them, as ``gold/champion`` and ``gold/segment_profiles`` do.

    Parameters
    ----------
    labels : Series of int, index customer_id
        Cluster per customer, -1 for noise, such as ``pd.Series(clusterer.labels_, index=matrix.index)``.
    features : DataFrame
        Columns of ``silver/customer_features`` of at least these customers.
    settings : Settings, optional
        Those the features were made with; the packaged profile ``default`` where absent.

    Returns
    -------
    EnrichedClusters

    Raises
    ------
    DataError
        Labels are no Series, a customer has no features, or everyone is noise.

    Examples
    --------
    >>> import pandas as pd
    >>> from segmentation_assets.api import generate_shop
    >>> shop = generate_shop(customers=40, months=3)
    >>> labels = pd.Series(0, index=shop.features["customer_id"])
    >>> enrich(labels, shop.features).names
    {0: 'All Customers'}
    """
    members = _checked(labels, features)
    columns = [
        column
        for column in feature_columns(table_of(features, settings or load_profile()))
        if column.is_clustering_feature
    ]
    words = {column.name: column.label for column in columns}
    names = name_clusters(members, score_rfm(features)[0], features[["customer_id", *words]], feature_labels=words)
    customers = members.rename("cluster").rename_axis("customer_id").sort_index().reset_index()
    customers = customers.assign(segment_name=customers["cluster"].map(names))
    keyed = customers.assign(segment_key=customers["cluster"].where(customers["cluster"] != NOISE))
    profiles = profile_segments(features, keyed, features[["customer_id"]], list(words))
    numbered = profiles.astype({"segment_key": "int64"}).rename(columns={"segment_key": "cluster"})
    return EnrichedClusters(names, customers, numbered)


def _checked(labels: pd.Series, features: pd.DataFrame) -> pd.Series:
    """Refuse labels that do not say whose they are, and such of customers that are not there."""
    import pandas as pd

    if not isinstance(labels, pd.Series):
        raise DataError(
            f"labels must be a Series with the customers as index, got {type(labels).__name__}",
            "write pd.Series(labels, index=matrix.index).",
        )
    unknown = labels.index[~labels.index.isin(features["customer_id"])]
    if len(unknown):
        raise DataError(
            f"{len(unknown)} of {len(labels)} customers with a label have no features, for example {unknown[0]}",
            "the index of the labels must hold customer ids: write pd.Series(labels, index=matrix.index).",
        )
    if not (labels != NOISE).any():
        raise DataError(f"all {len(labels)} customers are noise, so there is no cluster to name", "fit another one.")
    return labels


def export(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a frame as CSV, Parquet or JSON, by the ending of the file name.

    Parameters
    ----------
    frame : DataFrame
        An index with a name, such as customer_id, becomes the first column; any other is left out.
    path : str or Path
        ``.csv``, ``.parquet`` or ``.json``; its folder is made if need be, an existing file replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        The ending is another one.

    Notes
    -----
    CSV is written as ``customer_segments.csv`` is: texts that a spreadsheet would run as a formula get an apostrophe.
    Parquet and JSON hold texts as they are. JSON is a list of records with dates in ISO form.
    """
    target = Path(path)
    if target.suffix not in _WRITERS:
        raise SettingsError(
            f"'{target.name}' does not say how to write it", f"end the name in one of {', '.join(sorted(_WRITERS))}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[target.suffix](frame if frame.index.name is None else frame.reset_index(), target)
    return target


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    with TemporaryDirectory() as folder, Engine(EngineSettings(), Path(folder)).connect() as connection:
        connection.register("frame_to_export", frame)
        copy_to_parquet(connection, "SELECT * FROM frame_to_export", path)


def _write_json(frame: pd.DataFrame, path: Path) -> None:
    write_text_whole(path, frame.to_json(orient="records", date_format="iso", double_precision=15) + "\n")


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
