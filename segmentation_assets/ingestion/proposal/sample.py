"""What was looked at in a file, and what was found out about it, certain or guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from segmentation_assets.ingestion.delivery import Kind
from segmentation_assets.ingestion.null_texts import NO_VALUE

T = TypeVar("T")

LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Finding(Generic[T]):
    """Something found out about a file.

    Parameters
    ----------
    value : T
        What is proposed.
    doubt : str
        Why it is a guess and what else it could be; empty where the file leaves no doubt.
    others : tuple of T
        The other values that the sample allows; empty where they cannot be listed.
    """

    value: T
    doubt: str = ""
    others: tuple[T, ...] = ()


@dataclass(frozen=True)
class SampledColumn:
    """The sampled values of one column.

    Parameters
    ----------
    name : str
        Name in the file, exactly as it stands there.
    dtype : str
        Type in the file as the engine calls it; VARCHAR in CSV.
    values : tuple of (str or None)
        Trimmed texts in file order; ``None`` where nothing stands.
    rows : tuple of (int or None)
        Data row of each value in the file, from 1; ``None`` where it is not known.
    """

    name: str
    dtype: str
    values: tuple[str | None, ...]
    rows: tuple[int | None, ...]

    @property
    def is_text(self) -> bool:
        """Whether values are written as text, so that a notation applies to them."""
        return self.dtype == "VARCHAR"

    @property
    def given(self) -> tuple[tuple[int | None, str], ...]:
        """Row and text of the values that are there; texts that stand for 'no value' are left out."""
        pairs = zip(self.rows, self.values, strict=True)
        return tuple((row, text) for row, text in pairs if text and text.casefold() not in NO_VALUE)

    @property
    def texts(self) -> tuple[str, ...]:
        """The values that are there."""
        return tuple(text for _, text in self.given)

    @property
    def sentinels(self) -> tuple[str, ...]:
        """Distinct texts of the sample that stand for 'no value', as they are spelled."""
        return tuple(sorted({text for text in self.values if text and text.casefold() in NO_VALUE}))


@dataclass(frozen=True)
class FileSample:
    """What was looked at in one file.

    Parameters
    ----------
    name : str
        Name used in messages.
    columns : tuple of SampledColumn
        In file order; a name may stand twice.
    row_count : int
        Rows that were looked at.
    is_whole : bool
        Whether these are all rows of the file.
    encoding, separator : Finding of str, or None
        Of text files only.
    part : str
        Sheet of a workbook or table of a database; empty for files that hold one table.
    kind : Kind
    is_hidden : bool
        Whether it is a sheet that a person who opens the workbook does not see.
    """

    name: str
    columns: tuple[SampledColumn, ...]
    row_count: int
    is_whole: bool
    encoding: Finding[str] | None = None
    separator: Finding[str] | None = None
    part: str = ""
    kind: Kind = "csv"
    is_hidden: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)


def file_of(name: str, sample: FileSample) -> str:
    """Return the file of a sample that is known under this name."""
    return name.removesuffix(f"[{sample.part}]") if sample.part else name


def shown(text: str) -> str:
    r"""Quote a value for a message: on one line, printable and not too long.

    Examples
    --------
    >>> print(shown("two\nlines"))
    'two lines'
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    return f"'{printable}'" if len(printable) <= LONGEST_SHOWN else f"'{printable[: LONGEST_SHOWN - 1]}…'"


def place(row: int | None) -> str:
    """Name a row of a file; rows from the middle of a text file have no known number."""
    return f"row {row:,}" if row is not None else "a row further down"
