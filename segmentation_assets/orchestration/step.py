"""What the body of an asset sees: its inputs as relations and frames, and a place to write its result."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError, plural
from segmentation_assets.graph.declarations import declared_checks
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.storage.engine import (
    Connection,
    conformed_select,
    copy_to_parquet,
    write_frame,
)
from segmentation_assets.storage.manifest import CheckRecord
from segmentation_assets.tables.declaration import Table

if TYPE_CHECKING:
    import pandas as pd

PART = "part-0.parquet"
"""Name of a table's only file."""


@dataclass
class Step(StoredTables):
    """One computation of one asset for one partition.

    Parameters
    ----------
    platform : Platform
    node : Node
    partition : str
        Month as YYYY-MM-01, or ``all``.
    stage : Path
        Empty folder to write into. What lies in it when the body ends becomes the result.
    is_copy_of_inputs : bool
        Set by a body whose files hold its inputs and nothing else: the content is then that of the inputs.
    connect : callable
        Opens an engine connection as a context manager.
    log : logging.Logger
    """

    platform: Platform
    node: Node
    partition: str
    stage: Path
    connect: Any
    log: logging.Logger
    metadata: dict[str, Any] = field(default_factory=dict)
    checks: list[CheckRecord] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    slice_inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    kept_slices: set[str] = field(default_factory=set)
    targets: dict[str, str] = field(default_factory=dict)
    is_forced: bool = False
    by_hand: dict[str, Any] = field(default_factory=dict)
    by_hand_over: str = ""
    is_copy_of_inputs: bool = False
    rests_on: list[Path] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def connection(self) -> Connection:
        """The step's engine connection, opened at first use."""
        opened: AbstractContextManager[Connection] = self.connect()
        return self._stack.enter_context(opened)

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()

    def delivered_text(self, key: str, name: str) -> str | None:
        """Read a text among the files that an input of this month made for people; None where it made none."""
        manifest = self.platform.store.manifest(key, self._partition_of(key, None))
        paths = [Path(file.path) for file in manifest.files] if manifest else []
        found = next((path for path in paths if path.name == name), None)
        return None if found is None else (self.platform.store.root / found).read_text(encoding="utf-8")

    def write_sql(self, sql: str, table: Table, parameters: Sequence[Any] = ()) -> None:
        """Write the result of a query as the asset's table."""
        copy_to_parquet(self.connection, conformed_select(sql, table), self.stage / PART, parameters)
        self.tables[""] = table

    def write_frame(self, frame: pd.DataFrame, table: Table) -> None:
        """Write a frame as the asset's table."""
        write_frame(self.connection, frame, table, self.stage / PART)
        self.tables[""] = table

    def write_document(self, name: str, text: str) -> None:
        """Write a text file beside the asset's table; it counts as part of the content."""
        (self.stage / name).write_text(text, encoding="utf-8")

    def rest_on(self, folder: Path) -> None:
        """Count the files of a stored model to the result: when one is damaged or gone, the result is made again."""
        if not folder.is_dir():
            raise DataError(
                f"{self.node.key} of {self.partition[:7]} rests on the model in {folder}, which is gone",
                "make the months again in order: segmentation run.",
            )
        self.rests_on += sorted(path for path in folder.iterdir() if path.is_file())

    def deliver(self, name: str, target: str) -> Path:
        """Return the staged path of a file for people, to be placed at `target` below the data folder."""
        self.targets[name] = target
        return self.stage / name

    def add_check(self, name: str, description: str, *, passed: bool, **metadata: Any) -> None:
        """Record the outcome of an asset check; a failed blocking one stops the step before anything is stored."""
        plain = json.loads(json.dumps(metadata, default=str))
        is_blocking = next(check.is_blocking for check in declared_checks(self.node) if check.name == name)
        self.checks.append(CheckRecord(name, passed, description, plain, is_blocking))

    def reconcile(
        self,
        *,
        customers: tuple[int, int],
        net_revenue: tuple[float | Decimal, float | Decimal],
        rounded_from: float | Decimal | None = None,
    ) -> None:
        """Record the check that customers and money of the result equal those of its input, given as (input, result).

        Money is compared to the cent. Where the result has every customer's rounded to the cent, so has the given one
        of the input, and `rounded_from` is the sum of the input before.
        """
        expected, found = (round(float(amount), 2) for amount in net_revenue)
        passed = customers[0] == customers[1] and expected == found
        rounded = "" if rounded_from is None else f", which is {rounded_from:,.4f} with every customer's to the cent"
        self.add_check(
            "reconciliation",
            f"{self.node.key} {'adds up' if passed else 'does not add up'} with its input: {customers[1]:,} of "
            f"{plural(customers[0], 'customer')}, net revenue {found:,.2f} of {expected:,.2f}{rounded}.",
            passed=passed,
            comparison=[["customers", *customers], ["net revenue", expected, found]],
        )
