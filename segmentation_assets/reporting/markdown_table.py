"""Tables in Markdown (GitHub flavour); every cell is made inert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segmentation_assets.reporting.formatting import escape_markdown


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1) -> str:
    r"""Write a table.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
        As many cells as there are headings.
    text_columns : int
        Columns from the left that hold text; those after them stand on the right.

    Returns
    -------
    str
        Lines without an end of line after the last.

    Example
    -------
    >>> print(markdown_table(("Name", "Count"), [("a|b", "1")]))
    | Name | Count |
    |---|--:|
    | a\|b | 1 |
    """
    marks = ["---" if place < text_columns else "--:" for place in range(len(headings))]
    return "\n".join([_line(headings), f"|{'|'.join(marks)}|", *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(escape_markdown(cell) for cell in cells)} |"
