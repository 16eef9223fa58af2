"""Tables in Markdown (GitHub flavour); every cell is made inert."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from segmentation_assets.reporting.formatting import escape_markdown


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Collection[int] = (0,)) -> str:
    r"""Write a table.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
        As many cells as there are headings.
    texts : collection of int
        Places of the columns that hold text; the others stand on the right.

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
    marks = ["---" if place in texts else "--:" for place in range(len(headings))]
    return "\n".join([_line(headings), f"|{'|'.join(marks)}|", *(_line(row) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(escape_markdown(cell) for cell in cells)} |"
