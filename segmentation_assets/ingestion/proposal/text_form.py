"""How a text file is written: its encoding and its field separator."""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.decoding import read_data_records
from segmentation_assets.ingestion.proposal.pieces import Pieces
from segmentation_assets.ingestion.proposal.sample import Finding, shown

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ASCII_LIKE = ("utf-8", "cp1252", "iso-8859-1", "cp1250", "cp850", "mac-roman")
"""Encodings that plain ASCII is alike in."""

_LEAST_CONSISTENT = 0.5
_AS_CONSISTENT = 0.9
_MOST_RECORDS = 1_000
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_KNOWN_STARTS = {
    b"PK\x03\x04": "it is a workbook or a zip archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "it is an old Excel workbook; save the sheet as CSV",
    b"\x1f\x8b": "it is packed; let its name end in .csv.gz",
    b"PAR1": "it is a Parquet file; let its name end in .parquet",
    b"\x28\xb5\x2f\xfd": "it is packed; let its name end in .csv.zst",
}
_WORD = re.compile(r"\w*[^\x00-\x7f]+\w*")


def find_encoding(pieces: Pieces, name: str) -> Finding[str]:
    """Find the encoding of a text file.

    Parameters
    ----------
    pieces : Pieces
    name : str
        Name used in errors.

    Returns
    -------
    Finding of str
        Certain with a byte order mark or where all bytes are UTF-8, with the others that do as well where all are
        ASCII; else a guess, with the others that are common.

    Raises
    ------
    DataError
        The file holds zero bytes, so it is no text.
    """
    if pieces.head.startswith(_MARKS):
        return Finding("utf-16")
    start = next((hint for mark, hint in _KNOWN_STARTS.items() if pieces.head.startswith(mark)), None)
    if start is not None or pieces.first_null is not None:
        where = "" if pieces.first_null is None else f" (byte 0x00 at offset {pieces.first_null:,})"
        raise DataError(f"{name} is no text file{where}", f"{start or 'export it as CSV in UTF-8'}.")
    if pieces.bad_utf8 is None:
        reason = "the file is larger than what was read, and a later row may not be UTF-8; else cp1252"
        if not pieces.was_scanned:
            return Finding("utf-8", reason, ("utf-8", "cp1252"))
        return Finding("utf-8", others=ASCII_LIKE) if pieces.is_ascii else Finding("utf-8")
    return _single_byte_encoding(pieces)


def decode_pieces(pieces: Pieces, encoding: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of the beginning, without its mark, and of each later piece, cut at whole lines."""
    head = pieces.head.decode(encoding, "replace").removeprefix("\ufeff")
    inner = encoding
    if encoding == "utf-16":
        inner = "utf-16-le" if pieces.head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    if not pieces.is_whole:
        head = head[: head.rfind("\n") + 1] or head
    return head, tuple(_whole_lines(piece.decode(inner, "replace")) for piece in pieces.later)


def read_records(text: str, separator: str) -> list[list[str]]:
    r"""Split a text into records as the ingestion does; quotes are respected, empty lines left out.

    Examples
    --------
    >>> read_records('a;b\n"1;2";3\n"open;4\n5;6', ";")
    [['a', 'b'], ['1;2', '3'], ['"open;4'], ['5', '6']]
    """
    lines = chain(["no header\n"], io.StringIO(text, newline=""))
    return [fields for fields, _ in read_data_records(lines, separator) if fields]


def find_separator(text: str, name: str, known_names: Callable[[Sequence[str]], int]) -> Finding[str]:
    """Find the separator that splits the most records into as many fields as the header has.

    Parameters
    ----------
    text : str
        Beginning of the file, whole lines.
    name : str
        Name used in errors.
    known_names : callable
        Counts the names of a header that are known as names of columns.

    Returns
    -------
    Finding of str
        A guess where another separator splits as many records evenly, or where some records do not fit the header.

    Raises
    ------
    DataError
        The file holds nothing, starts with an empty line or a note to a spreadsheet, or no separator splits it.
    """
    first = text.partition("\n")[0].rstrip("\r")
    _check_first_line(first, name)
    consistent = {mark: share for mark in SEPARATORS if (share := _consistent_share(text, mark)) >= _LEAST_CONSISTENT}
    if not consistent:
        listed = ", ".join(SEPARATORS.values())
        raise DataError(
            f"{name} has one column, {shown(first)}: none of {listed} splits its rows like its header",
            "a table needs at least two columns; export it again with one of these separators.",
        )
    headers = {mark: read_records(text, mark)[0] for mark in consistent}
    rank = {mark: (known_names(headers[mark]), consistent[mark], len(headers[mark])) for mark in consistent}
    best, *others = sorted(rank, key=lambda mark: rank[mark], reverse=True)
    least = _AS_CONSISTENT * consistent[best]
    alike = [mark for mark in others if rank[mark][0] == rank[best][0] and consistent[mark] >= least]
    doubts = []
    if alike:
        listed = ", ".join(SEPARATORS[mark] for mark in alike)
        doubts.append(f"{SEPARATORS[best]} splits the rows evenly, but so does {listed}")
    if consistent[best] < 1:
        odd = f"{1 - consistent[best]:.1%}"
        doubts.append(
            f"{odd} of the records do not have the {len(headers[best])} fields of the header; they are set aside"
        )
    return Finding(best, "; ".join(doubts), (best, *alike) if alike else ())


def _check_first_line(first: str, name: str) -> None:
    if not first.strip(' \t;,|"'):
        raise DataError(f"{name}: the first line is empty; expected the column names", "put them in the first line.")
    if re.fullmatch(r"sep=.", first.strip()):
        raise DataError(
            f"{name}: the first line is {shown(first)}, a note to a spreadsheet; expected the column names",
            "remove that line.",
        )


def _consistent_share(text: str, separator: str) -> float:
    """Return the share of records that are as wide as the header; 0 where the header has one field."""
    records = read_records(text, separator)[:_MOST_RECORDS]
    width = len(records[0])
    if width == 1:
        return 0.0
    return sum(len(record) == width or (len(record) == width + 1 and not record[-1]) for record in records) / len(
        records
    )


def _single_byte_encoding(pieces: Pieces) -> Finding[str]:
    encoding = "cp1252" if pieces.fits_cp1252 else "iso-8859-1"
    others = tuple(name for name in ("cp1252", "iso-8859-1", "cp1250", "cp850", "mac-roman"))
    head, later = decode_pieces(pieces, encoding)
    words = Counter(match[0] for text in (head, *later) for match in _WORD.finditer(text))
    seen = f"; it reads {', '.join(shown(word) for word, _ in words.most_common(3))}" if words else ""
    return Finding(
        encoding,
        f"byte {pieces.bad_utf8:,} is not UTF-8{seen}; else {', '.join(name for name in others if name != encoding)}",
        others,
    )


def _whole_lines(text: str) -> str:
    """Drop what stands before the first line break and after the last one."""
    return text[text.find("\n") + 1 : text.rfind("\n") + 1]
